//! OCI layouts, in both directions.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::disk::{entries, files, oci, remove, same_files};
use super::images::ORIGINAL;
use super::tools::Tool;
use super::{Bench, Checked, Tally, same};
use crate::Failure;

/// The layouts that we have written to, whose documents are held against the schemas.
pub(super) const WRITTEN: [&str; 3] = ["ours", "all", "theirs-and-ours"];

pub(super) fn check(bench: &Bench, tally: &mut Tally) {
    for umoci in &bench.umocis {
        let name = umoci.name();
        tally.check(&format!("{name}: copies for it"), &[umoci], || copies(bench));
        let mut with = |what: &str, check: fn(&Bench, &Tool) -> Checked| {
            tally.check(&format!("{name}: {what}"), &[umoci], || check(bench, umoci));
        };
        with("it reads what we wrote", umoci_reads);
        with("it and we change names in one layout", umoci_names);
        with("it collects and keeps what we filed", umoci_collects);
    }
    tally.check("copies of every image", &[], || copies(bench));
    for skopeo in &bench.skopeos {
        let mut with = |what: &str, check: fn(&Bench, &Tool) -> Checked| {
            tally.check(&format!("{}: {what}", skopeo.name()), &[skopeo], || {
                remove(bench, &["theirs", "theirs-all", "back", "of-ours"])?;
                check(bench, skopeo)
            });
        };
        with("we read an image that it wrote", skopeo_image);
        with("we read an index that it wrote", skopeo_index);
        with("it reads what we wrote", skopeo_reads);
        with("inspect says the same", skopeo_inspects);
        with("it replaces a name in our layout", skopeo_replaces);
        with("we replace a name in its layout", we_replace);
    }
}

fn digest(bench: &Bench, layout: &str, name: &str) -> Result<String, Failure> {
    bench.stevedore.text(&["digest", &oci(layout, name)])
}

/// A copy by us must give the digest that the original has.
fn copy(bench: &Bench, flags: &[&str], from: (&str, &str), to: (&str, &str)) -> Checked {
    let (source, destination) = (oci(from.0, from.1), oci(to.0, to.1));
    let arguments = [&["copy", "-q"], flags, &[source.as_str(), destination.as_str()]].concat();
    let copied = bench.stevedore.text(&arguments)?;
    same(&destination, &copied, &digest(bench, from.0, from.1)?)
}

fn skopeo_copy(skopeo: &Tool, flags: &[&str], from: (&str, &str), to: (&str, &str)) -> Checked {
    let (source, destination) = (oci(from.0, from.1), oci(to.0, to.1));
    let arguments = [
        &["--insecure-policy", "copy", "-q"],
        flags,
        &[source.as_str(), destination.as_str()],
    ]
    .concat();
    skopeo.run(&arguments).map(drop)
}

/// The digest of the bytes that skopeo takes for the manifest.
fn skopeo_digest(bench: &Bench, skopeo: &Tool, layout: &str, name: &str) -> Result<String, Failure> {
    let raw = skopeo.run(&["inspect", "--raw", &oci(layout, name)])?;
    let file = bench.dir.join("manifest");
    fs::write(&file, raw)?;
    skopeo.text(&[Path::new("manifest-digest"), &file])
}

/// Into layouts of ours: the images, and the index with what refers to it.
fn copies(bench: &Bench) -> Checked {
    remove(
        bench,
        &["ours", "all", "all-collected", "bundle-original", "bundle-ours"],
    )?;
    for name in ["amd64", "arm64"] {
        copy(bench, &[], (ORIGINAL, name), ("ours", name))?;
    }
    copy(
        bench,
        &["--all", "--referrers"],
        (ORIGINAL, "multi"),
        ("all", "multi"),
    )?;
    // The index, and for it and each of its two images an artifact, filed by both customs.
    same("entries", entries(bench, "all")?.len(), 7)?;
    let names = bench.stevedore.text(&["ls", "oci:all"])?;
    same("names", names.as_str(), "multi")
}

fn umoci_reads(bench: &Bench, umoci: &Tool) -> Checked {
    let stevedore = &bench.stevedore;
    same(
        "names",
        umoci.text(&["ls", "--layout", "ours"])?,
        stevedore.text(&["ls", "oci:ours"])?,
    )?;
    for (layout, bundle) in [(ORIGINAL, "bundle-original"), ("ours", "bundle-ours")] {
        let image = format!("{layout}:amd64");
        umoci.run(&["unpack", "--rootless", "--image", &image, bundle])?;
    }
    let stat = |layout: &str| umoci.json(&["stat", "--json", "--image", &format!("{layout}:amd64")]);
    same("stat", stat("ours")?, stat(ORIGINAL)?)?;
    same_files(bench, "bundle-ours/rootfs", "bundle-original/rootfs")?;
    let rootfs = bench.dir.join("bundle-ours/rootfs");
    let there = ["bin/busybox", "etc/old"].map(|path| rootfs.join(path).exists());
    same("busybox, and what was taken out", there, [true, false])
}

fn umoci_names(bench: &Bench, umoci: &Tool) -> Checked {
    let stevedore = &bench.stevedore;
    umoci.run(&["tag", "--image", "ours:amd64", "by-umoci"])?;
    stevedore.run(&["tag", "oci:ours:amd64", "by-us"])?;
    same(
        "their tag",
        digest(bench, "ours", "by-umoci")?,
        digest(bench, "ours", "amd64")?,
    )?;
    same(
        "names",
        umoci.text(&["ls", "--layout", "ours"])?,
        stevedore.text(&["ls", "oci:ours"])?,
    )?;
    umoci.run(&["rm", "--image", "ours:by-us"])?;
    stevedore.run(&["delete", "oci:ours:by-umoci"])?;
    same(
        "what is left",
        stevedore.text(&["ls", "oci:ours"])?,
        "amd64\narm64".to_owned(),
    )?;
    // A new image over ours, which we then take over in turn.
    umoci.run(&[
        "config",
        "--image",
        "ours:amd64",
        "--tag",
        "changed",
        "--config.label",
        "c=d",
    ])?;
    copy(bench, &[], ("ours", "changed"), ("ours", "changed-again"))?;
    stevedore.run(&["delete", "oci:ours:changed"])?;
    stevedore.run(&["delete", "oci:ours:changed-again"])?;
    Ok(())
}

fn umoci_collects(bench: &Bench, umoci: &Tool) -> Checked {
    // Blobs that only an image that is gone again has named: the new config and manifest of `changed`.
    let before = files(&bench.dir.join("ours/blobs"))?.len();
    umoci.run(&["gc", "--layout", "ours"])?;
    same(
        "blobs that went",
        before - files(&bench.dir.join("ours/blobs"))?.len(),
        2,
    )?;
    umoci.run(&["gc", "--layout", "all"])?;
    copy(
        bench,
        &["--all", "--referrers"],
        ("all", "multi"),
        ("all-collected", "multi"),
    )?;
    same_files(bench, "all-collected/blobs", "all/blobs")
}

fn skopeo_image(bench: &Bench, skopeo: &Tool) -> Checked {
    skopeo_copy(skopeo, &[], (ORIGINAL, "amd64"), ("theirs", "v1"))?;
    same(
        "its copy",
        digest(bench, "theirs", "v1")?,
        digest(bench, ORIGINAL, "amd64")?,
    )?;
    copy(bench, &[], ("theirs", "v1"), ("back", "v1"))?;
    same_files(bench, "back/blobs", "theirs/blobs")
}

fn skopeo_index(bench: &Bench, skopeo: &Tool) -> Checked {
    skopeo_copy(skopeo, &["--all"], (ORIGINAL, "multi"), ("theirs-all", "multi"))?;
    same(
        "its copy",
        digest(bench, "theirs-all", "multi")?,
        digest(bench, ORIGINAL, "multi")?,
    )?;
    copy(bench, &["--all"], ("theirs-all", "multi"), ("back", "multi"))?;
    same_files(bench, "back/blobs", "theirs-all/blobs")?;
    // Of an index both take the image for the same host.
    skopeo_copy(skopeo, &[], (ORIGINAL, "multi"), ("theirs", "host"))?;
    bench
        .stevedore
        .run(&["copy", "-q", "oci:original:multi", "oci:back:host"])?;
    same(
        "the host's image",
        digest(bench, "theirs", "host")?,
        digest(bench, "back", "host")?,
    )?;
    let overridden = ["--override-arch", "arm64"];
    skopeo.run(
        &[
            &["--insecure-policy"],
            &overridden[..],
            &["copy", "-q", "oci:original:multi", "oci:theirs:arm64"],
        ]
        .concat(),
    )?;
    let arguments = [
        &["copy", "-q"],
        &overridden[..],
        &["oci:original:multi", "oci:back:arm64"],
    ]
    .concat();
    let copied = bench.stevedore.text(&arguments)?;
    same("another architecture", digest(bench, "theirs", "arm64")?, copied)
}

fn skopeo_reads(bench: &Bench, skopeo: &Tool) -> Checked {
    same(
        "its digest",
        skopeo_digest(bench, skopeo, "ours", "amd64")?,
        digest(bench, "ours", "amd64")?,
    )?;
    skopeo_copy(skopeo, &[], ("ours", "amd64"), ("of-ours", "amd64"))?;
    same(
        "its copy",
        digest(bench, "of-ours", "amd64")?,
        digest(bench, ORIGINAL, "amd64")?,
    )?;
    skopeo_copy(skopeo, &["--all"], ("all", "multi"), ("of-ours", "multi"))?;
    same(
        "its copy of an index",
        digest(bench, "of-ours", "multi")?,
        digest(bench, ORIGINAL, "multi")?,
    )?;
    let config = skopeo.run(&["inspect", "--raw", "--config", &oci("ours", "arm64")])?;
    same(
        "the config",
        config,
        bench.stevedore.run(&["config", &oci("ours", "arm64")])?,
    )
}

fn skopeo_inspects(bench: &Bench, skopeo: &Tool) -> Checked {
    for (layout, name) in [("ours", "amd64"), (ORIGINAL, "arm64")] {
        let location = oci(layout, name);
        let theirs = skopeo.json(&["inspect", &location])?;
        let ours = bench.stevedore.json(&["inspect", &location])?;
        same(&location, without_what_it_lacks(ours, &theirs), theirs)?;
    }
    Ok(())
}

/// Our report of an image, to be compared value by value: `LayersData` came to skopeo after Debian 12.
pub(super) fn without_what_it_lacks(mut ours: Value, theirs: &Value) -> Value {
    if theirs.get("LayersData").is_none()
        && let Some(report) = ours.as_object_mut()
    {
        report.remove("LayersData");
    }
    ours
}

fn skopeo_replaces(bench: &Bench, skopeo: &Tool) -> Checked {
    remove(bench, &["theirs-and-ours"])?;
    copy(
        bench,
        &["--all", "--referrers"],
        (ORIGINAL, "multi"),
        ("theirs-and-ours", "multi"),
    )?;
    copy(bench, &[], (ORIGINAL, "amd64"), ("theirs-and-ours", "v1"))?;
    let names = || bench.stevedore.text(&["ls", "oci:theirs-and-ours"]);
    let (before, names_before) = (entries(bench, "theirs-and-ours")?, names()?);
    skopeo_copy(skopeo, &[], (ORIGINAL, "arm64"), ("theirs-and-ours", "v1"))?;
    same(
        "what the name names",
        digest(bench, "theirs-and-ours", "v1")?,
        digest(bench, ORIGINAL, "arm64")?,
    )?;
    same(
        "the other name",
        digest(bench, "theirs-and-ours", "multi")?,
        digest(bench, ORIGINAL, "multi")?,
    )?;
    same("the names", names()?, names_before)?;
    // It keeps the image that had the name, as an entry without one.
    let after = entries(bench, "theirs-and-ours")?;
    let unnamed = |entries: &[Value]| {
        let amd64 = digest(bench, ORIGINAL, "amd64")?;
        let is_it = |entry: &&Value| entry["digest"] == amd64 && entry.get("annotations").is_none();
        Ok::<_, Failure>(entries.iter().filter(is_it).count())
    };
    same("entries", after.len(), before.len() + 1)?;
    same("entries without a name", unnamed(&after)?, unnamed(&before)? + 1)?;
    copy(
        bench,
        &["--all", "--referrers"],
        ("theirs-and-ours", "multi"),
        ("back", "multi"),
    )?;
    same_files(bench, "back/blobs", "all/blobs")?;
    // And back again.
    copy(bench, &[], (ORIGINAL, "amd64"), ("theirs-and-ours", "v1"))?;
    same(
        "its digest",
        skopeo_digest(bench, skopeo, "theirs-and-ours", "v1")?,
        digest(bench, ORIGINAL, "amd64")?,
    )
}

fn we_replace(bench: &Bench, skopeo: &Tool) -> Checked {
    skopeo_copy(skopeo, &[], (ORIGINAL, "amd64"), ("theirs", "v1"))?;
    skopeo_copy(skopeo, &[], (ORIGINAL, "amd64"), ("theirs", "v2"))?;
    copy(bench, &[], (ORIGINAL, "arm64"), ("theirs", "v1"))?;
    for (name, original) in [("v1", "arm64"), ("v2", "amd64")] {
        same(
            name,
            skopeo_digest(bench, skopeo, "theirs", name)?,
            digest(bench, ORIGINAL, original)?,
        )?;
    }
    skopeo_copy(skopeo, &[], ("theirs", "v1"), ("of-ours", "v1"))?;
    same(
        "its copy",
        digest(bench, "of-ours", "v1")?,
        digest(bench, ORIGINAL, "arm64")?,
    )
}
