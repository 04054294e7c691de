//! What a terminal gets.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Command, Stdio};

use http::Method;
use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use stevedore_core::MediaType;
use stevedore_fault_server::{Fault, Profile};

use crate::registry::Registry;
use crate::stevedore::{World, blob, image};

/// Runs a command with a terminal as stdout, stderr or both, and gives what the terminal got.
fn on_terminal(command: Command, stdout: bool, stderr: bool) -> String {
    let (shown, succeeded) = converse(command, stdout, stderr, &[]);
    assert!(succeeded, "{shown}");
    shown
}

/// The same, with answers to what is asked, each with the end of its question; and whether the command succeeded. With
/// answers, stdin is the terminal too.
pub(crate) fn converse(
    mut command: Command,
    stdout: bool,
    stderr: bool,
    answers: &[(&str, &str)],
) -> (String, bool) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&ours).expect("a terminal");
    unlockpt(&ours).expect("a terminal");
    let name = ptsname(&ours, Vec::new()).expect("a terminal");
    let theirs = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(OFlags::NOCTTY.bits().cast_signed())
        .open(name.to_str().expect("UTF-8"))
        .expect("a terminal");
    let size = Winsize {
        ws_row: 24,
        ws_col: 100,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&theirs, size).expect("a terminal");
    let end = |wanted: bool| {
        if wanted {
            Stdio::from(theirs.try_clone().expect("a terminal"))
        } else {
            Stdio::null()
        }
    };
    command
        .env("TERM", "xterm")
        .stdout(end(stdout))
        .stderr(end(stderr));
    if !answers.is_empty() {
        command.stdin(end(true));
    }
    let mut child = command.spawn().expect("it starts");
    // Its ends are closed here, so that reading ends with the child.
    drop((command, theirs));
    let mut shown = Vec::new();
    let mut ours = File::from(ours);
    let mut buffer = [0; 4096];
    let mut answered = 0;
    // The error that a terminal gives once nobody has its other end is the end.
    while let Ok(count @ 1..) = ours.read(&mut buffer) {
        shown.extend_from_slice(&buffer[..count]);
        if let Some((question, answer)) = answers.get(answered)
            && shown.ends_with(question.as_bytes())
        {
            ours.write_all(format!("{answer}\n").as_bytes())
                .expect("a terminal");
            answered += 1;
        }
    }
    let succeeded = child.wait().expect("it ends").success();
    (String::from_utf8(shown).expect("UTF-8"), succeeded)
}

/// Characters that JSON takes as they are, and that a terminal would act upon.
const HOSTILE: &str = "\u{9b}31m\u{7f}\u{202e}\u{61c}";

/// An image whose config and manifest hold what a terminal would act upon.
fn hostile() -> World {
    let world = World::new();
    let config = r#"{"architecture":"amd64","os":"linux","created":"2026-11-24T00:00:00Z","config":{"Labels":{"a":"\u001b[2J\u0007gone","b":"x\ndigest: forged","c":"»txt.exe"},"Env":["P=›31m"]},"rootfs":{"type":"layers","diff_ids":[]}}"#
        // Characters that JSON takes as they are: of the C1 set, which terminals take for the beginning of a command,
        // and one that turns the direction of text.
        .replace('›', "\u{9b}")
        .replace('»', "\u{202e}");
    let digest = stevedore_core::Algorithm::Sha256.digest(config.as_bytes());
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{digest}","size":{}}},"layers":[],"annotations":{{"a":"HOSTILE"}}}}"#,
        config.len()
    )
    .replace("HOSTILE", HOSTILE);
    world.put_document("src", MediaType::OCI_MANIFEST, &manifest);
    std::fs::write(blob(&world.path("src"), &digest), config).expect("a blob");
    world
}

#[test]
fn an_image_gives_it_no_commands() {
    let world = hostile();
    let digest = world.result(&["digest", "oci:src"]);
    let config =
        world.json(&["manifest", "get", "--json", "oci:src"])["document"]["config"]["digest"].clone();
    let config = format!("oci:src@{}", config.as_str().expect("a digest"));
    for verb in [
        &["inspect", "oci:src"][..],
        &["inspect", "--json", "oci:src"],
        &["inspect", "--config", "oci:src"],
        &["inspect", "--config", "--raw", "oci:src"],
        &["inspect", "--raw", "oci:src"],
        &["inspect", "--raw", "--json", "oci:src"],
        &["manifest", "get", "oci:src"],
        &["manifest", "get", "--json", "oci:src"],
        &["config", "oci:src"],
        &["config", "--json", "oci:src"],
        &["blob", "get", &config],
        &["ls", "oci:src"],
    ] {
        let shown = on_terminal(world.command(verb), true, true);
        let active = |character: &char| {
            character.is_control() && !matches!(character, '\r' | '\n')
                || matches!(character, '\u{202e}' | '\u{61c}')
        };
        assert_eq!(shown.chars().find(active), None, "{verb:?}: {shown:?}");
        assert!(
            !shown.lines().any(|line| line.starts_with("digest: forged")),
            "{verb:?}: {shown}"
        );
    }
    let shown = on_terminal(world.command(&["inspect", "oci:src"]), true, true).replace('\r', "");
    assert_eq!(
        shown,
        format!(
            "digest         {digest}type           application/vnd.oci.image.manifest.v1+json\nplatform       \
             linux/amd64\ncreated        2026-11-24T00:00:00Z\nlabel          a=\\u{{1b}}[2J\\u{{7}}gone\nlabel          \
             b=x\\ndigest: forged\nlabel          c=\\u{{202e}}txt.exe\nenv            P=\\u{{9b}}31m\nconfig         \
             {} {} B\nsize           0 B in 0 layers\n",
            &config["oci:src@".len()..],
            world.json(&["blob", "head", "--json", &config])["size"],
        )
    );
}

#[test]
fn a_pipe_gets_what_a_terminal_does_not() {
    let world = hostile();
    for verb in [
        &["inspect", "--raw", "oci:src"][..],
        &["manifest", "get", "oci:src"],
    ] {
        let bytes = world.result(verb);
        assert!(
            bytes.contains("\u{9b}31m\u{7f}\u{202e}\u{61c}"),
            "{verb:?}: {bytes}"
        );
        let shown = on_terminal(world.command(verb), true, true);
        let spelt = "\\u{9b}31m\\u{7f}\\u{202e}\\u{61c}";
        assert_eq!(shown, bytes.replace(HOSTILE, spelt) + "\r\n");
    }
}

#[test]
fn text_of_many_chunks_is_shown_as_it_is() {
    let world = World::new();
    // Characters of three bytes, so that some lie on the border of two chunks.
    let text = "漢".repeat(200_000);
    let sample = stevedore_core::samples::Sample::image_of(
        [bytes::Bytes::from(text.clone())],
        &stevedore_core::Platform::host(),
    );
    world.put("src", &sample, &["v1"]);
    let layer = format!("oci:src@{}", sample.blobs()[1].0.digest);
    let shown = on_terminal(world.command(&["blob", "get", &layer]), true, true);
    assert_eq!(shown.trim_end_matches("\r\n").len(), text.len());
    assert!(shown == text + "\r\n");
}

#[test]
fn an_index_is_shown_as_text() {
    let world = World::new();
    let children = ["linux/amd64", "linux/arm64/v8"].map(|platform| {
        let platform = platform.parse().expect("a platform");
        stevedore_core::samples::Sample::image(&["x"]).for_platform(&platform)
    });
    let index = stevedore_core::samples::Sample::index(children.to_vec());
    world.put("src", &index, &["v1"]);
    let shown = on_terminal(world.command(&["inspect", "oci:src"]), true, true).replace('\r', "");
    let lines: Vec<String> = children
        .iter()
        .zip(["linux/amd64", "linux/arm64/v8"])
        .map(|(child, platform)| {
            format!(
                "manifest       {} {} B {platform}\n",
                child.descriptor().digest,
                child.descriptor().size
            )
        })
        .collect();
    assert_eq!(
        shown,
        format!(
            "digest         {}\ntype           application/vnd.oci.image.index.v1+json\n{}",
            index.descriptor().digest,
            lines.concat()
        )
    );
}

/// The positions that bars had, each as how many signs were filled.
fn positions(shown: &str) -> Vec<usize> {
    let bars = shown.split(['\r', '\n']).filter(|line| line.contains(" of "));
    bars.map(|line| line.matches('#').count()).collect()
}

#[test]
fn bars_move() {
    let (world, registry) = (World::new(), Registry::start(Profile::spec()));
    let sample = image(3, &[2 << 20]);
    registry.put("app", &sample, &["v1"]);
    let layer = &sample.blobs()[1].0.digest;
    // For a second: a copy from the disk may be over before a bar has moved twice.
    let slow = Fault::drip_body(2 << 20).on(Method::GET, &format!("/v2/app/blobs/{layer}"));
    registry.fail(slow);
    let copy = world.command(&["copy", &registry.at("app:v1"), "oci:out:v1"]);
    let shown = on_terminal(copy, false, true);
    let mut seen = positions(&shown);
    seen.dedup();
    assert!(
        seen.iter().filter(|position| **position > 0).count() >= 2,
        "{seen:?} in {shown:?}"
    );
    assert!(
        shown.ends_with("2 blobs written (2.1 MB), 0 mounted, 0 there already\r\n"),
        "{shown:?}"
    );
}

#[test]
fn machines_get_no_bars() {
    let world = World::new();
    world.put("src", &image(3, &[1000]), &["v1"]);
    let copy = ["copy", "oci:src:v1", "oci:out:v1"];
    let mut ci = world.command(&copy);
    ci.env("CI", "true");
    let shown = on_terminal(ci, false, true);
    assert!(
        shown.contains("written\r\n") && !shown.contains('\u{1b}'),
        "{shown:?}"
    );
    // Asked for, but nobody could see them.
    let ended = world.run(&["copy", "oci:src:v1", "oci:out:v1", "--progress=bars"]);
    assert!(
        ended.stderr.contains(": there already\n") && !ended.stderr.contains('\u{1b}'),
        "{}",
        ended.stderr
    );
}
