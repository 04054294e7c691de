//! Flags over variables over the file.

use std::fs;

use serde_json::json;
use stevedore_core::samples::Sample;

use crate::stevedore::{Ended, World};

fn world() -> World {
    let world = World::new();
    world.put("src", &Sample::image(&["a layer"]), &["v1"]);
    world
}

/// Copies, with variables and further flags.
fn copy(world: &World, variables: &[(&str, &str)], before: &[&str], behind: &[&str]) -> Ended {
    let arguments = [before, &["copy", "oci:src:v1", "oci:out:v1"], behind].concat();
    let mut command = world.command(&arguments);
    command.envs(variables.iter().copied());
    command.output().expect("the program runs").into()
}

fn is_json(ended: &Ended) -> bool {
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended.stderr.starts_with(r#"{"event":"blob-started""#)
}

#[test]
fn a_flag_comes_before_a_variable_and_that_before_the_file() {
    let world = world();
    fs::create_dir_all(world.path(".config/stevedore")).expect("a directory");
    let file = world.path(".config/stevedore/config.toml");
    let variable = ("STEVEDORE_PROGRESS", "json");

    assert!(is_json(&copy(&world, &[variable], &[], &[])));
    assert!(!is_json(&copy(&world, &[variable], &[], &["--progress", "none"])));
    assert!(!is_json(&copy(&world, &[variable], &["--progress", "none"], &[])));

    fs::write(&file, "progress = \"json\"\njobs = 2\nretry-times = 0\n").expect("a file");
    assert!(is_json(&copy(&world, &[], &[], &[])));
    assert!(!is_json(&copy(
        &world,
        &[("STEVEDORE_PROGRESS", "plain")],
        &[],
        &[]
    )));
    // Empty is not set.
    assert!(is_json(&copy(&world, &[("STEVEDORE_PROGRESS", "")], &[], &[])));

    fs::write(world.path("own.toml"), "progress = \"plain\"").expect("a file");
    assert!(!is_json(&copy(
        &world,
        &[("STEVEDORE_CONFIG", "own.toml")],
        &[],
        &[]
    )));
    assert!(!is_json(&copy(&world, &[], &["--config-file", "own.toml"], &[])));
    let elsewhere = world.path("elsewhere");
    let elsewhere = elsewhere.to_str().expect("UTF-8");
    assert!(!is_json(&copy(
        &world,
        &[("XDG_CONFIG_HOME", elsewhere)],
        &[],
        &[]
    )));
}

#[test]
fn quiet_leaves_nothing_but_the_result() {
    let world = world();
    for (before, behind) in [(&["-q"][..], &[][..]), (&[], &["--quiet", "--progress=json"])] {
        let ended = copy(&world, &[], before, behind);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        assert!(ended.stdout.starts_with("sha256:"));
    }
}

#[test]
fn flags_for_every_verb_stand_before_it_or_behind_it() {
    let world = world();
    let before = world.json(&["--json", "digest", "oci:src:v1"]);
    let behind = world.json(&["digest", "oci:src:v1", "--json"]);
    assert_eq!(before, behind);
}

#[test]
fn what_is_misspelt_is_refused_with_its_place() {
    let world = world();
    let cases = [
        (
            "progress = \"none\"\njob = 3\n",
            "error: wrong.toml, line 2: unknown field `job`, expected one of `progress`, `jobs`, `retry-times`, `registries`\n",
        ),
        (
            "jobs = 0",
            "error: wrong.toml, line 1: invalid value: integer `0`, expected a nonzero usize\n",
        ),
    ];
    for (text, message) in cases {
        fs::write(world.path("wrong.toml"), text).expect("a file");
        world.fails(&["--config-file", "wrong.toml", "ls", "oci:src"], 3, message);
    }
    world.fails(
        &["ls", "oci:src", "--config-file", "none.toml"],
        3,
        "error: there is no file none.toml\n",
    );
    for (name, value, wanted) in [
        ("STEVEDORE_JOBS", "many", "a number above 0"),
        ("STEVEDORE_JOBS", "0", "a number above 0"),
        ("STEVEDORE_RETRY_TIMES", "-1", "a number"),
        ("STEVEDORE_PROGRESS", "loud", "auto, bars, plain, json or none"),
    ] {
        let ended = copy(&world, &[(name, value)], &[], &[]);
        let message = format!("error: the variable {name} has {value:?}, which is not {wanted}\n");
        assert_eq!((ended.code, ended.stderr), (Some(3), message));
    }
}

#[test]
fn files_that_cannot_be_used_are_a_wrong_use_wherever_they_were_named() {
    let world = world();
    fs::create_dir(world.path("empty")).expect("a directory");
    fs::write(world.path("binary"), [0xff, 0xfe, 0]).expect("a file");
    for (arguments, says) in [
        (
            &["ls", "oci:src", "--config-file", "."][..],
            "error: cannot read .\n",
        ),
        (
            &["ls", "oci:src", "--config-file", "binary"],
            "error: cannot read binary\n",
        ),
        (
            &["ls", "localhost:1/x", "--ca-file", "none"],
            "error: cannot read none\n",
        ),
        (
            &["ls", "localhost:1/x", "--ca-file", "empty"],
            "error: cannot read empty\n",
        ),
        (
            &["ls", "localhost:1/x", "--ca-file", "binary"],
            "error: binary has no certificates to be used\n",
        ),
        (
            &["ls", "localhost:1/x", "--cert-dir", "none"],
            "error: cannot list none\n",
        ),
        (
            &["ls", "localhost:1/x", "--authfile", "none"],
            "error: there is no file none\n",
        ),
    ] {
        let ended = world.run(arguments);
        assert_eq!(ended.code, Some(3), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.starts_with(says), "{arguments:?}: {}", ended.stderr);
    }
}

/// Every line of stderr, which has to be an event.
#[track_caller]
fn events(ended: &Ended) -> Vec<serde_json::Value> {
    let events = ended.stderr.lines().map(|line| {
        let event: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
        assert!(event["event"].is_string(), "{event}");
        event
    });
    events.collect()
}

#[test]
fn progress_as_json_is_an_event_a_line() {
    let world = world();
    let events = events(&copy(&world, &[], &[], &["--progress=json", "--json"]));
    let count = |name: &str| events.iter().filter(|event| event["event"] == name).count();
    assert_eq!(
        (count("blob-started"), count("blob-done"), count("document-done")),
        (2, 2, 1)
    );
    for event in &events {
        let digest = event["digest"].as_str();
        assert!(
            digest.is_some_and(|digest| digest.starts_with("sha256:")),
            "{event}"
        );
    }
}

#[test]
fn notes_and_errors_are_events_where_progress_is() {
    let world = world();
    let noted = events(&copy(&world, &[("STEVEDORE_PROGRESS", "json")], &[], &[]));
    assert_eq!(
        noted.last().expect("an event"),
        &json!({"event": "note", "message": "2 blobs written (158 B), 0 mounted, 0 there already"})
    );
    let failed = world.run(&["digest", "oci:src:\u{1b}", "--progress=json"]);
    assert_eq!(
        failed.code,
        Some(3),
        "what is typed wrong is told before settings are known"
    );
    fs::remove_file(world.path("src/index.json")).expect("it is there");
    fs::create_dir(world.path("src/index.json")).expect("a directory");
    let failed = world.run(&["digest", "oci:src", "--progress=json"]);
    assert_eq!(
        events(&failed),
        [json!({
            "event": "error",
            "message": "cannot read src/index.json",
            "because": ["Is a directory (os error 21)"],
            "exitCode": 1,
        })]
    );
    let failed = world.run(&["ls", "oci:src:v1", "--progress=json"]);
    let event = &events(&failed)[0];
    assert_eq!(
        (&event["try"], &event["exitCode"]),
        (&json!("oci:src"), &json!(3))
    );
}
