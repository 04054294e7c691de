//! Signals half-way, and going on afterwards.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::stevedore::{World, assert_sound, blob, entries, image};

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

/// Waits until something of the layer is staged.
fn first_bytes(world: &World) -> PathBuf {
    let began = Instant::now();
    loop {
        let staged = entries(&world.path("out/.stevedore/staging"));
        let parts = staged.iter().flat_map(|dir| entries(dir));
        let mut parts = parts.filter(|path| path.extension().is_some_and(|it| it == "part"));
        if let Some(part) = parts.find(|path| fs::metadata(path).is_ok_and(|it| it.len() > 1 << 20)) {
            return part;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "nothing is staged");
        std::thread::sleep(Duration::from_millis(1));
    }
}
