//! What holds for every profile.

use http::{Method, StatusCode};
use stevedore_fault_server::{FaultServer, Profile};

use crate::client::{digest_of, get};
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
