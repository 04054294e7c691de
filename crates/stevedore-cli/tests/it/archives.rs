//! Images in one file, from the command line.

use std::fs::{self, File};

use crate::stevedore::{World, image};

#[test]
fn an_archive_goes_to_stdout_and_comes_from_stdin() {
    let world = World::new();
    world.put("src", &image(1, &[300_000, 10]), &["v1"]);
    let digest = world.result(&["digest", "oci:src:v1"]);
    for transport in ["oci-archive", "docker-archive"] {
        let (to, from) = (format!("{transport}:-:app:v1"), format!("{transport}:-"));
        let written = world
            .command(&["copy", "--progress", "none", "oci:src:v1", &to])
            .output();
        let written = written.expect("it runs");
        let stderr = String::from_utf8(written.stderr).expect("a text");
        assert_eq!(written.status.code(), Some(0), "{stderr}");
        assert_eq!(
            stderr,
            format!("3 blobs written (300.2 kB), 0 mounted, 0 there already\n{digest}")
        );
        fs::write(world.path("image.tar"), &written.stdout).expect("written");
        let by_name = format!("{transport}:image.tar");
        assert_eq!(
            world.result(&["digest", &by_name]),
            digest,
            "stdout has the archive and nothing else"
        );
        assert_eq!(
            world
                .run(&["copy", "-q", "oci:src:v1", &to.replace(":-:", ":quiet.tar:")])
                .code,
            Some(0)
        );
        assert!(fs::read(world.path("quiet.tar")).expect("a file") == written.stdout);

        let stdin = File::open(world.path("image.tar")).expect("a file");
        let read = world
            .command(&["copy", "-q", &from, "oci:back:v1"])
            .stdin(stdin)
            .output();
        let read = read.expect("it runs");
        assert_eq!(String::from_utf8_lossy(&read.stdout), digest, "{:?}", read.stderr);
        assert_eq!(world.result(&["digest", "oci:back:v1"]), digest);
    }
}

#[test]
fn stdout_has_one_result() {
    let world = World::new();
    world.put("src", &image(1, &[10]), &["v1"]);
    let ended = world.run(&["copy", "--json", "oci:src:v1", "oci-archive:-"]);
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("two results for one stdout"),
        "{}",
        ended.stderr
    );
    assert_eq!(ended.stdout, "");
}

#[test]
fn an_archive_that_is_there_is_kept_if_that_is_asked_for() {
    let world = World::new();
    world.put("src", &image(1, &[10]), &["v1"]);
    fs::write(world.path("image.tar"), "precious").expect("written");
    world.fails(
        &["copy", "--no-clobber", "oci:src:v1", "oci-archive:image.tar:v1"],
        1,
        "error: the file image.tar is there already\n  \
         try: another name, or no --no-clobber to replace what is there\n",
    );
    assert_eq!(fs::read(world.path("image.tar")).expect("a file"), b"precious");
}

#[test]
fn verbs_read_archives_and_say_that_they_cannot_change_them() {
    let world = World::new();
    world.put("src", &image(1, &[10, 20]), &["v1"]);
    let digest = world.result(&["digest", "oci:src:v1"]);
    world.result(&["copy", "-q", "oci:src:v1", "docker-archive:image.tar:team/app:v1"]);
    let name = "docker.io/team/app:v1";
    assert_eq!(
        world.result(&["ls", "docker-archive:image.tar"]),
        format!("{name}\n")
    );
    let listed = world.json(&["list-tags", "docker-archive:image.tar"]);
    assert_eq!(
        listed,
        serde_json::json!({"Repository": "image.tar", "Tags": [name]})
    );
    for location in [
        "docker-archive:image.tar:team/app:v1",
        "docker-archive:image.tar",
        "docker-archive:image.tar:@0",
    ] {
        assert_eq!(world.result(&["digest", location]), digest, "{location}");
    }
    let inspected = world.json(&["inspect", "--json", "docker-archive:image.tar"]);
    assert_eq!(inspected["Digest"], digest.trim());
    assert_eq!(
        world.result(&["manifest", "get", "docker-archive:image.tar"]),
        world.result(&["manifest", "get", "oci:src:v1"])
    );
    for verb in [
        &["tag", "docker-archive:image.tar", "v2"][..],
        &["delete", "docker-archive:image.tar:app:v1"],
    ] {
        let ended = world.run(verb);
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(
            ended.stderr.contains("which is only written whole"),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn an_archive_is_not_written_over_itself() {
    let world = World::new();
    world.put("src", &image(1, &[10]), &["v1"]);
    world.result(&["copy", "-q", "oci:src:v1", "oci-archive:image.tar:v1"]);
    let before = fs::read(world.path("image.tar")).expect("a file");
    for to in ["oci-archive:image.tar:v2", "docker-archive:./image.tar"] {
        let message =
            format!("error: {to} would take the place of the archive that is read\n  try: another file\n");
        world.fails(&["copy", "oci-archive:image.tar:v1", to], 3, &message);
    }
    assert!(fs::read(world.path("image.tar")).expect("a file") == before);
}

#[test]
fn no_room_for_an_archive_is_told_with_what_to_do() {
    let world = World::new();
    world.put("src", &image(1, &[10]), &["v1"]);
    // A device that is always full.
    let ended = world.ends(&["copy", "-q", "oci:src:v1", "oci-archive:/dev/full"], 1);
    ended.says("cannot write to /dev/full");
    ended.says("try: make room, then the same command again: an archive is written from its beginning");
}
