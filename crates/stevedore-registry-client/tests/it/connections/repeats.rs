//! What is tried again, and when.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use stevedore_core::ErrorKind;

use super::get;
use crate::support::{Reply, Server, anonymous};

/// A server that answers well after a few other answers.
async fn well_after(times: usize, other: impl Fn() -> Reply + Send + Sync + 'static) -> Server {
    let count = AtomicUsize::new(0);
    Server::plain(move |_| {
        if count.fetch_add(1, Ordering::Relaxed) < times {
            other()
        } else {
            Reply::ok("at last")
        }
    })
    .await
}

#[tokio::test]
async fn what_passes_is_tried_again_and_what_does_not_is_not() {
    for (status, sent) in [(503, 3), (429, 3), (500, 3), (404, 1), (400, 1)] {
        let server = well_after(2, move || Reply::new(status)).await;
        let result = get(&anonymous(), &server.registry()).await;
        assert_eq!(server.seen().len(), sent, "{status}");
        assert_eq!(result.is_ok(), sent == 3, "{status}");
    }
    let server = Server::plain(|_| Reply::new(503)).await;
    let error = get(&anonymous(), &server.registry()).await.expect_err("never");
    assert_eq!(server.seen().len(), 5);
    assert_eq!(error.status(), Some(503));
}

#[tokio::test]
async fn a_registry_that_asks_to_wait_is_waited_for() {
    let server = well_after(1, || Reply::new(429).header("retry-after", "1")).await;
    let client = anonymous();
    let started = Instant::now();
    let registry = server.registry();
    let first = get(&client, &registry);
    let second = async {
        // Comes while the host is paused, and waits too.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let answer = get(&client, &registry).await;
        assert!(
            started.elapsed() >= Duration::from_secs(1),
            "{:?}",
            started.elapsed()
        );
        answer
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first.expect("an answer"), "at last");
    assert_eq!(second.expect("an answer"), "at last");
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_limit_that_lasts_is_told_with_what_and_when() {
    let server = Server::plain(|_| {
        Reply::new(429).header("retry-after", "21600").header("x-request-id", "r-1").body(
            r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}"#,
        )
    })
    .await;
    let error = get(&anonymous(), &server.registry()).await.expect_err("limited");
    assert_eq!(server.seen().len(), 1, "nobody waits six hours");
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(21600)));
    let shown = error.to_string();
    assert!(
        shown.contains("You have reached your pull rate limit."),
        "{shown}"
    );
    assert!(shown.contains("asks to wait 21600 seconds"), "{shown}");
    assert!(shown.contains("(request id r-1)"), "{shown}");
}
