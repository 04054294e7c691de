//! Makes every await a real one.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;

use crate::stream::{BoxStream, next, yield_now};
use crate::{
    Blob, BlobInfo, ByteRange, Digest, Entry, Expected, Ingest, IngestKey, IngestPlan, Key, Listed, Names,
    Result, Staging, Store, Takeover, Version, When,
};

/// A store, names or an ingest of which every operation is suspended once before it begins and once before it
/// answers, and every body and listing before each item.
///
/// Futures over a store in memory never wait, so nothing could be dropped or come in between; over this one they do.
#[derive(Clone, Debug)]
pub struct Yielding<S>(S);

impl<S> Yielding<S> {
    /// The same, suspended again and again.
    pub fn new(inner: S) -> Self {
        Self(inner)
    }
}

/// Waits before and after.
async fn slowly<T>(operation: impl Future<Output = T>) -> T {
    yield_now().await;
    let output = operation.await;
    yield_now().await;
    output
}

/// Waits before each item.
pub(super) fn slow_stream<T: Send + 'static>(stream: BoxStream<T>) -> BoxStream<T> {
    Box::pin(Slow {
        stream,
        waited: false,
    })
}

struct Slow<T> {
    stream: BoxStream<T>,
    waited: bool,
}

impl<T> futures_core::Stream for Slow<T> {
    type Item = T;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<T>> {
        if !self.waited {
            self.waited = true;
            context.waker().wake_by_ref();
            return std::task::Poll::Pending;
        }
        let item = self.stream.as_mut().poll_next(context);
        self.waited = item.is_pending();
        item
    }
}

fn slow_staging(staging: Staging) -> Staging {
    match staging {
        Staging::Mine(ingest) => Staging::Mine(Box::new(Yielding(ingest))),
        other => other,
    }
}

#[async_trait]
impl Store for Yielding<Arc<dyn Store>> {
    async fn stat(&self, digest: &Digest) -> Result<Option<BlobInfo>> {
        slowly(self.0.stat(digest)).await
    }

    async fn touch(&self, digest: &Digest) -> Result<Option<BlobInfo>> {
        slowly(self.0.touch(digest)).await
    }

    fn grace(&self) -> Duration {
        self.0.grace()
    }

    async fn open(&self, digest: &Digest, range: ByteRange) -> Result<Blob> {
        let mut blob = slowly(self.0.open(digest, range)).await?;
        let (size, meter) = (blob.size, blob.meter.take());
        let mut slow = Blob::from_stream(slow_stream(blob.into_stream()), size);
        slow.meter = meter;
        Ok(slow)
    }

    fn list(&self) -> BoxStream<Result<BlobInfo>> {
        slow_stream(self.0.list())
    }

    async fn ingest(&self, plan: IngestPlan) -> Result<Staging> {
        slowly(self.0.ingest(plan)).await.map(slow_staging)
    }

    async fn resume(&self, key: &IngestKey, takeover: Takeover) -> Result<Staging> {
        slowly(self.0.resume(key, takeover)).await.map(slow_staging)
    }

    async fn delete(&self, seen: &BlobInfo) -> Result<bool> {
        slowly(self.0.delete(seen)).await
    }

    async fn expire(&self, idle_since: SystemTime) -> Result<u64> {
        slowly(self.0.expire(idle_since)).await
    }
}

#[async_trait]
impl Ingest for Yielding<Box<dyn Ingest>> {
    async fn offset(&mut self) -> Result<u64> {
        slowly(self.0.offset()).await
    }

    async fn append(&mut self, blob: Blob) -> Result<()> {
        let size = blob.size;
        let slow = Blob::from_stream(slow_stream(blob.into_stream()), size);
        slowly(self.0.append(slow)).await
    }

    async fn commit(&mut self, expected: Expected) -> Result<BlobInfo> {
        slowly(self.0.commit(expected)).await
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        slowly(self.0.abort()).await
    }
}

#[async_trait]
impl Names for Yielding<Arc<dyn Names>> {
    async fn get(&self, key: &Key) -> Result<Option<Entry>> {
        slowly(self.0.get(key)).await
    }

    async fn put(&self, key: &Key, bytes: Bytes, when: When) -> Result<Version> {
        slowly(self.0.put(key, bytes, when)).await
    }

    async fn remove(&self, key: &Key, when: When) -> Result<()> {
        slowly(self.0.remove(key, when)).await
    }

    async fn list(&self, under: &Key, after: Option<&Key>, limit: usize) -> Result<Vec<Listed>> {
        slowly(self.0.list(under, after, limit)).await
    }
}

/// All that a listing gives.
pub(super) async fn collect<T>(mut stream: BoxStream<Result<T>>) -> Result<Vec<T>> {
    let mut items = Vec::new();
    while let Some(item) = next(&mut stream).await {
        items.push(item?);
    }
    Ok(items)
}
