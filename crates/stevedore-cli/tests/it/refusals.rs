//! Bad input: what is said, with which code, and that nothing half-written is left.

use std::fs;

use stevedore_core::samples::{Sample, describe};
use stevedore_core::{Digest, MediaType};

use crate::stevedore::{World, assert_sound, blob, blobs, tree};

const COPY: [&str; 3] = ["copy", "oci:src:v1", "oci:out:v1"];

/// An image in `src:v1`, with the digests of its config and its layer.
fn world() -> (World, Sample, [Digest; 2]) {
    let world = World::new();
    let sample = Sample::image(&["the bytes of a layer"]);
    world.put("src", &sample, &["v1"]);
    let digest = |place: usize| sample.blobs()[place].0.known_digest().expect("of ours");
    let digests = [digest(0), digest(1)];
    (world, sample, digests)
}

/// A copy that fails leaves no name, no blob with wrong bytes, and no file of its own making elsewhere.
#[track_caller]
fn refuses(world: &World, code: i32, stderr: &str) {
    let ended = world.run(&[&COPY[..], &["--progress=none"]].concat());
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(code), stderr));
    assert_eq!(ended.stdout, "");
    assert_sound(world, "out");
    if world.path("out").exists() {
        assert_eq!(world.result(&["ls", "oci:out"]), "");
        assert!(blobs(&world.path("out")).len() <= 1, "only what was whole");
    }
}

#[test]
fn a_source_that_is_not_there() {
    let world = World::new();
    refuses(&world, 2, "error: there is no directory src\n");
    fs::create_dir(world.path("src")).expect("a directory");
    refuses(
        &world,
        2,
        "error: src is no OCI layout: it has no oci-layout file\n",
    );
    fs::remove_dir(world.path("src")).expect("it is empty");
    fs::write(world.path("src"), "a file").expect("a file");
    refuses(&world, 2, "error: there is no directory src\n");
}

#[test]
fn a_name_that_is_not_there() {
    let (world, ..) = world();
    world.fails(
        &["copy", "oci:src:v2", "oci:out"],
        2,
        "error: src has no entry named v2; it has v1\n",
    );
    world.fails(
        &["copy", "oci:src:@1", "oci:out"],
        2,
        "error: src has 1 entries and none at place 1\n",
    );
    assert!(!world.path("out").exists());
}

#[test]
fn a_platform_that_is_not_there() {
    let world = World::new();
    let index = Sample::index(vec![
        Sample::image(&["x"]).for_platform(&"linux/riscv64".parse().expect("one")),
    ]);
    world.put("src", &index, &["v1"]);
    let ended = world.run(&["copy", "--platform", "windows/amd64", "oci:src", "oci:out"]);
    let message = format!(
        "error: {} has no image for windows/amd64; it has linux/riscv64\n",
        index.descriptor().digest
    );
    assert_eq!((ended.code, ended.stderr), (Some(2), message));
}

#[test]
fn a_layout_of_another_version() {
    let (world, ..) = world();
    let header = world.path("src/oci-layout");
    fs::write(&header, r#"{"imageLayoutVersion":"2.0.0"}"#).expect("a file");
    refuses(
        &world,
        1,
        "error: src/oci-layout is of version \"2.0.0\"; this reads version 1\n",
    );
    fs::write(&header, "{").expect("a file");
    let ended = world.ends(&COPY, 1);
    ended.begins("error: src/oci-layout is no layout header\n  because: ");
}

#[test]
fn an_index_that_is_garbled() {
    let (world, ..) = world();
    fs::write(
        world.path("src/index.json"),
        r#"{"schemaVersion":2,"manifests":["#,
    )
    .expect("a file");
    let ended = world.ends(&COPY, 1);
    ended.begins("error: cannot read src/index.json\n  because: ");
    assert!(
        !ended.stderr.contains("try:"),
        "it is not to be written: {}",
        ended.stderr
    );
    assert!(!world.path("out").exists());
}

#[test]
fn a_destination_whose_index_is_garbled_stays_as_it_is() {
    let (world, ..) = world();
    world.put("out", &Sample::image(&["before"]), &["v0"]);
    fs::write(world.path("out/index.json"), "garbage").expect("a file");
    let ended = world.ends(&COPY, 1);
    ended.says("cannot read out/index.json");
    assert_eq!(
        fs::read_to_string(world.path("out/index.json")).expect("a file"),
        "garbage"
    );
}

#[test]
fn a_destination_that_is_something_else_stays_as_it_is() {
    let (world, ..) = world();
    fs::create_dir(world.path("out")).expect("a directory");
    fs::write(world.path("out/thesis.txt"), "years of work").expect("a file");
    let before = tree(&world.path("out"));
    world.fails(
        &COPY,
        1,
        "error: out is not empty and no OCI layout: it has no oci-layout file\n",
    );
    assert_eq!(tree(&world.path("out")), before);
}

#[test]
fn a_blob_with_other_bytes() {
    let (world, sample, [_, layer]) = world();
    fs::write(blob(&world.path("src"), &layer), "the bytes of a LAYER").expect("a file");
    let actual = stevedore_core::Algorithm::Sha256.digest(b"the bytes of a LAYER");
    refuses(
        &world,
        5,
        &format!(
            "error: cannot copy {}\n  because: cannot copy blob {layer}\n  because: the staged content is not what was \
             promised\n  because: expected {layer}, found {actual}\n  try: the content is damaged at oci:src:v1, where it was read from, and \
             nothing of it was written; get it from another place\n",
            sample.descriptor().digest
        ),
    );
    let ended = world.ends(&["blob", "get", &format!("oci:src@{layer}")], 5);
    ended.says("which was just printed, is not what was promised");
}

#[test]
fn a_blob_that_is_cut_short_or_too_long() {
    for (bytes, found) in [
        ("the bytes of", "12"),
        ("the bytes of a layer, and more", "at least 30"),
    ] {
        let (world, sample, [_, layer]) = world();
        fs::write(blob(&world.path("src"), &layer), bytes).expect("a file");
        refuses(
            &world,
            5,
            &format!(
                "error: cannot copy {}\n  because: cannot copy blob {layer}\n  because: the staged content is not what \
                 was promised\n  because: expected 20 bytes, found {found} bytes\n  try: the content is damaged at oci:src:v1, where it was \
                 read from, and nothing of it was written; get it from another place\n",
                sample.descriptor().digest
            ),
        );
    }
}

#[test]
fn a_blob_that_is_not_there() {
    let (world, sample, [_, layer]) = world();
    fs::remove_file(blob(&world.path("src"), &layer)).expect("it was there");
    refuses(
        &world,
        2,
        &format!(
            "error: cannot copy {}\n  because: cannot copy blob {layer}\n  because: src has no blob {layer}\n",
            sample.descriptor().digest
        ),
    );
    world.fails(
        &["blob", "head", &format!("oci:src@{layer}")],
        2,
        &format!("error: src has no blob {layer}\n"),
    );
}

#[test]
fn a_manifest_with_other_bytes() {
    let (world, sample, _) = world();
    let manifest = sample.descriptor().known_digest().expect("of ours");
    let bytes = String::from_utf8(sample.document().bytes().to_vec()).expect("UTF-8");
    fs::write(
        blob(&world.path("src"), &manifest),
        bytes.replace("\"schemaVersion\":2", "\"schemaVersion\":3"),
    )
    .expect("a file");
    for verb in [
        &COPY[..],
        &["inspect", "oci:src:v1"],
        &["manifest", "get", "oci:src:v1"],
        &["config", "oci:src:v1"],
    ] {
        let ended = world.run(verb);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(5), ""), "{verb:?}");
        ended.says(&format!("expected {manifest}, found sha256:"));
    }
}

#[test]
fn documents_that_could_be_read_in_two_ways() {
    let config = r#"{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}"#;
    let cases = [
        format!(r#"{{"schemaVersion":2,"config":{config},"config":{config},"layers":[]}}"#),
        format!(r#"{{"schemaVersion":2,"config":{config},"layers":[],"manifests":[]}}"#),
        format!(r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","config":{config},"layers":[]}}"#),
        r#"{"schemaVersion":2,"layers":[],"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":-2}}"#.to_owned(),
        "[]".to_owned(),
        "{".to_owned(),
        "[".repeat(100_000),
    ];
    for document in &cases {
        let world = World::new();
        world.put_document("src", MediaType::OCI_MANIFEST, document);
        let digest = describe(MediaType::OCI_MANIFEST, document.as_bytes()).digest;
        let shown: String = document.chars().take(100).collect();
        for verb in [
            &COPY[..],
            &["inspect", "oci:src:v1"],
            &["manifest", "get", "oci:src"],
        ] {
            let ended = world.refused(verb, 1);
            let which = format!("error: cannot read {digest} of src\n  because: ");
            assert!(ended.stderr.starts_with(&which), "{shown}: {}", ended.stderr);
            assert!(ended.stderr.len() < 2000, "{shown}: an error is no dump");
        }
        assert!(!world.path("out").exists(), "{shown}");
    }
}

#[test]
fn a_document_that_no_entry_names_is_told_with_what_it_is_and_where() {
    let (world, ..) = world();
    for document in [
        r#"{"schemaVersion":2,"layers":[],"manifests":[]}"#,
        r#"{"schemaVersion":3,"manifests":[]}"#,
    ] {
        let digest = stevedore_core::Algorithm::Sha256.digest(document.as_bytes());
        fs::write(blob(&world.path("src"), &digest), document).expect("a blob");
        let at = format!("oci:src@{digest}");
        for verb in [&["inspect", &at][..], &["digest", &at], &["copy", &at, "oci:out"]] {
            let ended = world.run(verb);
            let which = format!("error: cannot read {digest} of src\n  because: ");
            assert!(
                ended.stderr.starts_with(&which),
                "{verb:?} {document}: {}",
                ended.stderr
            );
            assert_eq!(ended.code, Some(1));
        }
    }
}

#[test]
fn so_is_one_of_a_directory() {
    let world = World::new();
    let child = Sample::image(&["x"]).for_platform(&"linux/amd64".parse().expect("one"));
    world.put("src", &Sample::index(vec![child.clone()]), &["v1"]);
    world.result(&["copy", "--all", "oci:src:v1", "dir:flat"]);
    let digest = child.descriptor().known_digest().expect("of ours");
    let path = world.path("flat").join(format!("{}.manifest.json", digest.hex()));
    fs::write(path, "{").expect("a file");
    let which = format!("cannot read {digest} of flat\n  because: ");
    let (at, platform) = (format!("dir:flat@{digest}"), "--platform=linux/amd64");
    for verb in [
        &["inspect", &at][..],
        &["inspect", platform, "dir:flat"],
        &["copy", "--all", "dir:flat", "oci:out"],
    ] {
        let ended = world.run(verb);
        assert!(ended.stderr.contains(&which), "{verb:?}: {}", ended.stderr);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(5), ""), "{verb:?}");
    }
}

#[test]
fn an_image_where_an_index_was_promised() {
    let world = World::new();
    world.put_document(
        "src",
        MediaType::OCI_INDEX,
        r#"{"schemaVersion":2,"config":{},"layers":[]}"#,
    );
    world.refused(&COPY, 1);
}

#[test]
fn a_config_that_is_no_config() {
    let world = World::new();
    let sample = Sample::artifact(
        &Sample::image(&["x"]).descriptor(),
        "application/vnd.example",
        "y",
    );
    world.put("src", &sample, &["v1"]);
    // An artifact has a config that says nothing; its bytes can be had, and it is copied like anything else.
    assert_eq!(world.result(&["config", "oci:src:v1"]), "{}");
    world.result(&COPY);
    let index = Sample::index(vec![]);
    world.put("index", &index, &["v1"]);
    world.ends(&["config", "oci:index:v1"], 2);
}

#[test]
fn text_of_others_stays_on_its_line() {
    let world = World::new();
    let sample = Sample::image(&["x"]);
    world.put("src", &sample, &["v1"]);
    let index = fs::read_to_string(world.path("src/index.json")).expect("a file");
    fs::write(
        world.path("src/index.json"),
        index.replace("\"v1\"", r#""v1\nerror: all is lost\u001b[31m""#),
    )
    .expect("a file");
    assert_eq!(
        world.result(&["ls", "oci:src"]),
        "v1\\nerror: all is lost\\u{1b}[31m\n"
    );
    world.fails(
        &["digest", "oci:src:v2"],
        2,
        "error: src has no entry named v2; it has v1\\nerror: all is lost\\u{1b}[31m\n",
    );
}

#[test]
fn a_config_that_is_damaged_is_named() {
    let (world, sample, [config, _]) = world();
    fs::write(blob(&world.path("src"), &config), "{}").expect("a config");
    let size = sample.blobs()[0].0.size;
    for verb in [&["config"][..], &["inspect"], &["inspect", "--config"]] {
        let ended = world.run(&[verb, &["oci:src:v1"]].concat());
        let which = format!("error: cannot read the config {config} of oci:src:v1\n  because: ");
        ended.begins(&which);
        ended.says(&format!("expected {size} bytes"));
        assert_eq!(ended.code, Some(5));
    }
}
