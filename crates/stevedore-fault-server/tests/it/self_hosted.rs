//! The habits of registries that people run themselves.

use http::{Method, StatusCode};
use serde_json::json;
use stevedore_fault_server::profile::LocationStyle;
use stevedore_fault_server::{FaultServer, Origin, PASSWORD, Profile, USER};

use crate::auth::{basic, parameter, token};
use crate::client::{ask, digest_of, get};
use crate::known::Known;
use crate::lists::next;
use crate::manifests::{IMAGE, INDEX, image};

#[tokio::test]
async fn quay_pages_by_last_and_refuses_larger_pages() {
    let known = Known::start(Profile::quay()).await;
    known.tag(150);
    assert_eq!(known.pages("/v2/a/tags/list").await, [100, 50]);
    let first = known.get("/v2/a/tags/list").await;
    assert_eq!(next(&first).as_deref(), Some("/v2/a/tags/list?n=100&last=t00099"));
    assert_eq!(
        known.get("/v2/a/tags/list?n=101").await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
}

#[tokio::test]
async fn quay_of_2022_paged_by_token_and_did_not_look_at_last() {
    let known = Known::start(Profile::quay_2022()).await;
    known.tag(120);
    assert_eq!(known.pages("/v2/a/tags/list").await, [50, 50, 20]);
    let first = known.get("/v2/a/tags/list?n=1000").await;
    let link = next(&first).expect("a next page");
    assert!(
        link.contains("next_page=gAAAAAB") && link.ends_with("&n=50"),
        "{link}"
    );
    let again = known.get("/v2/a/tags/list?last=t00049").await;
    assert_eq!(again.json(), first.json());
}

#[tokio::test]
async fn quay_says_no_oci_subject_and_merges_what_clients_then_write() {
    let known = Known::start(Profile::quay()).await;
    let subject = digest_of(b"subject");
    let put = |reference: &str, media_type: &str, body: String| {
        known
            .ask(Method::PUT, &format!("/v2/a/manifests/{reference}"))
            .header("content-type", media_type)
            .body(body)
            .send()
    };
    let pushed = put("referrer", IMAGE, image("x", Some(&subject))).await;
    assert_eq!(
        (pushed.status, pushed.header("oci-subject")),
        (StatusCode::CREATED, None)
    );
    let own = digest_of(image("x", Some(&subject)).as_bytes());
    let other = digest_of(b"known by the fallback tag alone");
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [
        { "mediaType": IMAGE, "digest": own, "size": 1 }, { "mediaType": IMAGE, "digest": other, "size": 1 } ] });
    put(&subject.replace(':', "-"), INDEX, index.to_string()).await;
    let listed = known.get(&format!("/v2/a/referrers/{subject}")).await.json();
    let digests: Vec<&str> = listed["manifests"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|d| d["digest"].as_str())
        .collect();
    assert_eq!(digests, [own, other]);
}

#[tokio::test]
async fn harbor_gives_tokens_and_absolute_upload_urls_with_state() {
    let known = Known::start(Profile::harbor()).await;
    let challenged = get(&known.server.url(), "/v2/").send().await;
    let challenge = challenged.header("www-authenticate").expect("a challenge");
    assert_eq!(
        parameter(challenge, "realm"),
        Some(format!("{}/service/token", known.server.url()))
    );
    assert_eq!(
        parameter(challenge, "service").as_deref(),
        Some("harbor-registry")
    );
    let location = known.start_upload().await.location().to_owned();
    assert!(
        location.starts_with(&format!("{}/v2/a/blobs/uploads/", known.server.url())),
        "{location}"
    );
    assert!(location.contains("?_state="), "{location}");
    let (bare, _) = location.split_once('?').expect("a query");
    assert_eq!(
        known.put(bare, &digest_of(b"x"), b"x").await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        known.put(&location, &digest_of(b"x"), b"x").await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn harbor_refuses_mounts_out_of_nowhere_and_lists_nothing_of_it() {
    let server = FaultServer::start(Profile::harbor()).await;
    let scopes = ["repository:a:*", "repository:nowhere:pull"];
    let authorization = token(&server, Some(&basic(USER, PASSWORD)), &scopes).await;
    let known = Known {
        server,
        authorization,
    };
    let target = format!("/v2/a/blobs/uploads/?mount={}&from=nowhere", digest_of(b"x"));
    let refused = known.ask(Method::POST, &target).send().await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (StatusCode::UNAUTHORIZED, "UNAUTHORIZED")
    );
    let listed = known.get("/v2/nowhere/tags/list").await;
    assert_eq!(
        (listed.status, listed.json()["tags"].clone()),
        (StatusCode::OK, json!([]))
    );
    assert_eq!(
        known.get("/v2/nowhere/manifests/v1").await.status,
        StatusCode::NOT_FOUND
    );
    let (_, refused) = known.redirected("x").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn older_harbors_know_less_of_referrers() {
    let subject = digest_of(b"subject");
    let known = Known::start(Profile::harbor_2_7()).await;
    let refused = known.get(&format!("/v2/a/referrers/{subject}")).await;
    assert_eq!(
        (refused.status, refused.header("www-authenticate")),
        (StatusCode::UNAUTHORIZED, None)
    );

    let put = known
        .ask(Method::PUT, "/v2/a/manifests/v1")
        .header("content-type", IMAGE);
    assert_eq!(
        put.body(image("x", Some(&subject)))
            .send()
            .await
            .header("oci-subject"),
        None
    );

    let known = Known::start(Profile::harbor_2_8()).await;
    let put = known
        .ask(Method::PUT, "/v2/a/manifests/v1")
        .header("content-type", IMAGE);
    let put = put.body(image("x", Some(&subject))).send().await;
    assert_eq!(put.header("oci-subject"), None);
    let listed = known.get(&format!("/v2/a/referrers/{subject}")).await;
    assert_eq!(listed.json()["manifests"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn harbor_behind_a_proxy_says_http() {
    // In clear there is nothing to downgrade; the test with TLS sees the difference.
    assert_eq!(
        Profile::harbor_behind_proxy().push.location,
        LocationStyle::Downgraded
    );
    let known = Known::start(Profile::harbor_behind_proxy()).await;
    assert!(known.start_upload().await.location().starts_with("http://"));
}

#[tokio::test]
async fn gitlab_answers_the_fallback_tag_with_the_subject() {
    let known = Known::start(Profile::gitlab()).await;
    let digest = known
        .server
        .put_manifest("a", &["v1"], IMAGE, image("x", None))
        .to_string();
    assert_eq!(
        known.get(&format!("/v2/a/referrers/{digest}")).await.status,
        StatusCode::NOT_FOUND
    );
    let fallback = digest.replace(':', "-");
    let answered = known.get(&format!("/v2/a/manifests/{fallback}")).await;
    assert_eq!(
        (answered.status, answered.body.as_ref()),
        (StatusCode::OK, image("x", None).as_bytes())
    );
    assert_eq!(answered.header("docker-content-digest"), Some(digest.as_str()));
    let put = known
        .ask(Method::PUT, "/v2/a/manifests/v2")
        .header("content-type", IMAGE);
    assert_eq!(
        put.body(image("y", Some(&digest)))
            .send()
            .await
            .header("oci-subject"),
        None
    );
    // A tag of that name that is there is itself.
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [] }).to_string();
    known.server.put_manifest("a", &[&fallback], INDEX, index.clone());
    assert_eq!(
        known.get(&format!("/v2/a/manifests/{fallback}")).await.body,
        index
    );
}

#[tokio::test]
async fn gitlab_has_its_tokens_elsewhere_and_reads_the_last_scope() {
    let server = FaultServer::start(Profile::gitlab()).await;
    server.create_repository("a");
    let challenged = get(&server.url(), "/v2/").send().await;
    let challenge = challenged.header("www-authenticate").expect("a challenge");
    assert_eq!(
        parameter(challenge, "realm"),
        Some(format!("{}/jwt/auth", server.url_of(Origin::Auth)))
    );
    assert_eq!(
        parameter(challenge, "service").as_deref(),
        Some("container_registry")
    );
    let scopes = ["repository:a:pull,push", "repository:source:pull"];
    let token = token(&server, Some(&basic(USER, PASSWORD)), &scopes).await;
    let target = format!("/v2/a/blobs/uploads/?mount={}&from=source", digest_of(b"x"));
    let refused = ask(Method::POST, &server.url(), &target)
        .header("authorization", &token)
        .send()
        .await;
    let challenge = refused.header("www-authenticate").expect("a challenge");
    assert_eq!(
        parameter(challenge, "error").as_deref(),
        Some("insufficient_scope")
    );
    assert_eq!(
        parameter(challenge, "scope").as_deref(),
        Some("repository:a:pull,push repository:source:pull")
    );
}

#[tokio::test]
async fn artifactory_tells_little_by_head() {
    let known = Known::start(Profile::artifactory()).await;
    let digest = known
        .server
        .put_manifest("a", &["v1"], IMAGE, image("x", None))
        .to_string();
    let head = known.ask(Method::HEAD, "/v2/a/manifests/v1").send().await;
    assert_eq!(head.header("content-type"), Some("application/octet-stream"));
    assert_eq!(head.header("docker-content-digest"), None);
    let etag = head.header("etag").expect("an ETag");
    assert!(
        etag.len() == 40 && etag.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{etag}"
    );
    let got = known.get("/v2/a/manifests/v1").await;
    assert_eq!(got.header("content-type"), Some(IMAGE));
    assert_eq!(got.header("docker-content-digest"), Some(digest.as_str()));
}

#[tokio::test]
async fn artifactory_stores_the_last_chunk_for_the_whole() {
    let known = Known::start(Profile::artifactory()).await;
    let location = known.start_upload().await.location().to_owned();
    known.chunk(&location, 0, b"0123").await;
    known.chunk(&location, 4, b"45").await;
    let created = known.put(&location, &digest_of(b"012345"), b"").await;
    assert_eq!(created.status, StatusCode::CREATED);
    let digest = digest_of(b"012345").parse().expect("a digest");
    assert_eq!(known.server.blob("a", &digest).as_deref(), Some(b"45".as_slice()));
    // A blob in one piece is checked as everywhere.
    let location = known.start_upload().await.location().to_owned();
    assert_eq!(
        known.put(&location, &digest_of(b"other"), b"x").await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn artifactory_minds_accept_and_loses_the_repository_key() {
    let server = FaultServer::start(Profile::artifactory()).await;
    let authorization = token(&server, Some(&basic(USER, PASSWORD)), &["repository:key/a:*"]).await;
    let known = Known {
        server,
        authorization,
    };
    let start = known
        .ask(Method::POST, "/v2/key/a/blobs/uploads/")
        .header("accept", IMAGE)
        .send()
        .await;
    assert_eq!(start.status, StatusCode::NOT_ACCEPTABLE);
    let start = known
        .ask(Method::POST, "/v2/key/a/blobs/uploads/")
        .header("accept", "*/*")
        .send()
        .await;
    assert_eq!(start.status, StatusCode::ACCEPTED);
    known
        .server
        .put_manifest("key/a", &["one", "two"], IMAGE, image("x", None));
    let page = known.get("/v2/key/a/tags/list?n=1").await;
    assert_eq!(next(&page).as_deref(), Some("/v2/a/tags/list?n=1&last=one"));
    assert_ne!(
        known.get("/v2/a/tags/list?n=1&last=one").await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn uploads_may_lie_on_another_origin() {
    let mut profile = Profile::spec().with_tokens();
    profile.push.location = LocationStyle::OtherOrigin;
    let known = Known::start(profile).await;
    let location = known.start_upload().await.location().to_owned();
    assert!(
        location.starts_with(&known.server.url_of(Origin::Storage)),
        "{location}"
    );
    let put = ask(Method::PUT, "", &format!("{location}?digest={}", digest_of(b"x")))
        .body("x")
        .send()
        .await;
    assert_eq!(put.status, StatusCode::CREATED);
    assert!(put.location().starts_with("/v2/a/blobs/"));
    assert!(known.server.log().authorizations(Origin::Storage).is_empty());
}
