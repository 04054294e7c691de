//! Copies from one layout to another.

use std::collections::HashMap;

use crate::stevedore::{World, assert_whole};

use super::{Kills, OUT, copy, look_at_layout, remove_layout, sample, what_is_there};

#[test]
fn a_kill_at_any_moment_costs_nothing_but_the_rest() {
    let (world, sample) = (World::new(), sample());
    world.put("src", &sample, &["v1"]);
    let copy = copy("--progress=json", "oci:src:v1", OUT);
    let mut kills = Kills::of(&world, &sample, &copy);
    println!("{kills}");
    for round in 0..kills.rounds {
        remove_layout(&world);
        kills.strike(&copy, || look_at_layout(&world));
        let before = what_is_there(&world);
        let events = kills.go_on(round, &copy);
        assert_nothing_twice(&before, &events);
        assert_whole(&world, "out", &sample);
    }
    println!("{:?}", kills.moments);
    kills.assert_telling();
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
