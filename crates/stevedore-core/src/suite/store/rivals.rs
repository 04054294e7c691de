//! Several that want the same thing at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;

use crate::suite::body::{chunked, content, sha256};
use crate::suite::failure::{Failure, Outcome, equal, holds};
use crate::suite::fixture::StoreFixture;
use crate::suite::run::{BoxFuture, interleave};
use crate::suite::tools::{mine, nothing_left, publish, stat, whole};
use crate::suite::yielding::Yielding;
use crate::{BlobInfo, ByteRange, Expected, IngestKey, IngestPlan, Staging, Store};

/// How many orders are tried.
const SEEDS: u64 = 20;

/// Two ingests of one digest both succeed, whichever commits first, and there is one life.
pub async fn two_commits<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("twice", 1000);
    let digest = sha256(&bytes);
    let mut first = mine(store.ingest(IngestPlan::of(digest)).await?, "an ingest")?;
    let mut second = mine(store.ingest(IngestPlan::of(digest)).await?, "a second ingest")?;
    first.append(chunked(&bytes, 100)).await?;
    second.append(chunked(&bytes, 333)).await?;
    let second = second.commit(Expected::digest(digest)).await?;
    let first = first.commit(Expected::digest(digest)).await?;
    equal(&first.life, &second.life, "the life that two commits gave")?;
    equal(
        &whole(&*store, &digest, &bytes).await?.life,
        &first.life,
        "the life on record",
    )?;
    nothing_left(fixture, &*store).await
}

/// Many that write one blob at once all succeed, and there is one life.
pub async fn many_writers<F: StoreFixture>(fixture: &F) -> Outcome {
    let inner = fixture.open().await?;
    let store: Arc<dyn Store> = Arc::new(Yielding::new(Arc::clone(&inner)));
    for seed in 0..SEEDS {
        let bytes = content("writers", 1000 + usize::try_from(seed).unwrap_or_default());
        let writers = (0..4)
            .map(|_| write(Arc::clone(&store), bytes.clone(), None))
            .collect();
        let mut lives = BTreeSet::new();
        for written in interleave(seed, writers).await {
            lives.extend(written?.map(|info| info.life));
        }
        equal(&lives.len(), &1, "the number of lives of a blob that many wrote")?;
        whole(&*inner, &sha256(&bytes), &bytes).await?;
    }
    nothing_left(fixture, &*inner).await
}

/// Of many that write one blob under its key, one does; the others are told that it does, or did.
pub async fn many_writers_of_a_key<F: StoreFixture>(fixture: &F) -> Outcome {
    let inner = fixture.open().await?;
    let store: Arc<dyn Store> = Arc::new(Yielding::new(Arc::clone(&inner)));
    for seed in 0..SEEDS {
        let bytes = content("keyed writers", 1000 + usize::try_from(seed).unwrap_or_default());
        let key = IngestKey::of_digest(&sha256(&bytes));
        let writers = (0..4)
            .map(|_| write(Arc::clone(&store), bytes.clone(), Some(key.clone())))
            .collect();
        let mut lives = BTreeSet::new();
        for written in interleave(seed, writers).await {
            lives.extend(written?.map(|info| info.life));
        }
        equal(
            &lives.len(),
            &1,
            "the number of lives of a blob that many wrote under its key",
        )?;
        whole(&*inner, &sha256(&bytes), &bytes).await?;
    }
    nothing_left(fixture, &*inner).await
}

/// While a blob is deleted and written again and again, each commit gives a life that was there, each reader gets
/// the bytes or none, and of each life one delete tells that it was the one.
pub async fn writers_and_deleters<F: StoreFixture>(fixture: &F) -> Outcome {
    let inner = fixture.open().await?;
    let store: Arc<dyn Store> = Arc::new(Yielding::new(Arc::clone(&inner)));
    let bytes = content("fought over", 1000);
    let digest = sha256(&bytes);
    for seed in 0..SEEDS {
        let seen = publish(&*inner, &bytes).await?;
        let mut rivals: Vec<BoxFuture<'_, Outcome<u32>>> = Vec::new();
        for _ in 0..2 {
            rivals.push(Box::pin(async {
                write(Arc::clone(&store), bytes.clone(), None).await?;
                Ok(0)
            }));
            rivals.push(Box::pin(async { Ok(u32::from(store.delete(&seen).await?)) }));
            rivals.push(Box::pin(reads_whole(&*store, &bytes)));
        }
        let mut deleted = 0;
        for outcome in interleave(seed, rivals).await {
            deleted += outcome?;
        }
        holds(
            deleted <= 1,
            "one delete of what was seen tells that it deleted it",
        )?;
        if let Some(left) = inner.stat(&digest).await? {
            equal(
                &(left.life == seen.life),
                &(deleted == 0),
                "whether the life that was seen is left",
            )?;
            whole(&*inner, &digest, &bytes).await?;
            let left = stat(&*inner, &digest).await?;
            holds(
                inner.delete(&left).await?,
                "delete deletes what is as it was seen",
            )?;
        } else {
            equal(&deleted, &1, "how many deleted a blob that is gone")?;
        }
    }
    nothing_left(fixture, &*inner).await
}

async fn reads_whole(store: &dyn Store, bytes: &Bytes) -> Outcome<u32> {
    let Ok(blob) = store.open(&sha256(bytes), ByteRange::FULL).await else {
        return Ok(0);
    };
    if let Ok(found) = blob.into_bytes(bytes.len() as u64).await {
        equal(&found, bytes, "what a reader gets while a blob is fought over")?;
    }
    Ok(0)
}

/// Writes a blob; gives what became of it, or `None` where somebody else was busy with it.
fn write(
    store: Arc<dyn Store>,
    bytes: Bytes,
    key: Option<IngestKey>,
) -> BoxFuture<'static, Outcome<Option<BlobInfo>>> {
    Box::pin(async move {
        let digest = sha256(&bytes);
        let mut plan = IngestPlan::of(digest);
        plan.key = key;
        match store.ingest(plan).await? {
            Staging::There(info) => Ok(Some(info)),
            Staging::Busy => Ok(None),
            Staging::Mine(mut ingest) => {
                ingest.append(chunked(&bytes, 100)).await?;
                Ok(Some(ingest.commit(Expected::digest(digest)).await?))
            }
            Staging::None => Err(Failure::new("an ingest answered None")),
        }
    })
}
