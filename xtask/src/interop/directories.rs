//! Images in directories of their own, `dir:`, in both directions.

use super::disk::{files, oci, remove, same_files};
use super::images::ORIGINAL;
use super::tools::Tool;
use super::{Bench, Checked, Tally, same};

/// An image and an index of it, and what it takes to have the whole of each.
const IMAGES: [(&str, Option<&str>); 2] = [("amd64", None), ("multi", Some("--all"))];

pub(super) fn check(bench: &Bench, tally: &mut Tally) {
    for skopeo in &bench.skopeos {
        let mut with = |what: &str, check: fn(&Bench, &Tool) -> Checked| {
            tally.check(&format!("{}: {what}", skopeo.name()), &[skopeo], || {
                remove(bench, &["dir-ours", "dir-theirs", "dir-back"])?;
                check(bench, skopeo)
            });
        };
        with("both write the same directory", write_the_same);
        with("it reads a directory of ours", it_reads);
        with("we read a directory of its", we_read);
        with("each replaces the other's", replace);
    }
}

fn ours(bench: &Bench, all: Option<&str>, from: &str, to: &str) -> Checked {
    let arguments: Vec<&str> = ["copy", "-q"].into_iter().chain(all).chain([from, to]).collect();
    bench.stevedore.run(&arguments).map(drop)
}

fn theirs(skopeo: &Tool, all: Option<&str>, from: &str, to: &str) -> Checked {
    let arguments = ["--insecure-policy", "copy", "-q"];
    let arguments: Vec<&str> = arguments.into_iter().chain(all).chain([from, to]).collect();
    skopeo.run(&arguments).map(drop)
}

fn write_the_same(bench: &Bench, skopeo: &Tool) -> Checked {
    for (name, all) in IMAGES {
        remove(bench, &["dir-ours", "dir-theirs"])?;
        ours(bench, all, &oci(ORIGINAL, name), "dir:dir-ours")?;
        theirs(skopeo, all, &oci(ORIGINAL, name), "dir:dir-theirs")?;
        same_files(bench, "dir-ours", "dir-theirs")?;
    }
    Ok(())
}

fn it_reads(bench: &Bench, skopeo: &Tool) -> Checked {
    for (name, all) in IMAGES {
        remove(bench, &["dir-ours", "dir-back"])?;
        ours(bench, all, &oci(ORIGINAL, name), "dir:dir-ours")?;
        theirs(skopeo, all, "dir:dir-ours", "oci:dir-back:it")?;
        let digest = |location: &str| bench.stevedore.text(&["digest", location]);
        same(name, digest("oci:dir-back:it")?, digest(&oci(ORIGINAL, name))?)?;
    }
    Ok(())
}

fn we_read(bench: &Bench, skopeo: &Tool) -> Checked {
    for (name, all) in IMAGES {
        remove(bench, &["dir-theirs", "dir-back"])?;
        theirs(skopeo, all, &oci(ORIGINAL, name), "dir:dir-theirs")?;
        ours(bench, all, "dir:dir-theirs", "oci:dir-back:it")?;
        let digest = |location: &str| bench.stevedore.text(&["digest", location]);
        same(name, digest("oci:dir-back:it")?, digest(&oci(ORIGINAL, name))?)?;
        same(name, digest("dir:dir-theirs")?, digest(&oci(ORIGINAL, name))?)?;
    }
    Ok(())
}

fn replace(bench: &Bench, skopeo: &Tool) -> Checked {
    let (one, other) = (oci(ORIGINAL, "amd64"), oci(ORIGINAL, "arm64"));
    ours(bench, None, &other, "dir:dir-back")?;
    theirs(skopeo, None, &one, "dir:dir-ours")?;
    ours(bench, None, &other, "dir:dir-ours")?;
    same_files(bench, "dir-ours", "dir-back")?;
    // It knows by `version` that the directory may be emptied.
    theirs(skopeo, None, &one, "dir:dir-back")?;
    ours(bench, None, &one, "dir:dir-theirs")?;
    same_files(bench, "dir-back", "dir-theirs")?;
    let left = files(&bench.dir.join("dir-ours"))?;
    let own = left.keys().any(|name| name.starts_with(".stevedore"));
    same("files of our own that are left", own, false)
}
