//! A disk that is full.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use stevedore_core::Digest;
use stevedore_core::samples::Sample;

use crate::stevedore::{Ended, World, assert_sound, blob, image, staged};

use super::Mount;

/// A block of the file systems here, in bytes.
const BLOCK: usize = 4096;

/// What a copy says that found the disk full, and how it ends.
fn assert_says_full(ended: &Ended, disk: &Mount) {
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(1), ""),
        "{}",
        ended.stderr
    );
    let path = disk.path("").display().to_string();
    assert!(
        ended.stderr.contains(&path),
        "it names the path: {}",
        ended.stderr
    );
    assert!(
        ended
            .stderr
            .contains("because: No space left on device (os error 28)\n"),
        "{}",
        ended.stderr
    );
    assert!(
        ended
            .stderr
            .ends_with("try: make room, then the same command again: a copy goes on where this one was\n"),
        "{}",
        ended.stderr
    );
}

/// What is in the layout is sound, and has no name without its image.
fn assert_no_name(world: &World, disk: &Mount) {
    let out = disk.path("out");
    assert_sound(world, out.to_str().expect("UTF-8"));
    if out.join("oci-layout").exists() {
        assert_eq!(world.result(&["ls", &disk.layout("out")]), "");
    }
}

/// The image is there, byte for byte, and nothing is left of the staging.
fn assert_whole(world: &World, disk: &Mount, sample: &Sample) {
    let out = disk.path("out");
    crate::stevedore::assert_whole(world, out.to_str().expect("UTF-8"), sample);
}

#[test]
fn a_copy_into_a_disk_that_runs_full_goes_on_when_there_is_room() {
    let test = "a_copy_into_a_disk_that_runs_full_goes_on_when_there_is_room";
    let Some(disk) = Mount::new(test, "ext4", 64, &["-q", "-m", "0"]) else {
        return;
    };
    let world = World::new();
    let sample = image(3, &[24 << 20]);
    world.put("src", &sample, &["v1"]);
    let ballast = Ballast::all_but(&disk, 10 << 20);
    let (layer, size) = (&sample.blobs()[1].0, 24_u64 << 20);
    let layer = layer.known_digest().expect("of ours");
    let destination = format!("{}:v1", disk.layout("out"));
    let [said, told] =
        ["--progress=none", "--progress=json"].map(|progress| ["copy", progress, "oci:src:v1", &destination]);

    assert_says_full(&world.run(&said), &disk);
    assert_no_name(&world, &disk);
    let out = disk.path("out");
    assert!(!blob(&out, &layer).exists());
    let staged = size_staged(&out, &layer);
    assert!(staged > 1 << 20, "{staged} bytes are kept for the next one");
    // The same again, while there is no room: it loses nothing of that.
    assert_says_full(&world.run(&said), &disk);

    ballast.remove();
    let ended = world.run(&told);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_whole(&world, &disk, &sample);
    let done = |line: &&str| line.contains("\"blob-done\"") && line.contains(&layer.to_string());
    let done = ended.stderr.lines().find(done).expect("the layer is done");
    let done: serde_json::Value = serde_json::from_str(done).expect("JSON");
    assert_eq!(done["transferred"], size - staged, "only the rest was taken");
}

/// How many bytes of a blob are staged. Of others there may be some, too: they were under way at the same time.
fn size_staged(out: &Path, digest: &Digest) -> u64 {
    let end = format!("{}.part", digest.hex());
    staged(out)
        .iter()
        .filter(|path| path.to_str().is_some_and(|path| path.ends_with(&end)))
        .map(|path| fs::metadata(path).expect("a file").len())
        .sum()
}

#[test]
fn it_does_not_matter_at_which_block_the_disk_is_full() {
    let test = "it_does_not_matter_at_which_block_the_disk_is_full";
    let Some(disk) = Mount::new(
        test,
        "ext4",
        8,
        &["-q", "-m", "0", "-b", "4096", "-O", "^has_journal"],
    ) else {
        return;
    };
    let fill = |free: usize| Ballast::all_but(&disk, free * BLOCK);
    let failures = fill_up_everywhere(&disk, fill);
    assert!(failures > 5, "it was full {failures} times");
}

#[test]
fn it_does_not_matter_at_which_file_the_disk_has_no_more_room_for_one() {
    let test = "it_does_not_matter_at_which_file_the_disk_has_no_more_room_for_one";
    let Some(disk) = Mount::new(test, "ext4", 8, &["-q", "-m", "0", "-N", "48"]) else {
        return;
    };
    let failures = fill_up_everywhere(&disk, |free| Ballast::of_files(&disk, free));
    assert!(failures > 5, "it was full {failures} times");
}

/// Copies a small image into a disk that has room for nothing, then for a little more each time, until a copy succeeds.
/// After each one there is room, and the same command succeeds. Gives how many copies failed.
fn fill_up_everywhere(disk: &Mount, fill: impl Fn(usize) -> Ballast) -> usize {
    let world = World::new();
    let sample = image(4, &[30_000, 9_000]);
    world.put("src", &sample, &["v1"]);
    let copy = [
        "copy",
        "--progress=none",
        "oci:src:v1",
        &format!("{}:v1", disk.layout("out")),
    ];
    for free in 0..100 {
        let ballast = fill(free);
        let ended = world.run(&copy);
        let failed = ended.code != Some(0);
        if failed {
            assert_says_full(&ended, disk);
            assert_no_name(&world, disk);
        }
        ballast.remove();
        world.result(&copy);
        assert_whole(&world, disk, &sample);
        fs::remove_dir_all(disk.path("out")).expect("it is ours");
        if !failed {
            return free;
        }
    }
    panic!("no copy succeeded");
}

/// Files that take the room.
struct Ballast(PathBuf);

impl Ballast {
    /// Takes all room but this many bytes.
    fn all_but(disk: &Mount, free: usize) -> Self {
        let dir = Self::begin(disk);
        let path = dir.join("ballast");
        let mut file = File::create(&path).expect("a file");
        let block = [1; BLOCK];
        let mut size: u64 = 0;
        loop {
            match file.write_all(&block) {
                Ok(()) => size += BLOCK as u64,
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                Err(error) => panic!("{error}"),
            }
        }
        file.set_len(size.checked_sub(free as u64).expect("a larger disk"))
            .expect("a shorter file");
        file.sync_all().expect("it is on the disk");
        Self(dir)
    }

    /// Makes files until there is room for no more than this many.
    fn of_files(disk: &Mount, free: usize) -> Self {
        let dir = Self::begin(disk);
        let mut count = 0;
        loop {
            match File::create(dir.join(count.to_string())) {
                Ok(_) => count += 1,
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                Err(error) => panic!("{error}"),
            }
        }
        for number in 0..free {
            fs::remove_file(dir.join(number.to_string())).expect("it is ours");
        }
        Self(dir)
    }

    fn begin(disk: &Mount) -> PathBuf {
        let dir = disk.path("ballast");
        fs::create_dir(&dir).expect("a directory");
        dir
    }

    fn remove(self) {
        fs::remove_dir_all(self.0).expect("it is ours");
    }
}
