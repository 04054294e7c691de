//! The habits of Google's and Azure's registries.

use http::{Method, StatusCode};
use stevedore_fault_server::Profile;

use crate::auth::parameter;
use crate::client::{ask, digest_of, get};
use crate::known::Known;

#[tokio::test]
async fn gar_has_upload_urls_of_its_own_and_takes_no_chunks() {
    let known = Known::start(Profile::gar()).await;
    let location = known.start_upload().await.location().to_owned();
    assert!(
        location.starts_with("/artifacts-uploads/namespaces/"),
        "{location}"
    );
    let refused = known.chunk(&location, 0, b"x").await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (StatusCode::BAD_REQUEST, "UNSUPPORTED")
    );
    let stranger = ask(Method::PUT, &known.server.url(), &location).send().await;
    assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        known.put(&location, &digest_of(b"x"), b"x").await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn gar_redirects_by_a_path() {
    let known = Known::start(Profile::gar()).await;
    let (redirect, with) = known.redirected("x").await;
    assert!(redirect.location().starts_with('/'), "{}", redirect.location());
    assert_eq!(with.status, StatusCode::OK);
    let challenged = get(&known.server.url(), "/v2/").send().await;
    let realm = parameter(
        challenged.header("www-authenticate").expect("a challenge"),
        "realm",
    );
    assert_eq!(realm, Some(format!("{}/v2/token", known.server.url())));
}

#[tokio::test]
async fn acr_redirects_with_the_digest_and_pages_up_to_1000() {
    let known = Known::start(Profile::acr()).await;
    let (redirect, refused) = known.redirected("x").await;
    assert_eq!(
        redirect.header("docker-content-digest"),
        Some(digest_of(b"x").as_str())
    );
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(String::from_utf8_lossy(&refused.body).contains("<Code>InvalidAuthenticationInfo</Code>"));
    known.tag(1200);
    assert_eq!(known.pages("/v2/a/tags/list?n=10000").await, [1000, 200]);
    assert_eq!(known.pages("/v2/a/tags/list").await, [100; 12]);
    let challenged = get(&known.server.url(), "/v2/").send().await;
    let realm = parameter(
        challenged.header("www-authenticate").expect("a challenge"),
        "realm",
    );
    assert_eq!(realm, Some(format!("{}/oauth2/token", known.server.url())));
}
