//! What is staged and held within this process, and by whom.

use std::collections::HashMap;
use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak};
use std::time::SystemTime;

use bytes::Bytes;

use super::cannot;
use super::ingest::FsIngest;
use super::locks::Locks;
use super::published::Published;
use super::staged::{BLOCK, Staged};
use super::staging::{Acquired, Area};
use crate::{
    BlobInfo, Clock, Digest, Error, ErrorKind, Expected, Hasher, IngestKey, IngestPlan, Meter, Result,
    Staging, Takeover, sys,
};

/// Up to how many bytes without a key stay in memory until the commit, which then is the only blocking call (128
/// KiB: what may be hashed inline).
pub(super) const IN_MEMORY: u64 = crate::CHUNK_SIZE as u64;

/// From which size on a file is worth sharing blocks with (64 KiB).
const WORTH_CLONING: u64 = 64 * 1024;

/// A store: what is published, what is staged, and who holds it.
#[derive(Debug)]
pub(super) struct Keep {
    published: Published,
    area: Area,
    clock: Clock,
    holders: Mutex<HashMap<IngestKey, Weak<Held>>>,
    /// Held while somebody is looking for what is staged under a key.
    acquiring: Locks<IngestKey>,
}

/// Something staged, shared by its holder, the calls of it that still run, and whoever wants to take over.
#[derive(Debug)]
pub(super) struct Held {
    keep: Arc<Keep>,
    plan: IngestPlan,
    slot: Mutex<Slot>,
    /// Counts the holder's calls: what an earlier one left running does no more.
    call: AtomicU64,
    /// The holder is gone. Whoever sees that suspends or discards what is staged.
    left: AtomicBool,
}

/// Where staged bytes are.
#[derive(Debug)]
enum Slot {
    /// A few bytes without a key: hashed, and not written yet.
    Memory { hasher: Hasher, chunks: Vec<Bytes> },
    /// A file.
    File(Staged),
    /// Visible under its digest, but the directory could not be synced.
    Renamed(Digest),
    /// Somebody took over.
    Taken,
    /// Committed, or discarded.
    Spent,
}

impl Keep {
    pub(super) fn new(published: Published, area: Area, clock: Clock) -> Self {
        Self {
            published,
            area,
            clock,
            holders: Mutex::default(),
            acquiring: Locks::default(),
        }
    }

    pub(super) fn published(&self) -> &Published {
        &self.published
    }

    pub(super) fn area(&self) -> &Area {
        &self.area
    }

    /// Begins without a key. Nothing is written yet.
    pub(super) fn begin(self: &Arc<Self>, plan: IngestPlan) -> FsIngest {
        let slot = Slot::Memory {
            hasher: Hasher::new(plan.algorithm),
            chunks: Vec::new(),
        };
        FsIngest::new(Arc::new(Held::new(self, plan, slot)))
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
            let alive = !holder.left.load(Ordering::SeqCst) && !holder.is_over();
            if takeover == Takeover::IfIdle && alive {
                return Ok(Staging::Busy);
            }
            if let Some(staged) = holder.hand_over() {
                let plan = plan.unwrap_or(&holder.plan).clone();
                return Ok(self.hold(key, plan, staged));
            }
        }
        Ok(match self.area.acquire(key, plan, takeover)? {
            Acquired::Mine(staged, plan) => self.hold(key, plan, staged),
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

    fn hold(self: &Arc<Self>, key: &IngestKey, plan: IngestPlan, staged: Staged) -> Staging {
        let held = Arc::new(Held::new(self, plan, Slot::File(staged)));
        self.holders().insert(key.clone(), Arc::downgrade(&held));
        Staging::Mine(Box::new(FsIngest::new(held)))
    }

    fn holders(&self) -> MutexGuard<'_, HashMap<IngestKey, Weak<Held>>> {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn new(keep: &Arc<Keep>, plan: IngestPlan, slot: Slot) -> Self {
        Self {
            keep: Arc::clone(keep),
            plan,
            slot: Mutex::new(slot),
            call: AtomicU64::new(0),
            left: AtomicBool::new(false),
        }
    }

    /// Begins a call of the holder, and with it ends all before.
    pub(super) fn begin_call(&self) -> u64 {
        self.call.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// How many bytes are staged; `None` where a call before still has them, so that to wait is to block.
    pub(super) fn try_offset(&self) -> Option<Result<u64>> {
        match self.slot.try_lock() {
            Ok(slot) => Some(slot.offset()),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Poisoned(slot)) => Some(slot.into_inner().offset()),
        }
    }

    /// How many bytes are staged. Blocks.
    pub(super) fn offset(&self) -> Result<u64> {
        self.slot().offset()
    }

    /// Keeps bytes in memory if these are few and without a key, else gives them back.
    pub(super) fn try_keep(&self, bytes: Bytes) -> Option<Bytes> {
        let Ok(mut slot) = self.slot.try_lock() else {
            return Some(bytes);
        };
        match &mut *slot {
            Slot::Memory { hasher, chunks } if hasher.len() + bytes.len() as u64 <= IN_MEMORY => {
                hasher.update(&bytes);
                chunks.push(bytes);
                None
            }
            _ => Some(bytes),
        }
    }

    /// Writes chunks behind what is staged. Blocks.
    pub(super) fn write(&self, call: u64, chunks: &[Bytes], meter: Option<&Meter>) -> Result<()> {
        self.bring_up(call, None)?;
        for block in chunks.iter().flat_map(|chunk| chunk.chunks(BLOCK)) {
            self.with_file(call, |staged| staged.write(block))?;
            if let Some(meter) = meter {
                meter.add(block.len() as u64);
            }
        }
        Ok(())
    }

    /// Writes a range of a file behind what is staged: by sharing the blocks of a whole one, where that can be, else
    /// in one pass of reading, hashing and writing. Blocks.
    pub(super) fn copy(
        &self,
        call: u64,
        file: &File,
        path: &Path,
        range: Range<u64>,
        meter: Option<&Meter>,
    ) -> Result<()> {
        self.bring_up(call, None)?;
        let size = range.end.saturating_sub(range.start);
        if range.start == 0 && size >= WORTH_CLONING && file.metadata().is_ok_and(|it| it.len() == size) {
            // Hashed from the clone, so that what is published is what was hashed.
            if self.with_file(call, |staged| Ok(staged.take_clone(file, size)))? {
                return self.bring_up(call, meter);
            }
        }
        let mut buffer = vec![0; BLOCK.min(usize::try_from(size).unwrap_or(BLOCK))];
        let mut at = range.start;
        while at < range.end {
            let most = usize::try_from(range.end - at).unwrap_or(BLOCK).min(buffer.len());
            let count =
                sys::read_at(file, &mut buffer[..most], at).map_err(|error| cannot("read", path, error))?;
            if count == 0 {
                let message = format!(
                    "{} ended at byte {at}, {} bytes early",
                    path.display(),
                    range.end - at
                );
                return Err(Error::new(ErrorKind::Interrupted, message));
            }
            self.with_file(call, |staged| staged.write(&buffer[..count]))?;
            at += count as u64;
            if let Some(meter) = meter {
                meter.add(count as u64);
            }
        }
        Ok(())
    }

    /// Checks what is staged and publishes it. Blocks.
    pub(super) fn commit(&self, call: u64, expected: Expected) -> Result<BlobInfo> {
        if let Some(digest) = self.renamed(expected) {
            let settled = self.keep.published().settle(&digest);
            return settled.inspect(|_| *self.slot() = Slot::Spent);
        }
        self.bring_up(call, None)?;
        let mut slot = self.slot();
        self.check(call)?;
        let staged = slot.file()?;
        let digest = match self.judge(staged, expected) {
            Err(error) if error.kind() == ErrorKind::Mismatch => {
                self.discard(&mut slot);
                return Err(error);
            }
            judged => judged?,
        };
        let staging = staged.path().to_owned();
        let published = self.publish(staged, &digest);
        if staged.path() != staging {
            staged.discard_side();
            *slot = if published.is_ok() {
                Slot::Spent
            } else {
                Slot::Renamed(digest)
            };
            self.leave_key();
        } else if published.is_ok() {
            // Somebody else published the same.
            self.discard(&mut slot);
        } else if staged.is_taken() {
            *slot = Slot::Taken;
            return Err(taken_over());
        }
        published
    }

    /// Discards what is staged. Blocks, until an earlier call has seen that it is over.
    pub(super) fn abort(&self) {
        self.discard(&mut self.slot());
    }

    /// The holder is gone: suspends or discards what is staged, now or as soon as a call that still runs has written its
    /// block.
    pub(super) fn leave(&self) {
        self.left.store(true, Ordering::SeqCst);
        self.begin_call();
        if let Ok(mut slot) = self.slot.try_lock() {
            self.let_go(&mut slot);
        }
    }

    /// Hands what is staged to another holder. Waits while a block is being written.
    fn hand_over(&self) -> Option<Staged> {
        let mut slot = self.slot();
        match std::mem::replace(&mut *slot, Slot::Taken) {
            Slot::File(staged) => Some(staged),
            other => {
                *slot = other;
                None
            }
        }
    }

    /// Hashes what is written and not hashed yet, and writes what is in memory.
    fn bring_up(&self, call: u64, meter: Option<&Meter>) -> Result<()> {
        self.with_file(call, |_| Ok(()))?;
        let mut buffer = Vec::new();
        loop {
            let count = self.with_file(call, |staged| {
                if buffer.is_empty() && !staged.is_hashed() {
                    buffer.resize(BLOCK, 0);
                }
                staged.catch_up(&mut buffer)
            })?;
            if count == 0 {
                return Ok(());
            }
            if let Some(meter) = meter {
                meter.add(count as u64);
            }
        }
    }

    /// Does one block's work on the file, if the holder's call is still the one that runs.
    fn with_file<T>(&self, call: u64, work: impl FnOnce(&mut Staged) -> Result<T>) -> Result<T> {
        let mut slot = self.slot();
        self.check(call)?;
        if let Slot::Memory { hasher, chunks } = &*slot {
            let mut staged = Staged::new(self.keep.area.temporary()?, hasher.algorithm(), None);
            for chunk in chunks {
                if let Err(error) = staged.write(chunk) {
                    staged.discard();
                    return Err(error);
                }
            }
            *slot = Slot::File(staged);
        }
        let done = work(slot.file()?);
        if self.left.load(Ordering::SeqCst) {
            self.let_go(&mut slot);
        }
        done
    }

    /// The digest of a commit that only lacked the sync of the directory.
    fn renamed(&self, expected: Expected) -> Option<Digest> {
        match *self.slot() {
            Slot::Renamed(digest) if expected.digest.is_none_or(|it| it == digest) => Some(digest),
            _ => None,
        }
    }

    /// Whether nothing is staged here any more.
    fn is_over(&self) -> bool {
        let slot = self.slot.try_lock();
        slot.is_ok_and(|slot| matches!(*slot, Slot::Taken | Slot::Spent | Slot::Renamed(_)))
    }

    fn check(&self, call: u64) -> Result<()> {
        if self.call.load(Ordering::SeqCst) == call {
            Ok(())
        } else {
            let message = "the call was dropped, and another one follows";
            Err(Error::new(ErrorKind::Interrupted, message))
        }
    }

    /// The digest under which the staged bytes are to be published.
    fn judge(&self, staged: &Staged, expected: Expected) -> Result<Digest> {
        let size = staged.written();
        for promised in [self.plan.size, expected.size].into_iter().flatten() {
            if promised != size {
                let (promised, size) = (format!("{promised} bytes"), format!("{size} bytes"));
                return Err(Error::mismatch("the staged content", promised, size));
            }
        }
        let ours = staged.digest();
        for promised in [self.plan.digest, expected.digest].into_iter().flatten() {
            let actual = if promised.algorithm() == ours.algorithm() {
                ours
            } else {
                staged.digest_by(promised.algorithm())?
            };
            if promised != actual {
                return Err(Error::mismatch("the staged content", promised, actual));
            }
        }
        Ok(expected.digest.or(self.plan.digest).unwrap_or(ours))
    }

    fn publish(&self, staged: &mut Staged, digest: &Digest) -> Result<BlobInfo> {
        let published = self.keep.published();
        let size = staged.written();
        let there = published.look(digest)?.is_some_and(|there| there.size == size);
        if !there && staged.is_doubtful() {
            // The system may take for written what it could not write. So everything is written once more.
            let file = self.keep.area.temporary()?;
            let temporary = file.path().to_owned();
            let mut again = Staged::copy_into(staged.file_mut(), file, digest.algorithm())?;
            let info = if again.written() == size && again.digest() == *digest {
                again
                    .sync(published.durable())
                    .and_then(|()| published.publish(again.file_mut(), digest, size))
            } else {
                Err(Error::mismatch(
                    "the staged content, read back,",
                    digest,
                    again.digest(),
                ))
            };
            if again.path() == temporary {
                again.discard();
            }
            return info;
        }
        if !there {
            staged.sync(published.durable())?;
        }
        published.publish(staged.file_mut(), digest, size)
    }

    fn discard(&self, slot: &mut Slot) {
        if let Slot::File(mut staged) = std::mem::replace(slot, Slot::Spent) {
            staged.discard();
            self.leave_key();
        }
    }

    fn leave_key(&self) {
        if let Some(key) = &self.plan.key {
            self.keep.area.leave(key);
        }
    }

    fn let_go(&self, slot: &mut Slot) {
        match std::mem::replace(slot, Slot::Spent) {
            Slot::File(staged) if self.plan.key.is_some() => staged.suspend(self.keep.clock.now()),
            Slot::File(mut staged) => staged.discard(),
            other => *slot = other,
        }
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut slot = std::mem::replace(
            self.slot.get_mut().unwrap_or_else(PoisonError::into_inner),
            Slot::Spent,
        );
        self.let_go(&mut slot);
        if let Some(key) = &self.plan.key {
            let mut holders = self.keep.holders();
            // Not the entry of whoever came next.
            if holders.get(key).is_some_and(|holder| holder.strong_count() == 0) {
                holders.remove(key);
            }
        }
    }
}

impl Slot {
    fn offset(&self) -> Result<u64> {
        match self {
            Self::Memory { hasher, .. } => Ok(hasher.len()),
            Self::File(staged) if staged.is_taken() => Err(taken_over()),
            Self::File(staged) => Ok(staged.written()),
            Self::Taken => Err(taken_over()),
            Self::Spent | Self::Renamed(_) => Err(spent()),
        }
    }

    fn file(&mut self) -> Result<&mut Staged> {
        match self {
            Self::File(staged) => Ok(staged),
            Self::Taken => Err(taken_over()),
            Self::Spent | Self::Renamed(_) | Self::Memory { .. } => Err(spent()),
        }
    }
}

fn taken_over() -> Error {
    let message = "somebody else took over, or removed, what was staged";
    Error::new(ErrorKind::Conflict, message)
}

fn spent() -> Error {
    let message = "what was staged here was committed or discarded";
    Error::new(ErrorKind::Conflict, message)
}
