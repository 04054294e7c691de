//! A blob that is being written into memory.

use std::fmt;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};

use super::store::{MemoryStore, State};
use crate::stream::{next, yield_now};
use crate::{
    Algorithm, Blob, BlobInfo, CHUNK_SIZE, Digest, Error, ErrorKind, Expected, Hasher, Ingest, IngestKey,
    IngestPlan, Result,
};

/// Where something staged lies.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Slot {
    /// Under a key, so that it outlives its holder.
    Keyed(IngestKey),
    /// Without one, by an id of its own.
    Alone(u128),
}

/// Something staged.
pub(super) struct Staged {
    pub(super) plan: IngestPlan,
    bytes: BytesMut,
    /// Has seen just these bytes.
    hasher: Hasher,
    /// The id of whoever holds it now.
    pub(super) holder: Option<u128>,
    /// When it was last held or written.
    pub(super) used: SystemTime,
}

/// The hold on something staged.
pub(super) struct MemoryIngest {
    store: MemoryStore,
    slot: Slot,
    holder: u128,
    plan: IngestPlan,
    /// A copy of the staged one, so that nothing is hashed under the lock.
    hasher: Hasher,
}

impl Staged {
    pub(super) fn new(plan: IngestPlan, now: SystemTime) -> Self {
        Self {
            // Not allocated from the size of the plan, which is a claim.
            bytes: BytesMut::new(),
            hasher: Hasher::new(plan.algorithm),
            plan,
            holder: None,
            used: now,
        }
    }
}

impl MemoryIngest {
    pub(super) fn new(store: MemoryStore, slot: Slot, holder: u128, staged: &Staged) -> Self {
        Self {
            store,
            slot,
            holder,
            plan: staged.plan.clone(),
            hasher: staged.hasher.clone(),
        }
    }

    /// What is staged, as long as it is still held here.
    fn held<'a>(&self, state: &'a mut State) -> Result<&'a mut Staged> {
        state
            .staged
            .get_mut(&self.slot)
            .filter(|staged| staged.holder == Some(self.holder))
            .ok_or_else(|| {
                let message = format!("{} is spent, or somebody took it over", self.slot);
                Error::new(ErrorKind::Conflict, message)
            })
    }

    fn check_held(&self) -> Result<()> {
        self.held(&mut self.store.lock()).map(drop)
    }

    fn stage(&mut self, piece: &[u8]) -> Result<()> {
        let size = self.hasher.len().saturating_add(piece.len() as u64);
        if let Some(planned) = self.plan.size
            && size > planned
        {
            let (expected, actual) = (format!("{planned} bytes"), format!("at least {size} bytes"));
            return Err(Error::mismatch(&self.slot, expected, actual));
        }
        self.hasher.update(piece);
        let mut state = self.store.lock();
        let staged = self.held(&mut state)?;
        staged.bytes.extend_from_slice(piece);
        staged.hasher = self.hasher.clone();
        staged.used = self.store.now();
        Ok(())
    }

    /// The digest of what is staged, read once more where another algorithm ran.
    async fn digest(&self, algorithm: Algorithm) -> Result<Digest> {
        if self.hasher.algorithm() == algorithm {
            return Ok(self.hasher.clone().finish());
        }
        let mut hasher = Hasher::new(algorithm);
        loop {
            let piece = self.read(hasher.len())?;
            if piece.is_empty() {
                return Ok(hasher.finish());
            }
            hasher.update(&piece);
            yield_now().await;
        }
    }

    /// The next piece of what is staged, empty at its end.
    fn read(&self, offset: u64) -> Result<Bytes> {
        let mut state = self.store.lock();
        let bytes = &self.held(&mut state)?.bytes;
        let start = usize::try_from(offset).map_or(bytes.len(), |offset| offset.min(bytes.len()));
        let end = start.saturating_add(CHUNK_SIZE).min(bytes.len());
        Ok(Bytes::copy_from_slice(&bytes[start..end]))
    }

    /// Under which digest what is staged is to be published, or what is wrong with it.
    async fn check(&self, expected: &Expected) -> Result<Digest> {
        let size = self.hasher.len();
        for promised in [expected.size, self.plan.size].into_iter().flatten() {
            if promised != size {
                let (promised, size) = (format!("{promised} bytes"), format!("{size} bytes"));
                return Err(Error::mismatch(&self.slot, promised, size));
            }
        }
        for promised in [expected.digest, self.plan.digest].into_iter().flatten() {
            let actual = self.digest(promised.algorithm()).await?;
            if promised != actual {
                return Err(Error::mismatch(&self.slot, promised, actual));
            }
        }
        match expected.digest.or(self.plan.digest) {
            Some(digest) => Ok(digest),
            None => self.digest(self.plan.algorithm).await,
        }
    }

    fn take(&self, state: &mut State) -> Result<Option<Staged>> {
        self.held(state)?;
        Ok(state.staged.remove(&self.slot))
    }
}

#[async_trait]
impl Ingest for MemoryIngest {
    async fn offset(&mut self) -> Result<u64> {
        self.check_held()?;
        Ok(self.hasher.len())
    }

    async fn append(&mut self, blob: Blob) -> Result<()> {
        self.check_held()?;
        let mut body = blob.into_stream();
        while let Some(chunk) = next(&mut body).await {
            let mut chunk = chunk?;
            while chunk.len() > CHUNK_SIZE {
                self.stage(&chunk.split_to(CHUNK_SIZE))?;
                yield_now().await;
            }
            self.stage(&chunk)?;
        }
        Ok(())
    }

    async fn commit(&mut self, expected: Expected) -> Result<BlobInfo> {
        self.check_held()?;
        let checked = self.check(&expected).await;
        let mut state = self.store.lock();
        match checked {
            Ok(digest) => {
                let bytes = self.take(&mut state)?.map(|staged| staged.bytes);
                Ok(self.store.publish(&mut state, digest, bytes.unwrap_or_default()))
            }
            Err(error) => {
                if error.kind() == ErrorKind::Mismatch {
                    drop(self.take(&mut state)?);
                }
                Err(error)
            }
        }
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        self.take(&mut self.store.lock()).map(drop)
    }
}

impl Drop for MemoryIngest {
    fn drop(&mut self) {
        let mut state = self.store.lock();
        // Not an error: it is spent, or somebody else's by now.
        let Ok(staged) = self.held(&mut state) else { return };
        match self.slot {
            Slot::Keyed(_) => {
                staged.holder = None;
                staged.used = self.store.now();
            }
            Slot::Alone(_) => drop(state.staged.remove(&self.slot)),
        }
    }
}

impl fmt::Debug for MemoryIngest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryIngest")
            .field("slot", &self.slot)
            .field("offset", &self.hasher.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keyed(key) => write!(f, "what is staged under {key}"),
            Self::Alone(_) => f.write_str("what is staged"),
        }
    }
}
