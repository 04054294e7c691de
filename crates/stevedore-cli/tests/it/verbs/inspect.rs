//! `inspect`: what it shows of images, indexes and artifacts.

use std::fs;

use serde_json::json;
use stevedore_core::{Document, MediaType};

use super::{amd64, world};
use crate::stevedore::{World, blob};

#[test]
fn inspect_shows_an_image_by_the_keys_of_skopeo() {
    let (world, index) = world();
    let Document::Image(image) = amd64(&index).document() else {
        panic!("it is an image")
    };
    let report = world.json(&["inspect", "--platform", "linux/amd64", "oci:src:v1"]);
    let layers: Vec<_> = image
        .layers
        .iter()
        .map(|layer| layer.digest.to_string())
        .collect();
    let data: Vec<_> = image
        .layers
        .iter()
        .map(|layer| {
            json!({
                "MIMEType": layer.media_type.as_str(),
                "Digest": layer.digest.to_string(),
                "Size": layer.size,
                "Annotations": null,
            })
        })
        .collect();
    assert_eq!(
        report,
        json!({
            "Digest": amd64(&index).descriptor().digest.to_string(),
            "RepoTags": [],
            "Created": null,
            "DockerVersion": "",
            "Labels": null,
            "Architecture": "amd64",
            "Os": "linux",
            "Layers": layers,
            "LayersData": data,
            "Env": null,
        })
    );
}

#[test]
fn inspect_shows_an_index_as_an_index() {
    let (world, index) = world();
    let report = world.json(&["inspect", "oci:src:v1"]);
    assert_eq!(report["Digest"], index.descriptor().digest.to_string());
    assert_eq!(report["MediaType"], "application/vnd.oci.image.index.v1+json");
    let platforms: Vec<_> = report["Manifests"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| (entry["Platform"].as_str(), entry["Digest"].as_str()))
        .collect();
    let digests: Vec<String> = index
        .children()
        .iter()
        .map(|child| child.descriptor().digest.to_string())
        .collect();
    assert_eq!(
        platforms,
        [
            (Some("linux/amd64"), Some(digests[0].as_str())),
            (Some("linux/arm64"), Some(digests[1].as_str()))
        ]
    );
}

#[test]
fn inspect_tells_attestations_from_images() {
    let world = World::new();
    let digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let index = format!(
        r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{digest}","size":2,"platform":{{"os":"unknown","architecture":"unknown"}},"annotations":{{"vnd.docker.reference.type":"attestation-manifest","vnd.docker.reference.digest":"{digest}"}}}}]}}"#
    );
    world.put_document("src", MediaType::OCI_INDEX, &index);
    let report = world.json(&["inspect", "oci:src"]);
    assert_eq!(report["Manifests"][0]["Attests"], digest);
}

#[test]
fn inspect_shows_an_artifact() {
    let (world, index) = world();
    let location = format!("oci:src@{}", index.referrers()[0].descriptor().digest);
    let report = world.json(&["inspect", &location]);
    assert_eq!(report["ArtifactType"], "application/vnd.example.signature");
    assert_eq!(report["Subject"], index.descriptor().digest.to_string());
    assert_eq!(report["LayersData"][0]["Size"], 6);
}

#[test]
fn a_config_is_shown_with_the_keys_that_are_not_known() {
    let world = World::new();
    let config = r#"{"architecture":"amd64","os":"linux","x-own":1E5,"rootfs":{"type":"layers","diff_ids":[]},"config":{"Healthcheck":{"Test":["NONE"]}}}"#;
    let digest = stevedore_core::Algorithm::Sha256.digest(config.as_bytes());
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{digest}","size":{}}},"layers":[]}}"#,
        config.len()
    );
    world.put_document("src", MediaType::OCI_MANIFEST, &manifest);
    fs::write(blob(&world.path("src"), &digest), config).expect("a blob");
    let shown = world.result(&["inspect", "--config", "oci:src"]);
    assert!(shown.contains("\n    \"x-own\": 1E5,\n"), "{shown}");
    assert!(shown.contains("\"Healthcheck\""), "{shown}");
}
