//! `kill -9` at random moments.

mod layouts;
mod moments;
mod pulls;
mod pushes;

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};
use std::{fmt, fs};

use stevedore_core::Platform;
use stevedore_core::samples::Sample;

use crate::stevedore::{Random, World, assert_sound, blobs, random, staged};

use moments::{Moment, Moments};

/// How many copies are killed, unless `STEVEDORE_ROUNDS` says so.
const ROUNDS: u64 = 20;

/// Copies that are killed: `STEVEDORE_SEED` brings the moments of an earlier run back.
struct Kills<'w> {
    world: &'w World,
    /// What a copy prints that nobody kills, and how long it takes.
    digest: String,
    whole: Duration,
    seed: u64,
    rounds: u64,
    chance: Random,
    moments: Moments,
}

impl<'w> Kills<'w> {
    /// Times a copy of a sample that nobody kills.
    fn of(world: &'w World, sample: &Sample, copy: &[&str]) -> Self {
        let rounds = number("STEVEDORE_ROUNDS").unwrap_or(ROUNDS);
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .expect("after 1970");
        let seed = number("STEVEDORE_SEED").unwrap_or(u64::from(now.subsec_nanos()));
        let digest = format!("{}\n", sample.descriptor().digest);
        let began = Instant::now();
        assert_eq!(world.result(copy), digest);
        Self {
            world,
            digest,
            whole: began.elapsed(),
            seed,
            rounds,
            chance: Random::new(seed),
            moments: Moments::default(),
        }
    }

    /// Kills copies of a round, and looks each time at what is left: now and then a copy that goes on is killed too.
    fn strike(&mut self, copy: &[&str], mut look: impl FnMut() -> Moment) {
        for _ in 0..=self.chance.below(2) {
            self.kill(copy);
            self.moments.count(look());
        }
    }

    /// Starts a copy and kills it after a while, unless it is done by then.
    fn kill(&mut self, copy: &[&str]) {
        let most = u64::try_from(self.whole.as_micros()).expect("short") * 11 / 10;
        let after = self.chance.below(most);
        let mut child = self.world.start(copy);
        std::thread::sleep(Duration::from_micros(after));
        child.kill().expect("it is ours");
        let status = child.wait().expect("it ends");
        assert!(status.success() || status.code().is_none(), "{status}");
    }

    /// Lets the copy go on to its end, and gives what it says.
    #[track_caller]
    fn go_on(&self, round: u64, copy: &[&str]) -> String {
        let ended = self.world.run(copy);
        assert_eq!(
            (ended.code, ended.stdout),
            (Some(0), self.digest.clone()),
            "round {round}: {}",
            ended.stderr
        );
        ended.stderr
    }

    /// A few kills may all come too early or too late.
    fn assert_telling(&self) {
        assert!(
            self.moments.half_way > 0 || self.rounds < ROUNDS,
            "no kill came half-way: {:?}",
            self.moments
        );
    }
}

/// What brings the same kills again.
impl fmt::Display for Kills<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "STEVEDORE_SEED={} STEVEDORE_ROUNDS={}", self.seed, self.rounds)
    }
}

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{variable} has {value:?}, which is no number")),
    )
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

/// The blobs of a sample, each once, by their digest and with their bytes.
fn blobs_of(sample: &Sample) -> HashMap<String, bytes::Bytes> {
    let all = sample.all();
    let blobs = all.iter().flat_map(|part| part.blobs());
    blobs
        .map(|(descriptor, bytes)| (descriptor.digest.to_string(), bytes.clone()))
        .collect()
}

/// A copy with all that belongs to the sample.
fn copy<'a>(progress: &'a str, from: &'a str, to: &'a str) -> [&'a str; 6] {
    ["copy", "--all", "--referrers", progress, from, to]
}

/// Where copies to a layout go.
const OUT: &str = "oci:out:v1";

/// What a kill left of the layout, which is sound.
#[track_caller]
fn look_at_layout(world: &World) -> Moment {
    assert_sound(world, "out");
    let begun = world.path("out/oci-layout").exists();
    let done = begun && world.result(&["ls", "oci:out"]).lines().any(|name| name == "v1");
    Moment::of(begun, done)
}

fn remove_layout(world: &World) {
    fs::remove_dir_all(world.path("out")).expect("it is ours");
}

/// How many bytes of a blob are there, by its digest: published, or staged.
fn what_is_there(world: &World) -> HashMap<String, u64> {
    let out = world.path("out");
    let size = |path: &Path| fs::metadata(path).expect("a file").len();
    let mut there: HashMap<String, u64> = staged(&out)
        .iter()
        .filter_map(|path| {
            let name = path.file_stem()?.to_str()?;
            let digest = name.rsplit('.').next()?.replacen('-', ":", 1);
            Some((digest, size(path)))
        })
        .collect();
    there.extend(
        blobs(&out)
            .iter()
            .map(|(digest, path)| (digest.to_string(), size(path))),
    );
    there
}
