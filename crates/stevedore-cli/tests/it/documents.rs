//! Documents that are no plain images: what comes along, and what is refused.

use std::fs;

use stevedore_core::samples::{Sample, describe};
use stevedore_core::{Descriptor, Digest, MediaType, Platform};

use crate::stevedore::{World, blob, blobs};

const CONFIG: &str = r#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#;

/// Writes a blob beside a document that was put.
fn put_blob(world: &World, bytes: &str) {
    let descriptor = describe(MediaType::OCTET_STREAM, bytes.as_bytes());
    fs::write(blob(&world.path("src"), &digest(&descriptor)), bytes).expect("a blob");
}

fn digest(descriptor: &Descriptor) -> Digest {
    descriptor.known_digest().expect("of ours")
}

/// An image in `src:v1` whose entry says that it is of this type; gives its descriptor.
fn put_image(world: &World, entry: MediaType) -> Descriptor {
    let config = describe(MediaType::OCI_CONFIG, CONFIG.as_bytes());
    let config_json = serde_json::to_string(&config).expect("JSON");
    let image = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","config":{config_json},"layers":[]}}"#,
        MediaType::OCI_MANIFEST
    );
    world.put_document("src", entry.clone(), &image);
    put_blob(world, CONFIG);
    describe(entry, image.as_bytes())
}

#[test]
fn the_blobs_of_an_artifact_manifest_come_along() {
    let world = World::new();
    let payload = describe(MediaType::from_static("text/plain"), b"hi");
    let artifact = format!(
        r#"{{"mediaType":"{}","artifactType":"x/y","blobs":[{}]}}"#,
        MediaType::OCI_ARTIFACT_MANIFEST,
        serde_json::to_string(&payload).expect("JSON")
    );
    world.put_document("src", MediaType::OCI_ARTIFACT_MANIFEST, &artifact);
    put_blob(&world, "hi");
    world.result(&["copy", "oci:src:v1", "oci:out:v1"]);
    assert_eq!(
        fs::read(blob(&world.path("out"), &digest(&payload))).expect("it came"),
        b"hi"
    );
    let shown = world.json(&["inspect", "oci:out:v1"]);
    assert_eq!(shown["LayersData"][0]["Digest"], payload.digest.to_string());
}

#[test]
fn an_empty_type_in_an_index_is_that_of_the_document() {
    let world = World::new();
    let image = put_image(&world, MediaType::from_static(""));
    world.result(&["copy", "oci:src:v1", "oci:out:v1"]);
    assert_eq!(blobs(&world.path("out")).len(), 2);
    let index = fs::read_to_string(world.path("out/index.json")).expect("an index");
    assert!(index.contains(MediaType::OCI_MANIFEST.as_str()), "{index}");

    let child = serde_json::to_string(&image).expect("JSON");
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{child}]}}"#);
    world.put_document("src", MediaType::OCI_INDEX, &index);
    world.result(&["copy", "--all", "oci:src:v1", "oci:whole:v1"]);
    assert_eq!(blobs(&world.path("whole")).len(), 3);
}

#[test]
fn what_is_of_no_known_kind_is_no_image() {
    let world = World::new();
    let page = "<html>It works!</html>";
    let html = MediaType::from_static("text/html");
    world.put_document("src", html.clone(), page);
    let digest = describe(html, page.as_bytes()).digest;
    let error = format!(
        "error: {digest} is no image, index or artifact manifest: it is of type text/html, and not JSON\n"
    );
    for verb in ["digest", "inspect"] {
        world.fails(&[verb, "oci:src:v1"], 1, &error);
    }
    for flags in [&[][..], &["--all"]] {
        let command = [&["copy", "--progress=none", "oci:src:v1", "oci:out"], flags].concat();
        world.fails(&command, 1, &error);
    }
    assert!(blobs(&world.path("out")).is_empty());

    let unknown = MediaType::from_static("application/vnd.example+json");
    let image = put_image(&world, unknown);
    let error = format!(
        "error: {} is no image, index or artifact manifest: it is of type application/vnd.example+json\n",
        image.digest
    );
    world.fails(&["copy", "--progress=none", "oci:src:v1", "oci:out"], 1, &error);
}

#[test]
fn a_child_of_no_known_kind_comes_along_unless_it_names_something() {
    let world = World::new();
    let index_of = |child: &Descriptor| {
        let child = serde_json::to_string(child).expect("JSON");
        world.put_document(
            "src",
            MediaType::OCI_INDEX,
            &format!(r#"{{"schemaVersion":2,"manifests":[{child}]}}"#),
        );
    };
    let unknown = MediaType::from_static("application/vnd.example+json");
    let image = put_image(&world, unknown.clone());
    index_of(&image);
    let ended = world.run(&["copy", "--progress=none", "--all", "oci:src:v1", "oci:out:v1"]);
    assert_eq!(ended.code, Some(1));
    let why = format!(
        "because: {} is of type application/vnd.example+json, which is not known, and what it names",
        image.digest
    );
    assert!(ended.stderr.contains(&why), "{}", ended.stderr);

    let leaf = describe(unknown, br#"{"note":1}"#);
    put_blob(&world, r#"{"note":1}"#);
    index_of(&leaf);
    world.result(&["copy", "--all", "oci:src:v1", "oci:out:v1"]);
    assert!(blob(&world.path("out"), &digest(&leaf)).exists());
}

#[test]
fn an_index_is_not_replaced_by_one_of_its_images() {
    let world = World::new();
    let arm64 = Sample::image(&["a layer"]).for_platform(&Platform::new("linux", "arm64"));
    world.put("src", &Sample::index(vec![arm64.clone()]), &["v1"]);
    let index = fs::read(world.path("src/index.json")).expect("an index");
    for (from, to) in [
        ("oci:src", "oci:src"),
        ("oci:src:v1", "oci:src:v1"),
        ("oci:src", "oci:./src:v1"),
        ("oci:src:@0", "oci:src"),
    ] {
        let error = format!(
            "error: {to} is the index that is copied: one of its images would take its place\n  \
             try: --all to take the index, or another name for the image\n"
        );
        world.fails(&["copy", "--override-arch=arm64", from, to], 3, &error);
    }
    let command = ["copy", "--progress=none", "--all", "oci:src:v1", "oci:src:v1"];
    world.result(&command);
    assert_eq!(fs::read(world.path("src/index.json")).expect("an index"), index);

    world.result(&["copy", "--override-arch=arm64", "oci:src:v1", "oci:src:arm64"]);
    assert_eq!(
        world.result(&["digest", "oci:src:arm64"]),
        format!("{}\n", arm64.descriptor().digest)
    );
    // One image alone is where it is.
    world.result(&["copy", "oci:src:arm64", "oci:src:arm64"]);
}

#[test]
fn a_platform_that_is_asked_for_is_that_of_a_lone_image_too() {
    let world = World::new();
    let arm64 = Sample::image(&["a layer"]).for_platform(&Platform::new("linux", "arm64"));
    world.put("src", &arm64, &["v1"]);
    let digest = arm64.descriptor().digest;
    let error = format!("error: {digest} is an image for linux/arm64, not for linux/amd64\n");
    let verbs: [&[&str]; 5] = [
        &["copy", "--progress=none", "oci:src", "oci:out"],
        &["digest", "oci:src"],
        &["config", "oci:src"],
        &["inspect", "oci:src"],
        &["inspect", "--config", "oci:src"],
    ];
    for verb in verbs {
        for asked in ["--platform=linux/amd64", "--override-arch=amd64"] {
            world.fails(&[verb, &[asked]].concat(), 2, &error);
        }
        for asked in [
            &["--platform=linux/arm64"][..],
            &["--platform=linux/arm64/v8"],
            &[],
        ] {
            world.result(&[verb, asked].concat());
        }
    }
    // What is no container image has no platform, and its config is not asked for one.
    let config = describe(MediaType::from_static("application/vnd.example"), b"no JSON");
    let config = serde_json::to_string(&config).expect("JSON");
    let artifact = format!(r#"{{"schemaVersion":2,"config":{config},"layers":[]}}"#);
    world.put_document("other", MediaType::OCI_MANIFEST, &artifact);
    world.result(&["digest", "--platform=linux/amd64", "oci:other"]);

    // A config that names no variant does not say that it is for another one.
    let arm = Sample::image(&["a layer"]).for_platform(&Platform::new("linux", "arm"));
    world.put("arm", &arm, &["v1"]);
    world.result(&["digest", "--platform=linux/arm/v6", "oci:arm"]);
}

#[test]
fn an_index_without_the_platform_says_what_it_has() {
    let world = World::new();
    let arm64 = Sample::image(&["a layer"]).for_platform(&Platform::new("linux", "arm64"));
    let of_one = Sample::index(vec![arm64]);
    let cases = [
        (Sample::index(vec![]), "nothing at all"),
        (
            Sample::index(vec![of_one.clone(), Sample::index(vec![])]),
            "only entries without a platform (2)",
        ),
        (of_one, "linux/arm64"),
    ];
    for (place, (index, has)) in cases.into_iter().enumerate() {
        let layout = format!("src{place}");
        world.put(&layout, &index, &["v1"]);
        let error = format!(
            "error: {} has no image for linux/s390x; it has {has}\n",
            index.descriptor().digest
        );
        world.fails(
            &["digest", "--platform=linux/s390x", &format!("oci:{layout}")],
            2,
            &error,
        );
    }
}
