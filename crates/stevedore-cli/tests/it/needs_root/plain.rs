//! File systems that have neither links nor owners nor modes, and take `a` and `A` for the same name.

use std::fs::{self, File};

use stevedore_core::Platform;
use stevedore_core::samples::Sample;

use crate::stevedore::{World, assert_sound, image, random};

use super::Mount;

#[test]
fn vfat_holds_a_layout() {
    if let Some(disk) = Mount::new("vfat_holds_a_layout", "vfat", 64, &[]) {
        holds_a_layout(&disk);
    }
}

/// As vfat, with a driver in user space: for kernels that have no vfat.
#[test]
fn exfat_holds_a_layout() {
    if let Some(disk) = Mount::new("exfat_holds_a_layout", "exfat-fuse", 64, &[]) {
        holds_a_layout(&disk);
    }
}

fn holds_a_layout(disk: &Mount) {
    assert_plain(disk);
    let world = World::new();
    let children = ["amd64", "arm64"].map(|arch| {
        let layers = [random(1, 3 << 20), bytes::Bytes::from(arch)];
        let image = Sample::image_of(layers, &Platform::new("linux", arch));
        image.with_referrer("application/vnd.example.sbom", "packages")
    });
    let sample = Sample::index(children.into());
    let other = image(2, &[500_000, 70_000]);
    world.put("src", &sample, &["v1"]);
    world.put("src", &other, &["other"]);
    let out = disk.path("out");
    let named = |name: &str| format!("{}:{name}", disk.layout("out"));
    let all = ["copy", "--all", "--referrers"];
    let digest = |sample: &Sample| format!("{}\n", sample.descriptor().digest);

    // Several at once, two of which have the same to write, under names that differ in case only.
    let copies: Vec<_> = [
        ("oci:src:v1", "v1"),
        ("oci:src:v1", "v2"),
        ("oci:src:other", "V1"),
    ]
    .map(|(from, name)| (from, named(name)))
    .iter()
    .map(|(from, to)| world.start(&[&all[..], &[from, to]].concat()))
    .collect();
    for copy in copies {
        let output = copy.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{said}");
    }
    assert_sound(&world, out.to_str().expect("UTF-8"));
    assert!(!out.join(".stevedore").exists());
    for (name, sample) in [("v1", &sample), ("v2", &sample), ("V1", &other)] {
        assert_eq!(world.result(&["digest", &named(name)]), digest(sample), "{name}");
    }

    // And back, with all that belongs to it.
    assert_eq!(
        world.result(&[&all[..], &[&named("v1"), "oci:back:v1"]].concat()),
        digest(&sample)
    );
    for part in sample.all() {
        world.result(&[
            "manifest",
            "get",
            &format!("oci:back@{}", part.descriptor().digest),
        ]);
    }
    assert_sound(&world, "back");
    world.result(&["tag", &named("v1"), "v3"]);
    world.result(&["delete", &named("v2")]);
    assert_eq!(world.result(&["ls", &disk.layout("out")]), "V1\nv1\nv3\n");
}

/// What makes the file system worth a test.
fn assert_plain(disk: &Mount) {
    let one = disk.path("file");
    File::create(&one).expect("a file");
    assert!(disk.path("FILE").exists(), "case counts");
    fs::hard_link(&one, disk.path("link")).expect_err("there are links");
    std::os::unix::fs::symlink(&one, disk.path("link")).expect_err("there are symbolic links");
    std::os::unix::fs::chown(&one, Some(1), None).expect_err("there are owners");
    fs::remove_file(one).expect("it is ours");
}
