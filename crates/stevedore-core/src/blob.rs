//! Bytes on their way from a source to a sink.

use std::fmt;
use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;

use crate::stream::{BoxStream, next};
use crate::{Descriptor, Error, ErrorKind, Result};

mod file;
mod verified;

pub use file::CHUNK_SIZE;

/// The content of a blob, or of a range of one, that nobody has hashed yet.
///
/// Whoever writes or sends it hashes it on the way; a reader that has no sink asks for
/// [`verified`](Self::verified). A blob is `Send` and not `Sync`: hold no `&Blob` over an await.
///
/// ```
/// use stevedore_core::{Blob, Body};
///
/// let blob = Blob::from("hello");
/// assert_eq!(blob.size, Some(5));
/// assert!(matches!(blob.body, Body::Bytes(_)));
/// ```
#[non_exhaustive]
pub struct Blob {
    /// How many bytes the body will give, where that is known. A claim until the body has ended.
    pub size: Option<u64>,
    /// Where the bytes come from.
    pub body: Body,
    /// Counts bytes as they are taken, so that showing progress does not turn a file into a stream.
    pub meter: Option<Arc<Meter>>,
}

/// Where the bytes of a [`Blob`] come from.
///
/// A sink that can use a file as such (reflink, `sendfile`) matches on it; every other calls
/// [`Blob::into_stream`].
#[non_exhaustive]
pub enum Body {
    /// Bytes that are in memory anyway.
    Bytes(Bytes),
    /// A range of an open file. The file's own position is neither used nor moved.
    File {
        /// The file, open for reading.
        file: Arc<File>,
        /// Its path, for error messages and for calls that want a name; it may be gone by now.
        path: PathBuf,
        /// The range in bytes.
        range: Range<u64>,
    },
    /// Chunks as they come.
    Stream(BoxStream<Result<Bytes>>),
}

/// A range of bytes, half open; without an end it goes to the end of the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ByteRange {
    /// The first byte.
    pub start: u64,
    /// The byte after the last one, where the range has an end.
    pub end: Option<u64>,
}

/// A count of bytes that grows while they are taken.
#[derive(Debug, Default)]
pub struct Meter(AtomicU64);

impl Blob {
    /// A blob over a body whose size is not known.
    pub fn new(body: Body) -> Self {
        Self {
            size: None,
            body,
            meter: None,
        }
    }

    /// A blob over chunks as they come, with the size in bytes that somebody claimed.
    pub fn from_stream<S>(stream: S, size: Option<u64>) -> Self
    where
        S: Stream<Item = Result<Bytes>> + Send + 'static,
    {
        Self {
            size,
            body: Body::Stream(Box::pin(stream)),
            meter: None,
        }
    }

    /// A blob over a range of an open file.
    pub fn from_file(file: Arc<File>, path: PathBuf, range: Range<u64>) -> Self {
        let size = range.end.saturating_sub(range.start);
        Self {
            size: Some(size),
            body: Body::File { file, path, range },
            meter: None,
        }
    }

    /// The same blob, counted by this meter.
    #[must_use]
    pub fn with_meter(mut self, meter: Arc<Meter>) -> Self {
        self.meter = Some(meter);
        self
    }

    /// The body as chunks, counted by the meter. A file is read in chunks of [`CHUNK_SIZE`], each within one
    /// poll: fine from the page cache; a sink that expects a cold disk reads [`Body::File`] on a blocking
    /// thread.
    pub fn into_stream(self) -> BoxStream<Result<Bytes>> {
        let stream: BoxStream<Result<Bytes>> = match self.body {
            Body::Bytes(bytes) => Box::pin(file::Once::new(bytes)),
            Body::File { file, path, range } => Box::pin(file::Chunks::new(file, path, range)),
            Body::Stream(stream) => stream,
        };
        match self.meter {
            Some(meter) => Box::pin(file::Metered::new(stream, meter)),
            None => stream,
        }
    }

    /// The whole body in memory.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] as soon as more than `limit` bytes came or were claimed; what the body gives.
    pub async fn into_bytes(self, limit: u64) -> Result<Bytes> {
        let too_large = || {
            Error::new(
                ErrorKind::TooLarge,
                format!("the content is larger than {limit} bytes"),
            )
        };
        if self.size.is_some_and(|size| size > limit) {
            return Err(too_large());
        }
        let mut stream = self.into_stream();
        // Nothing is allocated from the claimed size: only what came is kept.
        let mut kept: Option<Bytes> = None;
        let mut rest = BytesMut::new();
        let mut length = 0_u64;
        while let Some(chunk) = next(&mut stream).await {
            let chunk = chunk?;
            length = length.saturating_add(chunk.len() as u64);
            if length > limit {
                return Err(too_large());
            }
            match kept.take() {
                None if rest.is_empty() => kept = Some(chunk),
                first => {
                    rest.extend_from_slice(&first.unwrap_or_default());
                    rest.extend_from_slice(&chunk);
                }
            }
        }
        Ok(kept.unwrap_or_else(|| rest.freeze()))
    }

    /// The same body, which ends in an error of kind [`ErrorKind::Mismatch`] instead of its end when the digest
    /// or the size are not the descriptor's; it also ends there once more bytes came than the descriptor says.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] when the descriptor's digest is of an algorithm that is not known.
    pub fn verified(self, descriptor: &Descriptor) -> Result<Self> {
        let digest = descriptor.known_digest()?;
        let size = descriptor.size;
        let stream = verified::Verified::new(self.into_stream(), digest, size);
        Ok(Self::from_stream(stream, Some(size)))
    }
}

impl Body {
    /// An empty body.
    pub fn empty() -> Self {
        Self::Bytes(Bytes::new())
    }
}

impl ByteRange {
    /// The whole content.
    pub const FULL: Self = Self { start: 0, end: None };

    /// From a byte to the end.
    pub fn from(start: u64) -> Self {
        Self { start, end: None }
    }

    /// The bytes of a half-open range.
    pub fn of(range: Range<u64>) -> Self {
        Self {
            start: range.start,
            end: Some(range.end),
        }
    }

    /// The range within content of `size` bytes. A range may be empty, also at the very end.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] when it starts or ends behind the content, or ends before it starts.
    pub fn within(&self, size: u64) -> Result<Range<u64>> {
        let end = self.end.unwrap_or(size);
        if self.start > end || end > size {
            let message = format!(
                "range {}..{end} lies outside of content of {size} bytes",
                self.start
            );
            return Err(Error::new(ErrorKind::OutOfRange, message));
        }
        Ok(self.start..end)
    }
}

impl Meter {
    /// Adds bytes that were taken.
    pub fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    /// How many bytes were taken so far.
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl<T: Into<Bytes>> From<T> for Blob {
    fn from(bytes: T) -> Self {
        let bytes = bytes.into();
        Self {
            size: Some(bytes.len() as u64),
            body: Body::Bytes(bytes),
            meter: None,
        }
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blob")
            .field("size", &self.size)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::File { path, range, .. } => write!(f, "File({}, {range:?})", path.display()),
            Self::Stream(_) => f.write_str("Stream"),
        }
    }
}
