//! Signals half-way, and going on afterwards.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

use http::Method;
use rustix::process::{Pid, Signal, kill_process};
use stevedore_fault_server::{Fault, Profile};

use crate::registry::Registry;
use crate::stevedore::{World, assert_sound, blob, image, staged};

const SIZE: usize = 160 << 20;

#[test]
fn a_copy_that_was_told_to_stop_goes_on_where_it_was() {
    let world = World::new();
    let sample = image(5, &[SIZE]);
    world.put("src", &sample, &["v1"]);
    let layer = sample.blobs()[1].0.known_digest().expect("of ours");
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let child = world.start(&["copy", "oci:src:v1", "oci:out:v1"]);
        let part = first_bytes(&world);
        stop(child, signal, code);
        assert_sound(&world, "out");
        assert!(!blob(&world.path("out"), &layer).exists());
        let inode = fs::metadata(&part).expect("what was staged is kept").ino();

        let ended = world.run(&["copy", "--progress=json", "oci:src:v1", "oci:out:v1"]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert_sound(&world, "out");
        // It is the very file that was staged.
        let published = fs::metadata(blob(&world.path("out"), &layer)).expect("a blob");
        assert_eq!(published.ino(), inode);
        assert!(!world.path("out/.stevedore").exists());
        fs::remove_dir_all(world.path("out")).expect("it is ours");
    }
}

#[test]
fn a_pull_that_was_told_to_stop_fetches_only_the_rest() {
    let (world, registry) = (World::new(), Registry::start(Profile::spec()));
    let sample = image(6, &[8 << 20]);
    registry.put("app", &sample, &["v1"]);
    let layer = sample.blobs()[1].0.known_digest().expect("of ours");
    let path = format!("/v2/app/blobs/{layer}");
    registry.fail(Fault::drip_body(4 << 20).on(Method::GET, &path));
    let source = registry.at("app:v1");
    let copy = ["copy", "--progress=none", &source, "oci:out:v1"];

    let child = world.start(&copy);
    let part = first_bytes(&world);
    stop(child, Signal::TERM, 143);
    assert_sound(&world, "out");
    assert!(!blob(&world.path("out"), &layer).exists());
    let staged = fs::metadata(&part).expect("what was staged is kept").len();
    let stopped = registry.settle();
    world.result(&copy);
    registry.settle();
    assert_sound(&world, "out");
    let mut fetched = registry.requests_after(stopped);
    fetched.retain(|request| request.is(&Method::GET, &path));
    let sent: Vec<u64> = fetched.iter().map(|request| request.sent).collect();
    assert_eq!(sent, [(8 << 20) - staged], "{staged} bytes were there");
}

#[test]
fn a_push_that_was_told_to_stop_leaves_nothing_half_done() {
    let (world, registry) = (World::new(), Registry::start(Profile::spec()));
    let sample = image(7, &[1 << 20, 2 << 20]);
    world.put("src", &sample, &["v1"]);
    // One of the layers never gets its answer.
    registry.fail(Fault::hang().on(Method::PUT, "/v2/app/blobs/uploads/**"));
    let destination = registry.at("app:v1");
    let copy = ["copy", "--progress=none", "oci:src:v1", &destination];
    let blobs = |number: usize| {
        let digests = sample
            .blobs()
            .iter()
            .map(|(blob, _)| blob.known_digest().expect("of ours"));
        let there = digests.filter(|digest| registry.blob("app", digest).is_some());
        there.count() == number
    };

    let child = world.start(&copy);
    let began = Instant::now();
    while !blobs(2) || registry.pending_faults() > 0 {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "the other two do not come"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    stop(child, Signal::TERM, 143);
    assert!(registry.tags("app").is_empty(), "no name without its image");
    assert!(blobs(2));
    world.result(&copy);
    assert!(blobs(3));
    assert_eq!(registry.tags("app"), ["v1"]);
}

/// Sends a signal to a copy, which ends soon, and says what to do.
fn stop(child: Child, signal: Signal, code: i32) {
    kill_process(Pid::from_child(&child), signal).expect("it runs");
    let began = Instant::now();
    let output = child.wait_with_output().expect("it ends");
    assert!(began.elapsed() < Duration::from_secs(20));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(
        (output.status.code(), output.stdout),
        (Some(code), Vec::new()),
        "{said}"
    );
    assert!(
        said.ends_with("try: the same command again: a copy goes on where this one was\n"),
        "{said}"
    );
    assert!(!said.contains("panicked"), "{said}");
}

/// Waits until something of the layer is staged.
fn first_bytes(world: &World) -> PathBuf {
    let began = Instant::now();
    loop {
        let mut parts = staged(&world.path("out")).into_iter();
        if let Some(part) = parts.find(|path| fs::metadata(path).is_ok_and(|it| it.len() > 1 << 20)) {
            return part;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "nothing is staged");
        std::thread::sleep(Duration::from_millis(1));
    }
}
