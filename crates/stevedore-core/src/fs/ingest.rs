//! [`FsIngest`]: the holder of something staged.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use async_trait::async_trait;
use bytes::Bytes;

use super::blocking::{self, Job};
use super::held::{Held, IN_MEMORY};
use crate::stream::BoxStream;
use crate::{Blob, BlobInfo, Body, Expected, Ingest, Meter, Result};

/// How much of a stream is gathered while what came before is written (1 MiB). So twice this and a chunk are in
/// memory at most.
const BATCH: usize = 1024 * 1024;

/// The holder of something staged. Dropping it leaves the rest to [`Held`].
#[derive(Debug)]
pub(super) struct FsIngest {
    held: Arc<Held>,
}

/// Chunks of a stream that wait for being written.
#[derive(Default)]
struct Batch {
    chunks: Vec<Bytes>,
    size: usize,
}

/// Ends a call when its future is dropped, so that a thread which still runs sees it at the next block.
struct EndCall<'a>(&'a Held);

impl FsIngest {
    pub(super) fn new(held: Arc<Held>) -> Self {
        Self { held }
    }

    /// Writes chunks on a blocking thread.
    fn write(&self, call: u64, chunks: Vec<Bytes>, meter: Option<Arc<Meter>>) -> Result<Job<Result<()>>> {
        let held = Arc::clone(&self.held);
        blocking::start(move || held.write(call, &chunks, meter.as_deref()))
    }

    async fn append_bytes(&self, call: u64, bytes: Bytes, meter: Option<Arc<Meter>>) -> Result<()> {
        let size = bytes.len() as u64;
        match self.held.try_keep(bytes)? {
            None => {
                if let Some(meter) = meter {
                    meter.add(size);
                }
                Ok(())
            }
            Some(bytes) => self.write(call, vec![bytes], meter)?.await?,
        }
    }

    /// Gathers chunks while a blocking thread writes those before. None is held up while nothing comes, so that
    /// slow bodies cost no threads.
    async fn append_stream(&self, call: u64, mut stream: BoxStream<Result<Bytes>>) -> Result<()> {
        let mut batch = Batch::default();
        // What is short comes together in memory first, whatever pieces it comes in.
        let mut end = loop {
            match crate::stream::next(&mut stream).await {
                Some(Ok(chunk)) => batch.push(chunk),
                Some(Err(error)) => break Some(Err(error)),
                None => break Some(Ok(())),
            }
            if batch.size as u64 > IN_MEMORY {
                break None;
            }
        };
        if end.is_some() && batch.size as u64 <= IN_MEMORY {
            batch.keep(&self.held)?;
        }
        let mut job: Option<Job<Result<()>>> = None;
        loop {
            if job.is_none() && batch.size > 0 {
                job = Some(self.write(call, batch.take(), None)?);
            }
            if job.is_none()
                && let Some(end) = end
            {
                return end;
            }
            // Whichever comes first: the thread is done, or there is more to give it.
            let written = poll_fn(|context| {
                if let Some(job) = &mut job
                    && let Poll::Ready(written) = Pin::new(job).poll(context)
                {
                    return Poll::Ready(Some(written));
                }
                while end.is_none() && batch.size < BATCH {
                    match stream.as_mut().poll_next(context) {
                        Poll::Ready(Some(Ok(chunk))) => batch.push(chunk),
                        Poll::Ready(Some(Err(error))) => end = Some(Err(error)),
                        Poll::Ready(None) => end = Some(Ok(())),
                        Poll::Pending => break,
                    }
                }
                if job.is_none() && (batch.size > 0 || end.is_some()) {
                    return Poll::Ready(None);
                }
                Poll::Pending
            });
            if let Some(written) = written.await {
                job = None;
                written??;
            }
        }
    }
}

#[async_trait]
impl Ingest for FsIngest {
    async fn offset(&mut self) -> Result<u64> {
        self.held.begin_call();
        if let Some(offset) = self.held.try_offset() {
            return offset;
        }
        let held = Arc::clone(&self.held);
        blocking::run(move || held.offset()).await
    }

    async fn append(&mut self, blob: Blob) -> Result<()> {
        self.offset().await?;
        let call = self.held.begin_call();
        let _end = EndCall(&self.held);
        match blob {
            Blob {
                body: Body::Bytes(bytes),
                meter,
                ..
            } => self.append_bytes(call, bytes, meter).await,
            // A file of a few bytes is read here, as a stream is, so that the commit is the only blocking call.
            Blob {
                body: Body::File { file, path, range },
                meter,
                ..
            } if !self.held.keeps(range.end.saturating_sub(range.start)) => {
                // Never closed, so there is always one to come.
                let _permit = self.held.keep().copies().acquire().await;
                let held = Arc::clone(&self.held);
                blocking::run(move || held.copy(call, &file, &path, range, meter.as_deref())).await
            }
            blob => self.append_stream(call, blob.into_stream()).await,
        }
    }

    async fn commit(&mut self, expected: Expected) -> Result<BlobInfo> {
        let call = self.held.begin_call();
        let _end = EndCall(&self.held);
        let held = Arc::clone(&self.held);
        blocking::run(move || held.commit(call, expected)).await
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        self.held.begin_call();
        let held = Arc::clone(&self.held);
        blocking::run(move || {
            held.abort();
            Ok(())
        })
        .await
    }
}

impl Drop for FsIngest {
    fn drop(&mut self) {
        self.held.leave();
    }
}

impl Drop for EndCall<'_> {
    fn drop(&mut self) {
        self.0.begin_call();
    }
}

impl Batch {
    fn push(&mut self, chunk: Bytes) {
        self.size += chunk.len();
        self.chunks.push(chunk);
    }

    fn take(&mut self) -> Vec<Bytes> {
        self.size = 0;
        std::mem::take(&mut self.chunks)
    }

    /// Moves what the holder keeps in memory there.
    fn keep(&mut self, held: &Held) -> Result<()> {
        let mut left = Self::default();
        for chunk in self.take() {
            let chunk = if left.chunks.is_empty() {
                held.try_keep(chunk)?
            } else {
                Some(chunk)
            };
            if let Some(chunk) = chunk {
                left.push(chunk);
            }
        }
        *self = left;
        Ok(())
    }
}
