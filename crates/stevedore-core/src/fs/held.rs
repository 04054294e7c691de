//! Something staged, held within this process.

use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use bytes::Bytes;

use super::cannot;
use super::keep::Keep;
use super::staged::{BLOCK, Staged};
use crate::{Digest, Error, ErrorKind, Hasher, IngestPlan, Meter, Result, sys};

mod commit;

/// Up to how many bytes without a key stay in memory until the commit, which then is the only blocking call (128
/// KiB: what may be hashed inline).
pub(super) const IN_MEMORY: u64 = crate::CHUNK_SIZE as u64;

/// From which size on a file is worth sharing blocks with (64 KiB).
const WORTH_CLONING: u64 = 64 * 1024;

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

impl Held {
    /// Begins without a key. Nothing is written yet.
    pub(super) fn in_memory(keep: &Arc<Keep>, plan: IngestPlan) -> Self {
        let slot = Slot::Memory {
            hasher: Hasher::new(plan.algorithm),
            chunks: Vec::new(),
        };
        Self::new(keep, plan, slot)
    }

    /// Goes on with a file.
    pub(super) fn in_file(keep: &Arc<Keep>, plan: IngestPlan, staged: Staged) -> Self {
        Self::new(keep, plan, Slot::File(staged))
    }

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

    /// The store that it is staged in.
    pub(super) fn keep(&self) -> &Keep {
        &self.keep
    }

    /// Whether so many more bytes would be kept in memory.
    pub(super) fn keeps(&self, size: u64) -> bool {
        let slot = self.slot.try_lock();
        slot.is_ok_and(|slot| match &*slot {
            Slot::Memory { hasher, .. } => hasher.len().saturating_add(size) <= IN_MEMORY,
            _ => false,
        })
    }

    /// Keeps bytes in memory if these are few and without a key, else gives them back.
    pub(super) fn try_keep(&self, bytes: Bytes) -> Result<Option<Bytes>> {
        let Ok(mut slot) = self.slot.try_lock() else {
            return Ok(Some(bytes));
        };
        match &mut *slot {
            Slot::Memory { hasher, chunks } if hasher.len() + bytes.len() as u64 <= IN_MEMORY => {
                self.check_room(hasher.len(), bytes.len() as u64)?;
                hasher.update(&bytes);
                chunks.push(bytes);
                Ok(None)
            }
            _ => Ok(Some(bytes)),
        }
    }

    /// Writes chunks behind what is staged. Blocks.
    pub(super) fn write(&self, call: u64, chunks: &[Bytes], meter: Option<&Meter>) -> Result<()> {
        self.bring_up(call, None)?;
        for block in chunks.iter().flat_map(|chunk| chunk.chunks(BLOCK)) {
            self.write_block(call, block)?;
            if let Some(meter) = meter {
                meter.add(block.len() as u64);
            }
        }
        Ok(())
    }

    /// Writes a range of a file behind what is staged: by sharing the blocks of a whole one, where that can be,
    /// else in one pass of reading, hashing and writing. Blocks.
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
            let cloned = self.with_file(call, |staged| {
                self.check_room(staged.written(), size)?;
                Ok(staged.take_clone(file, size))
            });
            if cloned? {
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
            self.write_block(call, &buffer[..count])?;
            at += count as u64;
            if let Some(meter) = meter {
                meter.add(count as u64);
            }
        }
        Ok(())
    }

    /// Discards what is staged. Blocks, until an earlier call has seen that it is over.
    pub(super) fn abort(&self) {
        self.discard(&mut self.slot());
    }

    /// The holder is gone: suspends or discards what is staged, now or as soon as a call that still runs has
    /// written its block.
    pub(super) fn leave(&self) {
        self.left.store(true, Ordering::SeqCst);
        self.begin_call();
        if let Ok(mut slot) = self.slot.try_lock() {
            self.let_go(&mut slot);
        }
    }

    /// What was planned.
    pub(super) fn plan(&self) -> &IngestPlan {
        &self.plan
    }

    /// Whether there is a holder, and something that it holds.
    pub(super) fn is_alive(&self) -> bool {
        let slot = self.slot.try_lock();
        let over = slot.is_ok_and(|slot| matches!(*slot, Slot::Taken | Slot::Spent | Slot::Renamed(_)));
        !over && !self.left.load(Ordering::SeqCst)
    }

    /// Hands what is staged to another holder. Waits while a block is being written.
    pub(super) fn hand_over(&self) -> Option<Staged> {
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

    fn write_block(&self, call: u64, block: &[u8]) -> Result<()> {
        self.with_file(call, |staged| {
            self.check_room(staged.written(), block.len() as u64)?;
            staged.write(block)?;
            if self.keep.published().durable() {
                staged.begin_writeback();
            }
            Ok(())
        })
    }

    /// Refuses what goes over the size that was planned: a body may have no end.
    fn check_room(&self, staged: u64, more: u64) -> Result<()> {
        match self.plan.size {
            Some(planned) if staged.saturating_add(more) > planned => {
                let actual = format!("at least {} bytes", staged.saturating_add(more));
                Err(Error::mismatch(
                    "the staged content",
                    format!("{planned} bytes"),
                    actual,
                ))
            }
            _ => Ok(()),
        }
    }

    /// Does one block's work on the file, if the holder's call is still the one that runs.
    fn with_file<T>(&self, call: u64, work: impl FnOnce(&mut Staged) -> Result<T>) -> Result<T> {
        let mut slot = self.slot();
        self.check(call)?;
        if let Slot::Memory { hasher, chunks } = &*slot {
            let mut staged = Staged::new(self.keep.area().temporary()?, hasher.algorithm(), None);
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

    fn check(&self, call: u64) -> Result<()> {
        if self.call.load(Ordering::SeqCst) == call {
            Ok(())
        } else {
            let message = "the call was dropped, and another one follows";
            Err(Error::new(ErrorKind::Interrupted, message))
        }
    }

    fn discard(&self, slot: &mut Slot) {
        if let Slot::File(mut staged) = std::mem::replace(slot, Slot::Spent) {
            staged.discard();
            self.leave_key();
        }
    }

    fn leave_key(&self) {
        if let Some(key) = &self.plan.key {
            self.keep.area().leave(key);
        }
    }

    fn let_go(&self, slot: &mut Slot) {
        match std::mem::replace(slot, Slot::Spent) {
            Slot::File(staged) if self.plan.key.is_some() => staged.suspend(self.keep.clock().now()),
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
            self.keep.forget(key);
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
