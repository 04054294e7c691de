//! The habits of Docker Hub.

use http::{Method, StatusCode};
use stevedore_fault_server::{FaultServer, Origin, Profile};

use crate::auth::{parameter, token};
use crate::client::{Reply, ask, digest_of, get};
use crate::known::{Known, refer};
use crate::manifests::{IMAGE, image};

#[tokio::test]
async fn hub_gives_tokens_elsewhere_and_to_anybody_for_pulls() {
    let server = FaultServer::start(Profile::docker_hub()).await;
    server.put_manifest("a", &["v1"], IMAGE, image("x", None));
    let challenged = get(&server.url(), "/v2/a/manifests/v1").send().await;
    let challenge = challenged.header("www-authenticate").expect("a challenge");
    assert_eq!(
        parameter(challenge, "realm"),
        Some(format!("{}/token", server.url_of(Origin::Auth)))
    );
    assert_eq!(parameter(challenge, "service").as_deref(), Some("hub"));
    let anybody = token(&server, None, &["repository:a:pull,push"]).await;
    let pulled = get(&server.url(), "/v2/a/manifests/v1")
        .header("authorization", &anybody)
        .send()
        .await;
    assert_eq!(pulled.status, StatusCode::OK);
    let pushed = ask(Method::POST, &server.url(), "/v2/a/blobs/uploads/").header("authorization", &anybody);
    assert_eq!(pushed.send().await.status, StatusCode::UNAUTHORIZED);
    let given = get(&server.url_of(Origin::Auth), "/token?scope=repository:a:pull")
        .send()
        .await;
    assert_eq!(given.json()["expires_in"], 300);
}

#[tokio::test]
async fn hub_counts_gets_of_manifests() {
    let mut profile = Profile::docker_hub();
    if let Some(quota) = &mut profile.pull.quota {
        quota.limit = 2;
    }
    let known = Known::start(profile).await;
    known.server.put_manifest("a", &["v1"], IMAGE, image("x", None));
    let target = "/v2/a/manifests/v1";
    let left = |reply: &Reply| reply.header("ratelimit-remaining").expect("a count").to_owned();
    let head = known.ask(Method::HEAD, target).send().await;
    assert_eq!(
        (head.header("ratelimit-limit"), left(&head).as_str()),
        (Some("2;w=21600"), "2;w=21600")
    );
    assert_eq!(left(&known.get(target).await), "1;w=21600");
    assert_eq!(left(&known.get(target).await), "0;w=21600");
    let over = known.get(target).await;
    assert_eq!(
        (over.status, over.code().as_str()),
        (StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS")
    );
    assert_eq!(over.header("retry-after"), None);
    assert_eq!(
        known.ask(Method::HEAD, target).send().await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn hub_redirects_blobs_to_storage_that_wants_no_credentials() {
    let known = Known::start(Profile::docker_hub()).await;
    let (redirect, refused) = known.redirected("a layer").await;
    assert!(
        redirect
            .location()
            .starts_with(&known.server.url_of(Origin::Storage))
    );
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(String::from_utf8_lossy(&refused.body).contains("<Code>InvalidRequest</Code>"));
    let part = get("", redirect.location())
        .header("range", "bytes=2-")
        .send()
        .await;
    assert_eq!(
        (part.status, part.body.as_ref()),
        (StatusCode::PARTIAL_CONTENT, b"layer".as_slice())
    );
    let log = known.server.log();
    assert_eq!(log.authorizations(Origin::Storage).len(), 1);
    assert_eq!(log.blob_bytes_sent(), 7 + 5);

    known.server.expire_signed_urls();
    let late = get("", redirect.location()).send().await;
    assert_eq!(late.status, StatusCode::FORBIDDEN);
    assert!(String::from_utf8_lossy(&late.body).contains("<Code>AccessDenied</Code>"));
    let again = known.get(&format!("/v2/a/blobs/{}", digest_of(b"a layer"))).await;
    assert_eq!(get("", again.location()).send().await.status, StatusCode::OK);
}

#[tokio::test]
async fn hub_has_etags_and_deletes_nothing() {
    let known = Known::start(Profile::docker_hub()).await;
    let digest = known.server.put_manifest("a", &["v1"], IMAGE, image("x", None));
    let got = known.get("/v2/a/manifests/v1").await;
    assert_eq!(got.header("etag"), Some(format!("\"{digest}\"").as_str()));
    for target in [
        "/v2/a/manifests/v1".to_owned(),
        format!("/v2/a/manifests/{digest}"),
        format!("/v2/a/blobs/{digest}"),
    ] {
        let refused = known.ask(Method::DELETE, &target).send().await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED")
        );
    }
}

#[tokio::test]
async fn hub_of_2024_promised_referrers_that_it_did_not_list() {
    let (header, listed) = refer(&Known::start(Profile::docker_hub_2024()).await).await;
    assert_eq!((header, listed.status), (true, StatusCode::NOT_FOUND));
    let (header, listed) = refer(&Known::start(Profile::docker_hub()).await).await;
    assert_eq!((header, listed.status), (true, StatusCode::OK));
}

#[tokio::test]
async fn hub_of_2024_wanted_the_subject_first() {
    let subject = digest_of(b"a subject that is not there");
    for (profile, status) in [
        (Profile::docker_hub_2024(), StatusCode::NOT_FOUND),
        (Profile::docker_hub(), StatusCode::CREATED),
    ] {
        let known = Known::start(profile).await;
        let put = known
            .ask(Method::PUT, "/v2/a/manifests/v1")
            .header("content-type", IMAGE);
        assert_eq!(put.body(image("x", Some(&subject))).send().await.status, status);
    }
}
