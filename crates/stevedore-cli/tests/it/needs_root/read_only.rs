//! A file system that can only be read, also by root.

use crate::stevedore::{World, image, tree};

use super::Mount;

#[test]
fn a_layout_on_a_read_only_disk_can_be_read_and_not_written() {
    let test = "a_layout_on_a_read_only_disk_can_be_read_and_not_written";
    let Some(disk) = Mount::new(test, "ext4", 16, &["-q"]) else {
        return;
    };
    let world = World::new();
    let sample = image(6, &[200_000, 3_000]);
    let digest = format!("{}\n", sample.descriptor().digest);
    let there = disk.path("there");
    world.put(there.to_str().expect("UTF-8"), &sample, &["v1"]);
    world.put("src", &image(7, &[1_000]), &["v2"]);
    disk.make_read_only();
    let before = tree(&there);
    let place = disk.layout("there");
    let image = format!("{place}:v1");

    for verb in ["inspect", "digest", "config", "ls"] {
        world.result(&[verb, if verb == "ls" { &place } else { &image }]);
    }
    let layer = &sample.blobs()[1].0.digest;
    world.result(&["blob", "head", &format!("{place}@{layer}")]);
    assert_eq!(world.result(&["copy", &image, "oci:out:v1"]), digest);
    // Nothing has to be written where everything is there.
    assert_eq!(world.result(&["copy", "oci:out:v1", &image]), digest);

    let (other, fresh) = (format!("{place}:v2"), format!("{}:v2", disk.layout("fresh")));
    for (verb, path) in [
        (&["copy", "oci:src:v2", &other][..], "there"),
        (&["copy", "oci:src:v2", &fresh], "fresh"),
        (&["tag", &image, "v3"], "there"),
        (&["delete", &image], "there"),
    ] {
        let ended = world.refused(verb, 1);
        let path = disk.path(path).display().to_string();
        ended.says(&path);
        ended.says("because: Read-only file system (os error 30)\n");
        assert!(
            ended.stderr.ends_with("try: a place where you may write\n"),
            "{verb:?}: {}",
            ended.stderr
        );
    }
    assert_eq!(tree(&there), before);
}
