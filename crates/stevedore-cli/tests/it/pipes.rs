//! Whoever reads the result may go away, or not read at all.

use std::fs::OpenOptions;
use std::io::Read as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::stevedore::{World, image};

/// More than any pipe holds.
const LARGE: usize = 4 << 20;

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let world = World::new();
    let sample = image(1, &[LARGE]);
    world.put("src", &sample, &["v1"]);
    let blob = format!("oci:src@{}", sample.blobs()[1].0.digest);
    let mut child = world.start(&["blob", "get", &blob]);
    let mut first = [0; 10];
    let mut stdout = child.stdout.take().expect("a pipe");
    stdout.read_exact(&mut first).expect("the beginning");
    drop(stdout);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn a_result_that_cannot_be_written_is_one() {
    let world = World::new();
    world.put("src", &image(1, &[10]), &["v1"]);
    // A device that is always full.
    let full = OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("the device");
    let ended = world
        .command(&["ls", "oci:src"])
        .stdout(full)
        .output()
        .expect("it runs");
    assert_eq!(ended.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&ended.stderr),
        "error: cannot write to stdout\n  because: No space left on device (os error 28)\n"
    );
}

#[test]
fn a_signal_ends_a_verb_that_sits_behind_a_full_pipe() {
    let world = World::new();
    let sample = image(1, &[LARGE]);
    world.put("src", &sample, &["v1"]);
    let blob = format!("oci:src@{}", sample.blobs()[1].0.digest);
    let mut command = world.command(&["blob", "get", &blob]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    // What comes of it shows that the handlers stand; nobody reads the rest.
    let mut first = [0; 10];
    child
        .stdout
        .as_mut()
        .expect("a pipe")
        .read_exact(&mut first)
        .expect("the beginning");
    kill_process(Pid::from_child(&child), Signal::TERM).expect("it runs");
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("it is ours") {
            break status;
        }
        if began.elapsed() > Duration::from_secs(30) {
            child.kill().expect("it is ours");
            panic!("it did not end");
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(status.code(), Some(143));
}
