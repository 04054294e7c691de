//! Answers without an end, or that claim to have a far one.

use std::time::Duration;

use stevedore_core::{Algorithm, ByteRange, Descriptor, ErrorKind, MediaType, Source};
use stevedore_registry_client::{RetryPolicy, Timeouts};

use super::{INDEX, app_at, ask, challenge, referrers_fail};
use crate::support::{Reply, Server, anonymous, app, client};

#[tokio::test]
async fn ghsa_f36w_mj3v_6jqv_claimed_size_allocates_nothing() {
    // A token service that claims an exabyte.
    let server = Server::plain(|seen| {
        let host = seen.header("host").expect("a host").to_owned();
        match seen.path.split('?').next() {
            Some("/token") => Reply::ok("{")
                .header("content-length", "1000000000000000000")
                .pause(Duration::from_secs(30)),
            _ => challenge(&format!("http://{host}/token")),
        }
    })
    .await;
    let client = anonymous();
    let error = ask(&client, &server, "/v2/").await.expect_err("too large");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn ghsa_f36w_mj3v_6jqv_claimed_blob_size_allocates_nothing() {
    let server = Server::plain(|_| {
        Reply::ok("tiny")
            .header("content-length", "1000000000000000000")
            .pause(Duration::from_secs(30))
    })
    .await;
    let timeouts = Timeouts::default().with_idle(Duration::from_millis(200));
    let client = client()
        .timeouts(timeouts)
        .retry(RetryPolicy::never())
        .build()
        .expect("a client");
    let app = app(&client, &server.registry());
    let digest = Algorithm::Sha256.digest(b"tiny");
    let descriptor = Descriptor::new(MediaType::OCI_LAYER, digest, 1_000_000_000_000_000_000);
    let blob = app.blob(&descriptor, ByteRange::FULL).await.expect("a head");
    let error = blob.into_bytes(u64::MAX).await.expect_err("it ends early");
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error:?}");
}

#[tokio::test]
async fn cve_2024_29902_referrers_are_bounded() {
    // A list whose pages never end.
    let server = Server::plain(|seen| {
        let page: u64 = seen
            .path
            .rsplit("p=")
            .next()
            .and_then(|page| page.parse().ok())
            .unwrap_or(0);
        let entry = |number: u64| {
            let digest = Algorithm::Sha256.digest(&number.to_le_bytes());
            format!(
                r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{digest}","size":2}}"#
            )
        };
        let entries: Vec<_> = (page * 1000..(page + 1) * 1000).map(entry).collect();
        let next = format!(
            "<{}?p={}>; rel=\"next\"",
            seen.path.split('?').next().expect("a path"),
            page + 1
        );
        Reply::ok(format!(
            r#"{{"schemaVersion":2,"manifests":[{}]}}"#,
            entries.join(",")
        ))
        .header("content-type", INDEX)
        .header("link", next)
    })
    .await;
    assert_eq!(referrers_fail(&server).await.kind(), ErrorKind::TooLarge);
    assert!(server.seen().len() < 20);
}

#[tokio::test]
async fn cve_2024_29903_a_page_of_referrers_is_bounded() {
    // By what it claims, and by what comes where nothing is claimed.
    let server = Server::plain(|_| {
        Reply::ok("{")
            .header("content-type", INDEX)
            .header("content-length", "1000000000000")
            .pause(Duration::from_secs(30))
    })
    .await;
    assert_eq!(referrers_fail(&server).await.kind(), ErrorKind::TooLarge);
    let server = Server::plain(|_| {
        let blank = vec![b' '; 1024 * 1024];
        let start = Reply::ok("{").header("content-type", INDEX).pause(Duration::ZERO);
        (0..40).fold(start, |reply, _| reply.body(blank.clone()))
    })
    .await;
    assert_eq!(referrers_fail(&server).await.kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn cve_2023_46737_a_list_that_goes_in_a_circle_ends() {
    let server = Server::plain(|seen| {
        let (path, query) = seen.path.split_once('?').unwrap_or((&seen.path, "p=0"));
        let other = u8::from(query != "p=1");
        Reply::ok(r#"{"schemaVersion":2,"manifests":[],"tags":[]}"#)
            .header("content-type", INDEX)
            .header("link", format!("<{path}?p={other}>; rel=\"next\""))
    })
    .await;
    assert_eq!(referrers_fail(&server).await.kind(), ErrorKind::Invalid);
    assert!(server.seen().len() <= 3, "{:?}", server.paths());
    let app = app_at(&server);
    let tags = stevedore_core::stream::next(&mut app.names()).await;
    let error = tags.expect("an answer").expect_err("it is not a list");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(server.seen().len() <= 6, "{:?}", server.paths());
}
