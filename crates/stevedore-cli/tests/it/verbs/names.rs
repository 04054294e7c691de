//! What is there, and under which names.

use serde_json::json;
use stevedore_core::samples::Sample;

use super::{amd64, world};
use crate::stevedore::World;

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
