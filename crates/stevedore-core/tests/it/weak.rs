//! The suite over the weakened stores.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use stevedore_core::suite::weak::{Bucket, FsLike, WeakNames, WeakStore, Weather};
use stevedore_core::suite::{NamesFixture, StoreFixture};
use stevedore_core::{Clock, Names, Result, Store};

const GRACE: Duration = Duration::from_secs(3600);

/// A bucket in calm weather; each instance is a process.
struct OverBucket {
    bucket: Arc<Bucket>,
    clock: Clock,
    /// Each process has another.
    seed: AtomicU64,
}

impl OverBucket {
    fn new() -> Self {
        let clock = Clock::manual();
        let weather = Arc::new(Weather::calm());
        let bucket = Bucket::new(clock.clone(), weather, Duration::ZERO);
        Self {
            bucket: Arc::new(bucket),
            clock,
            seed: AtomicU64::new(0),
        }
    }

    fn seed(&self) -> u64 {
        self.seed.fetch_add(1, Ordering::Relaxed)
    }
}

#[async_trait]
impl StoreFixture for OverBucket {
    async fn open(&self) -> Result<Arc<dyn Store>> {
        Ok(Arc::new(WeakStore::new(
            Arc::clone(&self.bucket),
            GRACE,
            self.seed(),
        )))
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

    fn idle_after(&self) -> Duration {
        WeakStore::IDLE
    }

    fn drops_clean(&self) -> bool {
        false
    }
}

#[async_trait]
impl NamesFixture for OverBucket {
    async fn open(&self) -> Result<Arc<dyn Names>> {
        Ok(Arc::new(WeakNames::new(Arc::clone(&self.bucket), self.seed())))
    }
}

/// What a file system guarantees; each instance is the only process.
struct OverFs {
    fs: FsLike,
    clock: Clock,
}

impl OverFs {
    fn new() -> Self {
        let clock = Clock::manual();
        let fs = FsLike::new(clock.clone(), Arc::new(Weather::calm()), GRACE);
        Self { fs, clock }
    }
}

#[async_trait]
impl StoreFixture for OverFs {
    async fn open(&self) -> Result<Arc<dyn Store>> {
        self.fs.cut_power();
        Ok(Arc::new(self.fs.clone()))
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

    fn side_by_side(&self) -> bool {
        false
    }
}

#[async_trait]
impl NamesFixture for OverFs {
    async fn open(&self) -> Result<Arc<dyn Names>> {
        Ok(Arc::new(self.fs.clone()))
    }
}

mod bucket_store {
    stevedore_core::store_suite!(super::OverBucket::new());
}

mod bucket_names {
    stevedore_core::names_suite!(super::OverBucket::new());
}

mod fs_store {
    stevedore_core::store_suite!(super::OverFs::new());
}

mod fs_names {
    stevedore_core::names_suite!(super::OverFs::new());
}
