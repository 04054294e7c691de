//! Layouts whose entries do not say which is meant, and those that lack one of their files.

use std::fs;

use stevedore_core::samples::Sample;

use crate::stevedore::World;

const COPY: [&str; 3] = ["copy", "oci:src:v1", "oci:out:v1"];

/// An image in `src:v1`.
fn world() -> World {
    let world = World::new();
    world.put("src", &Sample::image(&["the bytes of a layer"]), &["v1"]);
    world
}

#[test]
fn several_images_and_none_chosen() {
    let world = world();
    world.put("src", &Sample::image(&["another"]), &["v2"]);
    world.put("src", &Sample::image(&["without a name"]), &[]);
    let says = "error: src has several entries, and which is meant was not said
  because: each of these could be meant: v1 (@0), v2 (@1), @2
  try: a name or a place behind the directory, as oci:DIR:NAME or oci:DIR:@0
";
    world.fails(&["digest", "oci:src"], 3, says);
    world.fails(&["copy", "oci:src", "oci:out"], 3, says);
    assert!(!world.path("out").exists());
    assert_eq!(
        world.result(&["digest", "oci:src:@1"]),
        world.result(&["digest", "oci:src:v2"])
    );
}

#[test]
fn several_images_of_one_name_are_told_apart_by_their_places() {
    let world = world();
    let other = Sample::image(&["another"]);
    world.put("src", &other, &["v2"]);
    let index = world.path("src/index.json");
    let text = fs::read_to_string(&index).expect("a file");
    fs::write(&index, text.replace("\"v2\"", "\"v1\"")).expect("a file");
    let because = "  because: each of these could be meant: v1 (@0), v1 (@1)
  try: a name or a place behind the directory, as oci:DIR:NAME or oci:DIR:@0
";
    for (place, says) in [
        (
            "oci:src",
            "src has several entries, and which is meant was not said",
        ),
        ("oci:src:v1", "src has several entries named v1"),
    ] {
        world.fails(&["digest", place], 3, &format!("error: {says}\n{because}"));
    }
    assert_eq!(
        world.result(&["digest", "oci:src:@1"]).trim(),
        other.descriptor().digest.to_string()
    );
}

#[test]
fn a_layout_without_its_index_is_not_read_and_may_be_written() {
    let world = world();
    world.put("out", &Sample::image(&["before"]), &["v0"]);
    for layout in ["src", "out"] {
        fs::remove_file(world.path(layout).join("index.json")).expect("it is there");
    }
    for verb in ["ls", "digest", "inspect"] {
        world.fails(
            &[verb, "oci:src"],
            2,
            "error: src is no OCI layout: it has no index.json file\n",
        );
    }
    world.put("src", &Sample::image(&["anew"]), &["v1"]);
    world.result(&COPY);
    assert_eq!(world.result(&["ls", "oci:out"]), "v1\n");
}

#[test]
fn an_empty_index_without_a_header_is_a_layout_that_was_only_begun() {
    let world = world();
    let index = world.path("out/index.json");
    let empty = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    fs::create_dir(world.path("out")).expect("a directory");
    fs::write(&index, format!("{empty} ")).expect("a file");
    let says = "error: out is not empty and no OCI layout: it has no oci-layout file\n";
    world.fails(&COPY, 1, says);
    fs::write(&index, empty).expect("a file");
    world.result(&COPY);
    assert_eq!(world.result(&["ls", "oci:out"]), "v1\n");
}
