//! Copies from one layout to another.

use std::collections::HashMap;
use std::fs;

use crate::stevedore::{World, assert_sound};

use super::{Kills, Moments, assert_whole, sample, what_is_there};

#[test]
fn a_kill_at_any_moment_costs_nothing_but_the_rest() {
    let world = World::new();
    let sample = sample();
    world.put("src", &sample, &["v1"]);
    let digest = format!("{}\n", sample.descriptor().digest);
    let copy = [
        "copy",
        "--all",
        "--referrers",
        "--progress=json",
        "oci:src:v1",
        "oci:out:v1",
    ];
    let mut kills = Kills::of(|| assert_eq!(world.result(&copy), digest));
    println!("{kills}");
    fs::remove_dir_all(world.path("out")).expect("it is ours");

    let mut moments = Moments::default();
    for round in 0..kills.rounds {
        for _ in 0..kills.in_this_round() {
            kills.kill(&world, &copy);
            assert_sound(&world, "out");
            moments.count_layout(&world);
        }
        let before = what_is_there(&world);
        let ended = world.run(&copy);
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (Some(0), digest.as_str()),
            "round {round}: {}",
            ended.stderr
        );
        assert_nothing_twice(&before, &ended.stderr);
        assert_whole(&world, &sample);
        fs::remove_dir_all(world.path("out")).expect("it is ours");
    }
    println!("{moments:?}");
    moments.assert_telling(&kills);
}

/// What was there, published or staged, was not taken from the source again.
fn assert_nothing_twice(before: &HashMap<String, u64>, events: &str) {
    for line in events.lines().filter(|line| line.contains("\"blob-done\"")) {
        let event: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let (digest, size) = (
            event["digest"].as_str().expect("a digest"),
            event["size"].as_u64(),
        );
        let there = before.get(digest).copied().unwrap_or(0);
        let taken = event["transferred"].as_u64().expect("a count");
        assert_eq!(
            size,
            Some(taken + there),
            "{digest}: {there} bytes were there, {taken} were taken"
        );
    }
}
