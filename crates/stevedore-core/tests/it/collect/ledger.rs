//! What clients were told, and whether it is true.

use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use stevedore_core::collect::peek;
use stevedore_core::{ByteRange, Result};

use super::executor::alone;
use super::world::{
    MANIFESTS, Process, REPOSITORIES, World, content, manifest_bytes, manifest_key, member, tag_key,
};

#[derive(Clone, Default)]
pub(crate) struct Ledger(Arc<Mutex<Book>>);

#[derive(Default)]
struct Book {
    manifests: [[Manifest; MANIFESTS.len()]; REPOSITORIES],
    promises: Vec<Promise>,
    acknowledged: u64,
}

/// What clients were told of a manifest. A delete that is under way, or began while a push was, leaves open whether
/// the manifest is there.
#[derive(Clone, Copy, Default)]
struct Manifest {
    acknowledged: bool,
    deletes_begun: u64,
    deletes_running: u64,
}

struct Promise {
    repository: usize,
    blob: usize,
    until: SystemTime,
    by: &'static str,
}

/// The state of a manifest when a push of it began, or `None` where a delete was under way.
pub(crate) struct Push(Option<u64>);

/// A delete under way; ends when it is dropped, also by a kill.
pub(crate) struct Delete {
    ledger: Ledger,
    place: (usize, usize),
}

impl Ledger {
    pub(crate) fn push_begins(&self, repository: usize, manifest: usize) -> Push {
        let manifest = self.0.lock().unwrap().manifests[repository][manifest];
        Push((manifest.deletes_running == 0).then_some(manifest.deletes_begun))
    }

    pub(crate) fn push_acknowledged(&self, repository: usize, manifest: usize, push: &Push) {
        let mut book = self.0.lock().unwrap();
        let manifest = &mut book.manifests[repository][manifest];
        if push.0 == Some(manifest.deletes_begun) {
            manifest.acknowledged = true;
            book.acknowledged += 1;
        }
    }

    pub(crate) fn delete_begins(&self, repository: usize, manifest: usize) -> Delete {
        let mut book = self.0.lock().unwrap();
        let place = (repository, manifest);
        let manifest = &mut book.manifests[repository][manifest];
        manifest.acknowledged = false;
        manifest.deletes_begun += 1;
        manifest.deletes_running += 1;
        Delete {
            ledger: self.clone(),
            place,
        }
    }

    pub(crate) fn promised(&self, repository: usize, blob: usize, until: SystemTime, by: &'static str) {
        self.0.lock().unwrap().promises.push(Promise {
            repository,
            blob,
            until,
            by,
        });
    }

    pub(crate) fn acknowledged(&self) -> u64 {
        self.0.lock().unwrap().acknowledged
    }

    /// The first thing that clients were told and that is not so.
    pub(crate) fn violation(&self, world: &World, process: &Process) -> Option<String> {
        // The checker itself meets no mishaps.
        let stormy = world.weather.set_stormy(false);
        let mut book = self.0.lock().unwrap();
        let now = world.clock.now();
        book.promises.retain(|promise| promise.until >= now);
        let mut found = None;
        for (repository, manifests) in book.manifests.iter().enumerate() {
            for (manifest, state) in manifests.iter().enumerate() {
                if state.acknowledged && found.is_none() {
                    found = alone(broken_manifest(process, repository, manifest)).unwrap();
                }
            }
        }
        for promise in &book.promises {
            if found.is_none() {
                let broken = alone(broken_blob(process, promise.repository, promise.blob)).unwrap();
                found = broken.map(|broken| format!("{} was promised, but {broken}", promise.by));
            }
        }
        world.weather.set_stormy(stormy);
        found
    }
}

impl Drop for Delete {
    fn drop(&mut self) {
        let (repository, manifest) = self.place;
        let mut book = self.ledger.0.lock().unwrap();
        book.manifests[repository][manifest].deletes_running -= 1;
    }
}

async fn broken_manifest(process: &Process, repository: usize, manifest: usize) -> Result<Option<String>> {
    let what = format!("manifest {manifest} in repository {repository} was acknowledged, but");
    let entry = process.names.get(&manifest_key(repository, manifest)).await?;
    if entry.is_none_or(|entry| entry.bytes != manifest_bytes(manifest)) {
        return Ok(Some(format!("{what} it is not there")));
    }
    let tag = process.names.get(&tag_key(repository, manifest)).await?;
    if tag.is_none() {
        return Ok(Some(format!("{what} its tag is not there")));
    }
    for blob in MANIFESTS[manifest] {
        if let Some(broken) = broken_blob(process, repository, *blob).await? {
            return Ok(Some(format!("{what} {broken}")));
        }
    }
    Ok(None)
}

async fn broken_blob(process: &Process, repository: usize, blob: usize) -> Result<Option<String>> {
    let what = format!("blob {blob} in repository {repository}");
    let member = member(repository, blob);
    if process.store.stat(&member.digest).await?.is_none() {
        return Ok(Some(format!("{what} is gone")));
    }
    if peek(&*process.store, &*process.names, &member).await?.is_none() {
        return Ok(Some(format!("{what} is of another life than its membership")));
    }
    let bytes = match process.store.open(&member.digest, ByteRange::FULL).await {
        Ok(opened) => opened.into_bytes(1 << 10).await?,
        Err(error) => return Ok(Some(format!("{what} cannot be read: {error}"))),
    };
    Ok((bytes != content(blob)).then(|| format!("{what} has other bytes")))
}
