//! The habits of ECR.

use http::{Method, StatusCode};
use stevedore_fault_server::{Fault, Origin, Profile};

use crate::auth::basic;
use crate::client::{digest_of, get, noise, raw};
use crate::known::{Known, refer};
use crate::manifests::{IMAGE, image};

#[tokio::test]
async fn ecr_answers_403_and_text_to_an_expired_password() {
    let known = Known::start(Profile::ecr()).await;
    known.server.create_repository("a");
    assert_eq!(known.get("/v2/a/tags/list").await.status, StatusCode::OK);
    known.server.rotate_password("AWS", "a newer token");
    let expired = known.get("/v2/a/tags/list").await;
    assert_eq!(
        (expired.status, expired.header("content-type")),
        (StatusCode::FORBIDDEN, Some("text/plain"))
    );
    assert!(expired.body.starts_with(b"Your Authorization Token has expired."));
    assert_eq!(expired.header("www-authenticate"), None);
    let renewed =
        get(&known.server.url(), "/v2/a/tags/list").header("authorization", &basic("AWS", "a newer token"));
    assert_eq!(renewed.send().await.status, StatusCode::OK);
    let stranger = get(&known.server.url(), "/v2/a/tags/list").send().await;
    assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
    known.server.fail(Fault::expire_token());
    let once = get(&known.server.url(), "/v2/")
        .header("authorization", &basic("AWS", "a newer token"))
        .send()
        .await;
    assert_eq!(once.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn ecr_answers_201_to_chunks_and_its_range_stands_still() {
    let mut profile = Profile::ecr();
    assert_eq!(profile.push.min_chunk, Some(5 * 1024 * 1024));
    profile.push.min_chunk = Some(10);
    let known = Known::start(profile).await;
    known.server.create_repository("a");
    let bytes = noise(35);
    let started = known.start_upload().await;
    assert_eq!(started.header("oci-chunk-min-length"), None);
    let location = started.location().to_owned();
    for first in [0, 10, 20] {
        let reply = known.chunk(&location, first, &bytes[first..first + 10]).await;
        assert_eq!(
            (reply.status, reply.header("range")),
            (StatusCode::CREATED, Some("0-9")),
            "{first}"
        );
    }
    let last = known.chunk(&location, 30, &bytes[30..]).await;
    assert_eq!(last.status, StatusCode::CREATED);
    assert_eq!(
        known.put(&location, &digest_of(&bytes), b"").await.status,
        StatusCode::CREATED
    );

    let location = known.start_upload().await.location().to_owned();
    known.chunk(&location, 0, &bytes[..5]).await;
    assert_eq!(
        known.chunk(&location, 5, &bytes[5..]).await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn ecr_leaves_out_headers_of_manifests() {
    let known = Known::start(Profile::ecr()).await;
    known.server.create_repository("a");
    let put = known
        .ask(Method::PUT, "/v2/a/manifests/v1")
        .header("content-type", IMAGE)
        .body(image("x", None))
        .send()
        .await;
    assert_eq!((put.status, put.header("location")), (StatusCode::CREATED, None));
    for method in [Method::GET, Method::HEAD] {
        let got = known.ask(method, "/v2/a/manifests/v1").send().await;
        assert_eq!(
            (got.status, got.header("docker-content-digest")),
            (StatusCode::OK, None)
        );
    }
    let (header, listed) = refer(&known).await;
    assert_eq!((header, listed.status), (true, StatusCode::NOT_FOUND));
}

#[tokio::test]
async fn ecr_cuts_uploads_into_repositories_that_nobody_made() {
    let known = Known::start(Profile::ecr()).await;
    let request = format!(
        "POST /v2/a/blobs/uploads/ HTTP/1.1\r\nhost: r\r\nauthorization: {}\r\ncontent-length: 0\r\n\r\n",
        known.authorization
    );
    let (answer, ended) = raw(known.server.address(Origin::Registry), request.as_bytes()).await;
    assert_eq!(
        (answer.len(), ended),
        (0, Some(std::io::ErrorKind::ConnectionReset))
    );
    known.server.create_repository("a");
    assert_eq!(known.start_upload().await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn ecr_mounts_what_a_manifest_names() {
    let known = Known::start(Profile::ecr()).await;
    known.server.create_repository("a");
    let digest = known.server.put_blob("source", "{}");
    let target = format!("/v2/a/blobs/uploads/?mount={digest}&from=source");
    assert_eq!(
        known.ask(Method::POST, &target).send().await.status,
        StatusCode::ACCEPTED
    );
    known
        .server
        .put_manifest("source", &["v1"], IMAGE, image("x", None));
    assert_eq!(
        known.ask(Method::POST, &target).send().await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn ecr_redirects_and_pages() {
    let known = Known::start(Profile::ecr()).await;
    let (_, refused) = known.redirected("x").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(String::from_utf8_lossy(&refused.body).contains("Only one auth mechanism allowed"));
    known.tag(109);
    assert_eq!(known.pages("/v2/a/tags/list").await, [100, 9]);
}

#[tokio::test]
async fn ecr_writes_no_immutable_tag_twice() {
    let known = Known::start(Profile::ecr_immutable()).await;
    known.server.create_repository("a");
    let put = |reference: String| {
        known
            .ask(Method::PUT, &format!("/v2/a/manifests/{reference}"))
            .header("content-type", IMAGE)
            .body(image("x", None))
            .send()
    };
    assert_eq!(put("v1".to_owned()).await.status, StatusCode::CREATED);
    let again = put("v1".to_owned()).await;
    assert_eq!(
        (again.status, again.code().as_str()),
        (StatusCode::BAD_REQUEST, "TAG_INVALID")
    );
    assert!(String::from_utf8_lossy(&again.body).contains("because the tag is immutable."));
    assert_eq!(
        put(digest_of(image("x", None).as_bytes())).await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn ecr_public_answers_400_to_an_expired_token() {
    let known = Known::start(Profile::ecr_public()).await;
    known.server.create_repository("a");
    known.server.expire_tokens();
    let expired = known.get("/v2/a/tags/list").await;
    assert_eq!(
        (expired.status, expired.header("www-authenticate")),
        (StatusCode::BAD_REQUEST, None)
    );
}

#[tokio::test]
async fn ecr_takes_no_manifest_without_its_media_type() {
    let known = Known::start(Profile::ecr()).await;
    known.server.create_repository("a");
    let bare = image("x", None).replace(&format!("\"mediaType\":\"{IMAGE}\","), "");
    assert!(!bare.contains(IMAGE));
    let put = known
        .ask(Method::PUT, "/v2/a/manifests/v1")
        .header("content-type", IMAGE);
    let refused = put.body(bare).send().await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED")
    );
}
