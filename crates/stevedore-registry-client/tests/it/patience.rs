//! Servers that say nothing, or not all of it: how long they are waited for, and who is told.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use stevedore_core::{ErrorKind, Source};
use stevedore_registry_client::{ClientBuilder, Repository, RetryPolicy, Timeouts};

use crate::support::{Reply, Server, app, chain, client, name, says};

const NEVER: Duration = Duration::from_secs(600);

/// Longer than anything here should take, and much shorter than what would be waited without the bounds.
const SOON: Duration = Duration::from_secs(20);

const SILENCE: Duration = Duration::from_millis(1500);

/// Shorter than the silence that is borne, so that there is more than one try.
fn short() -> Timeouts {
    let milli = Duration::from_millis(200);
    Timeouts::default().with_connect(milli).with_response(milli)
}

fn app_at(server: &Server, builder: ClientBuilder) -> Repository {
    app(&builder.build().expect("a client"), &server.registry())
}

fn impatient() -> RetryPolicy {
    let milli = Duration::from_millis(1);
    RetryPolicy::default()
        .with_attempts(20)
        .with_waits(milli, milli)
        .with_longest_silence(SILENCE)
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_before_all_tries() {
    let server = Server::plain(|_| Reply::ok("late").after(NEVER)).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&told);
    let builder = client()
        .timeouts(short())
        .retry(impatient())
        .on_retry(move |error, _| {
            listener.lock().expect("no panic").push(error.to_string());
        });
    let error = app_at(&server, builder)
        .root(&name("latest"))
        .await
        .expect_err("silence");
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{}", chain(&error));
    let tries = server.seen().len();
    assert!((2..10).contains(&tries), "{tries}");
    let told = told.lock().expect("no panic");
    assert_eq!(told.len(), tries - 1);
    assert!(
        told[0].starts_with("an answer did not come within 0.2 seconds: GET "),
        "{}",
        told[0]
    );
}

#[tokio::test]
async fn a_document_that_stands_still_is_waited_for_as_an_answer_is() {
    let server = Server::plain(|_| Reply::ok(r#"{"schema"#).pause(NEVER)).await;
    let started = Instant::now();
    let app = app_at(&server, client().timeouts(short()).retry(impatient()));
    let error = app.root(&name("latest")).await.expect_err("half of a document");
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{}", chain(&error));
    assert!((2..10).contains(&server.seen().len()), "{}", server.seen().len());
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
}

#[tokio::test]
async fn the_body_of_an_error_is_not_waited_for_long() {
    let server = Server::plain(|_| {
        let reply = Reply::new(500).header("content-length", "20");
        reply.body("<b>a byte short</b>").pause(NEVER)
    })
    .await;
    let short = Server::plain(|_| {
        let reply = Reply::new(500).header("content-length", "30");
        reply.body("it is broken").pause(NEVER)
    })
    .await;
    let started = Instant::now();
    for (server, part) in [(&server, "500"), (&short, "it is broken")] {
        let app = app_at(server, client().retry(RetryPolicy::never()));
        let error = app.root(&name("latest")).await.expect_err("broken");
        assert_eq!(error.kind(), ErrorKind::Network, "{}", chain(&error));
        says(&error, part);
    }
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
}
