//! Token services that answer badly.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use stevedore_registry_client::auth::{Credential, Scopes};

use super::{get, guarded};
use crate::support::{Reply, TOKEN, anonymous, client_with};

#[tokio::test]
async fn answers_of_token_services_are_bounded_and_checked() {
    for (body, what) in [
        (r#"{"token":""}"#.to_owned(), "there is no token in it"),
        (
            "<html>hunter2</html>".to_owned(),
            "not the JSON of a token response",
        ),
        (
            format!(r#"{{"token":"t","x":"{}"}}"#, "y".repeat(1024 * 1024)),
            "larger than 1048576 bytes",
        ),
    ] {
        let server = guarded(move |_| Reply::ok(body.clone())).await;
        let client = anonymous();
        let error = get(&client, &server, &Scopes::none())
            .await
            .expect_err("no token");
        assert!(error.to_string().contains(what), "{error}");
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn a_token_service_that_stumbles_is_asked_again() {
    let count = AtomicUsize::new(0);
    let server = guarded(move |_| match count.fetch_add(1, Ordering::Relaxed) {
        0 => Reply::new(503),
        _ => Reply::ok(TOKEN),
    })
    .await;
    let started = Instant::now();
    get(&anonymous(), &server, &Scopes::none())
        .await
        .expect("allowed");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_bad_password_at_the_token_service_says_who() {
    let wrong = r#"{"details":"incorrect username or password"}"#;
    let server = guarded(move |_| Reply::new(401).body(wrong)).await;
    let client = client_with(&server, Credential::basic("me", "hunter2"));
    let error = get(&client, &server, &Scopes::push("a/b"))
        .await
        .expect_err("wrong");
    let text = error.to_string();
    assert!(
        text.contains("does not allow repository:a/b:pull,push to me (credentials from"),
        "{text}"
    );
    assert!(
        error
            .refused()
            .expect("an answer")
            .to_string()
            .contains("incorrect username or password")
    );
    assert!(!format!("{error:?}").contains("hunter2"));
    assert_eq!(server.paths().len(), 2, "asked once: {:?}", server.paths());
}
