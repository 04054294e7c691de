//! Missing rights, and the umask.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use stevedore_core::samples::Sample;

use crate::stevedore::{PROGRAM, World, blobs, not_run, tree};

fn world() -> World {
    let world = World::new();
    world.put("src", &Sample::image(&["a layer"]), &["v1"]);
    world
}

/// Root may write anywhere, so there is nothing to see.
fn is_root(test: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if root {
        not_run(test, "a user without rights");
    }
    root
}

/// Takes or gives the right to write in a directory and all below it.
fn set_writable(dir: &Path, writable: bool) {
    let mode = if writable { 0o755 } else { 0o555 };
    fs::set_permissions(dir, Permissions::from_mode(mode)).expect("it is ours");
    for path in crate::stevedore::entries(dir) {
        if path.is_dir() {
            set_writable(&path, writable);
        }
    }
}

#[test]
fn reading_needs_no_right_to_write() {
    if is_root("reading_needs_no_right_to_write") {
        return;
    }
    let world = world();
    let src = world.path("src");
    set_writable(&src, false);
    for verb in ["inspect", "digest", "ls", "config"] {
        world.result(&[verb, "oci:src"]);
    }
    world.result(&["copy", "oci:src", "oci:out"]);
    set_writable(&src, true);
}

#[test]
fn a_directory_that_may_not_be_written_is_named() {
    if is_root("a_directory_that_may_not_be_written_is_named") {
        return;
    }
    let world = world();
    world.put("out", &Sample::image(&["before"]), &["v0"]);
    let out = world.path("out");
    set_writable(&out, false);
    let before = tree(&out);
    for verb in [
        &["copy", "oci:src:v1", "oci:out:v1"][..],
        &["tag", "oci:out:v0", "v1"],
        &["delete", "oci:out:v0"],
    ] {
        let ended = world.refused(verb, 1);
        ended.says(" out/");
        ended.says("Permission denied");
        assert!(
            ended
                .stderr
                .ends_with("try: the rights that are missing there, or another place\n")
        );
    }
    assert_eq!(tree(&out), before);
    set_writable(&out, true);
}

#[test]
fn what_may_not_be_read_is_not_said_to_want_writing() {
    if is_root("what_may_not_be_read_is_not_said_to_want_writing") {
        return;
    }
    let world = world();
    let index = world.path("src/index.json");
    fs::set_permissions(&index, Permissions::from_mode(0o000)).expect("it is ours");
    world.fails(
        &["ls", "oci:src"],
        1,
        "error: cannot read src/index.json\n  because: Permission denied (os error 13)\n  try: the rights that are missing there, or another place\n",
    );
}

#[test]
fn modes_follow_the_umask() {
    for (umask, file_mode, dir_mode) in [
        ("022", 0o644, 0o755),
        ("027", 0o640, 0o750),
        ("002", 0o664, 0o775),
    ] {
        let world = world();
        let script = format!("umask {umask}; exec {PROGRAM} -q copy oci:src oci:out:v1 --digestfile digest");
        let status = Command::new("sh")
            .args(["-c", &script])
            .env("HOME", world.path(""))
            .current_dir(world.path(""))
            .stdout(std::process::Stdio::null())
            .status();
        assert!(status.expect("a shell").success());
        let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o7777;
        let out = world.path("out");
        for dir in [&out, &out.join("blobs"), &out.join("blobs/sha256")] {
            assert_eq!(mode(dir), dir_mode, "{umask} {}", dir.display());
        }
        let mut files = vec![
            out.join("index.json"),
            out.join("oci-layout"),
            world.path("digest"),
        ];
        files.extend(blobs(&out).into_iter().map(|(_, path)| path));
        for file in files {
            assert_eq!(mode(&file), file_mode, "{umask} {}", file.display());
        }
    }
}
