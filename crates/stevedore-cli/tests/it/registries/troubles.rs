//! Registries that lack something, refuse something or damage it.

use http::Method;
use stevedore_core::Digest;
use stevedore_core::samples::Sample;
use stevedore_fault_server::{Fault, RetryAfter};

use super::places;
use crate::stevedore::{Ended, blob};

#[test]
fn what_is_not_there_and_whom_nobody_answers() {
    let (world, registry) = places();
    for arguments in [
        &["copy", &registry.at("nothing:v1"), "oci:out"],
        &["ls", &registry.at("nothing"), "-q"],
    ] {
        // It is named.
        world.ends(arguments, 2).says("nothing");
    }
    registry.refuse_connections();
    let settings = "STEVEDORE_RETRY_TIMES";
    let mut command = world.command(&["digest", &registry.at("app:v1")]);
    let ended = Ended::of(command.env(settings, "0"));
    assert_eq!(ended.code, Some(6), "{}", ended.stderr);
    ended.says(&registry.host());
}

#[test]
fn a_limit_is_told_with_what_and_when() {
    let (world, registry) = places();
    registry.put("app", &Sample::image(&["a"]), &["v1"]);
    registry.fail(
        Fault::too_many_requests(RetryAfter::Seconds(3600))
            .on_path("/v2/app/**")
            .always(),
    );
    let ended = world.ends(&["copy", "--progress=none", &registry.at("app:v1"), "oci:out"], 6);
    ended.says("429");
    assert!(
        ended.stderr.contains("3600") || ended.stderr.contains("1 h") || ended.stderr.contains("60 min"),
        "{}",
        ended.stderr
    );
    assert!(!world.path("out/index.json").exists() || world.result(&["ls", "oci:out"]).is_empty());
}

#[test]
fn a_warning_is_shown_once_and_not_to_the_quiet() {
    let (world, registry) = places();
    registry.put("app", &Sample::image(&["a", "b"]), &["v1"]);
    registry.fail(Fault::header("warning", r#"299 - "this registry closes""#).always());
    let shown = format!("{} warns: this registry closes\n", registry.host());
    let ended = world.run(&["copy", "--progress=none", &registry.at("app:v1"), "oci:out:v1"]);
    assert_eq!(ended.stderr.matches(&shown).count(), 1, "{}", ended.stderr);
    let ended = world.run(&["digest", "--quiet", &registry.at("app:v1")]);
    assert_eq!(ended.stderr, "");
}

#[test]
fn what_is_damaged_on_the_way_is_refused() {
    let (world, registry) = places();
    let sample = Sample::image(&["a layer of some bytes"]);
    registry.put("app", &sample, &["v1"]);
    let layer: Digest = sample.blobs()[1].0.known_digest().expect("of ours");
    registry.fail(
        Fault::flip_byte(3)
            .on(Method::GET, &format!("/v2/app/blobs/{layer}"))
            .always(),
    );
    let ended = world.ends(
        &[
            "copy",
            "--progress=none",
            "--retry-times=0",
            &registry.at("app:v1"),
            "oci:out:v1",
        ],
        5,
    );
    ended.says(&layer.to_string());
    assert_eq!(world.result(&["ls", "oci:out"]), "", "no name without its image");
    assert!(!blob(&world.path("out"), &layer).exists());
}
