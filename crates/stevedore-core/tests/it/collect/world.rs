//! What is stored where, and the processes that share it.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use stevedore_core::collect::{Collection, Mark, Member, peek};
use stevedore_core::stream::next;
use stevedore_core::suite::weak::{Bucket, FsLike, WeakNames, WeakStore, Weather};
use stevedore_core::{Algorithm, Clock, Digest, IngestKey, Key, Names, Result, Staging, Store, Takeover};

use super::executor::{Chance, alone};
use super::variant::Variant;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Medium {
    Bucket,
    Fs,
}

pub(crate) const REPOSITORIES: usize = 2;
pub(crate) const BLOBS: usize = 5;
/// The blobs that each manifest needs. They overlap, so that manifests keep each other's blobs; the last blob is
/// nobody's.
pub(crate) const MANIFESTS: [&[usize]; 4] = [&[0, 1], &[1, 2], &[2, 3], &[0]];

/// A manifest is this and its number, which says what it needs.
const MANIFEST: &str = "manifest ";

pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) weather: Arc<Weather>,
    pub(crate) chance: Chance,
    pub(crate) grace: Duration,
    pub(crate) variant: Variant,
    /// How many of the repositories, manifests and blobs clients choose from: the fewer, the more they meet.
    pub(crate) repositories: usize,
    pub(crate) manifests: usize,
    pub(crate) blobs: usize,
    place: Place,
}

enum Place {
    Bucket(Arc<Bucket>),
    Fs(FsLike),
}

/// What one process holds.
#[derive(Clone)]
pub(crate) struct Process {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) names: Arc<dyn Names>,
}

impl World {
    pub(crate) fn new(medium: Medium, variant: Variant, seed: u64) -> Self {
        let chance = Chance::new(seed);
        let clock = Clock::manual();
        let weather = Arc::new(Weather::stormy(chance.next()));
        // From a grace in which hardly anything gets done to one in which much does.
        let grace = Duration::from_secs([100, 300, 1000, 3000][chance.index(4)]);
        // Some controls need all to meet in one place; the sound protocol is tried there, too.
        let crowded = chance.one_in(4) || variant.wants_a_crowd();
        let place = match medium {
            Medium::Bucket => {
                // A grace is longer than twice the lateness.
                let lateness = chance.up_to((grace / 2).saturating_sub(Duration::from_secs(1)));
                Place::Bucket(Arc::new(Bucket::new(
                    clock.clone(),
                    Arc::clone(&weather),
                    lateness,
                )))
            }
            Medium::Fs => Place::Fs(FsLike::new(clock.clone(), Arc::clone(&weather), grace)),
        };
        Self {
            clock,
            weather,
            repositories: if crowded {
                1
            } else {
                1 + chance.index(REPOSITORIES)
            },
            manifests: if crowded {
                1
            } else {
                1 + chance.index(MANIFESTS.len())
            },
            blobs: if crowded { MANIFESTS[0].len() } else { BLOBS },
            chance,
            grace,
            variant,
            place,
        }
    }

    /// A new process, or another task of the only one.
    pub(crate) fn process(&self) -> Process {
        match &self.place {
            Place::Bucket(bucket) => {
                let mut store = WeakStore::new(Arc::clone(bucket), self.grace, self.chance.next());
                if let Some(fault) = self.variant.fault() {
                    store = store.with_fault(fault);
                }
                Process {
                    store: Arc::new(store),
                    names: Arc::new(WeakNames::new(Arc::clone(bucket), self.chance.next())),
                }
            }
            Place::Fs(fs) => Process {
                store: Arc::new(fs.clone()),
                names: Arc::new(fs.clone()),
            },
        }
    }

    /// Whether the power can be cut, which ends all tasks.
    pub(crate) fn cut_power(&self) -> bool {
        match &self.place {
            Place::Bucket(_) => false,
            Place::Fs(fs) => {
                fs.cut_power();
                true
            }
        }
    }

    /// Ends the storm: what is still under way arrives.
    pub(crate) fn calm_down(&self) {
        self.weather.set_stormy(false);
        if let Place::Bucket(bucket) = &self.place {
            bucket.settle();
        }
    }

    /// What is there although nothing refers to it, now that everything is quiet and was collected.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let process = self.process();
        let mut left = Vec::new();
        let needed = alone(Manifests(Arc::clone(&process.names)).mark()).unwrap();
        let mut live = Vec::new();
        let mut blobs = process.store.list();
        while let Some(blob) = alone(next(&mut blobs)) {
            let blob = blob.unwrap();
            if !needed.contains(&blob.digest) {
                left.push(format!("blob {}", name_of(&blob.digest)));
            }
            live.push(format!("b/{}/{}", blob.digest, blob.life));
        }
        for repository in 0..REPOSITORIES {
            for blob in 0..BLOBS {
                let member = member(repository, blob);
                let there = alone(process.names.get(&member.key)).unwrap().is_some();
                if there
                    && alone(peek(&*process.store, &*process.names, &member))
                        .unwrap()
                        .is_none()
                {
                    left.push(format!("membership of blob {blob} in {repository}"));
                }
                let staged = alone(process.store.resume(&upload(repository, blob), Takeover::IfIdle));
                if !matches!(staged.unwrap(), Staging::None) {
                    left.push(format!("upload of blob {blob} to {repository}"));
                }
            }
        }
        match &self.place {
            Place::Bucket(bucket) => {
                left.extend(bucket.keys("b/").into_iter().filter(|key| !live.contains(key)));
                left.extend(bucket.keys("p/"));
                left.extend(bucket.keys("s/u/"));
            }
            Place::Fs(fs) => left.extend((0..fs.staged()).map(|_| "something staged".to_owned())),
        }
        left
    }

    pub(crate) fn collection(&self) -> Collection {
        Collection::new(self.clock.now()).with_memberships(vec![key("b")])
    }
}

pub(crate) fn content(blob: usize) -> Bytes {
    format!("the content of blob {blob}").into()
}

/// The digest of a blob. All are computed once, for they are asked for at every step.
pub(crate) fn digest(blob: usize) -> Digest {
    static DIGESTS: LazyLock<Vec<Digest>> = LazyLock::new(|| {
        let contents = (0..BLOBS).map(content);
        contents
            .map(|content| Algorithm::Sha256.digest(&content))
            .collect()
    });
    DIGESTS[blob]
}

fn name_of(digest: &Digest) -> String {
    let blob = (0..BLOBS).find(|blob| self::digest(*blob) == *digest);
    blob.map_or_else(|| digest.to_string(), |blob| blob.to_string())
}

pub(crate) fn member(repository: usize, blob: usize) -> Member {
    static MEMBERS: LazyLock<Vec<Member>> = LazyLock::new(|| {
        let places = (0..REPOSITORIES).flat_map(|repository| (0..BLOBS).map(move |blob| (repository, blob)));
        let member =
            |(repository, blob)| Member::new(&key(&format!("b/{repository}")), digest(blob)).unwrap();
        places.map(member).collect()
    });
    MEMBERS[repository * BLOBS + blob].clone()
}

pub(crate) fn manifest_key(repository: usize, manifest: usize) -> Key {
    key(&format!("m/{repository}/{manifest}"))
}

pub(crate) fn tag_key(repository: usize, manifest: usize) -> Key {
    key(&format!("t/{repository}/{manifest}"))
}

pub(crate) fn manifest_bytes(manifest: usize) -> Bytes {
    format!("{MANIFEST}{manifest}").into()
}

pub(crate) fn upload(repository: usize, blob: usize) -> IngestKey {
    IngestKey::parse(&format!("upload-{repository}-{blob}")).unwrap()
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

/// Marks from all manifests in all repositories.
pub(crate) struct Manifests(pub(crate) Arc<dyn Names>);

#[async_trait]
impl Mark for Manifests {
    async fn mark(&self) -> Result<HashSet<Digest>> {
        let under = key("m");
        let mut marked = HashSet::new();
        let mut after = None;
        loop {
            // Small pages: each is late by itself.
            let page = self.0.list(&under, after.as_ref(), 3).await?;
            let Some(last) = page.last() else {
                return Ok(marked);
            };
            after = Some(last.key.clone());
            for listed in page {
                let entry = match listed.entry {
                    Some(entry) => Some(entry),
                    None => self.0.get(&listed.key).await?,
                };
                let bytes = entry.map(|entry| entry.bytes).unwrap_or_default();
                if let Some(manifest) = bytes.strip_prefix(MANIFEST.as_bytes()) {
                    let manifest: usize = std::str::from_utf8(manifest).unwrap().parse().unwrap();
                    marked.extend(MANIFESTS[manifest].iter().map(|blob| digest(*blob)));
                }
            }
        }
    }
}
