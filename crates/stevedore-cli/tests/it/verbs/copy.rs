//! `copy`: what it reports, and what else it leaves.

use std::fs;

use serde_json::json;

use super::{amd64, world};

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
