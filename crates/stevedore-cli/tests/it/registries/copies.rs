//! Copies to and from them.

use http::Method;
use stevedore_core::samples::Sample;
use stevedore_fault_server::Profile;

use super::{digest_of, family, places};
use crate::registry::Registry;

#[test]
fn an_image_goes_there_and_comes_back() {
    let (world, registry) = places();
    let sample = family();
    world.put("src", &sample, &["v1"]);
    let there = registry.at("team/app:v1");
    let digest = world.result(&["copy", "--all", "--referrers", "oci:src:v1", &there]);
    assert_eq!(digest, format!("{}\n", digest_of(&sample)));
    assert_eq!(registry.tags("team/app"), ["v1"]);
    for part in sample.all() {
        let reference = digest_of(part);
        let (media_type, bytes) = registry
            .manifest("team/app", &reference)
            .expect("each document is there");
        assert_eq!(media_type, part.document().media_type().as_str());
        assert_eq!(bytes, part.document().bytes());
    }
    let back = world.result(&["copy", "--all", "--referrers", &there, "oci:back:v1"]);
    assert_eq!(back, digest);
    for part in sample.all() {
        world.result(&["manifest", "get", &format!("oci:back@{}", digest_of(part))]);
    }
    // One of two platforms, and what is there already is not sent again.
    registry.clear_log();
    let arguments = [
        "copy",
        "--json",
        "--platform",
        "linux/arm64",
        "oci:src:v1",
        &registry.at("team/app:arm64"),
    ];
    let report = world.json(&arguments);
    assert_eq!(report["digest"], digest_of(&sample.children()[1]));
    assert_eq!(report["blobs"]["written"], 0);
    assert_eq!(
        registry.log().count(&Method::POST, "/v2/**"),
        0,
        "nothing is uploaded"
    );
}

#[test]
fn one_goes_from_registry_to_registry_and_is_mounted_within_one() {
    let (world, from) = places();
    let to = Registry::start(Profile::ghcr());
    let sample = Sample::image(&["a layer", "another"]);
    from.put("a/app", &sample, &["v1"]);
    let creds = ["--dest-creds", "user:password"];
    let copied = world.result(&[&["copy", &from.at("a/app:v1"), &to.at("b/app:v2")][..], &creds].concat());
    assert_eq!(copied.trim(), digest_of(&sample));
    assert_eq!(to.tags("b/app"), ["v2"]);
    let report = world.json(&["copy", "--json", &from.at("a/app:v1"), &from.at("c/app:v1")]);
    assert_eq!(report["blobs"]["mounted"], 3, "{report}");
    assert_eq!(report["blobs"]["written"], 0);
}

#[test]
fn a_destination_with_a_digest_gets_that_and_nothing_else() {
    let (world, registry) = places();
    let (sample, other) = (Sample::image(&["a"]), Sample::image(&["b"]));
    world.put("src", &sample, &["v1"]);
    let wrong = registry.at(&format!("app@{}", digest_of(&other)));
    let message = format!(
        "error: the image is {}, and its destination says {}\n",
        digest_of(&sample),
        digest_of(&other)
    );
    world.fails(&["copy", "--progress=none", "oci:src:v1", &wrong], 5, &message);
    assert_eq!(
        registry.log().count(&Method::POST, "/v2/**"),
        0,
        "nothing was written"
    );
    let right = registry.at(&format!("app@{}", digest_of(&sample)));
    world.result(&["copy", "oci:src:v1", &right]);
    assert!(registry.tags("app").is_empty(), "a digest is no tag");
    assert!(registry.manifest("app", &digest_of(&sample)).is_some());
    // Without either it is the tag that everybody takes.
    world.result(&["copy", "oci:src:v1", &registry.at("app")]);
    assert_eq!(registry.tags("app"), ["latest"]);
}

#[test]
fn what_a_registry_lost_of_an_image_is_sent_again_if_it_is_asked_for() {
    let (world, registry) = places();
    let sample = family();
    world.put("src", &sample, &["v1"]);
    let copy = ["copy", "--all", "oci:src:v1", &registry.at("app:v1")];
    world.result(&copy);
    let mut images = sample
        .all()
        .into_iter()
        .map(digest_of)
        .filter(|digest| *digest != digest_of(&sample));
    // Its referrers were not asked for.
    let child = images.find(|digest| registry.manifest("app", digest).is_some());
    let child = child.expect("an image of the index");
    world.result(&["delete", "--manifest", &registry.at(&format!("app@{child}"))]);
    // A tag that is right is believed; to write another one shows what is gone.
    let ended = world.ends(&["copy", "--all", "oci:src:v1", &registry.at("app:v2")], 1);
    ended.says("MANIFEST_BLOB_UNKNOWN");
    ended.says("\n  try: --force, which");
    world.result(&[&copy[..], &["--force"]].concat());
    assert!(registry.manifest("app", &child).is_some());
}
