//! Manifests are served and taken as the spec has it.

use http::{Method, StatusCode};
use serde_json::json;
use stevedore_core::Algorithm;
use stevedore_fault_server::{FaultServer, Profile};

use crate::client::{Ask, ask, digest_of, get};

pub(crate) const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A manifest over nothing but a config, made different by a note.
pub(crate) fn image(note: &str, subject: Option<&str>) -> String {
    let mut image = json!({
        "schemaVersion": 2,
        "mediaType": IMAGE,
        "config": { "mediaType": "application/vnd.example.config", "digest": digest_of(b"{}"), "size": 2 },
        "layers": [],
        "annotations": { "note": note },
    });
    if let Some(subject) = subject {
        image["subject"] = json!({ "mediaType": IMAGE, "digest": subject, "size": 1 });
    }
    image.to_string()
}

pub(crate) fn put(server: &FaultServer, reference: &str, media_type: &str, body: &str) -> Ask {
    ask(
        Method::PUT,
        &server.url(),
        &format!("/v2/a/manifests/{reference}"),
    )
    .header("content-type", media_type)
    .body(body.to_owned())
}

async fn server() -> FaultServer {
    let server = FaultServer::start(Profile::spec()).await;
    server.put_blob("a", "{}");
    server
}

#[tokio::test]
async fn a_manifest_comes_back_byte_for_byte_by_tag_and_by_digest() {
    let server = server().await;
    let body = format!("  {}\n", image("odd white space", None));
    let digest = digest_of(body.as_bytes());
    let created = put(&server, "v1", &format!("{IMAGE}; charset=utf-8"), &body)
        .send()
        .await;
    assert_eq!(created.status, StatusCode::CREATED);
    assert_eq!(created.location(), format!("/v2/a/manifests/{digest}"));
    for reference in ["v1", &digest] {
        for method in [Method::GET, Method::HEAD] {
            let target = format!("/v2/a/manifests/{reference}");
            let got = ask(method.clone(), &server.url(), &target).send().await;
            assert_eq!(got.status, StatusCode::OK);
            assert_eq!(got.header("content-type"), Some(IMAGE));
            assert_eq!(got.header("docker-content-digest"), Some(digest.as_str()));
            assert_eq!(
                got.header("content-length"),
                Some(body.len().to_string().as_str())
            );
            assert!(method == Method::HEAD || got.body == body);
        }
    }
    assert_eq!(server.tags("a"), ["v1"]);
    assert_eq!(server.manifest("a", "v1"), Some((IMAGE.to_owned(), body.into())));
}

#[tokio::test]
async fn a_tag_answers_with_the_digest_it_was_put_under() {
    let server = server().await;
    let body = image("x", None);
    let digest = Algorithm::Sha512.digest(body.as_bytes()).to_string();
    let reference = format!("{digest}?tag=one&tag=two");
    let created = put(&server, &reference, IMAGE, &body).send().await;
    assert_eq!(created.status, StatusCode::CREATED);
    let tags: Vec<_> = created.headers.get_all("oci-tag").iter().collect();
    assert_eq!(tags, ["one", "two"]);
    let got = get(&server.url(), "/v2/a/manifests/two").send().await;
    assert_eq!(got.header("docker-content-digest"), Some(digest.as_str()));
}

#[tokio::test]
async fn what_is_wrong_with_a_manifest_is_told() {
    let server = server().await;
    let good = image("x", None);
    let wrong = digest_of(b"something else");
    let missing = good.replace(&digest_of(b"{}"), &wrong);
    let child =
        json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [{ "digest": wrong }] }).to_string();
    for (reference, media_type, body, code) in [
        (wrong.as_str(), IMAGE, good.as_str(), "DIGEST_INVALID"),
        ("sha256:baddigest", IMAGE, &good, "DIGEST_INVALID"),
        (".bad", IMAGE, &good, "TAG_INVALID"),
        ("v1", INDEX, &good, "MANIFEST_INVALID"),
        ("v1", IMAGE, "{", "MANIFEST_INVALID"),
        ("v1", IMAGE, "{\"schemaVersion\":1}", "MANIFEST_INVALID"),
        ("v1", IMAGE, &missing, "MANIFEST_BLOB_UNKNOWN"),
        ("v1", INDEX, &child, "MANIFEST_BLOB_UNKNOWN"),
    ] {
        let refused = put(&server, reference, media_type, body).send().await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (StatusCode::BAD_REQUEST, code),
            "{reference}"
        );
    }
    let large = image(&"x".repeat(4 * 1024 * 1024), None);
    assert_eq!(
        put(&server, "v1", IMAGE, &large).send().await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    assert!(server.tags("a").is_empty());
}

#[tokio::test]
async fn layers_that_are_not_distributed_need_not_be_there() {
    let server = server().await;
    let layer = json!([{ "mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "digest": digest_of(b"elsewhere"), "size": 1 }]);
    let body = image("x", None).replace("\"layers\":[]", &format!("\"layers\":{layer}"));
    assert_eq!(
        put(&server, "v1", IMAGE, &body).send().await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn conditions_guard_tags_and_spare_bodies() {
    let server = server().await;
    let (old, new) = (image("old", None), image("new", None));
    let guarded = |body, name, value: &str| put(&server, "v1", IMAGE, body).header(name, value).send();
    assert_eq!(
        guarded(&old, "if-match", "\"x\"").await.status,
        StatusCode::PRECONDITION_FAILED
    );
    assert_eq!(
        guarded(&old, "if-none-match", "*").await.status,
        StatusCode::CREATED
    );
    assert_eq!(
        guarded(&new, "if-none-match", "*").await.status,
        StatusCode::PRECONDITION_FAILED
    );

    let target = "/v2/a/manifests/v1";
    let etag = get(&server.url(), target)
        .send()
        .await
        .header("etag")
        .expect("an ETag")
        .to_owned();
    assert_eq!(etag, format!("\"{}\"", digest_of(old.as_bytes())));
    let spared = get(&server.url(), target)
        .header("if-none-match", &etag)
        .send()
        .await;
    assert_eq!((spared.status, spared.body.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(guarded(&new, "if-match", &etag).await.status, StatusCode::CREATED);
    assert_eq!(
        guarded(&old, "if-match", &etag).await.status,
        StatusCode::PRECONDITION_FAILED
    );
    assert_eq!(server.manifest("a", "v1").expect("a manifest").1, new);
}

#[tokio::test]
async fn deleting_a_tag_leaves_the_manifest_and_deleting_it_takes_its_tags() {
    let server = server().await;
    let body = image("x", None);
    let digest = server.put_manifest("a", &["one", "two"], IMAGE, body).to_string();
    let delete = |reference: &str| {
        ask(
            Method::DELETE,
            &server.url(),
            &format!("/v2/a/manifests/{reference}"),
        )
        .send()
    };
    assert_eq!(delete("one").await.status, StatusCode::ACCEPTED);
    assert_eq!(delete("one").await.status, StatusCode::NOT_FOUND);
    assert_eq!(server.tags("a"), ["two"]);
    assert!(server.manifest("a", &digest).is_some());
    assert_eq!(delete(&digest).await.status, StatusCode::ACCEPTED);
    assert_eq!(
        get(&server.url(), "/v2/a/manifests/two").send().await.code(),
        "MANIFEST_UNKNOWN"
    );
}
