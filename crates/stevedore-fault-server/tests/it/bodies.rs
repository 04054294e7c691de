//! Faults of response bodies and heads.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use stevedore_core::Digest;
use stevedore_fault_server::{Fault, FaultServer, Origin, Profile};

use crate::client::{Reply, get, noise, plain_get, raw};

const BLOBS: &str = "/v2/*/blobs/*";

/// A server with one blob, a fault on its blobs, and the blob's path.
async fn with(fault: Fault, blob: &[u8]) -> (FaultServer, String) {
    let server = FaultServer::start(Profile::spec()).await;
    let digest: Digest = server.put_blob("a", blob.to_vec());
    server.fail(fault.on(Method::GET, BLOBS));
    (server, format!("/v2/a/blobs/{digest}"))
}

async fn fetch(server: &FaultServer, target: &str) -> Reply {
    get(&server.url(), target).send().await
}

fn body_of(wire: &[u8]) -> &[u8] {
    let end = wire
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .expect("the end of a head");
    &wire[end + 4..]
}

#[tokio::test]
async fn a_cut_body_promises_all_and_ends_early() {
    let blob = noise(100_000);
    let (server, target) = with(Fault::cut_body_after(70_000), &blob).await;
    let cut = fetch(&server, &target).await;
    assert!(!cut.whole);
    assert_eq!(cut.header("content-length"), Some("100000"));
    assert_eq!(cut.body, blob[..70_000]);
    // Once only; and a resume gets the rest.
    let rest = get(&server.url(), &target)
        .header("range", "bytes=70000-")
        .send()
        .await;
    assert!(rest.whole);
    assert_eq!(rest.body, blob[70_000..]);
    assert_eq!(server.log().blob_bytes_sent(), 100_000);
    assert_eq!(server.pending_faults(), 0);
}

#[tokio::test]
async fn a_cut_is_a_fin_and_a_reset_is_a_reset() {
    for (fault, error) in [
        (Fault::cut_body_after(10), None),
        (Fault::reset_body_after(10), Some(ErrorKind::ConnectionReset)),
    ] {
        let (server, target) = with(fault, b"0123456789abcdef").await;
        let (bytes, ended) = raw(server.address(Origin::Registry), &plain_get(&target)).await;
        assert_eq!(ended, error);
        assert_eq!(body_of(&bytes), b"0123456789");
    }
}

#[tokio::test]
async fn lengths_lie_both_ways() {
    let (server, target) = with(Fault::longer_length(5), b"0123456789").await;
    let reply = fetch(&server, &target).await;
    assert_eq!(
        (reply.header("content-length"), reply.whole, reply.body.len()),
        (Some("15"), false, 10)
    );

    let (server, target) = with(Fault::shorter_length(4), b"0123456789").await;
    let reply = fetch(&server, &target).await;
    assert_eq!(
        (reply.header("content-length"), reply.body.as_ref()),
        (Some("6"), b"012345".as_slice())
    );
    server.fail(Fault::shorter_length(4));
    let (bytes, _) = raw(server.address(Origin::Registry), &plain_get(&target)).await;
    assert_eq!(body_of(&bytes), b"0123456789");
}

#[tokio::test]
async fn bodies_come_without_a_length() {
    let (server, target) = with(Fault::no_length(), b"0123456789").await;
    let reply = fetch(&server, &target).await;
    assert_eq!(
        (reply.header("content-length"), reply.body.as_ref()),
        (None, b"0123456789".as_slice())
    );
    let (server, target) = with(Fault::chunked(), &noise(40_000)).await;
    let reply = fetch(&server, &target).await;
    assert_eq!(reply.header("transfer-encoding"), Some("chunked"));
    assert_eq!(reply.body, noise(40_000));
    assert!(reply.whole);
}

#[tokio::test]
async fn a_chunked_body_can_be_cut_as_well() {
    let (server, target) = with(Fault::chunked(), b"0123456789").await;
    server.fail(Fault::cut_body_after(4));
    let reply = fetch(&server, &target).await;
    assert_eq!((reply.whole, reply.body.as_ref()), (false, b"0123".as_slice()));
}

#[tokio::test]
async fn one_flipped_bit_leaves_all_else() {
    for (offset, expected) in [(0, b"1123"), (3, b"0122"), (99, b"0122")] {
        let (server, target) = with(Fault::flip_byte(offset), b"0123").await;
        let reply = fetch(&server, &target).await;
        assert_eq!(reply.body.as_ref(), expected);
        assert_eq!(reply.header("docker-content-digest"), target.rsplit('/').next());
        assert!(reply.whole);
    }
}

#[tokio::test]
async fn headers_are_wrong_missing_or_other() {
    let (server, target) = with(Fault::wrong_digest_header(), b"x").await;
    let wrong = fetch(&server, &target).await;
    let told = wrong.header("docker-content-digest").expect("a digest");
    assert!(told.starts_with("sha256:") && !target.ends_with(told));

    let (server, target) = with(Fault::without_header("docker-content-digest"), b"x").await;
    assert_eq!(
        fetch(&server, &target).await.header("docker-content-digest"),
        None
    );
    let (server, target) = with(Fault::header("warning", "299 - \"soon gone\""), b"x").await;
    assert_eq!(
        fetch(&server, &target).await.header("warning"),
        Some("299 - \"soon gone\"")
    );
}

#[tokio::test]
async fn huge_heads_are_as_huge_as_was_asked() {
    let (server, target) = with(Fault::huge_headers(100 * 1024), b"x").await;
    let (bytes, _) = raw(server.address(Origin::Registry), &plain_get(&target)).await;
    assert!(bytes.len() > 100 * 1024);
    assert_eq!(body_of(&bytes), b"x");
}

#[tokio::test]
async fn a_response_can_come_twice() {
    let (server, target) = with(Fault::duplicate(), b"x").await;
    let request = format!(
        "GET {target} HTTP/1.1\r\nhost: r\r\n\r\nGET /v2/ HTTP/1.1\r\nhost: r\r\nconnection: close\r\n\r\n"
    );
    let (bytes, _) = raw(server.address(Origin::Registry), request.as_bytes()).await;
    let text = String::from_utf8(bytes).expect("text");
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 3, "{text}");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn bodies_and_heads_drip() {
    let (server, target) = with(Fault::drip_body(100), &noise(40)).await;
    let start = Instant::now();
    assert!(fetch(&server, &target).await.whole);
    assert!(
        start.elapsed() >= Duration::from_millis(350),
        "{:?}",
        start.elapsed()
    );

    let (server, target) = with(Fault::drip_head(Duration::from_millis(2)), b"x").await;
    let start = Instant::now();
    assert!(fetch(&server, &target).await.whole);
    // The head has more than a hundred bytes.
    assert!(
        start.elapsed() >= Duration::from_millis(200),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn a_stalled_body_comes_no_further_and_stays_open() {
    let (server, target) = with(Fault::stall_body_after(4), b"0123456789").await;
    let pending = raw_within(&server, &plain_get(&target), Duration::from_millis(300)).await;
    assert_eq!(body_of(&pending.expect_err("still open")), b"0123");
}

#[tokio::test]
async fn a_hanging_server_says_nothing() {
    let (server, target) = with(Fault::hang(), b"x").await;
    let pending = raw_within(&server, &plain_get(&target), Duration::from_millis(300)).await;
    assert_eq!(pending.expect_err("still open"), b"");
    assert_eq!(server.requests()[0].status, None);
    // Others are served meanwhile.
    assert_eq!(fetch(&server, &target).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_delay_is_kept() {
    let (server, target) = with(Fault::delay(Duration::from_millis(200)), b"x").await;
    let start = Instant::now();
    assert_eq!(fetch(&server, &target).await.body.as_ref(), b"x");
    assert!(start.elapsed() >= Duration::from_millis(200));
}

/// All that comes until the end, or, as the error, what had come when the time was over.
async fn raw_within(server: &FaultServer, request: &[u8], time: Duration) -> Result<Vec<u8>, Vec<u8>> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut tcp = tokio::net::TcpStream::connect(server.address(Origin::Registry))
        .await
        .expect("a connection");
    tcp.write_all(request).await.expect("the request goes out");
    let mut bytes = Vec::new();
    match tokio::time::timeout(time, tcp.read_to_end(&mut bytes)).await {
        Ok(_) => Ok(bytes),
        Err(_) => Err(bytes),
    }
}
