//! Answers that are more than a body: errors, warnings, redirects.

use std::sync::{Arc, Mutex};

use stevedore_registry_client::Error;
use stevedore_registry_client::auth::Scopes;

use super::{answer, believing, get};
use crate::support::{Authority, Reply, Server, anonymous, client};

#[tokio::test]
async fn error_bodies_are_bounded() {
    let server = Server::plain(|_| {
        let mut reply = Reply::new(400);
        for _ in 0..64 {
            reply = reply.body(vec![b'x'; 1024 * 1024]);
        }
        reply.header("x-request-id", "r-1")
    })
    .await;
    let error = get(&anonymous(), &server.registry()).await.expect_err("refused");
    let refused = error.refused().expect("an answer");
    assert_eq!(refused.text.as_ref().map(String::len), Some(500));
    assert_eq!(refused.request_id.as_deref(), Some("r-1"));
}

#[tokio::test]
async fn warnings_are_shown_once() {
    let server = Server::plain(|_| Reply::ok("").header("warning", r#"299 - "This registry closes.""#)).await;
    let shown = Arc::new(Mutex::new(Vec::new()));
    let client = {
        let shown = Arc::clone(&shown);
        client().on_warning(move |warning| shown.lock().expect("no panic").push(warning.to_string()))
    };
    let client = client.build().expect("a client");
    for _ in 0..3 {
        answer(&client, &server.registry()).await;
    }
    let text = format!("{} warns: This registry closes.", server.registry().as_str());
    assert_eq!(*shown.lock().expect("no panic"), [text]);
}

#[tokio::test]
async fn redirects_are_followed_so_far_and_no_further() {
    let server = Server::plain(|seen| match seen.path.as_str() {
        "/v2/" => Reply::redirect(307, "hop"),
        "/v2/hop" => Reply::redirect(302, "/v2/../end?x=1"),
        "/end?x=1" => Reply::ok("end"),
        "/loop" => Reply::redirect(301, "/loop"),
        "/file" => Reply::redirect(301, "file:///etc/passwd"),
        "/nowhere" => Reply::new(301),
        _ => Reply::new(404),
    })
    .await;
    let client = anonymous();
    assert_eq!(answer(&client, &server.registry()).await, "end");

    for (path, reason, asked) in [
        ("/loop", "too many", 11),
        ("/file", "not an http", 1),
        ("/nowhere", "no usable Location", 1),
    ] {
        let before = server.seen().len();
        let error = client
            .get(&server.registry(), path, &Scopes::none())
            .await
            .expect_err("not followed");
        assert!(matches!(&error, Error::Redirect { .. }), "{error:?}");
        assert!(error.to_string().contains(reason), "{error}");
        assert_eq!(server.seen().len() - before, asked, "{path}");
    }
}

#[tokio::test]
async fn no_redirect_leads_from_https_to_plain_http() {
    let authority = Authority::new();
    let plain = Server::plain(|_| Reply::ok("plain")).await;
    let target = plain.url("/v2/");
    let acceptor = authority.acceptor(&["127.0.0.1"], &["http/1.1"]);
    let secure = Server::tls(acceptor, move |_| Reply::redirect(307, &target)).await;
    let client = believing(&authority, &secure.registry());
    let error = get(&client, &secure.registry()).await.expect_err("not followed");
    assert!(error.to_string().contains("from https to plain http"), "{error}");
    assert!(plain.seen().is_empty());
}
