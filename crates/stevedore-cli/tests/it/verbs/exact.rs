//! Documents and blobs as they are, on stdout or within a report.

use super::{amd64, world};

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
