//! Blobs over the weakened object store.
//!
//! - `r/<digest>`: the record of a digest, live or gone, with its life, when it was touched, and a nonce. Changed on
//!   the tag that was read, never removed.
//! - `b/<digest>/<life>`: the bytes of one life.
//! - `s/…` and `p/…`: what is staged, see the module `session`.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use super::bucket::{Bucket, Failure, Request, no_answer};
use super::record::{Refusal, delete, put_if, version};
use super::session;
use super::weather::Nonces;
use crate::stream::BoxStream;
use crate::{
    Blob, BlobInfo, ByteRange, Clock, Digest, Error, ErrorKind, IngestKey, IngestPlan, Life, Result, Staging,
    Store, Takeover,
};

mod expire;
mod listing;
mod state;

use state::Record;
pub(super) use state::{nanos, time};

/// A [`Store`] over a [`Bucket`], as one process sees it.
///
/// A living holder in the same process is known; one in another process counts as living for as long as it wrote
/// within [`WeakStore::IDLE`].
#[derive(Clone, Debug)]
pub struct WeakStore(Arc<Process>);

/// What the holders of ingests share with their store.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) bucket: Arc<Bucket>,
    pub(super) nonces: Nonces,
    /// Makes the ids of holders in this process known from others.
    id: u64,
    /// The holders in this process that are alive.
    holders: Mutex<HashSet<u128>>,
    grace: Duration,
    fault: Option<Fault>,
}

/// A step of the protocol left out, so that a test of the protocol can show that it would find it missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Bytes that no record names are deleted at once, without a fence.
    NoFence,
    /// A push over a record that is going takes up its life again, instead of beginning one.
    ReuseLife,
    /// A delete asks for the version now instead of the one seen.
    DeleteAnyVersion,
    /// A touch renews nothing.
    NoTouch,
}

/// Somebody of this process who holds a session, or is about to.
#[derive(Debug)]
pub(super) struct Holder {
    pub(super) id: u128,
    process: Arc<Process>,
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.process.holders().remove(&self.id);
    }
}

/// How often something that lost against others begins again.
const ATTEMPTS: usize = 64;

/// Objects asked for in one list.
const PAGE: usize = 100;

impl WeakStore {
    /// How long a holder in another process is taken for a living one after it last wrote.
    pub const IDLE: Duration = Duration::from_secs(60);

    /// The store in a bucket. All processes have the same grace and each has another seed.
    pub fn new(bucket: Arc<Bucket>, grace: Duration, seed: u64) -> Self {
        let nonces = Nonces::new(seed);
        let id = u64::try_from(nonces.next() >> 64).unwrap_or_default();
        Self(Arc::new(Process {
            bucket,
            nonces,
            id,
            holders: Mutex::default(),
            grace,
            fault: None,
        }))
    }

    /// The same store with a fault.
    #[must_use]
    pub fn with_fault(self, fault: Fault) -> Self {
        let process = &self.0;
        Self(Arc::new(Process {
            bucket: Arc::clone(&process.bucket),
            nonces: Nonces::new(u64::try_from(process.nonces.next() >> 64).unwrap_or_default()),
            id: process.id,
            holders: Mutex::default(),
            grace: process.grace,
            fault: Some(fault),
        }))
    }
}

impl Process {
    pub(super) fn clock(&self) -> &Clock {
        self.bucket.clock()
    }

    /// A holder of this process, which is alive until it is dropped.
    pub(super) fn holder(self: &Arc<Self>) -> Holder {
        let id = (u128::from(self.id) << 64) | (self.nonces.next() >> 64);
        self.holders().insert(id);
        Holder {
            id,
            process: Arc::clone(self),
        }
    }

    /// Whether a holder is of this process; then whether it is alive.
    pub(super) fn knows(&self, holder: u128) -> Option<bool> {
        (holder >> 64 == u128::from(self.id)).then(|| self.holders().contains(&holder))
    }

    fn holders(&self) -> MutexGuard<'_, HashSet<u128>> {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read(&self, digest: &Digest) -> Result<Option<(Record, u64)>> {
        let object = self.bucket.get(&record_key(digest)).await?;
        object.map(|object| Record::parse(digest, &object)).transpose()
    }

    /// Writes the record of a digest on the tag that was read.
    async fn write(&self, digest: &Digest, seen: Option<u64>, record: Record) -> Result<u64, Refusal> {
        let body = record.body(self.nonces.next());
        put_if(&self.bucket, &record_key(digest), seen, body).await
    }

    async fn stat(&self, digest: &Digest) -> Result<Option<BlobInfo>> {
        let record = self.read(digest).await?;
        Ok(record.and_then(|(record, tag)| record.info(digest, tag)))
    }

    pub(super) async fn touch(&self, digest: &Digest) -> Result<Option<BlobInfo>> {
        for _ in 0..ATTEMPTS {
            // The time is taken before the record is read: what is written below, however late, says that the
            // blob was wanted then, which is true.
            let now = self.clock().now();
            let Some((record, tag)) = self.read(digest).await? else {
                return Ok(None);
            };
            let Record::Live { life, size, touched } = record else {
                return Ok(None);
            };
            if touched + self.grace / 2 > now || self.fault == Some(Fault::NoTouch) {
                return Ok(record.info(digest, tag));
            }
            let renewed = Record::Live {
                life,
                size,
                touched: now,
            };
            match self.write(digest, Some(tag), renewed).await {
                Ok(tag) => return Ok(renewed.info(digest, tag)),
                Err(Refusal::Changed) => {}
                Err(Refusal::Failed(error)) => return Err(error),
            }
        }
        Err(contended(digest))
    }

    /// Makes parts, which have this digest and size, a blob.
    pub(super) async fn publish(&self, digest: &Digest, size: u64, parts: &[String]) -> Result<BlobInfo> {
        for _ in 0..ATTEMPTS {
            // The record is read before the bytes of a new life come to be. A sweeper that finds these bytes in
            // nobody's name writes the record again before it deletes them, which is after this read: so the put
            // below fails, and the bytes are not missed.
            let now = self.clock().now();
            let seen = self.read(digest).await?;
            if let Some((Record::Live { .. }, _)) = seen {
                match self.touch(digest).await? {
                    Some(info) => return Ok(info),
                    None => continue,
                }
            }
            // A new life, never the one of a record that is gone: whoever took that one may yet delete its bytes.
            let life = match seen {
                Some((Record::Gone { life }, _)) if self.fault == Some(Fault::ReuseLife) => life,
                _ => Life::new(self.nonces.next()),
            };
            self.compose(digest, life, parts).await?;
            let record = Record::Live {
                life,
                size,
                touched: now,
            };
            match self.write(digest, seen.map(|(_, tag)| tag), record).await {
                Ok(tag) => return Ok(BlobInfo::new(*digest, size, life, version(tag), now)),
                Err(Refusal::Failed(error)) => return Err(error),
                Err(Refusal::Changed) => {}
            }
            // The write may have taken effect, its answer lost, and somebody have touched the record since. Lives
            // are not shared, so a record that names ours is ours. Else ours can never be named any more, for the
            // state that our put was conditional on is over; the bytes are nobody's.
            match self.stat(digest).await? {
                Some(info) if info.life == life => return Ok(info),
                _ => delete(&self.bucket, bytes_key(digest, life)).await?,
            }
        }
        Err(contended(digest))
    }

    async fn compose(&self, digest: &Digest, life: Life, parts: &[String]) -> Result<()> {
        let key = bytes_key(digest, life);
        let request = Request::Compose {
            key: key.clone(),
            parts: parts.to_vec(),
        };
        match self.bucket.repeat(request).await {
            Ok(()) => Ok(()),
            Err(Failure::NoPart) => {
                let message = format!("what was staged of {digest} has expired");
                Err(Error::new(ErrorKind::Conflict, message))
            }
            Err(Failure::NoAnswer | Failure::Precondition) => Err(no_answer(&key)),
        }
    }

    async fn open(&self, digest: &Digest, range: ByteRange) -> Result<Blob> {
        let mut before = None;
        for _ in 0..ATTEMPTS {
            let Some(info) = self.stat(digest).await? else {
                let message = format!("there is no blob {digest}");
                return Err(Error::new(ErrorKind::NotFound, message));
            };
            let range = range.within(info.size)?;
            if let Some(object) = self.bucket.get(&bytes_key(digest, info.life)).await? {
                let range = usize::try_from(range.start)
                    .ok()
                    .zip(usize::try_from(range.end).ok());
                let bytes = range.filter(|(_, end)| *end <= object.body.len());
                return match bytes {
                    Some((start, end)) => Ok(Blob::from(object.body.slice(start..end))),
                    None => Err(lost(digest)),
                };
            }
            // Deleted between the two reads, or, where the life is still on record, lost.
            if before.replace(info.life) == Some(info.life) {
                return Err(lost(digest));
            }
        }
        Err(contended(digest))
    }

    async fn delete(&self, seen: &BlobInfo) -> Result<bool> {
        let digest = &seen.digest;
        let Some((Record::Live { life, .. }, tag)) = self.read(digest).await? else {
            return Ok(false);
        };
        let as_seen = life == seen.life && version(tag) == seen.version;
        if !as_seen && self.fault != Some(Fault::DeleteAnyVersion) {
            return Ok(false);
        }
        // The record first: from here on nobody is told that the blob is there, and the bytes belong to us. Left
        // lying by a crash, they are found by `expire`.
        match self.write(digest, Some(tag), Record::Gone { life }).await {
            Ok(_) => {}
            Err(Refusal::Changed) => return Ok(false),
            Err(Refusal::Failed(error)) => return Err(error),
        }
        delete(&self.bucket, bytes_key(digest, life)).await?;
        Ok(true)
    }
}

#[async_trait]
impl Store for WeakStore {
    async fn stat(&self, digest: &Digest) -> Result<Option<BlobInfo>> {
        self.0.stat(digest).await
    }

    async fn touch(&self, digest: &Digest) -> Result<Option<BlobInfo>> {
        self.0.touch(digest).await
    }

    fn grace(&self) -> Duration {
        self.0.grace
    }

    async fn open(&self, digest: &Digest, range: ByteRange) -> Result<Blob> {
        self.0.open(digest, range).await
    }

    fn list(&self) -> BoxStream<Result<BlobInfo>> {
        Box::pin(listing::Listing::new(Arc::clone(&self.0.bucket)))
    }

    async fn ingest(&self, plan: IngestPlan) -> Result<Staging> {
        if let Some(digest) = &plan.digest
            && let Some(info) = self.0.touch(digest).await?
        {
            return Ok(Staging::There(info));
        }
        session::begin(&self.0, plan).await
    }

    async fn resume(&self, key: &IngestKey, takeover: Takeover) -> Result<Staging> {
        session::resume(&self.0, key, takeover).await
    }

    async fn delete(&self, seen: &BlobInfo) -> Result<bool> {
        self.0.delete(seen).await
    }

    async fn expire(&self, idle_since: SystemTime) -> Result<u64> {
        Ok(session::expire(&self.0, idle_since).await? + self.0.expire_bytes(idle_since).await?)
    }
}

const RECORDS: &str = "r/";
const BYTES: &str = "b/";

fn record_key(digest: &Digest) -> String {
    format!("{RECORDS}{digest}")
}

fn bytes_key(digest: &Digest, life: Life) -> String {
    format!("{BYTES}{digest}/{life}")
}

fn contended(digest: &Digest) -> Error {
    Error::new(ErrorKind::Conflict, format!("others keep changing {digest}"))
}

fn lost(digest: &Digest) -> Error {
    Error::new(ErrorKind::Storage, format!("the bytes of {digest} are lost"))
}
