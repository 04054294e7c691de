//! Bodies as streams: bytes in memory, a range of a file, and the meter around either.

use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
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
}

impl Chunks {
    pub(super) fn new(file: Arc<File>, path: PathBuf, range: Range<u64>) -> Self {
        Self { file, path, range }
    }

    fn read(&mut self) -> Result<Bytes> {
        let left = self.range.end - self.range.start;
        let length = usize::try_from(left).unwrap_or(CHUNK_SIZE).min(CHUNK_SIZE);
        let mut buffer = vec![0; length];
        let count = sys::read_at(&self.file, &mut buffer, self.range.start)
            .map_err(|error| Error::storage(format!("cannot read {}", self.path.display()), error))?;
        if count == 0 {
            let message = format!(
                "{} ended at byte {}, {left} bytes early",
                self.path.display(),
                self.range.start
            );
            return Err(Error::new(ErrorKind::Interrupted, message));
        }
        buffer.truncate(count);
        self.range.start += count as u64;
        Ok(buffer.into())
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
