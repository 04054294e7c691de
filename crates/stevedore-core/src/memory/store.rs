//! Blobs in memory.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;

use super::ids::Ids;
use super::ingest::{MemoryIngest, Slot, Staged};
use crate::stream::{self, BoxStream};
use crate::{
    Blob, BlobInfo, ByteRange, Clock, Digest, Error, ErrorKind, IngestKey, IngestPlan, Life, Result, Staging,
    Store, Takeover, Version,
};

/// Blobs in memory.
///
/// It holds each blob whole: it is meant for tests and for small content.
///
/// ```
/// use stevedore_core::memory::MemoryStore;
/// use stevedore_core::{Algorithm, Blob, ByteRange, Expected, IngestPlan, Staging, Store as _};
///
/// # async fn example() -> stevedore_core::Result<()> {
/// let store = MemoryStore::new();
/// let digest = Algorithm::Sha256.digest(b"hello");
/// let Staging::Mine(mut ingest) = store.ingest(IngestPlan::of(digest)).await? else {
///     unreachable!("the store is empty");
/// };
/// ingest.append(Blob::from("hello")).await?;
/// assert!(store.stat(&digest).await?.is_none());
/// ingest.commit(Expected::digest(digest)).await?;
///
/// let blob = store.open(&digest, ByteRange::of(1..4)).await?;
/// assert_eq!(blob.into_bytes(100).await?, "ell");
/// # Ok(())
/// # }
/// # stevedore_core::suite::block_on(example()).unwrap();
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    shared: Arc<Mutex<State>>,
    clock: Clock,
    grace: Duration,
}

pub(super) struct State {
    pub(super) ids: Ids,
    blobs: HashMap<Digest, Published>,
    pub(super) staged: HashMap<Slot, Staged>,
}

struct Published {
    bytes: Bytes,
    info: BlobInfo,
}

impl MemoryStore {
    /// An empty store on the system's clock, which records every touch.
    pub fn new() -> Self {
        let state = State {
            ids: Ids::new(),
            blobs: HashMap::new(),
            staged: HashMap::new(),
        };
        Self {
            shared: Arc::new(Mutex::new(state)),
            clock: Clock::system(),
            grace: Duration::ZERO,
        }
    }

    /// The same store, which takes the time from this clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The same store, which skips a touch while the time on record is younger than half of this.
    #[must_use]
    pub fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock panics half-way through a change.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// Publishes bytes whose digest this is, or touches those that are published.
    pub(super) fn publish(&self, state: &mut State, digest: Digest, bytes: impl Into<Bytes>) -> BlobInfo {
        let now = self.now();
        if let Some(info) = state.touch(&digest, now, self.grace) {
            return info;
        }
        let bytes = bytes.into();
        let life = Life::new(state.ids.next());
        let info = BlobInfo::new(digest, bytes.len() as u64, life, state.version(), now);
        let published = Published {
            bytes,
            info: info.clone(),
        };
        state.blobs.insert(digest, published);
        info
    }

    /// Hands what lies in a slot to a new holder.
    fn hold(&self, state: &mut State, slot: Slot) -> Option<Staging> {
        let holder = state.ids.next();
        let staged = state.staged.get_mut(&slot)?;
        staged.holder = Some(holder);
        staged.used = self.now();
        let ingest = MemoryIngest::new(self.clone(), slot, holder, staged);
        Some(Staging::Mine(Box::new(ingest)))
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("MemoryStore")
            .field("blobs", &state.blobs.len())
            .field("staged", &state.staged.len())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn stat(&self, digest: &Digest) -> Result<Option<BlobInfo>> {
        let state = self.lock();
        Ok(state.blobs.get(digest).map(|blob| blob.info.clone()))
    }

    async fn touch(&self, digest: &Digest) -> Result<Option<BlobInfo>> {
        Ok(self.lock().touch(digest, self.now(), self.grace))
    }

    fn grace(&self) -> Duration {
        self.grace
    }

    async fn open(&self, digest: &Digest, range: ByteRange) -> Result<Blob> {
        let bytes = self
            .lock()
            .blobs
            .get(digest)
            .map(|blob| blob.bytes.clone())
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("blob {digest} is not in memory")))?;
        let range = range.within(bytes.len() as u64)?;
        // Both ends lie within bytes that are in memory, so both fit.
        let narrow = |end: u64| usize::try_from(end).unwrap_or(bytes.len());
        Ok(Blob::from(bytes.slice(narrow(range.start)..narrow(range.end))))
    }

    fn list(&self) -> BoxStream<Result<BlobInfo>> {
        let blobs: Vec<_> = self
            .lock()
            .blobs
            .values()
            .map(|blob| Ok(blob.info.clone()))
            .collect();
        Box::pin(stream::iter(blobs))
    }

    async fn ingest(&self, plan: IngestPlan) -> Result<Staging> {
        let mut state = self.lock();
        if let Some(digest) = &plan.digest
            && let Some(info) = state.touch(digest, self.now(), self.grace)
        {
            return Ok(Staging::There(info));
        }
        let slot = match &plan.key {
            Some(key) => Slot::Keyed(key.clone()),
            None => Slot::Alone(state.ids.next()),
        };
        match state.staged.get_mut(&slot) {
            Some(staged) if staged.holder.is_some() => return Ok(Staging::Busy),
            Some(staged) => staged.plan = plan,
            None => {
                let staged = Staged::new(plan, self.now());
                state.staged.insert(slot.clone(), staged);
            }
        }
        Ok(self.hold(&mut state, slot).unwrap_or(Staging::Busy))
    }

    async fn resume(&self, key: &IngestKey, takeover: Takeover) -> Result<Staging> {
        let mut state = self.lock();
        let slot = Slot::Keyed(key.clone());
        let held = state.staged.get(&slot).is_some_and(|it| it.holder.is_some());
        if held && takeover == Takeover::IfIdle {
            return Ok(Staging::Busy);
        }
        Ok(self.hold(&mut state, slot).unwrap_or(Staging::None))
    }

    async fn delete(&self, seen: &BlobInfo) -> Result<bool> {
        let mut state = self.lock();
        let same = state
            .blobs
            .get(&seen.digest)
            .is_some_and(|blob| blob.info.life == seen.life && blob.info.version == seen.version);
        if same {
            state.blobs.remove(&seen.digest);
        }
        Ok(same)
    }

    async fn expire(&self, idle_since: SystemTime) -> Result<u64> {
        let mut state = self.lock();
        let before = state.staged.len();
        state
            .staged
            .retain(|_, staged| staged.holder.is_some() || staged.used >= idle_since);
        Ok((before - state.staged.len()) as u64)
    }
}

impl State {
    fn version(&mut self) -> Version {
        Version::new(format!("{:x}", self.ids.next()))
    }

    fn touch(&mut self, digest: &Digest, now: SystemTime, grace: Duration) -> Option<BlobInfo> {
        let touched = self.blobs.get(digest)?.info.touched;
        // A clock that was set back makes nothing older.
        let age = now.duration_since(touched).unwrap_or_default();
        let version = (age >= grace / 2).then(|| self.version());
        let info = &mut self.blobs.get_mut(digest)?.info;
        if let Some(version) = version {
            info.version = version;
            info.touched = now.max(touched);
        }
        Some(info.clone())
    }
}
