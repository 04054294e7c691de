//! What each verb prints.

use std::fs;

use serde_json::json;
use stevedore_core::samples::Sample;
use stevedore_core::{Document, MediaType, Platform};

use crate::stevedore::World;

/// An index of two platforms, with a signature of the index and one of an image, in `src:v1`.
fn world() -> (World, Sample) {
    let world = World::new();
    let amd64 = Sample::image(&["base", "app"])
        .for_platform(&Platform::new("linux", "amd64"))
        .with_referrer("application/vnd.example.sbom", "packages");
    let arm64 = Sample::image(&["base", "app on arm"]).for_platform(&Platform::new("linux", "arm64"));
    let index =
        Sample::index(vec![amd64, arm64]).with_referrer("application/vnd.example.signature", "signed");
    world.put("src", &index, &["v1"]);
    (world, index)
}

fn amd64(index: &Sample) -> &Sample {
    &index.children()[0]
}

fn image(sample: &Sample) -> &stevedore_core::ImageManifest {
    match sample.document() {
        Document::Image(image) => image,
        other => panic!("{} is no image", other.digest()),
    }
}

#[test]
fn copy_prints_the_digest_and_says_the_rest_on_stderr() {
    let (world, index) = world();
    let ended = world.run(&["copy", "--override-arch", "amd64", "oci:src:v1", "oci:out:v1"]);
    let digest = amd64(&index).descriptor().digest;
    assert_eq!((ended.code, ended.stdout), (Some(0), format!("{digest}\n")));
    let mut lines: Vec<&str> = ended.stderr.lines().collect();
    // Layers come side by side.
    lines[..3].sort_unstable();
    let mut expected: Vec<String> = amd64(&index)
        .blobs()
        .iter()
        .map(|(blob, _)| format!("{} {} B: written", blob.digest, blob.size))
        .collect();
    expected.sort_unstable();
    expected.push(
        "of an index only the image for one platform was taken; 1 stayed behind (linux/arm64); --all takes the index"
            .to_owned(),
    );
    let size: u64 = amd64(&index).blobs().iter().map(|(blob, _)| blob.size).sum();
    expected.push(format!("3 blobs written ({size} B), 0 mounted, 0 there already"));
    assert_eq!(lines, expected);
    assert_eq!(world.result(&["ls", "oci:out"]), "v1\n");
}

#[test]
fn copy_reports_as_json() {
    let (world, index) = world();
    let arguments = ["copy", "--all", "--json", "-q", "oci:src:v1", "oci:out:v1"];
    let root = index.descriptor();
    let mut expected = json!({
        "source": "oci:src:v1",
        "destination": "oci:out:v1",
        "digest": root.digest.to_string(),
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "size": root.size,
        "dryRun": false,
        "blobs": {"present": 1, "mounted": 0, "written": 5, "writtenBytes": 0},
        "documents": 3,
        "leftOut": [],
    });
    let mut report = world.json(&arguments);
    assert!(report["blobs"]["writtenBytes"].as_u64() > Some(0));
    report["blobs"]["writtenBytes"] = json!(0);
    assert_eq!(report, expected);
    // All of it is there now.
    expected["blobs"] = json!({"present": 6, "mounted": 0, "written": 0, "writtenBytes": 0});
    assert_eq!(world.json(&arguments), expected);
}

#[test]
fn copy_takes_referrers_of_the_index_and_of_its_images() {
    let (world, index) = world();
    world.result(&["cp", "-a", "--referrers", "oci:src:v1", "oci:out:v1"]);
    for referrer in [&index.referrers()[0], &amd64(&index).referrers()[0]] {
        let location = format!("oci:out@{}", referrer.descriptor().digest);
        let there = world.json(&["inspect", &location]);
        assert_eq!(there["Digest"], referrer.descriptor().digest.to_string());
    }
    world.result(&["copy", "-a", "oci:src:v1", "oci:without:v1"]);
    let location = format!("oci:without@{}", index.referrers()[0].descriptor().digest);
    assert_eq!(world.run(&["inspect", &location]).code, Some(2));
}

#[test]
fn a_dry_run_counts_and_writes_nothing() {
    let (world, _) = world();
    let report = world.json(&["copy", "--all", "--dry-run", "--json", "oci:src:v1", "oci:out:v1"]);
    assert_eq!(report["dryRun"], true);
    assert_eq!(report["blobs"]["written"], 6);
    assert!(!world.path("out").exists());
    world.result(&["copy", "--dry-run", "--digestfile=d", "oci:src:v1", "oci:out:v1"]);
    assert!(!world.path("d").exists());
}

#[test]
fn a_digest_file_has_the_digest_and_nothing_else() {
    let (world, index) = world();
    let digest = index.descriptor().digest.to_string();
    fs::write(
        world.path("digest"),
        "something longer than a digest, which is replaced as a whole\n".repeat(2),
    )
    .expect("a file");
    world.result(&["copy", "-a", "oci:src:v1", "oci:out", "--digestfile", "digest"]);
    assert_eq!(fs::read_to_string(world.path("digest")).expect("a file"), digest);
    // A device is written as it is.
    world.result(&["copy", "-a", "oci:src:v1", "oci:out", "--digestfile", "/dev/null"]);
    world.fails(
        &["copy", "-a", "oci:src:v1", "oci:new", "--digestfile", "no/digest"],
        3,
        "error: there is no directory no\n",
    );
    assert!(!world.path("new").exists());
}

#[test]
fn inspect_shows_an_image_by_the_keys_of_skopeo() {
    let (world, index) = world();
    let image = image(amd64(&index));
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
fn bytes_that_were_asked_for_come_as_they_are() {
    let (world, index) = world();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    let manifest = text(index.document().bytes());
    assert_eq!(world.result(&["inspect", "--raw", "oci:src:v1"]), manifest);
    assert_eq!(world.result(&["manifest", "get", "oci:src:v1"]), manifest);
    let config = text(&amd64(&index).blobs()[0].1);
    let platform = ["--platform", "linux/amd64", "oci:src:v1"];
    assert_eq!(world.result(&[&["config"], &platform[..]].concat()), config);
    assert_eq!(
        world.result(&[&["inspect", "--config", "--raw"], &platform[..]].concat()),
        config
    );
    let layer = &amd64(&index).blobs()[1].0.digest;
    assert_eq!(
        world.result(&["blob", "get", &format!("oci:src@{layer}")]),
        "base"
    );
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
    fs::write(crate::stevedore::blob(&world.path("src"), &digest), config).expect("a blob");
    let shown = world.result(&["inspect", "--config", "oci:src"]);
    assert!(shown.contains("\n    \"x-own\": 1E5,\n"), "{shown}");
    assert!(shown.contains("\"Healthcheck\""), "{shown}");
}

#[test]
fn documents_come_within_a_report_where_json_is_asked_for() {
    let (world, index) = world();
    let report = world.json(&["manifest", "get", "--json", "oci:src:v1"]);
    assert_eq!(report["digest"], index.descriptor().digest.to_string());
    assert_eq!(report["document"]["schemaVersion"], 2);
    let report = world.json(&["config", "--json", "--platform=linux/amd64", "oci:src:v1"]);
    assert_eq!(report["document"]["architecture"], "amd64");
    world.fails(
        &["blob", "get", "--json", "oci:src@sha256:0"],
        3,
        "error: invalid value 'oci:src@sha256:0' for '<BLOB>': \"sha256:0\" in \"oci:src@sha256:0\" is not the name, \
         place (@0, @1, …) or digest of an entry\n\nFor more information, try '--help'.\n",
    );
}

#[test]
fn digest_head_and_ls_tell_what_is_there() {
    let (world, index) = world();
    let root = index.descriptor();
    assert_eq!(
        world.result(&["digest", "oci:src:v1"]),
        format!("{}\n", root.digest)
    );
    assert_eq!(
        world.json(&["digest", "--json", "oci:src:v1"])["digest"],
        root.digest.to_string()
    );
    let child = amd64(&index).descriptor();
    assert_eq!(
        world.result(&["digest", "--platform", "linux/amd64", "oci:src:v1"]),
        format!("{}\n", child.digest)
    );
    assert_eq!(
        world.result(&["manifest", "head", "oci:src:v1"]),
        format!("{} {} {}\n", root.digest, root.size, root.media_type)
    );
    assert_eq!(
        world.json(&["manifest", "head", "oci:src:v1", "--json"])["size"],
        root.size
    );
    let blob = format!("oci:src@{}", amd64(&index).blobs()[1].0.digest);
    assert_eq!(world.json(&["blob", "head", "--json", &blob])["size"], 4);
    let head = world.result(&["blob", "head", &blob]);
    assert_eq!(head, format!("{} 4\n", amd64(&index).blobs()[1].0.digest));

    let names = world.result(&["ls", "oci:src"]);
    assert!(names.lines().any(|name| name == "v1"), "{names}");
    let listed = world.json(&["list-tags", "oci:src"]);
    assert_eq!(listed["Repository"], "src");
    assert_eq!(
        listed["Tags"].as_array().expect("a list").len(),
        names.lines().count()
    );
    let listed = world.json(&["ls", "--json", "oci:src"]);
    let entry = listed
        .as_array()
        .expect("a list")
        .iter()
        .find(|entry| entry["name"] == "v1");
    assert_eq!(entry.expect("v1")["digest"], root.digest.to_string());
}

#[test]
fn tag_and_delete_change_names_and_nothing_else() {
    let world = World::new();
    let (one, other) = (Sample::image(&["one"]), Sample::image(&["other"]));
    world.put("src", &one, &["one"]);
    world.put("src", &other, &["other"]);
    let digest = one.descriptor().digest.to_string();
    assert_eq!(
        world.result(&["tag", "oci:src:one", "a", "b"]),
        format!("{digest}\n")
    );
    assert_eq!(world.result(&["ls", "oci:src"]), "a\nb\none\nother\n");
    assert_eq!(
        world.json(&["tag", "--json", "oci:src:one", "c"]),
        json!({"digest": digest, "names": ["c"]})
    );
    world.fails(
        &["tag", "--no-clobber", "oci:src:one", "other"],
        1,
        &format!(
            "error: the name other is taken by {}\n  try: another name, or no --no-clobber to replace what is there\n",
            other.descriptor().digest
        ),
    );
    world.fails(
        &["tag", "oci:src:one", "two words"],
        3,
        "error: \"two words\" is not a name for an entry of a layout\n",
    );
    assert_eq!(world.result(&["delete", "oci:src:a"]), format!("{digest}\n"));
    assert_eq!(
        world.json(&["rm", "--json", "oci:src:b"]),
        json!({"digest": digest, "names": ["b"]})
    );
    // What would take more than was typed is refused.
    world.fails(
        &["delete", &format!("oci:src@{digest}")],
        3,
        &format!(
            "error: {digest} has names: c, one\n  try: say which name, or --manifest to remove the document with all of them\n"
        ),
    );
    assert_eq!(
        world.json(&["delete", "--manifest", "--json", "oci:src:one"]),
        json!({"digest": digest, "names": ["c", "one"]})
    );
    assert_eq!(world.result(&["ls", "oci:src"]), "other\n");
    world.fails(
        &["delete", "oci:src:one"],
        2,
        "error: src has no entry named one; it has other\n",
    );
}

#[test]
fn version_and_completion_need_no_settings() {
    let world = World::new();
    fs::write(world.path("broken.toml"), "=").expect("a file");
    let broken = ["--config-file", "broken.toml"];
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        world.result(&[&broken[..], &["version"]].concat()),
        format!("stevedore {version}\n")
    );
    assert_eq!(world.json(&["version", "--json"]), json!({"version": version}));
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = world.result(&[&broken[..], &["completion", shell]].concat());
        assert!(script.contains("list-tags"), "{shell}");
        assert_eq!(
            world.json(&["completion", shell, "--json"])["script"],
            script,
            "{shell}"
        );
    }
}

#[test]
fn help_and_wrong_use_are_told_apart() {
    let world = World::new();
    for help in [
        &["--help"][..],
        &["help", "copy"],
        &["copy", "--help"],
        &["blob", "get", "-h"],
        &["--version"],
    ] {
        assert_eq!(world.run(help).code, Some(0), "{help:?}");
        assert_eq!(world.run(help).stderr, "", "{help:?}");
    }
    for wrong in [
        &[][..],
        &["frobnicate"],
        &["copy", "oci:a"],
        &["copy", "--all", "--platform", "linux/amd64", "oci:a", "oci:b"],
        &["copy", "-n", "--force", "oci:a", "oci:b"],
        &["copy", "oci:a", "oci:b", "--jobs", "0"],
        &["ls", "oci:"],
        &["inspect", "sif:image"],
        &["inspect", "docker-daemon:image"],
        &["inspect", "not a reference"],
        &["inspect", "--platform", "////", "oci:a"],
        &["completion", "tcsh"],
    ] {
        let ended = world.run(wrong);
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (Some(3), ""),
            "{wrong:?}: {}",
            ended.stderr
        );
        assert_ne!(ended.stderr, "", "{wrong:?}");
    }
}

#[test]
fn a_directory_without_its_transport_is_recognised() {
    let (world, _) = world();
    let ended = world.run(&["inspect", "./src"]);
    assert_eq!(ended.code, Some(3));
    assert!(ended.stderr.contains("write oci:./src"), "{}", ended.stderr);
}

#[test]
fn what_was_typed_wrong_is_told_briefly_and_cannot_act_on_the_terminal() {
    let world = World::new();
    let told = |arguments: &[&str]| {
        let ended = world.run(arguments);
        assert_eq!(ended.code, Some(3), "{arguments:?}: {}", ended.stderr);
        let first = ended.stderr.lines().next().expect("a line").to_owned();
        (first, ended.stderr)
    };
    let (first, _) = told(&["inspect", "not a reference"]);
    assert_eq!(
        first,
        "error: invalid value 'not a reference' for '<IMAGE>': \
         \"not a reference\" is not a reference of the form [<registry>/]<repository>[:<tag>][@<digest>]"
    );
    let (first, _) = told(&["inspect", "docker://UPPER"]);
    assert_eq!(
        first,
        "error: invalid value 'docker://UPPER' for '<IMAGE>': repository name in \"UPPER\" must be lower-case"
    );
    let (first, _) = told(&["inspect", "sif:x"]);
    assert!(first.ends_with("which has docker://, oci: and dir:"), "{first}");
    for wrong in [
        &["inspect", "a\u{1b}[31m\u{202e}"][..],
        &["\u{1b}[31m\u{202e}"],
        &["ls", "--\u{1b}[31m\u{202e}"],
        &["completion", "\u{1b}[31m\u{202e}"],
    ] {
        let (_, stderr) = told(wrong);
        assert!(!stderr.contains(['\u{1b}', '\u{202e}']), "{stderr:?}");
        assert!(stderr.contains("\\u{1b}"), "{stderr:?}");
    }
    assert!(world.result(&["--help"]).contains("oci:DIR:@0"));
}
