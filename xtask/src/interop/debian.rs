//! A Debian in several layers: its root by mmdebstrap, the layers above it by umoci.

use std::fs;

use super::disk::{oci, remove, same_files};
use super::images::index;
use super::meeting::Meeting;
use super::tools::{self, Tool};
use super::{Bench, Checked, same};

/// The layout that umoci makes, with `amd64`, `arm64` and the index `multi`.
const DEBIAN: &str = "debian";

/// What umoci unpacked of it.
const BUNDLE: &str = "debian-bundle";

/// The lowest layer: .ci/peers lays it out, for that takes a network.
pub(super) fn root() -> Tool {
    let root = tools::peers().map(|peers| peers.join("debian.tar"));
    Tool::thing(
        "debian.tar in STEVEDORE_PEERS",
        root.filter(|root| root.is_file()),
    )
}

/// The layout, once it is made.
pub(super) fn layout(bench: &Bench) -> Tool {
    let bundle = bench.dir.join(BUNDLE);
    Tool::thing(
        "the layout with a Debian",
        Some(bundle).filter(|bundle| bundle.is_dir()),
    )
}

/// Makes the layout, and unpacks one image of it: what copies have to come to.
pub(super) fn make(bench: &Bench, assemble: &Tool, root: &Tool) -> Checked {
    let umoci = &bench.umocis[0];
    let (layout, image) = (["--layout", DEBIAN], ["--image", "debian:amd64"]);
    let with = |verb: &[&str], rest: &[&str]| umoci.run(&[verb, &image, rest].concat()).map(drop);
    umoci.run(&[&["init"], &layout[..]].concat())?;
    with(&["new"], &[])?;
    let tar = root.path().to_string_lossy();
    with(&["raw", "add-layer"], &[&tar])?;
    let above = bench.dir.join("above");
    fs::create_dir_all(above.join("srv"))?;
    fs::write(above.join("srv/index.html"), "<p>served</p>\n")?;
    fs::write(above.join("passwd"), "root:x:0:0:root:/root:/bin/sh\n")?;
    with(&["insert", "--rootless"], &["above/srv", "/srv"])?;
    with(&["insert", "--rootless"], &["above/passwd", "/etc/passwd"])?;
    with(&["insert", "--rootless"], &["--whiteout", "/usr/bin/perl"])?;
    with(
        &["insert", "--rootless"],
        &["--opaque", "above/srv", "/var/lib/dpkg"],
    )?;
    with(
        &["config"],
        &["--config.cmd", "/bin/sh", "--config.workingdir", "/srv"],
    )?;
    with(&["config"], &["--tag", "arm64", "--architecture", "arm64"])?;
    index(assemble, DEBIAN)?;
    unpack(umoci, DEBIAN, BUNDLE)
}

/// Registry and layouts, and umoci at their end.
pub(super) fn travels(at: Meeting<'_>, umoci: &Tool) -> Checked {
    let (original, pushed) = (oci(DEBIAN, "multi"), at.at("debian", "multi"));
    let all = ["--all", "--referrers"];
    at.we_copy(&all, &original, &pushed)?;
    at.they_copy(&["--override-arch", "amd64"], &pushed, &oci("theirs", "amd64"))?;
    like_the_original(at, umoci, "theirs")?;
    let theirs = at.at("debian-by-it", "multi");
    at.they_copy(&["--all"], &original, &theirs)?;
    let report = at.we_copy(&["--platform", "linux/amd64"], &theirs, &oci("back", "amd64"))?;
    // The root, four layers above it, and the config.
    same("blobs written", report["blobs"]["written"].as_u64(), Some(6))?;
    like_the_original(at, umoci, "back")?;
    // And the whole of it.
    at.we_copy(&all, &pushed, &oci("back", "multi"))?;
    at.we_copy(&all, &original, &oci("straight", "multi"))?;
    same_files(at.bench, "back/blobs", "straight/blobs")
}

fn like_the_original(at: Meeting<'_>, umoci: &Tool, layout: &str) -> Checked {
    let (copied, original) = (oci(layout, "amd64"), oci(DEBIAN, "amd64"));
    same(&copied, at.digest(&copied)?, at.digest(&original)?)?;
    remove(at.bench, &["debian-again"])?;
    unpack(umoci, layout, "debian-again")?;
    same_files(at.bench, "debian-again/rootfs", &format!("{BUNDLE}/rootfs"))?;
    let rootfs = at.bench.dir.join("debian-again/rootfs");
    let there = ["bin/sh", "srv/index.html", "usr/bin/perl", "var/lib/dpkg/status"];
    let there = there.map(|path| rootfs.join(path).exists());
    same("what is there of it", there, [true, true, false, false])?;
    remove(at.bench, &["debian-again"])
}

fn unpack(umoci: &Tool, layout: &str, bundle: &str) -> Checked {
    let image = format!("{layout}:amd64");
    umoci
        .run(&["unpack", "--rootless", "--image", &image, bundle])
        .map(drop)
}
