//! The suite over the stores in memory.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use stevedore_core::memory::{MemoryNames, MemoryStore};
use stevedore_core::suite::{NamesFixture, StoreFixture};
use stevedore_core::{Clock, Names, Result, Store};

const GRACE: Duration = Duration::from_secs(3600);

pub(crate) struct StoreInMemory {
    pub(crate) store: MemoryStore,
    pub(crate) clock: Clock,
}

impl StoreInMemory {
    pub(crate) fn new() -> Self {
        let clock = Clock::manual();
        let store = MemoryStore::new().with_clock(clock.clone()).with_grace(GRACE);
        Self { store, clock }
    }
}

#[async_trait]
impl StoreFixture for StoreInMemory {
    async fn open(&self) -> Result<Arc<dyn Store>> {
        Ok(Arc::new(self.store.clone()))
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
}

struct NamesInMemory(MemoryNames);

#[async_trait]
impl NamesFixture for NamesInMemory {
    async fn open(&self) -> Result<Arc<dyn Names>> {
        Ok(Arc::new(self.0.clone()))
    }
}

mod store {
    stevedore_core::store_suite!(super::StoreInMemory::new());
}

mod names {
    stevedore_core::names_suite!(super::NamesInMemory(super::MemoryNames::new()));
}
