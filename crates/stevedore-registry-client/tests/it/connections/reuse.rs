//! How many connections there are.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use stevedore_core::ErrorKind;
use stevedore_registry_client::auth::Scopes;

use super::{answer, get};
use crate::support::{Reply, Server, anonymous, client};

#[tokio::test]
async fn a_host_is_asked_so_much_at_once() {
    let current = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let server = {
        let (current, most) = (Arc::clone(&current), Arc::clone(&most));
        Server::plain(move |_| {
            most.fetch_max(current.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let current = Arc::clone(&current);
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(30)).await;
                current.fetch_sub(1, Ordering::SeqCst);
            });
            Reply::ok("x").after(Duration::from_millis(40))
        })
        .await
    };
    let client = client().concurrency(3).build().expect("a client");
    let registry = server.registry();
    let all = futures_util::future::join_all((0..20).map(|_| get(&client, &registry))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn connections_are_used_again() {
    let server = Server::plain(|_| Reply::ok("x")).await;
    let client = anonymous();
    let started = Instant::now();
    for _ in 0..50 {
        answer(&client, &server.registry()).await;
    }
    assert!(started.elapsed() < Duration::from_secs(5));
    let error = client
        .get(&server.registry(), "no slash", &Scopes::none())
        .await
        .expect_err("no path");
    assert!(error.source().is_none());
    assert_eq!(error.kind(), ErrorKind::Invalid);
}
