//! An image that may be read in several places.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::unfold;
use stevedore_core::stream::BoxStream;
use stevedore_core::{
    Blob, ByteRange, Descriptor, Digest, Document, Error, Named, Place, ReferrerFilter, Result, Selector,
    Source, stream,
};

use crate::repository::Repository;

/// A repository and its mirrors, in the order in which they are tried; the repository itself is the last one.
///
/// The first one that has the document that is asked for first is the one that everything is read from. Where it lacks
/// something later, breaks off, or cannot be reached any more, the ones behind it are asked; the order of those before it is not
/// gone back to. Names are those of the repository itself. Referrers are those of the first one that knows any: a
/// mirror without them says nothing about the repository, and leaving out signatures in silence would.
#[derive(Clone, Debug)]
pub(crate) struct Mirrors {
    /// Never empty.
    places: Arc<[Repository]>,
    /// The place that was decided for, or [`UNDECIDED`]. Never past the last one.
    decided: Arc<AtomicUsize>,
}

const UNDECIDED: usize = usize::MAX;

/// Asks one place after the other, as long as an error is no reason to stop. Gives the answer, and whose it is.
macro_rules! ask {
    ($mirrors:expr, $first:expr, |$place:ident| $answer:expr) => {{
        let mirrors = $mirrors;
        let mut failures = Vec::new();
        let is_undecided = mirrors.decided.load(Ordering::Relaxed) == UNDECIDED;
        let last = mirrors.places.len() - 1;
        let mut index = $first;
        loop {
            let $place = &mirrors.places[index];
            match $answer {
                Ok(answer) => {
                    mirrors.decide(index, &failures);
                    break Ok((index, answer));
                }
                Err(error) if index < last && (is_undecided || may_be_elsewhere(&error)) => {
                    failures.push(error);
                    index += 1;
                }
                Err(error) => break Err(beside(error, &failures)),
            }
        }
    }};
}

/// A blob on its way.
struct Reading {
    mirrors: Mirrors,
    descriptor: Descriptor,
    /// What is still to come.
    range: ByteRange,
    /// Where it comes from.
    index: usize,
    body: BoxStream<Result<Bytes>>,
}

impl Mirrors {
    /// A repository and its mirrors.
    pub(crate) fn new(mut mirrors: Vec<Repository>, repository: Repository) -> Self {
        mirrors.push(repository);
        Self {
            places: mirrors.into(),
            decided: Arc::new(AtomicUsize::new(UNDECIDED)),
        }
    }

    /// The place that is asked first.
    fn first(&self) -> usize {
        let decided = self.decided.load(Ordering::Relaxed);
        if decided == UNDECIDED { 0 } else { decided }
    }

    /// Opens a blob at a place, or at one behind it.
    async fn open(&self, first: usize, descriptor: &Descriptor, range: ByteRange) -> Result<(usize, Blob)> {
        ask!(self, first, |place| place.blob(descriptor, range).await)
    }

    /// Goes on with a place that answered, after these failures of the ones before it.
    fn decide(&self, index: usize, failures: &[Error]) {
        let undecided = self
            .decided
            .compare_exchange(UNDECIDED, index, Ordering::Relaxed, Ordering::Relaxed);
        // One that lacks a blob may have the next; one that is gone would be waited for with every blob.
        if let Err(earlier) = undecided
            && earlier < index
            && failures.iter().all(|failure| !failure.is_not_found())
        {
            self.decided.fetch_max(index, Ordering::Relaxed);
        }
    }

    /// The repository itself.
    fn repository(&self) -> &Repository {
        &self.places[self.places.len() - 1]
    }

    async fn all_referrers(self, subject: Digest, filter: ReferrerFilter) -> Result<Vec<Descriptor>> {
        let mut last = Ok(Vec::new());
        for place in self.places.iter().skip(self.first()) {
            let listed: Vec<Result<Descriptor>> =
                Source::referrers(place, &subject, filter.clone()).collect().await;
            last = listed.into_iter().collect();
            if matches!(&last, Ok(listed) if !listed.is_empty()) {
                break;
            }
        }
        last
    }
}

impl Reading {
    /// The next bytes. Where they break off for good they are read on at a place behind: whoever takes them hashes
    /// all of them, wherever they are from.
    async fn next(&mut self) -> Option<Result<Bytes>> {
        loop {
            let error = match self.body.next().await? {
                Ok(bytes) => {
                    self.range.start += bytes.len() as u64;
                    return Some(Ok(bytes));
                }
                Err(error) => error,
            };
            if !may_be_elsewhere(&error) || self.index + 1 == self.mirrors.places.len() {
                return Some(Err(error));
            }
            let opened = self.mirrors.open(self.index + 1, &self.descriptor, self.range);
            match opened.await {
                Ok((index, blob)) => {
                    self.index = index;
                    self.body = blob.into_stream();
                    // Else the next blob would break off there, too.
                    self.mirrors.decided.fetch_max(index, Ordering::Relaxed);
                }
                Err(later) => return Some(Err(beside(later, &[error]))),
            }
        }
    }
}

#[async_trait]
impl Source for Mirrors {
    async fn resolve(&self, selector: &Selector) -> Result<Descriptor> {
        ask!(self, self.first(), |place| place.resolve(selector).await).map(|(_, answer)| answer)
    }

    async fn root(&self, selector: &Selector) -> Result<Document> {
        ask!(self, self.first(), |place| place.root(selector).await).map(|(_, answer)| answer)
    }

    async fn document(&self, descriptor: &Descriptor) -> Result<Document> {
        ask!(self, self.first(), |place| place.document(descriptor).await).map(|(_, answer)| answer)
    }

    async fn blob(&self, descriptor: &Descriptor, range: ByteRange) -> Result<Blob> {
        let (index, blob) = self.open(self.first(), descriptor, range).await?;
        let size = blob.size;
        let reading = Reading {
            mirrors: self.clone(),
            descriptor: descriptor.clone(),
            range,
            index,
            body: blob.into_stream(),
        };
        let stream = unfold(Some(reading), |reading| async move {
            let mut reading = reading?;
            match reading.next().await? {
                Ok(bytes) => Some((Ok(bytes), Some(reading))),
                Err(error) => Some((Err(error), None)),
            }
        });
        Ok(Blob::from_stream(stream, size))
    }

    async fn find_blob(&self, digest: &Digest) -> Result<Descriptor> {
        ask!(self, self.first(), |place| place.find_blob(digest).await).map(|(_, answer)| answer)
    }

    fn place(&self, digest: &Digest) -> Option<Place> {
        let decided = self.places.get(self.decided.load(Ordering::Relaxed));
        decided.unwrap_or_else(|| self.repository()).place(digest)
    }

    fn referrers(&self, subject: &Digest, filter: ReferrerFilter) -> BoxStream<Result<Descriptor>> {
        let listed = self.clone().all_referrers(*subject, filter);
        let listed = futures_util::stream::once(listed).flat_map(|listed| {
            stream::iter(match listed {
                Ok(listed) => listed.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            })
        });
        Box::pin(listed)
    }

    fn names(&self) -> BoxStream<Result<Named>> {
        Source::names(self.repository())
    }
}

/// Whether another place may have what this one did not give.
fn may_be_elsewhere(error: &Error) -> bool {
    error.is_not_found() || error.is_retryable()
}

/// The failure of the last place, which is told of the ones before.
fn beside(error: Error, failures: &[Error]) -> Error {
    if failures.is_empty() {
        return error;
    }
    let mut told = Vec::with_capacity(failures.len());
    for failure in failures {
        let mut text = failure.to_string();
        let mut cause = std::error::Error::source(failure);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        told.push(text);
    }
    error.context(format!(
        "neither is there a mirror that gives it ({})",
        told.join("; ")
    ))
}
