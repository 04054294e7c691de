//! Layouts under the suite for sources and sinks.

use std::sync::{Arc, Barrier};

use async_trait::async_trait;
use stevedore_core::suite::{Ability, TransportFixture};
use stevedore_core::{Digest, Result, Sink, Source};
use stevedore_transport::{Layout, WriteOptions};
use tempfile::TempDir;

/// A layout that every call opens anew, as another process does.
struct OnDisk(TempDir);

impl OnDisk {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    fn open(&self) -> Result<Layout> {
        Layout::create(self.0.path().join("layout"), WriteOptions::default())
    }
}

#[async_trait]
impl TransportFixture for OnDisk {
    async fn sink(&self) -> Result<Arc<dyn Sink>> {
        Ok(Arc::new(self.open()?))
    }

    async fn source(&self) -> Result<Arc<dyn Source>> {
        Ok(Arc::new(self.open()?))
    }

    fn can(&self, ability: Ability) -> bool {
        // A layout mounts from nowhere, and keeps the bytes of what was removed until it is collected: so a document
        // that is put again while it is removed may come back by its bytes alone.
        !matches!(ability, Ability::Mount | Ability::Forget | Ability::Isolation)
    }

    async fn damage(&self, digest: &Digest) -> Result<bool> {
        let path = self
            .0
            .path()
            .join("layout/blobs")
            .join(digest.algorithm().as_str())
            .join(digest.hex());
        let mut bytes = std::fs::read(&path).expect("the blob is there");
        bytes[0] ^= 0x20;
        std::fs::write(&path, bytes).expect("it can be damaged");
        Ok(true)
    }

    async fn settle(&self) {
        settle().await;
    }
}

/// How many blocking threads there are: enough for eight writers, each of whom waits for the index.
const THREADS: usize = 16;

/// Waits until every blocking thread has ended what it did: all of them have to meet, and work comes in order.
async fn settle() {
    let barrier = Arc::new(Barrier::new(THREADS));
    let meet = || {
        let barrier = Arc::clone(&barrier);
        tokio::task::spawn_blocking(move || barrier.wait())
    };
    let meetings: Vec<_> = (0..THREADS).map(|_| meet()).collect();
    for meeting in meetings {
        meeting.await.expect("nobody panics at a barrier");
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(THREADS)
        .enable_time()
        .build()
        .expect("a runtime")
}

stevedore_core::transport_suite!(OnDisk::new(), |case| runtime().block_on(case));
