//! Uploads go as the spec has it.

use http::{Method, StatusCode};
use stevedore_core::Algorithm;
use stevedore_fault_server::{FaultServer, Profile};

use crate::client::{Reply, ask, digest_of, get, noise, raw};

const START: &str = "/v2/a/b/blobs/uploads/";

async fn start(server: &FaultServer) -> String {
    let reply = ask(Method::POST, &server.url(), START).send().await;
    assert_eq!(reply.status, StatusCode::ACCEPTED);
    assert_eq!(reply.header("range"), Some("0-0"));
    reply.location().to_owned()
}

async fn chunk(server: &FaultServer, location: &str, first: usize, bytes: &[u8]) -> Reply {
    ask(Method::PATCH, &server.url(), location)
        .header("content-range", &format!("{first}-{}", first + bytes.len() - 1))
        .body(bytes.to_vec())
        .send()
        .await
}

async fn close(server: &FaultServer, location: &str, digest: &str, bytes: &[u8]) -> Reply {
    let separator = if location.contains('?') { '&' } else { '?' };
    let target = format!("{location}{separator}digest={digest}");
    ask(Method::PUT, &server.url(), &target)
        .body(bytes.to_vec())
        .send()
        .await
}

async fn assert_stored(server: &FaultServer, created: &Reply, bytes: &[u8]) {
    assert_eq!(created.status, StatusCode::CREATED, "{:?}", created.body);
    let got = get(&server.url(), created.location()).send().await;
    assert_eq!((got.status, got.body.as_ref()), (StatusCode::OK, bytes));
    assert_eq!(server.open_uploads(), 0);
}

#[tokio::test]
async fn a_single_post_stores() {
    let server = FaultServer::start(Profile::spec()).await;
    let bytes = noise(512);
    let target = format!("{START}?digest={}", digest_of(&bytes).replace(':', "%3A"));
    let created = ask(Method::POST, &server.url(), &target)
        .body(bytes.clone())
        .send()
        .await;
    assert_stored(&server, &created, &bytes).await;
    assert_eq!(server.log().blob_bytes_received(), 512);
}

#[tokio::test]
async fn a_registry_without_single_post_opens_a_session() {
    let mut profile = Profile::spec();
    profile.push.single_post = false;
    let server = FaultServer::start(profile).await;
    let target = format!("{START}?digest={}", digest_of(b"x"));
    let reply = ask(Method::POST, &server.url(), &target).body("x").send().await;
    assert_eq!(reply.status, StatusCode::ACCEPTED);
    let created = close(&server, reply.location(), &digest_of(b"x"), b"x").await;
    assert_stored(&server, &created, b"x").await;
}

#[tokio::test]
async fn post_and_put_store_also_nothing() {
    let server = FaultServer::start(Profile::spec()).await;
    for bytes in [noise(512), Vec::new()] {
        let location = start(&server).await;
        let created = close(&server, &location, &digest_of(&bytes), &bytes).await;
        assert_stored(&server, &created, &bytes).await;
    }
}

#[tokio::test]
async fn chunks_are_joined_and_the_last_may_be_in_the_put() {
    let server = FaultServer::start(Profile::spec()).await;
    let bytes = noise(3067);
    let mut location = start(&server).await;
    for (first, end) in [(0, 1024), (1024, 2048)] {
        let reply = chunk(&server, &location, first, &bytes[first..end]).await;
        assert_eq!(reply.status, StatusCode::ACCEPTED);
        assert_eq!(reply.header("range"), Some(format!("0-{}", end - 1).as_str()));
        reply.location().clone_into(&mut location);
    }
    let digest = Algorithm::Sha512.digest(&bytes).to_string();
    let target = format!("{location}?digest={digest}");
    let created = ask(Method::PUT, &server.url(), &target)
        .header("content-range", "2048-3066")
        .body(bytes[2048..].to_vec())
        .send()
        .await;
    assert_stored(&server, &created, &bytes).await;
}

#[tokio::test]
async fn a_streamed_patch_needs_no_range() {
    let server = FaultServer::start(Profile::spec()).await;
    let location = start(&server).await;
    let request = format!(
        "PATCH {location} HTTP/1.1\r\nhost: r\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n\
         5;x=y\r\nhello\r\n6\r\n world\r\n0\r\ntrailer: t\r\n\r\n"
    );
    let (reply, _) = raw(
        server.address(stevedore_fault_server::Origin::Registry),
        request.as_bytes(),
    )
    .await;
    let reply = String::from_utf8(reply).expect("text");
    assert!(reply.starts_with("HTTP/1.1 202 Accepted\r\n"), "{reply}");
    assert!(reply.contains("range: 0-10\r\n"), "{reply}");
    let created = close(&server, &location, &digest_of(b"hello world"), b"").await;
    assert_stored(&server, &created, b"hello world").await;
}

#[tokio::test]
async fn a_client_that_waits_is_told_to_go_on() {
    let server = FaultServer::start(Profile::spec()).await;
    let location = start(&server).await;
    let request = format!(
        "PATCH {location} HTTP/1.1\r\nhost: r\r\ncontent-length: 2\r\nexpect: 100-continue\r\nconnection: close\r\n\r\nab"
    );
    let (reply, _) = raw(
        server.address(stevedore_fault_server::Origin::Registry),
        request.as_bytes(),
    )
    .await;
    assert!(reply.starts_with(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\n"));
}

#[tokio::test]
async fn a_wrong_range_is_416_and_the_session_lives_on() {
    let server = FaultServer::start(Profile::spec()).await;
    let bytes = noise(2048);
    let location = start(&server).await;
    chunk(&server, &location, 0, &bytes[..1024]).await;
    for first in [0, 2000] {
        let refused = chunk(&server, &location, first, &bytes[1024..]).await;
        assert_eq!(refused.status, StatusCode::RANGE_NOT_SATISFIABLE);
        assert_eq!(refused.header("range"), Some("0-1023"));
    }
    let state = get(&server.url(), &location).send().await;
    assert_eq!(state.status, StatusCode::NO_CONTENT);
    assert_eq!(state.header("range"), Some("0-1023"));
    let late = ask(
        Method::PUT,
        &server.url(),
        &format!("{location}?digest={}", digest_of(&bytes)),
    )
    .header("content-range", "0-1023")
    .body(bytes[1024..].to_vec())
    .send()
    .await;
    assert_eq!(late.status, StatusCode::RANGE_NOT_SATISFIABLE);
    let reply = chunk(&server, state.location(), 1024, &bytes[1024..]).await;
    let created = close(&server, reply.location(), &digest_of(&bytes), b"").await;
    assert_stored(&server, &created, &bytes).await;
}

#[tokio::test]
async fn malformed_ranges_and_lengths_are_400() {
    let server = FaultServer::start(Profile::spec()).await;
    let location = start(&server).await;
    for range in ["bytes 0-3/4", "0-9", "3-0"] {
        let refused = ask(Method::PATCH, &server.url(), &location)
            .header("content-range", range)
            .body("abcd")
            .send()
            .await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{range}");
    }
}

#[tokio::test]
async fn a_wrong_digest_is_400_by_every_way() {
    let server = FaultServer::start(Profile::spec()).await;
    let wrong = digest_of(b"something else");
    let posted = ask(Method::POST, &server.url(), &format!("{START}?digest={wrong}"))
        .body("x")
        .send()
        .await;
    assert_eq!(
        (posted.status, posted.code().as_str()),
        (StatusCode::BAD_REQUEST, "DIGEST_INVALID")
    );
    let location = start(&server).await;
    let put = close(&server, &location, &wrong, b"x").await;
    assert_eq!(
        (put.status, put.code().as_str()),
        (StatusCode::BAD_REQUEST, "DIGEST_INVALID")
    );
    let location = start(&server).await;
    let put = close(&server, &location, "sha256:baddigest", b"x").await;
    assert_eq!(
        (put.status, put.code().as_str()),
        (StatusCode::BAD_REQUEST, "DIGEST_INVALID")
    );
}

#[tokio::test]
async fn a_registry_that_checks_nothing_stores_anything() {
    let mut profile = Profile::spec();
    profile.push.verify = false;
    let server = FaultServer::start(profile).await;
    let location = start(&server).await;
    let created = close(&server, &location, &digest_of(b"something else"), b"x").await;
    assert_stored(&server, &created, b"x").await;
}

#[tokio::test]
async fn a_cancelled_session_is_gone() {
    let server = FaultServer::start(Profile::spec()).await;
    let location = start(&server).await;
    assert_eq!(
        ask(Method::DELETE, &server.url(), &location).send().await.status,
        StatusCode::NO_CONTENT
    );
    let gone = get(&server.url(), &location).send().await;
    assert_eq!(
        (gone.status, gone.code().as_str()),
        (StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN")
    );
}

#[tokio::test]
async fn a_restarted_registry_knows_no_session() {
    let server = FaultServer::start(Profile::spec()).await;
    let location = start(&server).await;
    server.drop_uploads();
    assert_eq!(
        close(&server, &location, &digest_of(b"x"), b"x").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_session_belongs_to_its_repository() {
    let server = FaultServer::start(Profile::spec()).await;
    let location = start(&server).await;
    let stolen = location.replace("/v2/a/b/", "/v2/c/");
    assert_eq!(
        get(&server.url(), &stolen).send().await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn mounts_are_granted_with_and_without_from() {
    let server = FaultServer::start(Profile::spec()).await;
    let digest = server.put_blob("source", "x");
    for query in [format!("mount={digest}&from=source"), format!("mount={digest}")] {
        let mounted = ask(Method::POST, &server.url(), &format!("{START}?{query}"))
            .send()
            .await;
        assert_stored(&server, &mounted, b"x").await;
    }
    let unknown = digest_of(b"y");
    for query in [
        format!("mount={unknown}&from=source"),
        format!("mount={digest}&from=nowhere"),
    ] {
        let session = ask(Method::POST, &server.url(), &format!("{START}?{query}"))
            .send()
            .await;
        assert_eq!(session.status, StatusCode::ACCEPTED);
        close(&server, session.location(), &digest_of(b"y"), b"y").await;
    }
}

#[tokio::test]
async fn a_smallest_chunk_is_announced_and_held_to() {
    let mut profile = Profile::spec();
    profile.push.min_chunk = Some(100);
    let server = FaultServer::start(profile).await;
    let reply = ask(Method::POST, &server.url(), START).send().await;
    assert_eq!(reply.header("oci-chunk-min-length"), Some("100"));
    let bytes = noise(150);
    let location = reply.location().to_owned();
    assert_eq!(
        chunk(&server, &location, 0, &bytes[..100]).await.status,
        StatusCode::ACCEPTED
    );
    assert_eq!(
        chunk(&server, &location, 100, &bytes[100..120]).await.status,
        StatusCode::ACCEPTED
    );
    let refused = chunk(&server, &location, 120, &bytes[120..]).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (StatusCode::BAD_REQUEST, "SIZE_INVALID")
    );
    let created = close(&server, &location, &digest_of(&bytes[..120]), b"").await;
    assert_stored(&server, &created, &bytes[..120]).await;
}

#[tokio::test]
async fn the_state_in_the_url_has_to_come_back() {
    let mut profile = Profile::spec();
    profile.push.state = true;
    let server = FaultServer::start(profile).await;
    let first = start(&server).await;
    assert!(first.contains("?_state="), "{first}");
    let (bare, _) = first.split_once('?').expect("a query");
    let refused = close(&server, bare, &digest_of(b"x"), b"x").await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (StatusCode::BAD_REQUEST, "BLOB_UPLOAD_INVALID")
    );
    let second = chunk(&server, &first, 0, b"x").await.location().to_owned();
    assert_ne!(first, second);
    assert_eq!(
        close(&server, &first, &digest_of(b"x"), b"").await.status,
        StatusCode::BAD_REQUEST
    );
    let created = close(&server, &second, &digest_of(b"x"), b"").await;
    assert_stored(&server, &created, b"x").await;
}
