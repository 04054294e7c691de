//! The suites over the stores in directories.

use std::sync::{Arc, Barrier};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use stevedore_core::fs::{FsNames, FsOptions, FsStore};
use stevedore_core::suite::{NamesFixture, StoreFixture};
use stevedore_core::{Clock, Names, Result, Store};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

const GRACE: Duration = Duration::from_secs(3600);

/// How many blocking threads the runtime of a case has.
const THREADS: usize = 4;

struct StoreInDirectory {
    dir: TempDir,
    clock: Clock,
}

struct NamesInDirectory(TempDir);

fn runtime() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder
        .worker_threads(2)
        .max_blocking_threads(THREADS)
        .build()
        .unwrap()
}

impl StoreInDirectory {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            clock: Clock::manual(),
        }
    }
}

#[async_trait]
impl StoreFixture for StoreInDirectory {
    async fn open(&self) -> Result<Arc<dyn Store>> {
        let root = self.dir.path();
        let options = FsOptions::new(root.join("blobs"), root.join("staging"));
        let options = options.with_grace(GRACE).with_clock(self.clock.clone());
        let store = FsStore::new(options);
        #[cfg(not(all(target_os = "linux", not(stevedore_portable))))]
        let store = quiet::QuietStore::new(store, root.join("blobs"));
        Ok(Arc::new(store))
    }

    fn now(&self) -> SystemTime {
        self.clock.now()
    }

    async fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    fn grace(&self) -> Duration {
        GRACE
    }

    async fn settle(&self) {
        settle().await;
    }
}

#[async_trait]
impl NamesFixture for NamesInDirectory {
    async fn open(&self) -> Result<Arc<dyn Names>> {
        let root = self.0.path();
        Ok(Arc::new(FsNames::new(root.join("names"), root.join("staging"))))
    }

    /// Conditions hold within one instance.
    fn side_by_side(&self) -> bool {
        false
    }

    async fn settle(&self) {
        settle().await;
    }
}

/// Waits until every blocking thread has ended what it did: all of them have to meet, and work comes in order.
async fn settle() {
    let barrier = Arc::new(Barrier::new(THREADS));
    let meet = || {
        let barrier = Arc::clone(&barrier);
        tokio::task::spawn_blocking(move || barrier.wait())
    };
    let meetings: Vec<_> = (0..THREADS).map(|_| meet()).collect();
    for meeting in meetings {
        meeting.await.unwrap();
    }
}

/// Reading as on a disk that is mounted without access times. Only on Linux can the store ask for that itself;
/// elsewhere a read may count as a touch.
#[cfg(not(all(target_os = "linux", not(stevedore_portable))))]
mod quiet {
    use std::fs::{File, FileTimes};
    use std::path::PathBuf;
    use std::time::{Duration, SystemTime};

    use async_trait::async_trait;
    use stevedore_core::fs::FsStore;
    use stevedore_core::stream::BoxStream;
    use stevedore_core::{
        Blob, BlobInfo, ByteRange, Digest, IngestKey, IngestPlan, Result, Staging, Store, Takeover,
    };

    #[derive(Debug)]
    pub(super) struct QuietStore {
        store: FsStore,
        blobs: PathBuf,
    }

    impl QuietStore {
        pub(super) fn new(store: FsStore, blobs: PathBuf) -> Self {
            Self { store, blobs }
        }
    }

    #[async_trait]
    impl Store for QuietStore {
        async fn open(&self, digest: &Digest, range: ByteRange) -> Result<Blob> {
            let blob = self.store.open(digest, range).await?;
            let path = self.blobs.join(digest.algorithm().as_str()).join(digest.hex());
            // It may be gone by now, or in a moment.
            let before = path.metadata().and_then(|metadata| metadata.accessed());
            let bytes = blob.into_bytes(u64::MAX).await?;
            if let (Ok(before), Ok(file)) = (before, File::open(&path)) {
                file.set_times(FileTimes::new().set_accessed(before)).unwrap();
            }
            Ok(Blob::from(bytes))
        }

        fn grace(&self) -> Duration {
            self.store.grace()
        }

        async fn stat(&self, digest: &Digest) -> Result<Option<BlobInfo>> {
            self.store.stat(digest).await
        }

        async fn touch(&self, digest: &Digest) -> Result<Option<BlobInfo>> {
            self.store.touch(digest).await
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
}

mod store {
    stevedore_core::store_suite!(super::StoreInDirectory::new(), |case| super::runtime()
        .block_on(case));
}

mod names {
    stevedore_core::names_suite!(super::NamesInDirectory(tempfile::tempdir().unwrap()), |case| {
        super::runtime().block_on(case)
    });
}
