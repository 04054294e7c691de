//! Help, versions, and what was typed wrong.

use std::fs;

use serde_json::json;

use super::world;
use crate::stevedore::World;

#[test]
fn version_and_completion_need_no_settings() {
    let world = World::new();
    fs::write(world.path("broken.toml"), "=").expect("a file");
    let broken = ["--config-file", "broken.toml"];
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        world.result(&[&broken[..], &["version"]].concat()),
        format!("stevedore {version}\n")
    );
    assert_eq!(world.json(&["version", "--json"]), json!({"version": version}));
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = world.result(&[&broken[..], &["completion", shell]].concat());
        assert!(script.contains("list-tags"), "{shell}");
        assert_eq!(
            world.json(&["completion", shell, "--json"])["script"],
            script,
            "{shell}"
        );
    }
}

#[test]
fn help_and_wrong_use_are_told_apart() {
    let world = World::new();
    for help in [
        &["--help"][..],
        &["help", "copy"],
        &["copy", "--help"],
        &["blob", "get", "-h"],
        &["--version"],
    ] {
        assert_eq!(world.run(help).code, Some(0), "{help:?}");
        assert_eq!(world.run(help).stderr, "", "{help:?}");
    }
    for wrong in [
        &[][..],
        &["frobnicate"],
        &["copy", "oci:a"],
        &["copy", "--all", "--platform", "linux/amd64", "oci:a", "oci:b"],
        &["copy", "-n", "--force", "oci:a", "oci:b"],
        &["copy", "oci:a", "oci:b", "--jobs", "0"],
        &["ls", "oci:"],
        &["inspect", "sif:image"],
        &["inspect", "docker-daemon:image"],
        &["inspect", "not a reference"],
        &["inspect", "--platform", "////", "oci:a"],
        &["completion", "tcsh"],
    ] {
        let ended = world.refused(wrong, 3);
        assert_ne!(ended.stderr, "", "{wrong:?}");
    }
}

#[test]
fn a_directory_without_its_transport_is_recognised() {
    let (world, _) = world();
    world.ends(&["inspect", "./src"], 3).says("write oci:./src");
}

#[test]
fn what_was_typed_wrong_is_told_briefly_and_cannot_act_on_the_terminal() {
    let world = World::new();
    let told = |arguments: &[&str]| {
        let ended = world.ends(arguments, 3);
        let first = ended.stderr.lines().next().expect("a line").to_owned();
        (first, ended.stderr)
    };
    let (first, _) = told(&["inspect", "not a reference"]);
    assert_eq!(
        first,
        "error: invalid value 'not a reference' for '<IMAGE>': \
         \"not a reference\" is not a reference of the form [<registry>/]<repository>[:<tag>][@<digest>]"
    );
    let (first, _) = told(&["inspect", "docker://UPPER"]);
    assert_eq!(
        first,
        "error: invalid value 'docker://UPPER' for '<IMAGE>': repository name in \"UPPER\" must be lower-case"
    );
    let (first, _) = told(&["inspect", "sif:x"]);
    assert!(
        first.ends_with("which has docker://, oci:, oci-archive:, docker-archive: and dir:"),
        "{first}"
    );
    for wrong in [
        &["inspect", "a\u{1b}[31m\u{202e}"][..],
        &["\u{1b}[31m\u{202e}"],
        &["ls", "--\u{1b}[31m\u{202e}"],
        &["completion", "\u{1b}[31m\u{202e}"],
    ] {
        let (_, stderr) = told(wrong);
        assert!(!stderr.contains(['\u{1b}', '\u{202e}']), "{stderr:?}");
        assert!(stderr.contains("\\u{1b}"), "{stderr:?}");
    }
    assert!(world.result(&["--help"]).contains("oci:DIR:@0"));
}
