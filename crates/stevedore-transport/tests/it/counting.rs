//! A source that counts the bytes of blobs it gives, and can stop giving them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt as _};
use stevedore_core::stream::BoxStream;
use stevedore_core::{
    Blob, ByteRange, Descriptor, Digest, Document, Named, Place, ReferrerFilter, Result, Selector, Source,
};
use tokio::sync::Notify;

/// How many bytes a chunk has: small, so that a stall lies within a blob.
const CHUNK: usize = 1000;

#[derive(Clone, Debug)]
pub(crate) struct Counting {
    source: Arc<dyn Source>,
    bytes: Arc<AtomicU64>,
    /// After how many bytes it stalls.
    limit: u64,
    stalled: Arc<Notify>,
}

impl Counting {
    pub(crate) fn new(source: Arc<dyn Source>) -> Self {
        Self {
            source,
            bytes: Arc::default(),
            limit: u64::MAX,
            stalled: Arc::default(),
        }
    }

    /// The same source, with the same count, which gives nothing more once so many bytes were given.
    pub(crate) fn stalling_after(&self, bytes: u64) -> Self {
        Self {
            limit: bytes,
            stalled: Arc::default(),
            ..self.clone()
        }
    }

    /// How many bytes of blobs were given.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::SeqCst)
    }

    /// Waits until it stalls.
    pub(crate) async fn stalled(&self) {
        self.stalled.notified().await;
    }
}

#[async_trait]
impl Source for Counting {
    async fn resolve(&self, selector: &Selector) -> Result<Descriptor> {
        self.source.resolve(selector).await
    }

    async fn root(&self, selector: &Selector) -> Result<Document> {
        self.source.root(selector).await
    }

    async fn document(&self, descriptor: &Descriptor) -> Result<Document> {
        self.source.document(descriptor).await
    }

    async fn blob(&self, descriptor: &Descriptor, range: ByteRange) -> Result<Blob> {
        let blob = self.source.blob(descriptor, range).await?;
        let size = blob.size;
        let this = self.clone();
        let chunks = blob.into_stream().flat_map(|chunk| match chunk {
            Ok(chunk) => stream::iter(
                chunk
                    .chunks(CHUNK)
                    .map(|piece| Ok(chunk.slice_ref(piece)))
                    .collect::<Vec<_>>(),
            ),
            Err(error) => stream::iter(vec![Err(error)]),
        });
        let counted = chunks.then(move |chunk: Result<bytes::Bytes>| {
            let this = this.clone();
            async move {
                let chunk = chunk?;
                let before = this.bytes.fetch_add(chunk.len() as u64, Ordering::SeqCst);
                if before >= this.limit {
                    this.bytes.fetch_sub(chunk.len() as u64, Ordering::SeqCst);
                    this.stalled.notify_one();
                    std::future::pending::<()>().await;
                }
                Ok(chunk)
            }
        });
        Ok(Blob::from_stream(counted, size))
    }

    async fn find_blob(&self, digest: &Digest) -> Result<Descriptor> {
        self.source.find_blob(digest).await
    }

    fn place(&self, digest: &Digest) -> Option<Place> {
        self.source.place(digest)
    }

    fn referrers(&self, subject: &Digest, filter: ReferrerFilter) -> BoxStream<Result<Descriptor>> {
        self.source.referrers(subject, filter)
    }

    fn names(&self) -> BoxStream<Result<Named>> {
        self.source.names()
    }
}
