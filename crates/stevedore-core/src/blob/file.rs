//! Bodies as streams: bytes in memory, a range of a file, and the meter around either.

use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;

use super::Meter;
use crate::stream::BoxStream;
use crate::{Error, ErrorKind, Result, sys};

/// How many bytes a chunk of a file has at most: what may be hashed within one poll (128 KiB).
pub const CHUNK_SIZE: usize = 128 * 1024;

/// One chunk, or none where it is empty.
pub(super) struct Once(Option<Bytes>);

impl Once {
    pub(super) fn new(bytes: Bytes) -> Self {
        Self((!bytes.is_empty()).then_some(bytes))
    }
}

impl Stream for Once {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.take().map(Ok))
    }
}

/// A range of a file, read by position.
pub(super) struct Chunks {
    file: Arc<File>,
    path: PathBuf,
    range: Range<u64>,
    spare: Arc<Spare>,
}

/// Buffers whose chunk was dropped. They are read into again: fresh ones would cost a page fault for every 4 KiB, and
/// would not be in the cache.
#[derive(Default)]
struct Spare(Mutex<Vec<Box<[u8]>>>);

/// The first bytes of a buffer that goes back to the spare ones.
struct Lent {
    buffer: Box<[u8]>,
    length: usize,
    spare: Arc<Spare>,
}

impl Chunks {
    pub(super) fn new(file: Arc<File>, path: PathBuf, range: Range<u64>) -> Self {
        Self {
            file,
            path,
            range,
            spare: Arc::default(),
        }
    }

    fn read(&mut self) -> Result<Bytes> {
        let left = self.range.end - self.range.start;
        let length = usize::try_from(left).unwrap_or(CHUNK_SIZE).min(CHUNK_SIZE);
        let mut buffer = self.spare.take(length);
        let count = sys::read_at(&self.file, &mut buffer[..length], self.range.start)
            .map_err(|error| Error::storage(format!("cannot read {}", self.path.display()), error))?;
        if count == 0 {
            let message = format!(
                "{} ended at byte {}, {left} bytes early",
                self.path.display(),
                self.range.start
            );
            return Err(Error::new(ErrorKind::Interrupted, message));
        }
        self.range.start += count as u64;
        Ok(Bytes::from_owner(Lent {
            buffer,
            length: count,
            spare: Arc::clone(&self.spare),
        }))
    }
}

impl Spare {
    /// A buffer of at least so many bytes: of a file's chunks only the last is shorter than the first.
    fn take(&self, length: usize) -> Box<[u8]> {
        let spare = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        spare.unwrap_or_else(|| vec![0; length].into())
    }
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.buffer[..self.length]
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        self.spare
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(buffer);
    }
}

impl Stream for Chunks {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.range.start >= self.range.end {
            return Poll::Ready(None);
        }
        let chunk = self.read();
        if chunk.is_err() {
            // An error is the end.
            self.range.end = self.range.start;
        }
        Poll::Ready(Some(chunk))
    }
}

/// Any stream, with its bytes counted as they are taken.
pub(super) struct Metered {
    stream: BoxStream<Result<Bytes>>,
    meter: Arc<Meter>,
}

impl Metered {
    pub(super) fn new(stream: BoxStream<Result<Bytes>>, meter: Arc<Meter>) -> Self {
        Self { stream, meter }
    }
}

impl Stream for Metered {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = ready!(self.stream.as_mut().poll_next(context));
        if let Some(Ok(chunk)) = &item {
            self.meter.add(chunk.len() as u64);
        }
        Poll::Ready(item)
    }
}
