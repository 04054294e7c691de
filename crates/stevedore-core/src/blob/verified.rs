//! A body that is hashed while it is read.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;

use crate::stream::BoxStream;
use crate::{Digest, Error, Hasher, Result};

/// Passes chunks on and ends in an error when they were not what the descriptor promised.
pub(super) struct Verified {
    stream: BoxStream<Result<Bytes>>,
    /// Gone once the end, or an error, was given.
    hasher: Option<Hasher>,
    digest: Digest,
    size: u64,
}

impl Verified {
    pub(super) fn new(stream: BoxStream<Result<Bytes>>, digest: Digest, size: u64) -> Self {
        Self {
            stream,
            hasher: Some(Hasher::new(digest.algorithm())),
            digest,
            size,
        }
    }

    fn check(&mut self, chunk: &Bytes) -> Result<()> {
        if let Some(hasher) = &mut self.hasher {
            hasher.update(chunk);
            if hasher.len() > self.size {
                let actual = format!("at least {} bytes", hasher.len());
                self.hasher = None;
                return Err(Error::mismatch(
                    self.digest,
                    format!("{} bytes", self.size),
                    actual,
                ));
            }
        }
        Ok(())
    }

    fn check_end(&mut self) -> Result<()> {
        let Some(hasher) = self.hasher.take() else {
            return Ok(());
        };
        let size = hasher.len();
        if size != self.size {
            let (expected, actual) = (format!("{} bytes", self.size), format!("{size} bytes"));
            return Err(Error::mismatch(self.digest, expected, actual));
        }
        let actual = hasher.finish();
        if actual != self.digest {
            return Err(Error::mismatch("the content", self.digest, actual));
        }
        Ok(())
    }
}

impl Stream for Verified {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.hasher.is_none() {
            return Poll::Ready(None);
        }
        let item = match ready!(self.stream.as_mut().poll_next(context)) {
            Some(Ok(chunk)) => Some(self.check(&chunk).map(|()| chunk)),
            Some(Err(error)) => {
                self.hasher = None;
                Some(Err(error))
            }
            None => self.check_end().err().map(Err),
        };
        Poll::Ready(item)
    }
}
