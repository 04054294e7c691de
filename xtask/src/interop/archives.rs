//! Images in one file, `oci-archive:` and `docker-archive:`, in both directions.

use std::fs;

use serde_json::Value;

use super::disk::{oci, remove};
use super::images::ORIGINAL;
use super::tools::Tool;
use super::{Bench, Checked, Tally, same};
use crate::Failure;

/// What the image is called in a docker-archive.
const NAME: &str = "registry.example/team/app:v1";

/// The files and layouts that a check makes.
const MADE: [&str; 3] = ["archive-back", "archive-ours.tar", "archive-theirs.tar"];

pub(super) fn check(bench: &Bench, tally: &mut Tally) {
    for skopeo in &bench.skopeos {
        let mut with = |what: &str, check: fn(&Bench, &Tool) -> Checked| {
            tally.check(&format!("{}: {what}", skopeo.name()), &[skopeo], || {
                for made in MADE {
                    let path = bench.dir.join(made);
                    if path.is_file() {
                        fs::remove_file(path)?;
                    }
                }
                remove(bench, &MADE)?;
                check(bench, skopeo)
            });
        };
        with("it reads an oci-archive of ours", it_reads_oci);
        with("we read an oci-archive of its", we_read_oci);
        with("it reads a docker-archive of ours", it_reads_docker);
        with("we read a docker-archive of its", we_read_docker);
        with("it lists the names in a docker-archive of ours", it_lists);
    }
}

fn ours(bench: &Bench, arguments: &[&str]) -> Checked {
    bench
        .stevedore
        .run(&[&["copy", "-q"], arguments].concat())
        .map(drop)
}

fn theirs(skopeo: &Tool, arguments: &[&str]) -> Checked {
    let all = [&["--insecure-policy", "copy", "-q"], arguments].concat();
    skopeo.run(&all).map(drop)
}

fn digest(bench: &Bench, location: &str) -> Result<String, Failure> {
    bench.stevedore.text(&["digest", location])
}

/// The digest of the config, by which Docker knows an image.
fn id(bench: &Bench, location: &str) -> Result<String, Failure> {
    let manifest = bench.stevedore.json(&["manifest", "get", location])?;
    Ok(manifest["config"]["digest"].to_string())
}

fn it_reads_oci(bench: &Bench, skopeo: &Tool) -> Checked {
    ours(
        bench,
        &[&oci(ORIGINAL, "amd64"), "oci-archive:archive-ours.tar:v1"],
    )?;
    theirs(
        skopeo,
        &["oci-archive:archive-ours.tar:v1", "oci:archive-back:v1"],
    )?;
    same(
        "an image",
        digest(bench, "oci:archive-back:v1")?,
        digest(bench, &oci(ORIGINAL, "amd64"))?,
    )?;
    ours(
        bench,
        &[
            "--all",
            &oci(ORIGINAL, "multi"),
            "oci-archive:archive-ours.tar:v2",
        ],
    )?;
    theirs(
        skopeo,
        &["--all", "oci-archive:archive-ours.tar:v2", "oci:archive-back:v2"],
    )?;
    same(
        "an index",
        digest(bench, "oci:archive-back:v2")?,
        digest(bench, &oci(ORIGINAL, "multi"))?,
    )
}

fn we_read_oci(bench: &Bench, skopeo: &Tool) -> Checked {
    theirs(
        skopeo,
        &[
            "--all",
            &oci(ORIGINAL, "multi"),
            "oci-archive:archive-theirs.tar:v1",
        ],
    )?;
    ours(
        bench,
        &["--all", "oci-archive:archive-theirs.tar", "oci:archive-back:v1"],
    )?;
    let original = digest(bench, &oci(ORIGINAL, "multi"))?;
    same(
        "its digest",
        digest(bench, "oci-archive:archive-theirs.tar:v1")?,
        original.clone(),
    )?;
    same("an index", digest(bench, "oci:archive-back:v1")?, original)
}

fn it_reads_docker(bench: &Bench, skopeo: &Tool) -> Checked {
    let archive = format!("docker-archive:archive-ours.tar:{NAME}");
    for (flags, name) in [(&[][..], "amd64"), (&["--all"], "multi")] {
        ours(bench, &[flags, &[&oci(ORIGINAL, name), &archive]].concat())?;
        // It makes a manifest of its own, of Docker's kind; the config, so the image's ID, stays.
        theirs(skopeo, &[&archive, "dir:archive-back"])?;
        same(
            "the config",
            id(bench, "dir:archive-back")?,
            id(bench, &oci(ORIGINAL, "amd64"))?,
        )?;
        remove(bench, &["archive-back"])?;
    }
    // The layout in it is the original.
    theirs(
        skopeo,
        &["--all", "oci-archive:archive-ours.tar:v1", "oci:archive-back:v2"],
    )?;
    same(
        "the layout in it",
        digest(bench, "oci:archive-back:v2")?,
        digest(bench, &oci(ORIGINAL, "multi"))?,
    )
}

fn we_read_docker(bench: &Bench, skopeo: &Tool) -> Checked {
    let archive = format!("docker-archive:archive-theirs.tar:{NAME}");
    theirs(skopeo, &[&oci(ORIGINAL, "amd64"), &archive])?;
    ours(bench, &[&archive, "oci:archive-back:v1"])?;
    same(
        "the config",
        id(bench, "oci:archive-back:v1")?,
        id(bench, &oci(ORIGINAL, "amd64"))?,
    )?;
    same(
        "its names",
        bench
            .stevedore
            .text(&["ls", "docker-archive:archive-theirs.tar"])?,
        NAME.to_owned(),
    )?;
    // Its layers are not compressed, so their digests are the diff IDs.
    let manifest = bench
        .stevedore
        .json(&["manifest", "get", "oci:archive-back:v1"])?;
    let config = bench.stevedore.json(&["config", "oci:archive-back:v1"])?;
    let digests = |list: &Value, key: Option<&str>| -> Vec<String> {
        let items = list.as_array().into_iter().flatten();
        items
            .map(|item| key.map_or(item, |key| &item[key]).to_string())
            .collect()
    };
    same(
        "layers",
        digests(&manifest["layers"], Some("digest")),
        digests(&config["rootfs"]["diff_ids"], None),
    )
}

fn it_lists(bench: &Bench, skopeo: &Tool) -> Checked {
    ours(
        bench,
        &[
            &oci(ORIGINAL, "amd64"),
            &format!("docker-archive:archive-ours.tar:{NAME}"),
        ],
    )?;
    let listed = skopeo.json(&["list-tags", "docker-archive:archive-ours.tar"])?;
    same("names", listed["Tags"].to_string(), format!("[\"{NAME}\"]"))
}
