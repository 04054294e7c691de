//! Destinations that are half-filled, damaged, or not to be changed.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use stevedore_core::samples::Sample;

use crate::stevedore::{World, assert_sound, blob, image, tree};

/// An image that is in `src:v1` and in `out:v1`.
fn world() -> (World, Sample) {
    let world = World::new();
    let sample = image(7, &[200_000, 3_000]);
    world.put("src", &sample, &["v1"]);
    world.put("out", &sample, &["v1"]);
    (world, sample)
}

fn damage(world: &World, sample: &Sample, place: usize, change: impl FnOnce(&mut Vec<u8>)) {
    let (descriptor, bytes) = &sample.blobs()[place];
    let path = blob(&world.path("out"), &descriptor.known_digest().expect("of ours"));
    let mut bytes = bytes.to_vec();
    change(&mut bytes);
    fs::write(path, bytes).expect("a file");
}

#[test]
fn force_mends_what_is_damaged_and_leaves_what_is_not() {
    let (world, sample) = world();
    damage(&world, &sample, 0, |bytes| bytes[3] ^= 1);
    damage(&world, &sample, 1, |bytes| bytes[100_000] ^= 1);
    let good = blob(
        &world.path("out"),
        &sample.blobs()[2].0.known_digest().expect("of ours"),
    );
    let inode = fs::metadata(&good).expect("it is there").ino();
    let manifest = blob(
        &world.path("out"),
        &sample.descriptor().known_digest().expect("of ours"),
    );
    let bytes = fs::read_to_string(&manifest).expect("UTF-8");
    fs::write(&manifest, bytes.replace("schemaVersion\":2", "schemaVersion\":3")).expect("a file");

    // What has the right size counts as there, unless it is looked at.
    let copy = ["copy", "--json", "-q", "oci:src:v1", "oci:out:v1"];
    assert_eq!(world.json(&copy)["blobs"]["written"], 0);
    let forced = [&copy[..], &["--force"]].concat();
    assert_eq!(
        world.json(&[&forced[..], &["--dry-run"]].concat())["blobs"]["written"],
        2
    );
    assert_eq!(world.json(&forced)["blobs"]["written"], 2);
    assert_sound(&world, "out");
    assert_eq!(fs::metadata(&good).expect("it is there").ino(), inode);
    assert_eq!(world.json(&forced)["blobs"]["written"], 0);
}

#[test]
fn what_is_cut_short_or_missing_is_written_without_being_asked() {
    let (world, sample) = world();
    damage(&world, &sample, 1, |bytes| bytes.truncate(1_000));
    let gone = blob(
        &world.path("out"),
        &sample.blobs()[2].0.known_digest().expect("of ours"),
    );
    fs::remove_file(gone).expect("it was there");
    let report = world.json(&["copy", "--json", "-q", "oci:src:v1", "oci:out:v1"]);
    assert_eq!(report["blobs"]["written"], 2);
    assert_sound(&world, "out");
}

#[test]
fn force_takes_nothing_away_that_the_source_cannot_replace() {
    let (world, sample) = world();
    damage(&world, &sample, 1, |bytes| bytes[5] ^= 1);
    let bad = blob(
        &world.path("out"),
        &sample.blobs()[1].0.known_digest().expect("of ours"),
    );
    fs::copy(
        &bad,
        blob(
            &world.path("src"),
            &sample.blobs()[1].0.known_digest().expect("of ours"),
        ),
    )
    .expect("both are damaged");
    let before = tree(&world.path("out"));
    let ended = world.run(&["copy", "--force", "oci:src:v1", "oci:out:v1"]);
    assert_eq!(ended.code, Some(5), "{}", ended.stderr);
    assert_eq!(tree(&world.path("out")), before);
}

#[test]
fn no_clobber_fails_before_a_byte_is_copied() {
    let (world, there) = world();
    let other = image(99, &[1 << 20]);
    world.put("src", &other, &["v2"]);
    let before = tree(&world.path("out"));
    let refused = format!(
        "error: the name v1 is taken by {}\n  try: another name, or no --no-clobber to replace what is there\n",
        there.descriptor().digest
    );
    world.fails(&["copy", "--no-clobber", "oci:src:v2", "oci:out:v1"], 1, &refused);
    world.fails(
        &["copy", "-n", "--dry-run", "oci:src:v2", "oci:out:v1"],
        1,
        &refused,
    );
    assert_eq!(tree(&world.path("out")), before);
    // The same image under its name is no conflict, and neither is a name that is free.
    world.result(&["copy", "-n", "oci:src:v1", "oci:out:v1"]);
    world.result(&["copy", "-n", "oci:src:v2", "oci:out:v2"]);
    world.result(&["copy", "oci:src:v2", "oci:out:v1"]);
    assert_eq!(
        world.result(&["digest", "oci:out:v1"]),
        format!("{}\n", other.descriptor().digest)
    );
}
