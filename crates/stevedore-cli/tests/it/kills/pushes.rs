//! Copies to a registry: what it has is not sent again. Of a blob that was under way nothing stays with the client that
//! could find its upload again, so that one is sent from its beginning.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use http::{Method, StatusCode};
use stevedore_core::samples::Sample;
use stevedore_fault_server::{Profile, Request};

use crate::registry::Registry;
use crate::stevedore::World;

use super::{Kills, Moment, blobs_of, copy, sample};

#[test]
fn a_killed_push_sends_nothing_again_that_the_registry_has() {
    let (world, sample) = (World::new(), sample());
    world.put("src", &sample, &["v1"]);
    let registry = Registry::start(Profile::spec());
    let mut kills = Kills::of(
        &world,
        &sample,
        &copy("--progress=none", "oci:src:v1", &registry.at("app:v1")),
    );
    println!("{kills}");
    let blobs = blobs_of(&sample);
    let mut figures = Figures::default();
    for round in 0..kills.rounds {
        // A new one, for it keeps all that it gets in memory.
        let registry = Registry::start(Profile::spec());
        let destination = registry.at("app:v1");
        let copy = copy("--progress=none", "oci:src:v1", &destination);
        kills.strike(&copy, || {
            registry.settle();
            let done = !registry.tags("app").is_empty();
            if done {
                assert_whole(&registry, &sample);
            }
            Moment::of(!there(&registry, &blobs).is_empty(), done)
        });
        let before = there(&registry, &blobs);
        let resumes = registry.settle();
        kills.go_on(round, &copy);
        registry.settle();
        let sent = registry.requests_after(resumes);
        for digest in &before {
            assert!(
                uploads(&sent, digest).is_empty(),
                "round {round}: {digest} was there, and sent again"
            );
        }
        figures.kept += before.len();
        figures.sent += assert_only_the_rest(&blobs, &before, &sent);
        figures.needed += blobs.values().map(|bytes| bytes.len() as u64).sum::<u64>();
        assert_whole(&registry, &sample);
    }
    println!("{:?} {figures:?}", kills.moments);
    kills.assert_telling();
}

/// What all rounds came to.
#[derive(Debug, Default)]
struct Figures {
    /// Blobs that the registry had after the kills of a round.
    kept: usize,
    /// Bytes of all blobs, in as many rounds.
    needed: u64,
    /// Bytes of blobs that the copies sent which went on.
    sent: u64,
}

/// The digests of the blobs that the registry has.
fn there(registry: &Registry, blobs: &HashMap<String, Bytes>) -> HashSet<String> {
    let has = |digest: &&String| {
        let digest = digest.parse().expect("a digest");
        registry.blob("app", &digest).is_some()
    };
    blobs.keys().filter(has).cloned().collect()
}

/// Each blob was sent once where the registry said that it lacks it, else not at all. Gives how many bytes were sent.
///
/// What counts is what the registry said: it may have completed an upload of the killed copy since the test looked, even
/// since it was asked, and then mounts the blob. Nobody asks for the blobs of a manifest that is there.
fn assert_only_the_rest(
    blobs: &HashMap<String, Bytes>,
    before: &HashSet<String>,
    requests: &[Request],
) -> u64 {
    let mut lacking = 0;
    for (digest, bytes) in blobs {
        let path = format!("/v2/app/blobs/{digest}");
        let asked = requests.iter().find(|request| request.is(&Method::HEAD, &path));
        let lacks = asked.map_or(!before.contains(digest), |asked| {
            asked.status == Some(StatusCode::NOT_FOUND)
        });
        let uploads = uploads(requests, digest);
        let mut completed = uploads
            .iter()
            .filter(|request| request.status == Some(StatusCode::CREATED));
        let first = completed.next();
        assert_eq!(first.is_some(), lacks, "{digest}: whether it was sent");
        assert!(completed.next().is_none(), "{digest} was sent twice");
        if first.is_some_and(|request| !request.query().starts_with("mount=")) {
            lacking += bytes.len() as u64;
        }
    }
    let sent = requests
        .iter()
        .filter(|request| request.path().starts_with("/v2/app/blobs/uploads/"));
    let sent: u64 = sent.map(|request| request.received).sum();
    assert_eq!(sent, lacking, "bytes that were sent, and that were lacking");
    sent
}

/// The requests that bring a blob, whole or its end.
fn uploads<'r>(requests: &'r [Request], digest: &str) -> Vec<&'r Request> {
    let (_, hex) = digest.split_once(':').expect("a digest");
    requests
        .iter()
        .filter(|request| {
            request.path().starts_with("/v2/app/blobs/uploads/") && request.query().contains(hex)
        })
        .collect()
}

/// The registry has all of the sample, byte for byte, under its tag.
#[track_caller]
fn assert_whole(registry: &Registry, sample: &Sample) {
    let (_, named) = registry.manifest("app", "v1").expect("the tag");
    assert_eq!(&named, sample.document().bytes());
    for part in sample.all() {
        let digest = part.document().digest();
        let (_, there) = registry
            .manifest("app", &digest.to_string())
            .unwrap_or_else(|| panic!("{digest} is missing"));
        assert_eq!(&there, part.document().bytes());
    }
    for (digest, bytes) in blobs_of(sample) {
        let there = registry.blob("app", &digest.parse().expect("a digest"));
        assert!(there.as_ref() == Some(&bytes), "{digest} is missing, or another");
    }
}
