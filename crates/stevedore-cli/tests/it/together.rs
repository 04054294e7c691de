//! Several processes write one layout at once.

use stevedore_core::Platform;
use stevedore_core::samples::Sample;

use crate::stevedore::{World, assert_sound, random};

const PROCESSES: u64 = 8;
const ROUNDS: u64 = 4;

#[test]
fn nobody_loses_an_entry() {
    let world = World::new();
    let mut samples = Vec::new();
    for number in 0..PROCESSES {
        // A layer that all have, so that they also meet over one blob.
        let layers = [random(100, 2 << 20), random(number, 300_000)];
        let sample = Sample::image_of(layers, &Platform::host())
            .with_referrer("application/vnd.example.signature", "signed by everybody");
        world.put("src", &sample, &[&format!("v{number}")]);
        samples.push(sample);
    }
    for round in 0..ROUNDS {
        let out = format!("out{round}");
        let children: Vec<_> = (0..PROCESSES)
            .map(|number| {
                let (from, to) = (format!("oci:src:v{number}"), format!("oci:{out}:v{number}"));
                world.start(&["copy", "--referrers", &from, &to])
            })
            .collect();
        for child in children {
            let output = child.wait_with_output().expect("it ends");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(0), "{said}");
        }
        assert_sound(&world, &out);
        for (number, sample) in samples.iter().enumerate() {
            let there = world.result(&["digest", &format!("oci:{out}:v{number}")]);
            assert_eq!(there, format!("{}\n", sample.descriptor().digest));
            let referrer = sample.referrers()[0].descriptor().digest;
            world.result(&["manifest", "get", &format!("oci:{out}@{referrer}")]);
        }
        assert!(
            !world.path(&out).join(".stevedore").exists(),
            "nothing is left of the staging"
        );
    }
}
