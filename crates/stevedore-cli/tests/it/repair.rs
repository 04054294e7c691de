//! Destinations that are half-filled, damaged, or not to be changed.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use stevedore_core::samples::Sample;

use crate::stevedore::{World, assert_sound, blob, blobs, image, tree};

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

/// What other tools, and power cuts under them, make of an index.
const BROKEN: [&str; 4] = ["", "\0\0\0\0", r#"{"schemaVersion":2,"manifests":[{"medi"#, "[]"];

#[test]
fn an_index_that_is_broken_stays_unless_it_is_forced_and_then_nothing_is_lost() {
    let (world, sample) = world();
    let (index, aside) = (world.path("out/index.json"), world.path("out/index.json.broken"));
    // From before, by whomever.
    fs::write(&aside, "kept").expect("a file");
    for (number, broken) in BROKEN.into_iter().enumerate() {
        fs::write(&index, broken).expect("a file");
        let before = tree(&world.path("out"));
        for more in [&[][..], &["--dry-run"]] {
            let ended = world.run(&[&["copy", "oci:src:v1", "oci:out:v1"], more].concat());
            assert_eq!(ended.code, Some(1), "{}", ended.stderr);
            let says = "error: cannot read out/index.json\n  because: ";
            assert!(ended.stderr.starts_with(says), "{}", ended.stderr);
            let hint = "\n  try: --force, which keeps it as index.json.broken and begins a new one without the names that it had\n";
            assert!(ended.stderr.ends_with(hint), "{}", ended.stderr);
        }
        // A dry run changes nothing, and neither does a copy that fails.
        let force = ["copy", "--progress=none", "--force", "oci:src:v1", "oci:out:v1"];
        world.result(&[&force[..], &["--dry-run"]].concat());
        let (layer, bytes) = &sample.blobs()[1];
        let source = blob(&world.path("src"), &layer.known_digest().expect("of ours"));
        fs::write(&source, "damaged").expect("a file");
        damage(&world, &sample, 1, |bytes| bytes[5] ^= 1);
        assert_eq!(world.run(&force).code, Some(5));
        fs::write(&source, bytes).expect("a file");
        damage(&world, &sample, 1, |_| {});
        assert_eq!(tree(&world.path("out")), before);

        let ended = world.run(&force);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let kept = format!("out/index.json.broken.{}", number + 1);
        let says = format!(
            "out/index.json was broken and is kept as {kept}: the names in it are gone from the layout\n"
        );
        assert!(ended.stderr.starts_with(&says), "{}", ended.stderr);
        assert_eq!(fs::read_to_string(world.path(&kept)).expect("a file"), broken);
        assert_eq!(world.result(&["ls", "oci:out"]), "v1\n");
        assert_sound(&world, "out");
    }
    assert_eq!(fs::read_to_string(&aside).expect("a file"), "kept");
    // What was kept by a run that was stopped then is not kept twice.
    fs::write(&index, BROKEN[1]).expect("a file");
    let ended = world.run(&[
        "copy",
        "-q",
        "--progress=json",
        "--force",
        "oci:src:v1",
        "oci:out:v1",
    ]);
    let says =
        r#"{"event":"note","message":"out/index.json was broken and is kept as out/index.json.broken.2: "#;
    assert!(ended.stderr.contains(says), "{}", ended.stderr);
    assert!(!world.path("out/index.json.broken.5").exists());
}

#[test]
fn a_header_that_a_power_cut_left_empty_is_written_anew_if_that_is_forced() {
    let (world, _) = world();
    let header = world.path("out/oci-layout");
    let written = fs::read(&header).expect("a file");
    for blank in ["", "\0\0\0", "\n"] {
        fs::write(&header, blank).expect("a file");
        let says = "error: out/oci-layout says nothing\n  because: it is empty, or has nothing but zeros and blanks\n";
        world.fails(&["ls", "oci:out"], 1, says);
        let copy = ["copy", "oci:src:v1", "oci:out:v2"];
        world.fails(&copy, 1, &format!("{says}  try: --force, which writes it anew\n"));
        world.result(&[&copy[..], &["--force", "--dry-run"]].concat());
        assert_eq!(fs::read_to_string(&header).expect("a file"), blank);
        world.result(&[&copy[..], &["--force"]].concat());
        assert_eq!(fs::read(&header).expect("a file"), written);
        assert_eq!(world.result(&["ls", "oci:out"]), "v1\nv2\n");
    }
    // One that says something may be of a layout of another kind.
    fs::write(&header, "{").expect("a file");
    let ended = world.run(&["copy", "--force", "oci:src:v1", "oci:out:v2"]);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended
            .stderr
            .starts_with("error: out/oci-layout is no layout header\n"),
        "{}",
        ended.stderr
    );
}

#[test]
fn referrers_go_into_a_layout_whose_index_was_broken() {
    let world = World::new();
    let sample = Sample::image(&["x"]).with_referrer("application/vnd.example", "signed");
    world.put("src", &sample, &["v1"]);
    world.put("out", &Sample::image(&["before"]), &["v0"]);
    fs::write(world.path("out/index.json"), "{").expect("a file");
    world.result(&["copy", "--force", "--referrers", "oci:src:v1", "oci:out:v1"]);
    assert_eq!(world.result(&["ls", "oci:out"]), "v1\n");
    world.result(&["copy", "--referrers", "oci:out:v1", "oci:again:v1"]);
    assert_eq!(blobs(&world.path("again")).len(), blobs(&world.path("src")).len());
    assert!(!world.path("out/index.json.broken.1").exists());
}

#[test]
fn a_directory_in_place_of_a_blob_is_named_and_goes_if_it_is_empty_and_that_is_forced() {
    for place in [Some(1), None] {
        let (world, sample) = world();
        // A layer, or the manifest.
        let descriptor = place.map_or_else(|| sample.descriptor(), |place| sample.blobs()[place].0.clone());
        let digest = descriptor.known_digest().expect("of ours");
        let path = blob(&world.path("out"), &digest);
        let shown = format!("out/blobs/sha256/{}", digest.hex());
        fs::remove_file(&path).expect("it was there");
        fs::create_dir(&path).expect("a directory");
        let copy = ["copy", "--progress=none", "oci:src:v1", "oci:out:v1"];
        let forced = [&copy[..], &["--force"]].concat();
        let fails = |command: &[&str], because: &str, hint: &str| {
            let ended = world.run(command);
            assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
            let says = format!("  because: cannot write {shown}\n  because: {because}\n  try: {hint}\n");
            assert!(ended.stderr.ends_with(&says), "{}", ended.stderr);
        };
        let empty = "an empty directory is there, and no blob";
        fails(&copy, empty, "--force, which puts the blob in its place");
        fs::write(path.join("thesis.txt"), "years of work").expect("a file");
        let full = "a directory with something in it is there, and no blob";
        let hint = "move it away: what it is, and whether it is wanted, is not known here";
        fails(&copy, full, hint);
        fails(&forced, full, hint);
        fs::remove_file(path.join("thesis.txt")).expect("it is there");
        world.result(&forced);
        assert_sound(&world, "out");
    }
}

#[test]
fn so_does_one_in_a_directory_of_an_image() {
    let (world, sample) = world();
    let copy = ["copy", "--progress=none", "oci:src:v1", "dir:flat"];
    world.result(&copy);
    let layer = sample.blobs()[1].0.known_digest().expect("of ours");
    let path = world.path("flat").join(layer.hex());
    fs::remove_file(&path).expect("it was there");
    fs::create_dir(&path).expect("a directory");
    let ended = world.run(&copy);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let says = format!(
        "because: cannot write flat/{}\n  because: an empty directory is there, and no blob\n  try: --force, which",
        layer.hex()
    );
    assert!(ended.stderr.contains(&says), "{}", ended.stderr);
    world.result(&[&copy[..], &["--force"]].concat());
    assert_eq!(fs::read(&path).expect("a file"), sample.blobs()[1].1);
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
