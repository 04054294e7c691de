//! The suite over repositories in memory, as they are and suspended at every await; and over broken ones, which it must
//! find.

mod broken;
mod repository;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use stevedore_core::memory::{MemoryNames, MemoryStore};
use stevedore_core::stream::BoxStream;
use stevedore_core::suite::{Neighbour, TransportFixture, Yielding};
use stevedore_core::{
    Blob, BlobInfo, ByteRange, Digest, IngestKey, IngestPlan, Names, Repositories, Result, Sink, Source,
    Staging, Store, Takeover,
};

/// A repository in memory. Whatever it is asked for comes over a new set of repositories over the same store, as
/// another process would have it; but what mounts comes over one set.
pub(crate) struct InMemory {
    store: Damaged,
    names: MemoryNames,
    /// Whether everything goes over parts that suspend.
    slow: bool,
    mounting: Repositories,
}

impl InMemory {
    pub(crate) fn new() -> Self {
        Self::over(false)
    }

    fn slow() -> Self {
        Self::over(true)
    }

    fn over(slow: bool) -> Self {
        let (store, names) = (Damaged::default(), MemoryNames::new());
        let mounting = repositories(&store, &names, slow);
        Self {
            store,
            names,
            slow,
            mounting,
        }
    }

    /// The repository, as another process would open it.
    pub(crate) fn open(&self) -> Result<Arc<stevedore_core::Repository>> {
        let repositories = repositories(&self.store, &self.names, self.slow);
        Ok(Arc::new(repositories.open("suite/app")?))
    }
}

fn repositories(store: &Damaged, names: &MemoryNames, slow: bool) -> Repositories {
    let (store, names): (Arc<dyn Store>, Arc<dyn Names>) = (Arc::new(store.clone()), Arc::new(names.clone()));
    if slow {
        Repositories::new(Arc::new(Yielding::new(store)), Arc::new(Yielding::new(names)))
    } else {
        Repositories::new(store, names)
    }
}

#[async_trait]
impl TransportFixture for InMemory {
    async fn sink(&self) -> Result<Arc<dyn Sink>> {
        Ok(Arc::new(self.mounting.open("suite/app")?))
    }

    async fn source(&self) -> Result<Arc<dyn Source>> {
        Ok(self.open()?)
    }

    async fn slow_sink(&self) -> Result<Arc<dyn Sink>> {
        let repositories = repositories(&self.store, &self.names, true);
        Ok(Arc::new(repositories.open("suite/app")?))
    }

    async fn neighbour(&self) -> Result<Option<Neighbour>> {
        let repository = Arc::new(self.mounting.open("suite")?);
        Ok(Some(Neighbour::new(Arc::clone(&repository) as _, repository)))
    }

    async fn damage(&self, digest: &Digest) -> Result<bool> {
        lock(&self.store.damaged).insert(*digest);
        Ok(true)
    }
}

/// A store in memory of which the first byte of some blobs was changed.
#[derive(Clone, Debug, Default)]
struct Damaged {
    store: MemoryStore,
    damaged: Arc<Mutex<HashSet<Digest>>>,
}

#[async_trait]
impl Store for Damaged {
    async fn stat(&self, digest: &Digest) -> Result<Option<BlobInfo>> {
        self.store.stat(digest).await
    }

    async fn touch(&self, digest: &Digest) -> Result<Option<BlobInfo>> {
        self.store.touch(digest).await
    }

    fn grace(&self) -> Duration {
        self.store.grace()
    }

    async fn open(&self, digest: &Digest, range: ByteRange) -> Result<Blob> {
        let blob = self.store.open(digest, range).await?;
        if !lock(&self.damaged).contains(digest) {
            return Ok(blob);
        }
        let mut bytes = blob.into_bytes(u64::MAX).await?.to_vec();
        bytes[0] ^= 0x20;
        Ok(Blob::from(bytes))
    }

    fn list(&self) -> BoxStream<Result<BlobInfo>> {
        self.store.list()
    }

    async fn ingest(&self, plan: IngestPlan) -> Result<Staging> {
        self.store.ingest(plan).await
    }

    async fn resume(&self, key: &IngestKey, takeover: Takeover) -> Result<Staging> {
        self.store.resume(key, takeover).await
    }

    async fn delete(&self, seen: &BlobInfo) -> Result<bool> {
        self.store.delete(seen).await
    }

    async fn expire(&self, idle_since: SystemTime) -> Result<u64> {
        self.store.expire(idle_since).await
    }
}

/// Nothing that holds a lock here panics.
fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

mod memory {
    stevedore_core::transport_suite!(super::InMemory::new());
}

mod suspended {
    stevedore_core::transport_suite!(super::InMemory::slow());
}
