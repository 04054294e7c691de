//! Servers that say nothing for a while, and bodies that end early.

use std::time::Duration;

use stevedore_core::ErrorKind;
use stevedore_registry_client::auth::Scopes;
use stevedore_registry_client::{Error, RetryPolicy, Timeouts};

use super::get;
use crate::support::{Reply, Server, anonymous, client, says};

#[tokio::test]
async fn silence_before_the_head_and_in_the_body_ends() {
    let long = Duration::from_secs(30);
    let short = Duration::from_millis(200);
    let timeouts = Timeouts::default()
        .with_connect(short)
        .with_response(short)
        .with_idle(short);
    let client = client()
        .timeouts(timeouts)
        .retry(RetryPolicy::never())
        .build()
        .expect("a client");

    let server = Server::plain(move |_| Reply::ok("late").after(long)).await;
    let error = get(&client, &server.registry()).await.expect_err("nothing comes");
    assert!(
        matches!(
            error,
            Error::TimedOut {
                waiting_for: "an answer",
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(error.kind(), ErrorKind::TimedOut);

    let server = Server::plain(move |_| Reply::ok("some").pause(long).body("more")).await;
    let blob = client
        .get(&server.registry(), "/v2/", &Scopes::none())
        .await
        .expect("a head");
    let error = blob.into_bytes(100).await.expect_err("nothing more comes");
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    says(&error, "the next bytes did not come within 0.2 seconds");
}

#[tokio::test]
async fn who_fetches_slowly_is_not_called_silent() {
    let idle = Duration::from_millis(150);
    let client = client()
        .timeouts(Timeouts::default().with_idle(idle))
        .build()
        .expect("a client");
    let server = Server::plain(|_| Reply::ok(vec![7; 4 * 1024 * 1024])).await;
    let blob = client
        .get(&server.registry(), "/v2/", &Scopes::none())
        .await
        .expect("a head");
    let mut stream = blob.into_stream();
    let mut length = 0;
    while let Some(chunk) = stevedore_core::stream::next(&mut stream).await {
        length += chunk.expect("a chunk").len();
        if length < 1024 * 1024 {
            tokio::time::sleep(idle * 2).await;
        }
    }
    assert_eq!(length, 4 * 1024 * 1024);
}

#[tokio::test]
async fn a_cut_body_is_an_interruption() {
    let server = Server::plain(|_| {
        Reply::ok("some")
            .header("content-length", "100")
            .pause(Duration::from_millis(50))
            .cut()
    })
    .await;
    let client = anonymous();
    let blob = client
        .get(&server.registry(), "/v2/", &Scopes::none())
        .await
        .expect("a head");
    assert_eq!(blob.size, Some(100));
    let error = blob.into_bytes(100).await.expect_err("cut");
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert!(error.is_retryable());
}
