//! A store as a whole: what is published, what is staged, and who holds it within this process.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::SystemTime;

use tokio::sync::Semaphore;

use super::held::Held;
use super::ingest::FsIngest;
use super::locks::Locks;
use super::published::Published;
use super::staged::Staged;
use super::staging::{Acquired, Area};
use crate::{BlobInfo, Clock, IngestKey, IngestPlan, Result, Staging, Takeover};

/// A store: what is published, what is staged, and who holds it.
#[derive(Debug)]
pub(super) struct Keep {
    published: Published,
    area: Area,
    clock: Clock,
    holders: Mutex<HashMap<IngestKey, Weak<Held>>>,
    /// Held while somebody is looking for what is staged under a key.
    acquiring: Locks<IngestKey>,
    /// See [`copies`](Self::copies).
    copies: Semaphore,
}

impl Keep {
    pub(super) fn new(published: Published, area: Area, clock: Clock) -> Self {
        Self {
            published,
            area,
            clock,
            holders: Mutex::default(),
            acquiring: Locks::default(),
            copies: Semaphore::new(std::thread::available_parallelism().map_or(1, NonZeroUsize::get)),
        }
    }

    /// For whoever copies a file, for as long as it does: one for each core, in the order in which they are asked for.
    /// More at once would not be faster, and the largest, begun first, would be the last to end, alone.
    pub(super) fn copies(&self) -> &Semaphore {
        &self.copies
    }

    pub(super) fn published(&self) -> &Published {
        &self.published
    }

    pub(super) fn area(&self) -> &Area {
        &self.area
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Begins without a key. Nothing is written yet.
    pub(super) fn begin(self: &Arc<Self>, plan: IngestPlan) -> FsIngest {
        FsIngest::new(Arc::new(Held::in_memory(self, plan)))
    }

    /// What is staged under a key; with a plan it begins where there is nothing. Blocks.
    pub(super) fn acquire(
        self: &Arc<Self>,
        key: &IngestKey,
        plan: Option<&IngestPlan>,
        takeover: Takeover,
    ) -> Result<Staging> {
        let _alone = self.acquiring.lock(key);
        let holder = self.holders().get(key).and_then(Weak::upgrade);
        if let Some(holder) = holder {
            if takeover == Takeover::IfIdle && holder.is_alive() {
                return Ok(Staging::Busy);
            }
            if let Some(staged) = holder.hand_over() {
                let plan = plan.unwrap_or(holder.plan()).clone();
                return Ok(self.hold(key, plan, staged));
            }
        }
        Ok(match self.area.acquire(key, plan, takeover)? {
            Acquired::Mine(mine) => {
                let (staged, plan) = *mine;
                self.hold(key, plan, staged)
            }
            Acquired::Busy => Staging::Busy,
            Acquired::None => Staging::None,
        })
    }

    /// Deletes a blob that is still as it was seen. Blocks.
    pub(super) fn delete(&self, seen: &BlobInfo) -> Result<bool> {
        // The lives that ended are remembered there.
        self.area.ensure()?;
        self.published.delete(seen)
    }

    /// Removes what was left and not written since a time. Blocks.
    pub(super) fn sweep(&self, idle_since: SystemTime) -> Result<u64> {
        self.area.sweep(idle_since)
    }

    /// Forgets the holder of what is staged under a key, if it is gone and nobody came after it.
    pub(super) fn forget(&self, key: &IngestKey) {
        let mut holders = self.holders();
        if holders.get(key).is_some_and(|holder| holder.strong_count() == 0) {
            holders.remove(key);
        }
    }

    fn hold(self: &Arc<Self>, key: &IngestKey, plan: IngestPlan, staged: Staged) -> Staging {
        let held = Arc::new(Held::in_file(self, plan, staged));
        self.holders().insert(key.clone(), Arc::downgrade(&held));
        Staging::Mine(Box::new(FsIngest::new(held)))
    }

    fn holders(&self) -> MutexGuard<'_, HashMap<IngestKey, Weak<Held>>> {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
