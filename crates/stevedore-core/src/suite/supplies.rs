//! Supplies for the cases.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use super::body::{broken, chunked};
use super::yielding::slow_stream;
use crate::{Blob, Error, ErrorKind, Result, Supply};

/// A supply that remembers from where it was opened, and whose bodies break where they are told to.
#[derive(Debug)]
pub(super) struct Tape {
    bytes: Bytes,
    /// The offsets in the blob behind which the next bodies break.
    cuts: Mutex<VecDeque<usize>>,
    opened: Mutex<Vec<u64>>,
}

impl Tape {
    pub(super) fn new(bytes: &Bytes) -> Self {
        Self::cut(bytes, &[])
    }

    /// The first body breaks at the first offset, and so on; then they are whole.
    pub(super) fn cut(bytes: &Bytes, cuts: &[usize]) -> Self {
        Self {
            bytes: bytes.clone(),
            cuts: Mutex::new(cuts.iter().copied().collect()),
            opened: Mutex::default(),
        }
    }

    /// From where it was opened, each time.
    pub(super) fn opened(&self) -> Vec<u64> {
        lock(&self.opened).clone()
    }
}

/// How many bytes a chunk has.
const CHUNK: usize = 1000;

#[async_trait]
impl Supply for Tape {
    async fn open(&self, from: u64) -> Result<Blob> {
        lock(&self.opened).push(from);
        let from = usize::try_from(from)
            .ok()
            .filter(|from| *from <= self.bytes.len());
        let from = from.ok_or_else(|| {
            Error::new(
                ErrorKind::OutOfRange,
                "a supply was opened behind the end of its blob",
            )
        })?;
        let cut = lock(&self.cuts).pop_front();
        let blob = match cut {
            Some(cut) => broken(&self.bytes.slice(from..cut.max(from)), CHUNK),
            None => chunked(&self.bytes.slice(from..), CHUNK),
        };
        Ok(Blob::from_stream(slow_stream(blob.into_stream()), None))
    }
}

/// A supply that nobody may open.
#[derive(Debug, Default)]
pub(super) struct Sealed(Mutex<bool>);

impl Sealed {
    pub(super) fn was_opened(&self) -> bool {
        *lock(&self.0)
    }
}

#[async_trait]
impl Supply for Sealed {
    async fn open(&self, _: u64) -> Result<Blob> {
        *lock(&self.0) = true;
        Err(Error::new(ErrorKind::Other, "this supply was not to be opened"))
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
