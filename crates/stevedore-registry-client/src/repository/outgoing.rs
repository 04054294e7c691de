//! The bytes of a blob that is sent, hashed on their way.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use stevedore_core::stream::{BoxStream, next};
use stevedore_core::{Blob, Digest, Error as CoreError, ErrorKind, Hasher, Supply};

use crate::request::Reopen;

/// A blob that is to be sent.
pub(super) struct Outgoing<'a> {
    pub(super) digest: Digest,
    pub(super) size: u64,
    pub(super) supply: &'a dyn Supply,
}

impl Outgoing<'_> {
    /// All of it, hashed; `limit` bytes at most.
    pub(super) async fn read(&self, limit: u64) -> stevedore_core::Result<Bytes> {
        let bytes = self.supply.open(0).await?.into_bytes(limit).await?;
        if bytes.len() as u64 != self.size {
            let (expected, actual) = (format!("{} bytes", self.size), format!("{} bytes", bytes.len()));
            return Err(CoreError::mismatch(self.digest, expected, actual));
        }
        let mut hasher = Hasher::new(self.digest.algorithm());
        hasher.update(&bytes);
        fits(hasher, self.digest)?;
        Ok(bytes)
    }

    /// The hash of what comes before an offset. It costs a second read of that, and only a blob that broke off pays.
    pub(super) async fn hash_up_to(&self, end: u64) -> stevedore_core::Result<Hasher> {
        let mut hasher = Hasher::new(self.digest.algorithm());
        if end == 0 {
            return Ok(hasher);
        }
        let mut stream = self.supply.open(0).await?.into_stream();
        while hasher.len() < end {
            let Some(chunk) = next(&mut stream).await else {
                return Err(CoreError::mismatch(
                    self.digest,
                    format!("{} bytes", self.size),
                    "less",
                ));
            };
            let chunk = chunk?;
            let left = usize::try_from(end - hasher.len()).unwrap_or(usize::MAX);
            hasher.update(&chunk[..chunk.len().min(left)]);
        }
        Ok(hasher)
    }
}

/// The rest of a blob, which ends in an error instead of its last bytes if the hash of all does not fit.
pub(super) struct Rest<'a> {
    pub(super) blob: &'a Outgoing<'a>,
    pub(super) from: u64,
    pub(super) hasher: Hasher,
}

impl Rest<'_> {
    pub(super) fn hasher_fits(&self) -> stevedore_core::Result<()> {
        fits(self.hasher.clone(), self.blob.digest)
    }
}

#[async_trait]
impl Reopen for Rest<'_> {
    async fn open(&self) -> stevedore_core::Result<Blob> {
        let left = self.blob.size - self.from;
        let stream = self.blob.supply.open(self.from).await?.into_stream();
        let checked = Checked {
            stream,
            hasher: Some(self.hasher.clone()),
            left,
            digest: self.blob.digest,
        };
        Ok(Blob::from_stream(checked, Some(left)))
    }
}

/// Bytes in memory.
pub(super) struct Whole(pub(super) Bytes);

#[async_trait]
impl Reopen for Whole {
    async fn open(&self) -> stevedore_core::Result<Blob> {
        Ok(Blob::from(self.0.clone()))
    }
}

struct Checked {
    stream: BoxStream<stevedore_core::Result<Bytes>>,
    hasher: Option<Hasher>,
    left: u64,
    digest: Digest,
}

impl Stream for Checked {
    type Item = stevedore_core::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let Some(hasher) = &mut this.hasher else {
            return Poll::Ready(None);
        };
        let Some(bytes) = ready!(this.stream.as_mut().poll_next(context)).transpose()? else {
            this.hasher = None;
            return Poll::Ready(None);
        };
        hasher.update(&bytes);
        match this.left.checked_sub(bytes.len() as u64) {
            Some(0) => {
                let hasher = this
                    .hasher
                    .take()
                    .unwrap_or_else(|| Hasher::new(this.digest.algorithm()));
                this.left = 0;
                Poll::Ready(Some(fits(hasher, this.digest).map(|()| bytes)))
            }
            Some(left) => {
                this.left = left;
                Poll::Ready(Some(Ok(bytes)))
            }
            None => {
                this.hasher = None;
                Poll::Ready(Some(Err(CoreError::mismatch(
                    this.digest,
                    "the size of its descriptor",
                    "more",
                ))))
            }
        }
    }
}

pub(super) fn fits(hasher: Hasher, digest: Digest) -> stevedore_core::Result<()> {
    let actual = hasher.finish();
    if actual == digest {
        Ok(())
    } else {
        Err(CoreError::mismatch("the blob", digest, actual))
    }
}

/// Exactly so many bytes of a stream; what comes beyond them is kept for the next time.
pub(super) async fn gather(
    stream: &mut BoxStream<stevedore_core::Result<Bytes>>,
    rest: &mut Bytes,
    wanted: u64,
) -> stevedore_core::Result<Bytes> {
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    let mut bytes = BytesMut::new();
    loop {
        let take = rest.len().min(wanted - bytes.len());
        bytes.extend_from_slice(&rest.split_to(take));
        if bytes.len() == wanted {
            return Ok(bytes.freeze());
        }
        match next(stream).await {
            Some(chunk) => *rest = chunk?,
            None => {
                return Err(CoreError::new(
                    ErrorKind::Mismatch,
                    "the content is shorter than was promised",
                ));
            }
        }
    }
}
