//! File systems on which files may share their blocks.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::stevedore::{World, assert_sound, blob, image};

use super::Mount;
use super::mount::run;

/// Whether the program knows how to ask for that.
const SHARES: bool = cfg!(all(target_os = "linux", not(stevedore_portable)));

#[test]
fn a_copy_within_a_file_system_that_can_shares_the_blocks() {
    let test = "a_copy_within_a_file_system_that_can_shares_the_blocks";
    // The smallest size that mkfs.xfs takes.
    let Some(disk) = Mount::new(test, "xfs", 300, &["-q", "-m", "reflink=1"]) else {
        return;
    };
    let world = World::new();
    let sample = image(8, &[40 << 20]);
    let (src, out) = (disk.path("src"), disk.path("out"));
    world.put(src.to_str().expect("UTF-8"), &sample, &["v1"]);

    let before = disk.free();
    let [from, to] = ["src", "out"].map(|layout| format!("{}:v1", disk.layout(layout)));
    let digest = world.result(&["copy", &from, &to]);
    assert_eq!(digest, format!("{}\n", sample.descriptor().digest));
    let taken = before.saturating_sub(disk.free());
    assert_eq!(taken < 4 << 20, SHARES, "{taken} bytes were taken");
    assert_sound(&world, out.to_str().expect("UTF-8"));
    let layer = sample.blobs()[1].0.known_digest().expect("of ours");
    let extents = extents(&blob(&out, &layer));
    assert!(!extents.is_empty());
    for extent in &extents {
        assert_eq!(extent.contains("shared"), SHARES, "{extent}");
    }
    // Only the blocks are shared: the one outlives the other.
    fs::remove_dir_all(src).expect("it is ours");
    assert_sound(&world, out.to_str().expect("UTF-8"));
}

/// What is known of the extents of a file, a line each.
fn extents(path: &Path) -> Vec<String> {
    let listed = run(Command::new("filefrag").arg("-v").arg(path)).expect("it comes with mkfs.ext4");
    assert!(listed.status.success(), "{listed:?}");
    let text = String::from_utf8(listed.stdout).expect("UTF-8");
    let is_extent = |line: &&str| {
        let number = line.split(':').next().unwrap_or_default().trim();
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    text.lines().filter(is_extent).map(str::to_owned).collect()
}
