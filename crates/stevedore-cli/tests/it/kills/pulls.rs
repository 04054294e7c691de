//! Copies from a registry, which counts the bytes of blobs that it sends.
//!
//! A blob that lies under `blobs/` was verified, and is never asked for again. What was staged of another is hashed
//! from the disk, and only what comes after it is asked for. What was under way between the registry and the disk when
//! the kill came is lost, and fetched again.

use std::collections::HashMap;

use bytes::Bytes;
use http::Method;
use stevedore_fault_server::{Fault, Profile, Request};

use crate::registry::Registry;
use crate::stevedore::{World, assert_whole, blobs};

use super::{Kills, OUT, ROUNDS, blobs_of, copy, look_at_layout, remove_layout, sample, what_is_there};

/// Bytes of a blob that come a second.
const RATE: u64 = 30 << 20;

#[test]
fn a_killed_pull_fetches_nothing_again_that_it_kept() {
    let (world, registry) = (World::new(), Registry::start(Profile::spec()));
    let sample = sample();
    registry.put("app", &sample, &["v1"]);
    // Slow enough for kills in the middle of blobs: the largest takes a fifth of a second.
    let slow = Fault::drip_body(RATE).on(Method::GET, "/v2/app/blobs/*").always();
    registry.fail(slow);
    let source = registry.at("app:v1");
    let copy = copy("--progress=none", &source, OUT);
    let mut kills = Kills::of(&world, &sample, &copy);
    println!("{kills}");

    let blobs_of_it = blobs_of(&sample);
    let mut figures = Figures::default();
    for round in 0..kills.rounds {
        remove_layout(&world);
        let begins = registry.settle();
        kills.strike(&copy, || look_at_layout(&world));
        let verified = blobs(&world.path("out"));
        let verified: Vec<String> = verified.iter().map(|(digest, _)| digest.to_string()).collect();
        let before = what_is_there(&world);
        let resumes = registry.settle();
        kills.go_on(round, &copy);
        registry.settle();
        let fetched = registry.requests_after(resumes);
        for verified in &verified {
            let again = fetches(&fetched, verified);
            assert!(
                again.is_empty(),
                "round {round}: {verified} was verified, and fetched again"
            );
        }
        assert_only_the_rest(&blobs_of_it, &before, &fetched);
        assert_whole(&world, "out", &sample);
        figures.count(&blobs_of_it, &verified, &before);
        figures.sent += sent(&registry.requests_after(begins));
    }
    println!("{:?} {figures:?}", kills.moments);
    kills.assert_telling();
    assert!(
        kills.rounds < ROUNDS || (figures.kept_whole > 0 && figures.kept_in_part > 0),
        "no kill left a blob whole, or none in part: {figures:?}"
    );
}

/// What all rounds came to.
#[derive(Debug, Default)]
struct Figures {
    /// Blobs that were whole after the kills of a round.
    kept_whole: usize,
    /// Blobs of which only a part was staged then.
    kept_in_part: usize,
    /// Bytes of all blobs, in as many rounds.
    needed: u64,
    /// Bytes of blobs that the registry sent, over all copies.
    sent: u64,
}

impl Figures {
    fn count(&mut self, blobs: &HashMap<String, Bytes>, verified: &[String], before: &HashMap<String, u64>) {
        let known = |digest: &&String| blobs.contains_key(*digest);
        self.kept_whole += verified.iter().filter(known).count();
        let part = |digest: &&String| before[*digest] > 0 && !verified.contains(digest);
        self.kept_in_part += before.keys().filter(known).filter(part).count();
        self.needed += blobs.values().map(|bytes| bytes.len() as u64).sum::<u64>();
    }
}

/// Each blob came in one request, from the byte behind what was there, or in none where all of it was.
fn assert_only_the_rest(blobs: &HashMap<String, Bytes>, before: &HashMap<String, u64>, requests: &[Request]) {
    for (digest, bytes) in blobs {
        let size = bytes.len() as u64;
        let there = before.get(digest).copied().unwrap_or(0);
        let asked: Vec<_> = fetches(requests, digest)
            .iter()
            .map(|request| (request.header("range").map(str::to_owned), request.sent))
            .collect();
        let expected = match there {
            there if there == size => vec![],
            0 => vec![(None, size)],
            _ => vec![(Some(format!("bytes={there}-{}", size - 1)), size - there)],
        };
        assert_eq!(asked, expected, "{digest}: {there} bytes of {size} were there");
    }
}

fn fetches<'r>(requests: &'r [Request], digest: &str) -> Vec<&'r Request> {
    let path = format!("/v2/app/blobs/{digest}");
    requests
        .iter()
        .filter(|request| request.is(&Method::GET, &path))
        .collect()
}

fn sent(requests: &[Request]) -> u64 {
    let blobs = requests
        .iter()
        .filter(|request| request.is(&Method::GET, "/v2/app/blobs/*"));
    blobs.map(|request| request.sent).sum()
}
