//! Users and passwords that are shown to a registry itself.

use std::time::Duration;

use stevedore_core::ErrorKind;
use stevedore_registry_client::auth::{Credential, Scopes};

use super::{basic, get};
use crate::support::{Home, Reply, Server, anonymous, client, client_with};

#[tokio::test]
async fn basic_is_answered_and_remembered() {
    let server = Server::plain(|seen| match seen.authorization() {
        Some(header) if header == basic("me", "pass:word") => Reply::ok(""),
        Some(_) => Reply::new(500),
        None => Reply::ask_for_password(),
    })
    .await;
    let client = client_with(&server, Credential::basic("me", "pass:word"));
    for _ in 0..3 {
        get(&client, &server, &Scopes::none()).await.expect("allowed");
    }
    assert_eq!(server.seen().len(), 4, "one challenge is enough");
}

#[tokio::test]
async fn wrong_passwords_are_tried_once() {
    let server = Server::plain(|_| Reply::ask_for_password()).await;
    let client = client_with(&server, Credential::basic("me", "wrong"));
    let error = get(&client, &server, &Scopes::none()).await.expect_err("wrong");
    assert_eq!(server.seen().len(), 2, "no account is locked by us");
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(
        error.to_string(),
        format!(
            "{} does not allow access to me (credentials from what was given for this registry)",
            server.address
        )
    );
    assert!(error.refused().expect("an answer").has_code("UNAUTHORIZED"));
    assert!(!format!("{error:?} {client:?}").contains("wrong"));
}

#[tokio::test]
async fn nobody_is_told_that_nobody_is_known() {
    let server = Server::plain(|_| Reply::ask_for_password()).await;
    let client = anonymous();
    let error = get(&client, &server, &Scopes::pull("a"))
        .await
        .expect_err("nobody");
    assert_eq!(server.seen().len(), 1);
    let text = format!(
        "{} does not allow repository:a:pull to anybody without credentials",
        server.address
    );
    assert_eq!(error.to_string(), text);
}

#[tokio::test]
async fn a_helper_is_asked_again_when_its_password_ended() {
    // The password of ECR lives twelve hours; the registry says 403, not 401, when it has ended.
    let home = Home::new();
    home.helper("one");
    let server = Server::plain(|seen| match seen.authorization() {
        Some(header) if header == basic("AWS", "new") => Reply::ok(""),
        Some(_) => Reply::new(403)
            .body(r#"{"errors":[{"code":"DENIED","message":"Your authorization token has expired."}]}"#),
        None => Reply::ask_for_password(),
    })
    .await;
    let registry = server.registry();
    home.write(".docker/config.json", r#"{"credsStore":"one"}"#);
    let kept = format!("bin/{}", registry.as_str().replace(':', "_"));
    let answer = |password: &str| {
        home.write(&kept, &format!(r#"{{"Username":"AWS","Secret":"{password}"}}"#));
    };
    let client = client()
        .credentials(home.sources())
        .renew_after(Duration::ZERO)
        .build()
        .expect("a client");

    answer("old");
    let error = get(&client, &server, &Scopes::none()).await.expect_err("expired");
    assert_eq!(error.status(), Some(403));
    answer("new");
    get(&client, &server, &Scopes::none())
        .await
        .expect("the helper knows a new one");
}
