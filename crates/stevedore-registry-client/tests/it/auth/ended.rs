//! Tokens that ended before their time, and registries that say so of every one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use stevedore_core::ErrorKind;
use stevedore_registry_client::auth::Scopes;

use super::{bearer, get};
use crate::support::{Reply, Server, TOKEN, anonymous, client};

/// A server whose tokens are each good until `refuse` says otherwise.
async fn expiring(status: u16) -> (Server, Arc<AtomicUsize>) {
    let current = Arc::new(AtomicUsize::new(0));
    let server = {
        let current = Arc::clone(&current);
        Server::plain(move |seen| {
            let now = current.load(Ordering::SeqCst);
            if seen.path.starts_with("/token") {
                return Reply::ok(format!(r#"{{"token":"t{now}","expires_in":3600}}"#));
            }
            match seen.authorization() {
                Some(header) if header == format!("Bearer t{now}") => Reply::ok(""),
                Some(_) if status == 403 => Reply::new(403).body("expired"),
                _ => bearer(seen, ""),
            }
        })
        .await
    };
    (server, current)
}

#[tokio::test]
async fn a_token_that_ended_early_is_replaced_on_401() {
    let (server, current) = expiring(401).await;
    let client = anonymous();
    get(&client, &server, &Scopes::pull("a")).await.expect("allowed");
    current.store(1, Ordering::SeqCst);
    get(&client, &server, &Scopes::pull("a"))
        .await
        .expect("allowed again");
    assert_eq!(server.seen().len(), 3 + 3);
}

#[tokio::test]
async fn a_token_that_ended_is_replaced_on_403_if_it_is_old_enough() {
    for (age, allowed) in [(Duration::ZERO, true), (Duration::from_secs(60), false)] {
        let (server, current) = expiring(403).await;
        let client = client().renew_after(age).build().expect("a client");
        get(&client, &server, &Scopes::pull("a")).await.expect("allowed");
        current.store(1, Ordering::SeqCst);
        let before = server.seen().len();
        let result = get(&client, &server, &Scopes::pull("a")).await;
        assert_eq!(result.is_ok(), allowed);
        assert_eq!(server.seen().len() - before, if allowed { 3 } else { 1 });
    }
}

#[tokio::test]
async fn a_403_that_stays_is_told_after_one_more_try() {
    let server = Server::plain(|seen| match seen.path.split('?').next() {
        Some("/token") => Reply::ok(TOKEN),
        _ if seen.authorization().is_some() => {
            Reply::new(403).body(r#"{"errors":[{"code":"DENIED","message":"not yours"}]}"#)
        }
        _ => bearer(seen, ""),
    })
    .await;
    let client = client().renew_after(Duration::ZERO).build().expect("a client");
    let error = get(&client, &server, &Scopes::push("a"))
        .await
        .expect_err("denied");
    assert_eq!(server.seen().len(), 5);
    assert_eq!(error.status(), Some(403));
    assert!(error.refused().expect("an answer").has_code("DENIED"));
}

#[tokio::test]
async fn a_401_that_stays_does_not_go_on_for_ever() {
    let server = Server::plain(|seen| match seen.path.split('?').next() {
        Some("/token") => Reply::ok(TOKEN),
        // Wants something else each time.
        _ => bearer(
            seen,
            &format!(
                r#",scope="repository:a{}:pull""#,
                std::process::id() as usize + seen.all().len()
            ),
        ),
    })
    .await;
    let client = anonymous();
    let error = get(&client, &server, &Scopes::push("a"))
        .await
        .expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(server.seen().len() <= 8, "{:?}", server.paths());
}
