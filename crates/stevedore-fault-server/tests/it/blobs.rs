//! Blobs are served as the spec has it.

use http::{Method, StatusCode};
use stevedore_core::Algorithm;
use stevedore_fault_server::{FaultServer, Profile};

use crate::client::{ask, get, noise};

#[tokio::test]
async fn get_and_head_agree() {
    let server = FaultServer::start(Profile::spec()).await;
    let bytes = noise(2048);
    let digest = server.put_blob("a/b", bytes.clone());
    let target = format!("/v2/a/b/blobs/{digest}");

    let got = get(&server.url(), &target).send().await;
    assert_eq!(got.status, StatusCode::OK);
    assert_eq!(got.body, bytes);
    assert_eq!(
        got.header("docker-content-digest"),
        Some(digest.to_string().as_str())
    );
    assert_eq!(got.header("content-length"), Some("2048"));

    let head = ask(Method::HEAD, &server.url(), &target).send().await;
    assert_eq!(head.status, StatusCode::OK);
    assert_eq!(head.header("content-length"), Some("2048"));
    assert!(head.body.is_empty());

    let log = server.log();
    assert_eq!(log.count(&Method::GET, "/v2/*/blobs/*"), 1);
    assert_eq!(log.requests()[0].sent, 2048);
    assert_eq!(log.requests()[1].sent, 0);
    assert_eq!(log.blob_bytes_sent(), 2048);
}

#[tokio::test]
async fn what_is_not_there_is_404_with_a_code() {
    let server = FaultServer::start(Profile::spec()).await;
    let digest = server.put_blob("a", "x");
    let other = Algorithm::Sha256.digest(b"y");

    let missing = get(&server.url(), &format!("/v2/a/blobs/{other}")).send().await;
    assert_eq!(
        (missing.status, missing.code().as_str()),
        (StatusCode::NOT_FOUND, "BLOB_UNKNOWN")
    );
    let elsewhere = get(&server.url(), &format!("/v2/b/blobs/{digest}")).send().await;
    assert_eq!(
        (elsewhere.status, elsewhere.code().as_str()),
        (StatusCode::NOT_FOUND, "NAME_UNKNOWN")
    );
    let wrong = get(&server.url(), "/v2/a/blobs/sha256:abc").send().await;
    assert_eq!(
        (wrong.status, wrong.code().as_str()),
        (StatusCode::BAD_REQUEST, "DIGEST_INVALID")
    );
}

#[tokio::test]
async fn ranges_are_obeyed_clamped_or_refused() {
    let server = FaultServer::start(Profile::spec()).await;
    let bytes = noise(2048);
    let digest = server.put_blob("a", bytes.clone());
    let target = format!("/v2/a/blobs/{digest}");
    let part = |range: &str| get(&server.url(), &target).header("range", range).send();

    for (range, expected) in [
        ("bytes=500-1499", 500..1500),
        ("bytes=500-", 500..2048),
        ("bytes=-500", 1548..2048),
        ("bytes=2000-5000", 2000..2048),
    ] {
        let got = part(range).await;
        assert_eq!(got.status, StatusCode::PARTIAL_CONTENT, "{range}");
        assert_eq!(got.body, bytes[expected.clone()], "{range}");
        let told = format!("bytes {}-{}/2048", expected.start, expected.end - 1);
        assert_eq!(got.header("content-range"), Some(told.as_str()));
    }
    for range in ["bytes=500-0", "bytes=5000-10000"] {
        let got = part(range).await;
        assert_eq!(got.status, StatusCode::RANGE_NOT_SATISFIABLE, "{range}");
        assert_eq!(got.header("content-range"), Some("bytes */2048"));
    }
}

#[tokio::test]
async fn a_registry_without_ranges_sends_all() {
    let mut profile = Profile::spec();
    profile.pull.ranges = false;
    let server = FaultServer::start(profile).await;
    let digest = server.put_blob("a", "0123456789");
    let got = get(&server.url(), &format!("/v2/a/blobs/{digest}"))
        .header("range", "bytes=5-")
        .send()
        .await;
    assert_eq!(
        (got.status, got.body.as_ref()),
        (StatusCode::OK, b"0123456789".as_slice())
    );
    assert_eq!(got.header("accept-ranges"), None);
}

#[tokio::test]
async fn a_deleted_blob_is_gone_from_its_repository_alone() {
    let server = FaultServer::start(Profile::spec()).await;
    let digest = server.put_blob("a", "x");
    server.put_blob("b", "x");
    let target = format!("/v2/a/blobs/{digest}");
    assert_eq!(
        ask(Method::DELETE, &server.url(), &target).send().await.status,
        StatusCode::ACCEPTED
    );
    assert_eq!(
        ask(Method::DELETE, &server.url(), &target).send().await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(server.blob("a", &digest), None);
    assert_eq!(server.blob("b", &digest).as_deref(), Some(b"x".as_slice()));
}

#[tokio::test]
async fn digests_of_other_algorithms_are_kept() {
    let server = FaultServer::start(Profile::spec()).await;
    for algorithm in Algorithm::ALL {
        let digest = server.put_blob_as(*algorithm, "a", "x");
        let got = get(&server.url(), &format!("/v2/a/blobs/{digest}")).send().await;
        assert_eq!(got.body.as_ref(), b"x", "{digest}");
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_told_apart() {
    let server = FaultServer::start(Profile::spec()).await;
    let base = server.url();
    assert_eq!(get(&base, "/v2/").send().await.status, StatusCode::OK);
    assert_eq!(get(&base, "/v1/").send().await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        get(&base, "/v2/UPPER/tags/list").send().await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        get(&base, "/v2/a/../b/tags/list").send().await.status,
        StatusCode::NOT_FOUND
    );
    let posted = ask(Method::POST, &base, "/v2/a/manifests/x").send().await;
    assert_eq!(
        (posted.status, posted.code().as_str()),
        (StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED")
    );
}

#[tokio::test]
async fn what_is_damaged_keeps_its_size_and_name() {
    let server = FaultServer::start(Profile::spec()).await;
    let digest = server.put_blob("app", "a layer");
    assert!(server.damage("app", &digest));
    let reply = get(&server.url(), &format!("/v2/app/blobs/{digest}"))
        .send()
        .await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(&reply.body[..], b"A layer");
    assert!(!server.damage("other", &digest));
}
