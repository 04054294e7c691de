//! One blob: once in a run, tried again when it fails in passing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use stevedore_core::{
    Blob, ByteRange, Context as _, Descriptor, Digest, Error, Event, Meter, Place, Put, Result, Sink, Source,
    Supply,
};
use tokio::sync::OnceCell;

use super::Shared;

/// The wait before the first retry; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// The longest wait between two tries that nobody asked for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The blobs that were put or are being put in this run: whoever comes second waits for the first.
///
/// Keyed by sink too, for one run may fill several.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<HashMap<(usize, Digest), Flight>>);

/// Empty until the blob is there.
type Flight = Arc<OnceCell<Put>>;

impl Flights {
    fn slot(&self, sink: &Arc<dyn Sink>, digest: Digest) -> Flight {
        let address = Arc::as_ptr(sink).cast::<()>() as usize;
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry((address, digest)).or_default())
    }
}

/// Sees to it that a blob is in the sink. Gives how it came, or `Present` when this run put it before.
pub(super) async fn put(
    shared: &Shared,
    source: &Arc<dyn Source>,
    sink: &Arc<dyn Sink>,
    descriptor: &Descriptor,
) -> Result<Put> {
    let digest = descriptor.known_digest()?;
    let slot = shared.flights.slot(sink, digest);
    let mut first = false;
    let put = slot
        .get_or_try_init(|| {
            first = true;
            put_first(shared, source, sink, descriptor, digest)
        })
        .await?;
    Ok(if first { *put } else { Put::Present })
}

async fn put_first(
    shared: &Shared,
    source: &Arc<dyn Source>,
    sink: &Arc<dyn Sink>,
    descriptor: &Descriptor,
    digest: Digest,
) -> Result<Put> {
    let _permit = shared
        .permits
        .acquire()
        .await
        .expect("because the semaphore is never closed");
    let meter = Arc::new(Meter::default());
    shared.observer.event(Event::BlobStarted {
        descriptor,
        meter: &meter,
    });
    let held_at: Vec<Place> = source.place(&digest).into_iter().collect();
    let supply = FromSource {
        source: Arc::clone(source),
        descriptor: descriptor.clone(),
        meter,
    };
    let mut tries = 0;
    let put = loop {
        match sink.put_blob(descriptor, &held_at, &supply).await {
            Ok(put) => break put,
            Err(error) if error.is_retryable() && tries < shared.retries => {
                let after = wait(&error, tries);
                shared.observer.event(Event::Retrying {
                    descriptor,
                    error: &error,
                    after,
                });
                tokio::time::sleep(after).await;
                tries += 1;
            }
            Err(error) => return Err(error).context(|| format!("cannot copy blob {digest}")),
        }
    };
    shared.observer.event(Event::BlobDone { descriptor, put });
    Ok(put)
}

/// What the other side asked for, else twice as long each time.
fn wait(error: &Error, tries: u32) -> Duration {
    let doubled = FIRST_WAIT
        .saturating_mul(2_u32.saturating_pow(tries))
        .min(LONGEST_WAIT);
    error.retry_after().unwrap_or(doubled)
}

/// A blob of a source, from any offset.
#[derive(Debug)]
struct FromSource {
    source: Arc<dyn Source>,
    descriptor: Descriptor,
    meter: Arc<Meter>,
}

#[async_trait]
impl Supply for FromSource {
    async fn open(&self, from: u64) -> Result<Blob> {
        let blob = self.source.blob(&self.descriptor, ByteRange::from(from)).await?;
        Ok(blob.with_meter(Arc::clone(&self.meter)))
    }
}
