//! `kill -9` at random moments.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use stevedore_core::Platform;
use stevedore_core::samples::Sample;

use crate::stevedore::{Random, World, assert_sound, blobs, entries, random};

/// How many copies are killed, unless `STEVEDORE_ROUNDS` says so.
const ROUNDS: u64 = 20;

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{variable} has {value:?}, which is no number")),
    )
}

#[test]
fn a_kill_at_any_moment_costs_nothing_but_the_rest() {
    let rounds = number("STEVEDORE_ROUNDS").unwrap_or(ROUNDS);
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("after 1970");
    let seed = number("STEVEDORE_SEED").unwrap_or(u64::from(now.subsec_nanos()));
    println!("STEVEDORE_SEED={seed} STEVEDORE_ROUNDS={rounds}");
    let mut chance = Random::new(seed);

    let world = World::new();
    let sample = sample();
    world.put("src", &sample, &["v1"]);
    let digest = format!("{}\n", sample.descriptor().digest);
    let copy = [
        "copy",
        "--all",
        "--referrers",
        "--progress=json",
        "oci:src:v1",
        "oci:out:v1",
    ];
    let began = Instant::now();
    assert_eq!(world.result(&copy), digest);
    let whole = began.elapsed();
    fs::remove_dir_all(world.path("out")).expect("it is ours");

    let mut moments = Moments::default();
    for round in 0..rounds {
        // Now and then a copy that goes on is killed too.
        for _ in 0..=chance.below(2) {
            let after = chance.below(u64::try_from(whole.as_micros()).expect("short") * 11 / 10);
            let mut child = world.start(&copy);
            std::thread::sleep(Duration::from_micros(after));
            child.kill().expect("it is ours");
            let status = child.wait().expect("it ends");
            assert!(
                status.success() || status.code().is_none(),
                "round {round}: {status}"
            );
            assert_sound(&world, "out");
            moments.count(&world);
        }
        let before = what_is_there(&world);
        let ended = world.run(&copy);
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (Some(0), digest.as_str()),
            "round {round}: {}",
            ended.stderr
        );
        assert_nothing_twice(&before, &ended.stderr);
        assert_sound(&world, "out");
        assert_eq!(world.result(&["digest", "oci:out:v1"]), digest);
        // Sound, and all of it.
        assert_eq!(
            world.json(&[
                "copy",
                "-q",
                "--json",
                "--all",
                "--force",
                "oci:src:v1",
                "oci:out:v1"
            ])["blobs"]["written"],
            0
        );
        assert!(
            !world.path("out/.stevedore").exists(),
            "round {round}: nothing is left of the staging"
        );
        fs::remove_dir_all(world.path("out")).expect("it is ours");
    }
    println!("{moments:?}");
    assert!(
        moments.half_way > 0 || rounds < ROUNDS,
        "no kill came half-way: {moments:?}"
    );
}

/// Two platforms that share a layer, and a referrer of each.
fn sample() -> Sample {
    let children = (0_u64..2).map(|number| {
        let platform = Platform::new("linux", ["amd64", "arm64"][usize::from(number > 0)]);
        let layers = [
            random(1, 6 << 20),
            random(10 + number, 3 << 20),
            random(20 + number, 1 << 20),
            random(30 + number, 500),
        ];
        Sample::image_of(layers, &platform).with_referrer("application/vnd.example.sbom", "packages")
    });
    Sample::index(children.collect()).with_referrer("application/vnd.example.signature", "signed")
}

/// In which states the kills left the layout.
#[derive(Debug, Default)]
struct Moments {
    nothing: u64,
    half_way: u64,
    done: u64,
}

impl Moments {
    fn count(&mut self, world: &World) {
        let place = if !world.path("out/oci-layout").exists() {
            &mut self.nothing
        } else if world.result(&["ls", "oci:out"]).lines().any(|name| name == "v1") {
            &mut self.done
        } else {
            &mut self.half_way
        };
        *place += 1;
    }
}

/// How many bytes of a blob are there, by its digest: published, or staged.
fn what_is_there(world: &World) -> HashMap<String, u64> {
    let out = world.path("out");
    let size = |path: &Path| fs::metadata(path).expect("a file").len();
    let mut there: HashMap<String, u64> = entries(&out.join(".stevedore/staging"))
        .iter()
        .flat_map(|dir| entries(dir))
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.strip_suffix(".part")?;
            let digest = name.rsplit('.').next()?.replacen('-', ":", 1);
            Some((digest, size(&path)))
        })
        .collect();
    there.extend(
        blobs(&out)
            .iter()
            .map(|(digest, path)| (digest.to_string(), size(path))),
    );
    there
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
