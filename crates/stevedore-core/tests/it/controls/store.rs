//! A store in memory with one fault.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use stevedore_core::memory::MemoryStore;
use stevedore_core::stream::{self, BoxStream};
use stevedore_core::suite::block_on;
use stevedore_core::{
    Algorithm, Blob, BlobInfo, ByteRange, Digest, Error, ErrorKind, Expected, Ingest, IngestKey, IngestPlan,
    Life, Result, Staging, Store, Takeover, Version,
};

use super::pause;
use super::store_by_fault::Fault;
use super::store_ingest::FaultyIngest;

/// Longer than anything that the cases wait for.
const LATER: Duration = Duration::from_secs(1_000_000);

#[derive(Clone, Debug)]
pub(super) struct FaultyStore {
    pub(super) inner: MemoryStore,
    pub(super) fault: Fault,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Bytes that are visible under a digest although they are not published.
    shown: Mutex<HashMap<Digest, Bytes>>,
    /// Holds that somebody forgot.
    leaked: Mutex<Vec<Box<dyn Ingest>>>,
    keys: Mutex<Vec<IngestKey>>,
}

impl FaultyStore {
    pub(super) fn new(inner: MemoryStore, fault: Fault) -> Self {
        Self {
            inner,
            fault,
            shared: Arc::default(),
        }
    }

    pub(super) fn show(&self, digest: Digest, bytes: &[u8]) {
        let bytes = Bytes::copy_from_slice(bytes);
        self.shared.shown.lock().unwrap().insert(digest, bytes);
    }

    pub(super) fn hide(&self, digest: &Digest) {
        self.shared.shown.lock().unwrap().remove(digest);
    }

    fn shown(&self, digest: &Digest) -> Option<Bytes> {
        self.shared.shown.lock().unwrap().get(digest).cloned()
    }

    /// What the fault makes of what is known.
    pub(super) fn info(&self, mut info: BlobInfo) -> BlobInfo {
        if self.fault == Fault::OneLife {
            info.life = Life::new(1);
        }
        info
    }

    /// Deletes a blob, waits, and publishes it again.
    async fn republish(&self, digest: &Digest) -> Result<()> {
        let Some(info) = self.inner.stat(digest).await? else {
            return Ok(());
        };
        let bytes = self.bytes(digest).await?;
        self.inner.delete(&info).await?;
        pause().await;
        self.publish(*digest, bytes).await.map(drop)
    }

    async fn bytes(&self, digest: &Digest) -> Result<Bytes> {
        let blob = self.inner.open(digest, ByteRange::FULL).await?;
        blob.into_bytes(u64::MAX).await
    }

    pub(super) async fn publish(&self, digest: Digest, bytes: Bytes) -> Result<BlobInfo> {
        match self.inner.ingest(IngestPlan::of(digest)).await? {
            Staging::There(info) => Ok(info),
            Staging::Mine(mut ingest) => {
                ingest.append(Blob::from(bytes)).await?;
                ingest.commit(Expected::digest(digest)).await
            }
            other => panic!("{other:?}"),
        }
    }

    async fn wrap(&self, staging: Staging, plan: IngestPlan, resumed: bool) -> Staging {
        let Staging::Mine(mut ingest) = staging else {
            return staging;
        };
        if self.fault == Fault::HoldLeaks {
            self.shared.leaked.lock().unwrap().push(ingest);
            pause().await;
            ingest = self.shared.leaked.lock().unwrap().pop().unwrap();
        }
        Staging::Mine(Box::new(FaultyIngest::new(ingest, self.clone(), plan, resumed)))
    }
}

#[async_trait]
impl Store for FaultyStore {
    fn grace(&self) -> Duration {
        self.inner.grace()
    }

    async fn stat(&self, digest: &Digest) -> Result<Option<BlobInfo>> {
        if let Some(bytes) = self.shown(digest) {
            let (life, version) = (Life::new(0), Version::new("shown"));
            let size = bytes.len() as u64;
            return Ok(Some(BlobInfo::new(
                *digest,
                size,
                life,
                version,
                SystemTime::UNIX_EPOCH,
            )));
        }
        match self.fault {
            Fault::StatTouches => return self.inner.touch(digest).await,
            Fault::StatOfSha256Only if digest.algorithm() != Algorithm::Sha256 => return Ok(None),
            _ => {}
        }
        Ok(self.inner.stat(digest).await?.map(|info| self.info(info)))
    }

    async fn touch(&self, digest: &Digest) -> Result<Option<BlobInfo>> {
        match self.fault {
            Fault::TouchErrsOnAbsent if self.inner.stat(digest).await?.is_none() => {
                Err(Error::new(ErrorKind::NotFound, "no such blob"))
            }
            Fault::TouchForgetsTime => self.inner.stat(digest).await,
            Fault::TouchRepublishes => {
                self.republish(digest).await?;
                self.inner.stat(digest).await
            }
            _ => Ok(self.inner.touch(digest).await?.map(|info| self.info(info))),
        }
    }

    async fn open(&self, digest: &Digest, mut range: ByteRange) -> Result<Blob> {
        if let Some(bytes) = self.shown(digest) {
            return Ok(Blob::from(bytes));
        }
        let size = self.inner.stat(digest).await?.map_or(0, |info| info.size);
        match self.fault {
            Fault::ClampsRanges => {
                let end = range.end.unwrap_or(size).min(size);
                range = ByteRange::of(range.start.min(end)..end);
            }
            Fault::LosesLastByte if size > 0 => range = ByteRange::of(0..size - 1),
            Fault::OpenMoves => self.republish(digest).await?,
            Fault::OpenEndsEarly => {
                let (store, digest) = (self.inner.clone(), *digest);
                let mut pieces = range.within(size)?;
                return Ok(Blob::from_stream(
                    stream::iter(std::iter::from_fn(move || {
                        let end = (pieces.start + 100).min(pieces.end);
                        let piece = std::mem::replace(&mut pieces.start, end)..end;
                        // Who is gone reads as empty.
                        let blob = block_on(store.open(&digest, ByteRange::of(piece.clone()))).ok()?;
                        (!piece.is_empty()).then(|| block_on(blob.into_bytes(100)))
                    })),
                    None,
                ));
            }
            _ => {}
        }
        let mut blob = self.inner.open(digest, range).await?;
        if self.fault == Fault::ClaimsWholeSize {
            blob.size = Some(size);
        }
        Ok(blob)
    }

    fn list(&self) -> BoxStream<Result<BlobInfo>> {
        let store = self.inner.clone();
        let listed = move || {
            let mut listing = store.list();
            std::iter::from_fn(move || block_on(stream::next(&mut listing)))
        };
        match self.fault {
            Fault::ListForgets => Box::pin(stream::iter(listed().skip(1))),
            Fault::ListIsLive => {
                let mut position = 0;
                Box::pin(stream::iter(std::iter::from_fn(move || {
                    let mut blobs: Vec<_> = listed().map(Result::unwrap).collect();
                    blobs.sort_by_key(|info| info.digest);
                    position += 1;
                    blobs.get(position - 1).cloned().map(Ok)
                })))
            }
            Fault::ListsOtherVersions => Box::pin(stream::iter(listed().map(|info| {
                info.map(|mut info| {
                    info.version = Version::new("another");
                    info
                })
            }))),
            _ => self.inner.list(),
        }
    }

    async fn ingest(&self, plan: IngestPlan) -> Result<Staging> {
        let mut inner = plan.clone();
        match (self.fault, &plan.key, &plan.digest) {
            (Fault::DropDiscards, ..) => inner.key = None,
            (Fault::KeepsUnkeyed, None, _) => {
                let count = self.shared.keys.lock().unwrap().len();
                inner.key = Some(IngestKey::parse(&format!("alone-{count}"))?);
            }
            (Fault::KeysIgnoreCase, Some(key), _) => {
                inner.key = Some(IngestKey::parse(&key.as_str().to_lowercase())?);
            }
            (Fault::ForgetsPlan | Fault::ResumeForgetsPlan, _, digest) => {
                inner.size = None;
                if digest.is_some_and(|digest| block_on(self.inner.stat(&digest)).unwrap().is_none()) {
                    inner.digest = None;
                }
            }
            (Fault::PlanIsAhead, ..) => inner.size = plan.size.map(|size| size.saturating_sub(1)),
            (Fault::Sha256Only, ..) => inner.algorithm = Algorithm::Sha256,
            (Fault::ThereWithoutTouch, _, Some(digest)) => {
                if let Some(info) = self.inner.stat(digest).await? {
                    return Ok(Staging::There(info));
                }
            }
            (Fault::IngestRepublishes, _, Some(digest)) => self.republish(digest).await?,
            (Fault::FirstPlanStays, Some(key), _) => match self.inner.resume(key, Takeover::IfIdle).await? {
                Staging::None => {}
                staging => return Ok(self.wrap(staging, plan, true).await),
            },
            _ => {}
        }
        self.shared.keys.lock().unwrap().extend(inner.key.clone());
        let staging = self.inner.ingest(inner).await?;
        match (staging, &plan.key) {
            (Staging::Busy, Some(key)) if self.fault == Fault::Steals => {
                let staging = self.inner.resume(key, Takeover::Force).await?;
                Ok(self.wrap(staging, plan, true).await)
            }
            (Staging::There(info), _) => Ok(Staging::There(self.info(info))),
            (staging, _) => Ok(self.wrap(staging, plan, false).await),
        }
    }

    async fn resume(&self, key: &IngestKey, mut takeover: Takeover) -> Result<Staging> {
        match self.fault {
            Fault::ForceIsIdle => takeover = Takeover::IfIdle,
            Fault::Steals => takeover = Takeover::Force,
            Fault::ForceNeedsHolder if takeover == Takeover::Force => {
                if let Staging::Mine(_) = self.inner.resume(key, Takeover::IfIdle).await? {
                    return Ok(Staging::None);
                }
            }
            _ => {}
        }
        let plan = IngestPlan::new(Algorithm::Sha256).with_key(key.clone());
        match self.inner.resume(key, takeover).await? {
            Staging::None if self.fault == Fault::ResumeBegins => self.inner.ingest(plan).await,
            staging => Ok(self.wrap(staging, plan, true).await),
        }
    }

    async fn delete(&self, seen: &BlobInfo) -> Result<bool> {
        match self.fault {
            Fault::DeletesAnything | Fault::OneLife => match self.inner.stat(&seen.digest).await? {
                Some(info) if self.fault == Fault::DeletesAnything || info.version == seen.version => {
                    self.inner.delete(&info).await
                }
                _ => Ok(false),
            },
            Fault::DeleteIsRebirth => {
                let found = self.inner.stat(&seen.digest).await?;
                if found.as_ref() != Some(seen) {
                    return Ok(false);
                }
                self.republish(&seen.digest).await?;
                pause().await;
                match self.inner.stat(&seen.digest).await? {
                    Some(info) => self.inner.delete(&info).await,
                    None => Ok(true),
                }
            }
            Fault::DeleteLies => self.inner.delete(seen).await.map(|_| true),
            _ => self.inner.delete(seen).await,
        }
    }

    async fn expire(&self, idle_since: SystemTime) -> Result<u64> {
        match self.fault {
            Fault::ExpiresAll => self.inner.expire(idle_since + LATER).await,
            Fault::ExpiresHeld => {
                let keys = self.shared.keys.lock().unwrap().clone();
                for key in keys {
                    if let Staging::Mine(ingest) = self.inner.resume(&key, Takeover::Force).await? {
                        ingest.abort().await?;
                    }
                }
                self.inner.expire(idle_since).await
            }
            Fault::ExpiresNothing => Ok(0),
            Fault::ExpiresPublished => {
                let mut listing = self.inner.list();
                while let Some(info) = stream::next(&mut listing).await {
                    self.inner.delete(&info?).await?;
                }
                self.inner.expire(idle_since).await
            }
            _ => self.inner.expire(idle_since).await,
        }
    }
}
