//! A blob on its way here, fetched on from where it broke off.

use std::error::Error as _;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderValue, Method, StatusCode, header};
use bytes::Bytes;
use futures_util::stream::unfold;
use stevedore_core::stream::{BoxStream, next};
use stevedore_core::{Blob, ByteRange, Descriptor, Digest, Error as CoreError, ErrorKind};

use super::Repository;
use crate::error::{Error, Result};
use crate::request::{Answer, Call, Identity, pause_before};
use crate::url::Url;

/// A blob of a registry.
struct Remote {
    repository: Repository,
    digest: Digest,
    /// The size of the whole blob.
    size: u64,
    /// Where else it lies, as the URLs of a foreign layer say.
    urls: Vec<String>,
}

/// A blob, or a range of one, that is being fetched.
struct Fetch {
    remote: Arc<Remote>,
    /// The next byte, and the one after the last that is wanted.
    wanted: Range<u64>,
    body: Option<BoxStream<stevedore_core::Result<Bytes>>>,
    /// Bytes at the beginning of the body that nobody wants: the server ignored the range.
    skip: u64,
    /// How often it broke off since it last moved.
    broken: u32,
}

impl Repository {
    /// The bytes of a range of a blob, not hashed.
    pub(super) async fn fetch_blob(
        &self,
        descriptor: &Descriptor,
        range: ByteRange,
    ) -> stevedore_core::Result<Blob> {
        let digest = descriptor.known_digest()?;
        let wanted = match range.within(descriptor.size) {
            Ok(wanted) if wanted.start < wanted.end => wanted,
            // There is nothing to fetch; but what is not there has no ranges, neither empty ones nor wrong ones.
            nothing => {
                let size = self.size_of_blob(&digest).await;
                size.map_err(|error| error.while_doing(format!("cannot read the blob {digest} of {self}")))?;
                return nothing.map(|_| Blob::from(Bytes::new()));
            }
        };
        let length = wanted.end - wanted.start;
        let remote = Remote {
            repository: self.clone(),
            digest,
            size: descriptor.size,
            urls: descriptor.urls.clone(),
        };
        let mut fetch = Fetch {
            remote: Arc::new(remote),
            wanted,
            body: None,
            skip: 0,
            broken: 0,
        };
        // Here, so that what is not there is known at once.
        fetch.open().await?;
        let stream = unfold(Some(fetch), |fetch| async move {
            let mut fetch = fetch?;
            match fetch.next().await {
                Ok(Some(bytes)) => Some((Ok(bytes), Some(fetch))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        });
        Ok(Blob::from_stream(stream, Some(length)))
    }
}

impl Fetch {
    async fn next(&mut self) -> stevedore_core::Result<Option<Bytes>> {
        while self.wanted.start < self.wanted.end {
            let Some(body) = &mut self.body else {
                self.open().await?;
                continue;
            };
            let error = match next(body).await {
                Some(Ok(bytes)) => match self.take(bytes)? {
                    Some(bytes) => return Ok(Some(bytes)),
                    None => continue,
                },
                Some(Err(error)) => error,
                None => CoreError::new(
                    ErrorKind::Interrupted,
                    format!("{} ended too early", self.remote.digest),
                ),
            };
            self.body = None;
            self.broken += 1;
            let policy = &self.remote.repository.client().retry;
            if !error.is_retryable() || self.broken >= policy.attempts {
                return Err(error);
            }
            let wait = pause_before(self.broken, policy);
            self.remote.pause(error, wait).await;
        }
        Ok(None)
    }

    /// What is wanted of a chunk.
    fn take(&mut self, mut bytes: Bytes) -> stevedore_core::Result<Option<Bytes>> {
        let skipped = usize::try_from(self.skip).map_or(bytes.len(), |skip| skip.min(bytes.len()));
        self.skip -= skipped as u64;
        let mut bytes = bytes.split_off(skipped);
        if bytes.is_empty() {
            return Ok(None);
        }
        let left = self.wanted.end - self.wanted.start;
        if bytes.len() as u64 > left {
            if self.wanted.end == self.remote.size {
                let (expected, actual) = (format!("{} bytes", self.remote.size), "more");
                return Err(CoreError::mismatch(self.remote.digest, expected, actual));
            }
            bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        }
        self.wanted.start += bytes.len() as u64;
        self.broken = 0;
        Ok(Some(bytes))
    }

    async fn open(&mut self) -> stevedore_core::Result<()> {
        let (remote, wanted) = (Arc::clone(&self.remote), self.wanted.clone());
        let what = format!("cannot read the blob {} of {}", remote.digest, remote.repository);
        let answer = remote
            .ask(&wanted)
            .await
            .map_err(|error| error.while_doing(&*what))?;
        self.skip = remote
            .check(&answer, wanted.start)
            .map_err(|error| error.context(what))?;
        self.body = Some(answer.into_blob().into_stream());
        Ok(())
    }
}

impl Remote {
    /// Asks the registry, then, if it does not have a foreign layer, its other places.
    async fn ask(&self, wanted: &Range<u64>) -> Result<Answer> {
        let repository = &self.repository;
        let url = repository.url(&format!("blobs/{}", self.digest)).await?;
        let mut answer = repository
            .client()
            .send(&self.ranged(repository.reads(Method::GET, url), wanted))
            .await;
        for url in &self.urls {
            if !answer.as_ref().is_err_and(Error::is_not_found) {
                break;
            }
            let Ok(url) = Url::parse(url) else { continue };
            let mut call = Call::new(Method::GET, url, Identity::Nobody);
            call.reach = repository.host().beyond();
            answer = repository.client().send(&self.ranged(call, wanted)).await;
        }
        answer
    }

    /// Waits before it is fetched on, and says so.
    async fn pause(&self, error: CoreError, wait: Duration) {
        let repository = &self.repository;
        let cause = error.source().and_then(|cause| cause.downcast_ref::<Error>());
        if let Some(cause) = cause {
            return repository.client().pause(cause, wait).await;
        }
        let broken = Error::Interrupted {
            method: "GET".to_owned(),
            url: format!("{repository}/blobs/{}", self.digest),
            source: Box::new(error),
        };
        repository.client().pause(&broken, wait).await;
    }

    fn ranged<'c>(&self, mut call: Call<'c>, wanted: &Range<u64>) -> Call<'c> {
        let Range { start, end } = *wanted;
        if start > 0 || end < self.size {
            let range = format!("bytes={start}-{}", end - 1);
            let range = HeaderValue::from_str(&range).expect("because digits and a dash are visible ASCII");
            call.headers.insert(header::RANGE, range);
        }
        call
    }

    /// Whether the body is the part that was asked for, of a blob of the right size.
    /// Gives how many bytes come before it.
    fn check(&self, answer: &Answer, start: u64) -> stevedore_core::Result<u64> {
        let mismatch = |actual: u64| {
            CoreError::mismatch(
                self.digest,
                format!("{} bytes", self.size),
                format!("{actual} bytes"),
            )
        };
        if answer.status != StatusCode::PARTIAL_CONTENT {
            return match answer.content_length() {
                Some(length) if length != self.size => Err(mismatch(length)),
                // The server ignored the range.
                _ => Ok(start),
            };
        }
        match answer.header_text("content-range").and_then(content_range) {
            Some((_, Some(total))) if total != self.size => Err(mismatch(total)),
            Some((from, _)) if from == start => Ok(0),
            _ => Err(answer
                .unusable("it is another range than the one that was asked for")
                .into()),
        }
    }
}

/// The first byte, and the size of the whole, of a `Content-Range` (RFC 9110, section 14.4).
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    let total = if total == "*" {
        None
    } else {
        Some(total.parse().ok()?)
    };
    Some((start.trim().parse().ok()?, total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_content_ranges() {
        assert_eq!(content_range("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(content_range("bytes 5-9/*"), Some((5, None)));
        for other in ["", "bytes */10", "5-9/10", "bytes x-9/10", "bytes 5-9"] {
            assert_eq!(content_range(other), None, "{other}");
        }
    }
}
