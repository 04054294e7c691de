//! What holds for every profile.

use http::{Method, StatusCode};
use stevedore_fault_server::{FaultServer, Origin, Profile};

use crate::client::{ask, digest_of, get};
use crate::known::Known;
use crate::lists::walk;
use crate::manifests::{IMAGE, image};

#[tokio::test]
async fn every_profile_takes_a_push_and_gives_it_back() {
    for profile in Profile::all().into_iter().chain([
        Profile::docker_hub_2024(),
        Profile::ghcr_2024(),
        Profile::ecr_immutable(),
        Profile::ecr_public(),
        Profile::quay_2022(),
        Profile::harbor_2_7(),
        Profile::harbor_2_8(),
    ]) {
        let name = profile.name;
        let known = match name {
            "spec" => Known {
                server: FaultServer::start(profile).await,
                authorization: "none".to_owned(),
            },
            _ => Known::start(profile).await,
        };
        known.server.create_repository("a");
        let location = known.start_upload().await.location().to_owned();
        let created = known.put(&location, &digest_of(b"{}"), b"{}").await;
        assert_eq!(created.status, StatusCode::CREATED, "{name}");
        let put = known
            .ask(Method::PUT, "/v2/a/manifests/v1")
            .header("content-type", IMAGE);
        assert_eq!(
            put.body(image("x", None)).send().await.status,
            StatusCode::CREATED,
            "{name}"
        );
        assert_eq!(
            known.get("/v2/a/manifests/v1").await.body,
            image("x", None),
            "{name}"
        );
        let mut blob = known.get(&format!("/v2/a/blobs/{}", digest_of(b"{}"))).await;
        if blob.status == StatusCode::TEMPORARY_REDIRECT {
            blob = get(&known.server.url(), blob.location()).send().await;
        }
        assert_eq!(blob.body.as_ref(), b"{}", "{name}");
    }
}

#[tokio::test]
async fn the_spec_has_one_page_unless_asked() {
    let server = FaultServer::start(Profile::spec()).await;
    let known = Known {
        server,
        authorization: "none".to_owned(),
    };
    known.tag(250);
    assert_eq!(walk(&known.server, "/v2/a/tags/list", "tags").await.1, 1);
}

#[tokio::test]
async fn redirects_go_where_the_profile_says() {
    // Profile, whether another origin has the blob, whether the redirect tells the digest, whether credentials are
    // refused there, whether a HEAD is redirected.
    for (profile, elsewhere, digest_header, refused, heads) in [
        (Profile::docker_hub(), true, false, true, false),
        (Profile::ecr(), true, false, true, false),
        (Profile::gar(), false, false, false, false),
        (Profile::acr(), true, true, true, false),
        (Profile::harbor(), true, false, true, true),
        (Profile::artifactory(), true, false, true, false),
    ] {
        let name = profile.name;
        let known = Known::start(profile).await;
        let (redirect, with) = known.redirected("x").await;
        let storage = known.server.url_of(Origin::Storage);
        assert_eq!(redirect.location().starts_with(&storage), elsewhere, "{name}");
        assert_eq!(redirect.location().starts_with('/'), !elsewhere, "{name}");
        assert_eq!(
            redirect.header("docker-content-digest").is_some(),
            digest_header,
            "{name}"
        );
        assert_eq!(with.status == StatusCode::BAD_REQUEST, refused, "{name}");
        let head = known
            .ask(Method::HEAD, &format!("/v2/a/blobs/{}", digest_of(b"x")))
            .send()
            .await;
        assert_eq!(head.status == StatusCode::TEMPORARY_REDIRECT, heads, "{name}");
        if heads {
            let head = ask(Method::HEAD, "", head.location()).send().await;
            assert_eq!(
                (head.status, head.header("content-length")),
                (StatusCode::OK, Some("1"))
            );
        }
    }
}

#[tokio::test]
async fn named_registries_take_no_liberty_that_nobody_saw() {
    let known = Known::start(Profile::gar()).await;
    let digest = known.server.put_blob("b", "x");
    for query in [format!("digest={digest}"), format!("mount={digest}")] {
        let target = format!("/v2/a/blobs/uploads/?{query}");
        let session = known.ask(Method::POST, &target).body("x").send().await;
        assert_eq!(session.status, StatusCode::ACCEPTED, "{query}");
    }
    let body = image("x", None);
    let target = format!("/v2/a/manifests/{}?tag=v1", digest_of(body.as_bytes()));
    let put = known
        .ask(Method::PUT, &target)
        .header("content-type", IMAGE)
        .header("if-match", "\"x\"");
    let put = put.body(body).send().await;
    assert_eq!(
        (put.status, put.header("oci-tag"), put.header("etag")),
        (StatusCode::CREATED, None, None)
    );
    assert!(known.server.tags("a").is_empty());
}
