//! The habits of GHCR.

use http::{Method, StatusCode};
use stevedore_fault_server::{FaultServer, Origin, Profile};

use crate::auth::parameter;
use crate::client::{ask, digest_of, get, noise};
use crate::known::{Known, refer};
use crate::manifests::{IMAGE, image};

#[tokio::test]
async fn ghcr_takes_chunks_up_to_4_mib() {
    const LIMIT: usize = 4 * 1024 * 1024;
    let known = Known::start(Profile::ghcr()).await;
    let bytes = noise(LIMIT + 1);
    let location = known.start_upload().await.location().to_owned();
    assert!(location.starts_with("/v2/a/blobs/uploads/"), "{location}");
    let refused = known.chunk(&location, 0, &bytes).await;
    assert_eq!(refused.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(refused.code(), "REQUESTED_RANGE_NOT_SATISFIABLE");
    let message = refused.json()["errors"][0]["message"]
        .as_str()
        .expect("a message")
        .to_owned();
    assert_eq!(
        message,
        "the request body is too large and exceeds the maximum permissible limit of 4.00MiB"
    );
    assert_eq!(
        known.chunk(&location, 0, &bytes[..LIMIT]).await.status,
        StatusCode::ACCEPTED
    );
    assert_eq!(
        known.chunk(&location, LIMIT, &bytes[LIMIT..]).await.status,
        StatusCode::ACCEPTED
    );
    assert_eq!(
        known.put(&location, &digest_of(&bytes), b"").await.status,
        StatusCode::CREATED
    );
    // One body without Content-Range is not held to the limit.
    let location = known.start_upload().await.location().to_owned();
    assert_eq!(
        known.put(&location, &digest_of(&bytes), &bytes).await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn ghcr_challenges_a_push_for_pull() {
    let server = FaultServer::start(Profile::ghcr()).await;
    let challenged = ask(Method::POST, &server.url(), "/v2/a/blobs/uploads/")
        .send()
        .await;
    let challenge = challenged.header("www-authenticate").expect("a challenge");
    assert_eq!(
        parameter(challenge, "scope").as_deref(),
        Some("repository:a:pull")
    );
}

#[tokio::test]
async fn ghcr_lists_no_referrers_but_sends_one_to_a_web_page() {
    let known = Known::start(Profile::ghcr()).await;
    let (header, listed) = refer(&known).await;
    assert_eq!((header, listed.status), (false, StatusCode::SEE_OTHER));
    assert!(
        listed
            .location()
            .starts_with(&known.server.url_of(Origin::Storage)),
        "{}",
        listed.location()
    );
    let page = get("", listed.location()).send().await;
    assert_eq!(
        (page.status, page.header("content-type")),
        (StatusCode::TOO_MANY_REQUESTS, Some("text/html; charset=utf-8"))
    );
    let (header, listed) = refer(&Known::start(Profile::ghcr_2024()).await).await;
    assert_eq!((header, listed.status), (false, StatusCode::NOT_FOUND));
}

#[tokio::test]
async fn ghcr_has_pages_of_100_unless_asked_for_more() {
    let known = Known::start(Profile::ghcr()).await;
    known.tag(250);
    assert_eq!(known.pages("/v2/a/tags/list").await, [100, 100, 50]);
    assert_eq!(known.pages("/v2/a/tags/list?n=10000").await, [250]);
}

#[tokio::test]
async fn ghcr_deletes_and_cancels_nothing() {
    let known = Known::start(Profile::ghcr()).await;
    let digest = known.server.put_manifest("a", &["v1"], IMAGE, image("x", None));
    let location = known.start_upload().await.location().to_owned();
    for target in [
        "/v2/a/manifests/v1",
        &format!("/v2/a/manifests/{digest}"),
        &location,
    ] {
        let refused = known.ask(Method::DELETE, target).send().await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED")
        );
    }
    assert_eq!(known.server.open_uploads(), 1);
}
