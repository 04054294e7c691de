//! The collection protocol as a model: three clients and three collectors in two repositories over few blobs, on a
//! scheduler of our own that chooses at every effect who goes on, who stalls and who dies.
//!
//! `STEVEDORE_SEEDS=20000` runs more schedules, `STEVEDORE_SEED=17` one of them.

mod client;
mod executor;
mod ledger;
mod run;
mod steps;
mod variant;
mod world;

use std::time::Instant;

use run::run;
use variant::Variant;
use world::Medium;

/// How many schedules each of the media gets in `cargo test`.
const SEEDS: u64 = 2000;

/// How many seeds a control gets to be found in, at the most.
const CONTROL_SEEDS: u64 = 2000;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}

/// Runs a share of all seeds, which others run beside it; a violation ends it and names its seed.
fn hold(medium: Medium, share: u64, shares: u64) {
    let seeds = match number("STEVEDORE_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("STEVEDORE_SEEDS").unwrap_or(SEEDS),
    };
    let (began, mut count, mut switches, mut acknowledged) = (Instant::now(), 0, 0, 0);
    for seed in seeds.filter(|seed| seed % shares == share) {
        let outcome = run(medium, Variant::Sound, seed);
        if let Some(violation) = outcome.violation {
            panic!("{medium:?}, STEVEDORE_SEED={seed}: {violation}");
        }
        count += 1;
        switches += outcome.switches;
        acknowledged += outcome.acknowledged;
    }
    println!(
        "{medium:?}: {count} seeds, {switches} switches, {acknowledged} manifests acknowledged, {:.1} s",
        began.elapsed().as_secs_f64()
    );
    assert!(
        acknowledged > 0 || count < 100,
        "a model in which nothing happens shows nothing"
    );
}

/// Runs seeds until one shows what the step that is left out was for. With `STEVEDORE_SEEDS` all of them run.
fn find(medium: Medium, variant: Variant) {
    let (began, mut found, mut first, mut switches) = (Instant::now(), 0, None, 0);
    let all = number("STEVEDORE_SEEDS");
    for seed in 0..all.unwrap_or(CONTROL_SEEDS) {
        let outcome = run(medium, variant, seed);
        switches += outcome.switches;
        if let Some(violation) = outcome.violation {
            found += 1;
            first.get_or_insert((seed, violation));
            if all.is_none() {
                break;
            }
        }
    }
    println!(
        "{medium:?}, {variant:?}: {found} violations, {switches} switches, {:.1} s; first: {first:?}",
        began.elapsed().as_secs_f64()
    );
    assert!(found > 0, "{variant:?} is not found on {medium:?}");
}

/// What one schedule in some hundred shows: over the object store, whose schedules are longer, only when asked for.
fn find_rare(variant: Variant) {
    find(Medium::Fs, variant);
    if number("STEVEDORE_SEEDS").is_some() {
        find(Medium::Bucket, variant);
    }
}

#[test]
fn nothing_is_lost_and_nothing_left_over_an_object_store() {
    hold(Medium::Bucket, 0, 2);
}

#[test]
fn nothing_is_lost_and_nothing_left_over_an_object_store_in_other_schedules() {
    hold(Medium::Bucket, 1, 2);
}

#[test]
fn nothing_is_lost_and_nothing_left_over_a_file_system() {
    hold(Medium::Fs, 0, 1);
}

#[test]
fn a_manifest_without_the_second_look_is_found() {
    find(Medium::Bucket, Variant::NoSecondLook);
    find(Medium::Fs, Variant::NoSecondLook);
}

#[test]
fn a_second_look_that_renews_nothing_is_found() {
    find(Medium::Bucket, Variant::IdleSecondLook);
}

#[test]
fn a_manifest_put_on_no_version_is_found() {
    find_rare(Variant::BlindPublish);
}

#[test]
fn a_sweep_without_a_fence_is_found() {
    find(Medium::Bucket, Variant::NoFence);
}

#[test]
fn a_life_taken_up_again_is_found() {
    find(Medium::Bucket, Variant::ReuseLife);
}

#[test]
fn a_join_without_the_second_touch_is_found() {
    find_rare(Variant::OneTouchJoin);
}

#[test]
fn a_delete_of_any_version_is_found() {
    find(Medium::Bucket, Variant::DeleteAnyVersion);
}

#[test]
fn a_check_that_renews_nothing_is_found() {
    find(Medium::Bucket, Variant::IdleCheck);
    find(Medium::Fs, Variant::IdleCheck);
}
