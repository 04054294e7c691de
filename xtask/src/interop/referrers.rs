//! What refers to an image travels with it, by the customs that a registry without the referrers API leaves.

use serde_json::Value;

use super::disk::{oci, same_files};
use super::images::ORIGINAL;
use super::meeting::Meeting;
use super::{Checked, same};
use crate::Failure;

/// An index with its images, and an artifact for each: three tags made of their digests, which skopeo reads.
pub(super) fn fallback_tags(at: Meeting<'_>) -> Checked {
    let (original, pushed) = (oci(ORIGINAL, "multi"), at.at("referrers", "multi"));
    at.we_copy(&["--all"], &original, &pushed)?;
    same("tags", tags(at, "referrers")?, vec!["multi".to_owned()])?;
    let all = ["--all", "--referrers"];
    at.we_copy(&all, &original, &pushed)?;
    let mut expected = vec!["multi".to_owned()];
    for (name, artifact_type) in [
        ("multi", "application/vnd.example.signature"),
        ("amd64", "application/spdx+json"),
        ("arm64", "application/spdx+json"),
    ] {
        let subject = at.digest(&oci(ORIGINAL, name))?;
        let tag = subject.replace(':', "-");
        let list = at.their_json(&[], &["inspect", "--raw"], &at.at("referrers", &tag))?;
        let [referrer] = list["manifests"].as_array().map_or(&[][..], Vec::as_slice) else {
            return Err(format!("{tag} has not one referrer: {list}").into());
        };
        same("its type", referrer["artifactType"].as_str(), Some(artifact_type))?;
        let digest = referrer["digest"].as_str().unwrap_or_default();
        let referrer = format!("{}@{digest}", at.repository("referrers"));
        same("its digest", at.their_digest(&referrer)?.as_str(), digest)?;
        let referrer = at.their_json(&[], &["inspect", "--raw"], &referrer)?;
        same(
            "its subject",
            referrer["subject"]["digest"].as_str(),
            Some(subject.as_str()),
        )?;
        expected.push(tag);
    }
    expected.sort();
    same(
        "tags with those of the referrers",
        tags(at, "referrers")?,
        expected,
    )?;
    at.we_copy(&all, &pushed, &oci("back", "multi"))?;
    at.we_copy(&all, &original, &oci("straight", "multi"))?;
    same_files(at.bench, "back/blobs", "straight/blobs")
}

/// Signatures of the older custom: an image under a tag that is made of the digest of another.
pub(super) fn digest_tags(at: Meeting<'_>) -> Checked {
    let signature = at.digest(&oci(ORIGINAL, "arm64"))?;
    let tag = at.digest(&oci(ORIGINAL, "amd64"))?.replace(':', "-") + ".sig";
    let signed = at.at("signed", "v1");
    at.they_copy(&[], &oci(ORIGINAL, "amd64"), &signed)?;
    at.they_copy(&[], &oci(ORIGINAL, "arm64"), &at.at("signed", &tag))?;
    at.we_copy(&[], &signed, &oci("straight", "v1"))?;
    same(
        "names without it",
        at.our_text(&["ls", "oci:straight"])?,
        "v1".to_owned(),
    )?;
    at.we_copy(&["--digest-tags"], &signed, &oci("back", "v1"))?;
    same(
        "the signature in a layout",
        at.digest(&oci("back", &tag))?,
        signature.clone(),
    )?;
    let again = at.at("signed-again", "v1");
    at.we_copy(&["--digest-tags"], &oci("back", "v1"), &again)?;
    same(
        "the signature in a registry",
        at.their_digest(&at.at("signed-again", &tag))?,
        signature,
    )
}

/// The tags that skopeo lists, in order.
fn tags(at: Meeting<'_>, repository: &str) -> Result<Vec<String>, Failure> {
    let list = at.their_json(&[], &["list-tags"], &at.repository(repository))?;
    let tags = list["Tags"].as_array().map_or(&[][..], Vec::as_slice);
    let mut tags: Vec<String> = tags.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    tags.sort();
    Ok(tags)
}
