//! What a file system guarantees to one process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;

use super::store::{nanos, time};
use super::weather::{Weather, pause};
use crate::stream::BoxStream;
use crate::{
    Algorithm, Blob, BlobInfo, ByteRange, Clock, Digest, Entry, Error, ErrorKind, IngestKey, IngestPlan, Key,
    Life, Listed, Names, RECORD_LIMIT, Result, Staging, Store, Takeover, Version, When,
};

mod ingest;

use ingest::FsIngest;

/// A [`Store`] and [`Names`] with the guarantees of a file system and nothing more. Clones are one process.
///
/// A rename publishes; the life of a blob is its file's mtime and the time it was touched its atime; conditions hold
/// under a lock a digest. Nothing fails, but all may be dropped at any point, and [`cut_power`](Self::cut_power) undoes
/// what was not synchronised: deletes, and the ends of staged files. After it the grace begins again, and whatever was
/// published before is of [`Life::EARLIER`].
#[derive(Clone, Debug)]
pub struct FsLike(Arc<Process>);

#[derive(Debug)]
struct Process {
    disk: Mutex<Disk>,
    clock: Clock,
    weather: Arc<Weather>,
    grace: Duration,
}

/// Times are in nanoseconds since the epoch.
#[derive(Debug)]
struct Disk {
    started: u128,
    /// The latest stamp: no two are the same, as the clock of a fast machine would have them.
    stamp: u128,
    blobs: BTreeMap<Digest, File>,
    /// Unlinked, and the directory not synchronised since.
    unlinked: BTreeMap<Digest, File>,
    staged: BTreeMap<String, Staged>,
    records: BTreeMap<Key, Entry>,
}

#[derive(Clone, Debug)]
struct File {
    bytes: Bytes,
    mtime: u128,
    atime: u128,
}

#[derive(Debug)]
struct Staged {
    bytes: Vec<u8>,
    touched: u128,
    plan: IngestPlan,
    /// Who has it locked.
    holder: Option<u128>,
}

impl FsLike {
    /// An empty one.
    pub fn new(clock: Clock, weather: Arc<Weather>, grace: Duration) -> Self {
        let now = nanos(clock.now());
        Self(Arc::new(Process {
            disk: Mutex::new(Disk {
                started: now,
                stamp: now,
                blobs: BTreeMap::new(),
                unlinked: BTreeMap::new(),
                staged: BTreeMap::new(),
                records: BTreeMap::new(),
            }),
            clock,
            weather,
            grace,
        }))
    }

    /// Ends the process, undoes some of what the disk had not yet, and starts again. Drop the futures and ingests of
    /// the process after this, without polling them again: what they would have tidied up stays as it is.
    pub fn cut_power(&self) {
        let mut disk = self.lock();
        for (digest, file) in std::mem::take(&mut disk.unlinked) {
            if self.0.weather.strikes(2) {
                disk.blobs.entry(digest).or_insert(file);
            }
        }
        for staged in disk.staged.values_mut() {
            let kept = self.0.weather.pick(staged.bytes.len() + 1);
            staged.bytes.truncate(kept);
            staged.holder = None;
        }
        disk.started = disk.stamp(&self.0.clock);
    }

    /// How many items are staged.
    pub fn staged(&self) -> usize {
        self.lock().staged.len()
    }

    fn lock(&self) -> MutexGuard<'_, Disk> {
        self.0.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One call to the disk, under its lock, with a point before and after it.
    async fn call<T>(&self, f: impl FnOnce(&mut Disk, &Process) -> T + Send) -> T
    where
        T: Send,
    {
        pause().await;
        let answer = f(&mut self.lock(), &self.0);
        pause().await;
        answer
    }

    fn hold(&self, name: String, disk: &mut Disk, plan: Option<IngestPlan>) -> Staging {
        let holder = disk.stamp(&self.0.clock);
        let staged = disk.staged.entry(name.clone()).or_insert_with(|| Staged {
            bytes: Vec::new(),
            touched: holder,
            plan: IngestPlan::new(Algorithm::default()),
            holder: None,
        });
        staged.holder = Some(holder);
        if let Some(plan) = plan {
            staged.plan = plan;
        }
        Staging::Mine(Box::new(FsIngest {
            process: self.clone(),
            name,
            holder,
        }))
    }
}

impl Disk {
    /// A time like no other.
    fn stamp(&mut self, clock: &Clock) -> u128 {
        self.stamp = nanos(clock.now()).max(self.stamp + 1);
        self.stamp
    }

    fn info(&self, digest: &Digest) -> Option<BlobInfo> {
        let file = self.blobs.get(digest)?;
        let life = if file.mtime < self.started {
            Life::EARLIER
        } else {
            Life::new(file.mtime)
        };
        let version = Version::new(format!("{}.{}", file.mtime, file.atime));
        let touched = from_nanos(file.atime.max(self.started));
        Some(BlobInfo::new(
            *digest,
            file.bytes.len() as u64,
            life,
            version,
            touched,
        ))
    }

    fn touch(&mut self, digest: &Digest, process: &Process) -> Option<BlobInfo> {
        let info = self.info(digest)?;
        if info.touched + process.grace / 2 > process.clock.now() {
            return Some(info);
        }
        let stamp = self.stamp(&process.clock);
        if let Some(file) = self.blobs.get_mut(digest) {
            file.atime = stamp;
        }
        self.info(digest)
    }

    fn publish(&mut self, digest: Digest, bytes: Bytes, process: &Process) -> Option<BlobInfo> {
        if !self.blobs.contains_key(&digest) {
            let stamp = self.stamp(&process.clock);
            let (mtime, atime) = (stamp, stamp);
            self.blobs.insert(digest, File { bytes, mtime, atime });
            // The directory is synchronised, and with it an earlier unlink of the same name.
            self.unlinked.remove(&digest);
        }
        self.touch(&digest, process)
    }

    fn condition(&self, key: &Key, when: &When) -> Result<()> {
        let version = self.records.get(key).map(|entry| &entry.version);
        let holds = match when {
            When::Always => true,
            When::Absent => version.is_none(),
            When::Is(wanted) => version == Some(wanted),
        };
        let refused = || {
            Error::new(
                ErrorKind::Conflict,
                format!("{key} is not as it was expected to be"),
            )
        };
        if holds { Ok(()) } else { Err(refused()) }
    }
}

#[async_trait]
impl Store for FsLike {
    async fn stat(&self, digest: &Digest) -> Result<Option<BlobInfo>> {
        Ok(self.call(|disk, _| disk.info(digest)).await)
    }

    async fn touch(&self, digest: &Digest) -> Result<Option<BlobInfo>> {
        Ok(self.call(|disk, process| disk.touch(digest, process)).await)
    }

    fn grace(&self) -> Duration {
        self.0.grace
    }

    async fn open(&self, digest: &Digest, range: ByteRange) -> Result<Blob> {
        let bytes = self
            .call(|disk, _| Some(disk.blobs.get(digest)?.bytes.clone()))
            .await;
        let missing = || Error::new(ErrorKind::NotFound, format!("there is no blob {digest}"));
        let bytes = bytes.ok_or_else(missing)?;
        let range = range.within(bytes.len() as u64)?;
        let start = usize::try_from(range.start).unwrap_or(usize::MAX);
        let end = usize::try_from(range.end).unwrap_or(usize::MAX);
        Ok(Blob::from(bytes.slice(start..end)))
    }

    fn list(&self) -> BoxStream<Result<BlobInfo>> {
        let disk = self.lock();
        let infos: Vec<_> = disk.blobs.keys().filter_map(|digest| disk.info(digest)).collect();
        Box::pin(Listing(infos.into_iter()))
    }

    async fn ingest(&self, plan: IngestPlan) -> Result<Staging> {
        Ok(self
            .call(|disk, process| {
                if let Some(info) = plan.digest.and_then(|digest| disk.touch(&digest, process)) {
                    return Staging::There(info);
                }
                let name = match &plan.key {
                    Some(key) => format!("k/{key}"),
                    None => format!("u/{}", disk.stamp(&process.clock)),
                };
                if disk
                    .staged
                    .get(&name)
                    .is_some_and(|staged| staged.holder.is_some())
                {
                    return Staging::Busy;
                }
                self.hold(name, disk, Some(plan))
            })
            .await)
    }

    async fn resume(&self, key: &IngestKey, takeover: Takeover) -> Result<Staging> {
        Ok(self
            .call(|disk, _| {
                let name = format!("k/{key}");
                match disk.staged.get(&name) {
                    None => Staging::None,
                    Some(staged) if takeover == Takeover::IfIdle && staged.holder.is_some() => Staging::Busy,
                    Some(_) => self.hold(name, disk, None),
                }
            })
            .await)
    }

    async fn delete(&self, seen: &BlobInfo) -> Result<bool> {
        let delete = |disk: &mut Disk, _: &Process| {
            let as_seen = disk
                .info(&seen.digest)
                .is_some_and(|now| now.life == seen.life && now.version == seen.version);
            if as_seen && let Some(file) = disk.blobs.remove(&seen.digest) {
                disk.unlinked.insert(seen.digest, file);
            }
            as_seen
        };
        Ok(self.call(delete).await)
    }

    async fn expire(&self, idle_since: SystemTime) -> Result<u64> {
        let expire = |disk: &mut Disk, _: &Process| {
            let before = disk.staged.len();
            let since = nanos(idle_since);
            disk.staged
                .retain(|_, staged| staged.holder.is_some() || staged.touched >= since);
            before - disk.staged.len()
        };
        Ok(self.call(expire).await as u64)
    }
}

#[async_trait]
impl Names for FsLike {
    async fn get(&self, key: &Key) -> Result<Option<Entry>> {
        Ok(self.call(|disk, _| disk.records.get(key).cloned()).await)
    }

    async fn put(&self, key: &Key, bytes: Bytes, when: When) -> Result<Version> {
        if bytes.len() > RECORD_LIMIT {
            let message = format!("{} bytes are too many for {key}", bytes.len());
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        self.call(|disk, process| {
            disk.condition(key, &when)?;
            let version = Version::new(disk.stamp(&process.clock).to_string());
            disk.records
                .insert(key.clone(), Entry::new(bytes, version.clone()));
            Ok(version)
        })
        .await
    }

    async fn remove(&self, key: &Key, when: When) -> Result<()> {
        self.call(|disk, _| {
            disk.condition(key, &when)?;
            disk.records.remove(key);
            Ok(())
        })
        .await
    }

    async fn list(&self, under: &Key, after: Option<&Key>, limit: usize) -> Result<Vec<Listed>> {
        let list = |disk: &mut Disk, _: &Process| {
            let below = disk
                .records
                .iter()
                .filter(|(key, _)| key.is_below(under) && after.is_none_or(|after| *key > after));
            below
                .take(limit)
                .map(|(key, entry)| Listed::new(key.clone(), Some(entry.clone())))
                .collect()
        };
        Ok(self.call(list).await)
    }
}

/// What was there when the listing began.
struct Listing(std::vec::IntoIter<BlobInfo>);

impl futures_core::Stream for Listing {
    type Item = Result<BlobInfo>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.next().map(Ok))
    }
}

fn from_nanos(nanos: u128) -> SystemTime {
    time(nanos).unwrap_or(SystemTime::UNIX_EPOCH)
}
