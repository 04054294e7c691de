//! Registries: we push what others pull, and the other way round.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::{Value, json};

use super::disk::{oci, remove, same_files};
use super::images::ORIGINAL;
use super::meeting::Meeting;
use super::server::{Plan, Server};
use super::tools::Tool;
use super::{Bench, Checked, Tally, certificate, debian, layouts, logins, referrers, same};

const PLANS: [Plan; 2] = [
    Plan {
        name: "plain",
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        guarded: false,
    },
    Plan {
        name: "guarded",
        address: IpAddr::V6(Ipv6Addr::LOCALHOST),
        guarded: true,
    },
];

/// Gives the folders of the registries that were written to.
pub(super) fn check(bench: &Bench, tally: &mut Tally) -> Vec<String> {
    let mut written = Vec::new();
    let docker_registry = Tool::find("docker-registry", &bench.dir);
    let openssl = Tool::find("openssl", &bench.dir);
    tally.check("a certificate by openssl", &[&openssl], || {
        certificate::make(bench, &openssl)
    });
    for plan in PLANS {
        let mut started = None;
        let mut needs = vec![&docker_registry];
        needs.extend(plan.guarded.then_some(&openssl));
        tally.check(
            &format!("docker-registry {}: it starts", plan.name),
            &needs,
            || {
                started = Some(Server::start(bench, &docker_registry, plan)?);
                Ok(())
            },
        );
        let Some(server) = started else { continue };
        written.push(plan.storage());
        for (skopeo, umoci) in bench.skopeos.iter().zip(&bench.umocis) {
            let meeting = Meeting {
                bench,
                skopeo,
                server: &server,
            };
            meet(meeting, umoci, tally);
        }
    }
    written
}

fn meet(at: Meeting<'_>, umoci: &Tool, tally: &mut Tally) {
    let (guarded, debian) = (at.server.is_guarded(), debian::layout(at.bench));
    let name = format!("docker-registry {} with {}", at.server.name(), at.skopeo.name());
    let mut with = |what: &str, also: &[&Tool], check: &dyn Fn() -> Checked| {
        let needs = [&[at.skopeo], also].concat();
        tally.check(&format!("{name}: {what}"), &needs, || {
            remove(at.bench, &["theirs", "back", "straight"])?;
            check()
        });
    };
    if guarded {
        with("each takes the login of the other", &[], &|| logins::store(at));
    }
    with("it pulls what we pushed", &[], &|| they_pull(at));
    with("we pull what it pushed", &[], &|| we_pull(at));
    with("Docker's format stays as it is", &[], &|| docker_format(at));
    with("both list the same tags", &[], &|| lists(at));
    with("inspect says the same of an image", &[], &|| inspects(at));
    with("inspect differs for an index where it is meant to", &[], &|| {
        inspects_index(at)
    });
    with("what one deletes is gone for the other", &[], &|| deletes(at));
    with("it reads the referrers that we pushed", &[], &|| {
        referrers::fallback_tags(at)
    });
    with("a referrer that we remove is not listed", &[], &|| {
        referrers::removed_referrer(at)
    });
    with("tags made of digests come along", &[], &|| {
        referrers::digest_tags(at)
    });
    // Its many bytes once, by the longer way.
    if guarded {
        let umoci_unpacks = format!("a Debian goes there and back, and {} unpacks it", umoci.name());
        with(&umoci_unpacks, &[umoci, &debian], &|| debian::travels(at, umoci));
        with("both log out", &[], &|| logins::forget(at));
    }
}

fn they_pull(at: Meeting<'_>) -> Checked {
    for (flags, name) in [(&[][..], "amd64"), (&[], "arm64"), (&["--all"], "multi")] {
        let (original, pushed) = (oci(ORIGINAL, name), at.at("ours", name));
        at.we_copy(flags, &original, &pushed)?;
        same("its digest", at.their_digest(&pushed)?, at.digest(&original)?)?;
        at.they_copy(flags, &pushed, &oci("theirs", name))?;
        same(
            "its copy",
            at.digest(&oci("theirs", name))?,
            at.digest(&original)?,
        )?;
        at.we_copy(flags, &original, &oci("straight", name))?;
        // Everything is there now.
        let again = at.we_copy(flags, &original, &pushed)?;
        same("blobs written again", &again["blobs"]["written"], &json!(0))?;
    }
    same_files(at.bench, "theirs/blobs", "straight/blobs")
}

fn we_pull(at: Meeting<'_>) -> Checked {
    for (flags, name) in [(&[][..], "amd64"), (&[], "arm64"), (&["--all"], "multi")] {
        let (original, pushed) = (oci(ORIGINAL, name), at.at("theirs", name));
        at.they_copy(flags, &original, &pushed)?;
        same(
            "the digest that it pushed",
            at.digest(&pushed)?,
            at.digest(&original)?,
        )?;
        at.we_copy(flags, &pushed, &oci("back", name))?;
        at.they_copy(flags, &original, &oci("straight", name))?;
    }
    same_files(at.bench, "back/blobs", "straight/blobs")
}

/// Its manifest is of other types, which a copy between repositories has to leave alone.
fn docker_format(at: Meeting<'_>) -> Checked {
    let docker = "application/vnd.docker.distribution.manifest.v2+json";
    let (theirs, ours) = (at.at("docker", "v1"), at.at("docker-copied", "v1"));
    at.they_copy(&["--format", "v2s2"], &oci(ORIGINAL, "amd64"), &theirs)?;
    let report = at.we_copy(&[], &theirs, &ours)?;
    same("its type", report["mediaType"].as_str(), Some(docker))?;
    // The layers and the config: the registry has them already, in a repository that it was told of.
    let layers = at.our_json(&["inspect", "--no-tags", &theirs])?["Layers"]
        .as_array()
        .map_or(0, Vec::len);
    same("blobs mounted", &report["blobs"]["mounted"], &json!(layers + 1))?;
    same("its digest", at.their_digest(&ours)?, at.digest(&theirs)?)?;
    at.they_copy(&["--preserve-digests"], &ours, &at.at("docker-again", "v1"))?;
    same(
        "a copy of our copy",
        at.digest(&at.at("docker-again", "v1"))?,
        at.digest(&theirs)?,
    )
}

fn lists(at: Meeting<'_>) -> Checked {
    let repository = at.repository("lists");
    at.we_copy(&[], &oci(ORIGINAL, "amd64"), &at.at("lists", "v1"))?;
    at.they_copy(&[], &oci(ORIGINAL, "arm64"), &at.at("lists", "v2"))?;
    at.ours(&["tag", &at.at("lists", "v1"), "stable", "V1.0_x-y"])?;
    let mut theirs = at.their_json(&[], &["list-tags"], &repository)?;
    sort(&mut theirs["Tags"]);
    same("list-tags", &at.our_json(&["list-tags", &repository])?, &theirs)?;
    same("how many", theirs["Tags"].as_array().map(Vec::len), Some(4))?;
    let lines = at.our_text(&["ls", &repository])?;
    same("ls", &json!(lines.lines().collect::<Vec<_>>()), &theirs["Tags"])?;
    same(
        "what our tag names",
        at.their_digest(&at.at("lists", "stable"))?,
        at.digest(&oci(ORIGINAL, "amd64"))?,
    )
}

/// We sort tags. It leaves them in the order of this registry, which is that of a folder.
fn sort(tags: &mut Value) {
    if let Some(tags) = tags.as_array_mut() {
        tags.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
    }
}

fn inspects(at: Meeting<'_>) -> Checked {
    at.we_copy(&[], &oci(ORIGINAL, "amd64"), &at.at("inspects", "ours"))?;
    at.they_copy(&[], &oci(ORIGINAL, "arm64"), &at.at("inspects", "theirs"))?;
    for tag in ["ours", "theirs"] {
        let image = at.at("inspects", tag);
        let mut theirs = at.their_json(&[], &["inspect"], &image)?;
        sort(&mut theirs["RepoTags"]);
        let ours = at.our_json(&["inspect", &image])?;
        same(&image, layouts::without_what_it_lacks(ours, &theirs), theirs)?;
        same(
            "the config",
            at.ours(&["config", &image])?,
            at.theirs(&[], &["inspect", "--raw", "--config"], &image)?,
        )?;
        same(
            "the manifest",
            at.ours(&["manifest", "get", &image])?,
            at.theirs(&[], &["inspect", "--raw"], &image)?,
        )?;
    }
    Ok(())
}

/// Of an index, skopeo shows the image for a platform under the digest of the index. We show the index; and asked for
/// the image for a platform, we show it under its own digest.
fn inspects_index(at: Meeting<'_>) -> Checked {
    let image = at.at("inspects-index", "multi");
    at.we_copy(&["--all"], &oci(ORIGINAL, "multi"), &image)?;
    let arm64 = ["--override-arch", "arm64"];
    let theirs = at.their_json(&arm64, &["inspect"], &image)?;
    let index = at.our_json(&["inspect", &image])?;
    same("the digest of the index", &index["Digest"], &theirs["Digest"])?;
    same(
        "images of the index",
        index["Manifests"].as_array().map(Vec::len),
        Some(2),
    )?;
    let mut ours = at.our_json(&[&["inspect"], &arm64[..], &[image.as_str()]].concat())?;
    same(
        "the digest of the image",
        ours["Digest"].as_str(),
        Some(at.digest(&oci(ORIGINAL, "arm64"))?.as_str()),
    )?;
    ours["Digest"] = theirs["Digest"].clone();
    same(
        "all but the digest",
        layouts::without_what_it_lacks(ours, &theirs),
        theirs,
    )
}

/// This registry removes manifests, never a tag alone.
fn deletes(at: Meeting<'_>) -> Checked {
    /// What the documentation gives it.
    const NOT_FOUND: i32 = 2;
    let (one, other) = (at.at("deletes", "one"), at.at("deletes", "other"));
    let gone = |image: &str| {
        same(image, at.we_refuse(&["digest", image])?.0, NOT_FOUND)?;
        let said = at.they_refuse(&["inspect", "--raw"], image)?;
        same(&said, said.contains("manifest unknown"), true)
    };
    let digest = at.digest(&oci(ORIGINAL, "amd64"))?;
    at.we_copy(&[], &oci(ORIGINAL, "amd64"), &one)?;
    at.ours(&["tag", &one, "other"])?;
    // A manifest with another name stays.
    let (code, said) = at.we_refuse(&["delete", &one])?;
    same(&said, (code, said.contains("has others: other")), (1, true))?;
    same("the other name", at.their_digest(&other)?, digest.clone())?;
    same("the name", at.their_digest(&one)?, digest.clone())?;
    at.ours(&["delete", "--manifest", &one])?;
    gone(&one)?;
    gone(&other)?;
    // One whose only name it is goes.
    at.they_copy(&[], &oci(ORIGINAL, "amd64"), &one)?;
    same("what goes", at.our_text(&["delete", &one])?, digest)?;
    gone(&one)?;
    at.we_copy(&[], &oci(ORIGINAL, "arm64"), &other)?;
    at.theirs(&[], &["delete"], &other)?;
    gone(&other)?;
    let left = at.our_json(&["list-tags", &at.repository("deletes")])?;
    same("tags that are left", &left["Tags"], &Value::Array(Vec::new()))
}
