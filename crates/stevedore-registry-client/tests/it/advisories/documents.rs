//! Documents that are not what they are said to be.

use stevedore_core::{Algorithm, ErrorKind, Selector, Source};

use super::{INDEX, app_at, referrers_fail};
use crate::support::{Reply, Server, name};

const EMPTY_INDEX: &str =
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;

#[tokio::test]
async fn rust_oci_client_149_a_document_by_digest_is_verified() {
    let digest = Algorithm::Sha256.digest(b"something else");
    // With a lie in the header, and without any header.
    for lie in [true, false] {
        let server = Server::plain(move |_| {
            let reply = Reply::ok(EMPTY_INDEX).header("content-type", INDEX);
            if lie {
                reply.header("docker-content-digest", digest.to_string())
            } else {
                reply
            }
        })
        .await;
        let app = app_at(&server);
        let error = app
            .root(&Selector::Digest(digest))
            .await
            .expect_err("another one");
        assert_eq!(error.kind(), ErrorKind::Mismatch, "{error:?}");
        if lie {
            let error = app.root(&name("latest")).await.expect_err("another one");
            assert_eq!(error.kind(), ErrorKind::Mismatch, "{error:?}");
        }
    }
}

#[tokio::test]
async fn cve_2021_41190_one_body_has_one_type() {
    for (served, body) in [
        ("application/vnd.oci.image.manifest.v1+json", EMPTY_INDEX),
        (INDEX, r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#),
    ] {
        let server = Server::plain(move |_| Reply::ok(body).header("content-type", served)).await;
        let app = app_at(&server);
        let error = app.root(&name("latest")).await.expect_err("confused");
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error:?}");
    }
}

#[tokio::test]
async fn cve_2024_3727_a_digest_is_one_before_it_stands_in_a_path() {
    let evil = "sha256:../../../../v2/other/blobs/x";
    // In a header: the document itself has to tell.
    let server = Server::plain(move |_| {
        Reply::ok(EMPTY_INDEX)
            .header("content-type", INDEX)
            .header("docker-content-digest", evil)
    })
    .await;
    let found = app_at(&server)
        .resolve(&name("latest"))
        .await
        .expect("a document");
    assert_eq!(found.digest, Algorithm::Sha256.digest(EMPTY_INDEX.as_bytes()));
    assert!(server.paths().iter().all(|path| !path.contains("..")));
    // In a document: it is none.
    let body = format!(
        r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"{INDEX}","digest":"{evil}","size":2}}]}}"#
    );
    let server = Server::plain(move |_| Reply::ok(body.clone()).header("content-type", INDEX)).await;
    let error = app_at(&server)
        .root(&name("latest"))
        .await
        .expect_err("no digest");
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error:?}");
    let error = referrers_fail(&server).await;
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error:?}");
}
