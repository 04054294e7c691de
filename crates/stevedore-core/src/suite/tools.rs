//! What most cases do on the way to what they are about.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::body::sha256;
use super::failure::{Failure, Outcome, equal, holds, refused};
use super::fixture::StoreFixture;
use super::yielding::collect;
use crate::{
    Blob, BlobInfo, ByteRange, Digest, ErrorKind, Expected, Ingest, IngestKey, IngestPlan, Staging, Store,
    Takeover,
};

/// More than any blob of the cases has.
const ENOUGH: u64 = 16 * 1024 * 1024;

/// The ingest of a staging that must be free.
#[track_caller]
pub(super) fn mine(staging: Staging, what: &str) -> Outcome<Box<dyn Ingest>> {
    match staging {
        Staging::Mine(ingest) => Ok(ingest),
        other => Err(Failure::new(format!("{what}: expected Mine, found {other:?}"))),
    }
}

/// The blob of a staging that must be published.
#[track_caller]
pub(super) fn there(staging: Staging, what: &str) -> Outcome<BlobInfo> {
    match staging {
        Staging::There(info) => Ok(info),
        other => Err(Failure::new(format!("{what}: expected There, found {other:?}"))),
    }
}

/// Fails unless somebody else holds what is staged.
#[track_caller]
pub(super) fn busy(staging: &Staging, what: &str) -> Outcome {
    match staging {
        Staging::Busy => Ok(()),
        other => Err(Failure::new(format!("{what}: expected Busy, found {other:?}"))),
    }
}

/// Fails unless nothing is staged.
#[track_caller]
pub(super) fn nothing(staging: &Staging, what: &str) -> Outcome {
    match staging {
        Staging::None => Ok(()),
        other => Err(Failure::new(format!("{what}: expected None, found {other:?}"))),
    }
}

/// A key of something staged.
pub(super) fn key(text: &str) -> Outcome<IngestKey> {
    Ok(IngestKey::parse(text)?)
}

/// Publishes bytes under their usual digest.
pub(super) async fn publish(store: &dyn Store, bytes: &Bytes) -> Outcome<BlobInfo> {
    let digest = sha256(bytes);
    match store.ingest(IngestPlan::of(digest)).await? {
        Staging::There(info) => Ok(info),
        staging => {
            let mut ingest = mine(staging, "an ingest without a key")?;
            ingest.append(Blob::from(bytes.clone())).await?;
            Ok(ingest.commit(Expected::digest(digest)).await?)
        }
    }
}

/// What a store knows of a blob that must be there.
pub(super) async fn stat(store: &dyn Store, digest: &Digest) -> Outcome<BlobInfo> {
    match store.stat(digest).await? {
        Some(info) => Ok(info),
        None => Err(Failure::new(format!("blob {digest} is missing"))),
    }
}

/// The bytes of a range of a blob.
pub(super) async fn read(store: &dyn Store, digest: &Digest, range: ByteRange) -> crate::Result<Bytes> {
    store.open(digest, range).await?.into_bytes(ENOUGH).await
}

/// Fails unless a blob is there with just these bytes; gives what is known of it.
pub(super) async fn whole(store: &dyn Store, digest: &Digest, bytes: &Bytes) -> Outcome<BlobInfo> {
    let info = stat(store, digest).await?;
    equal(&info.digest, digest, "the digest on record")?;
    equal(&info.size, &(bytes.len() as u64), "the size on record")?;
    let found = read(store, digest, ByteRange::FULL).await?;
    holds(found == *bytes, "a blob gives the bytes that were committed")?;
    Ok(info)
}

/// Fails if anything of a blob is visible.
pub(super) async fn gone<F: StoreFixture>(fixture: &F, store: &dyn Store, digest: &Digest) -> Outcome {
    equal(
        &store.stat(digest).await?,
        &None,
        "stat of a blob that is not there",
    )?;
    equal(
        &store.touch(digest).await?,
        &None,
        "touch of a blob that is not there",
    )?;
    refused(
        read(store, digest, ByteRange::FULL).await,
        ErrorKind::NotFound,
        "open of a blob that is not there",
    )?;
    fixture.settle().await;
    let listed = list(store).await?.contains_key(digest);
    holds(!listed, "a listing shows only what is published")
}

/// What a store lists.
pub(super) async fn list(store: &dyn Store) -> Outcome<BTreeMap<Digest, BlobInfo>> {
    let mut blobs = BTreeMap::new();
    for info in collect(store.list()).await? {
        if let Some(twin) = blobs.insert(info.digest, info) {
            return Err(Failure::new(format!("blob {} is listed twice", twin.digest)));
        }
    }
    Ok(blobs)
}

/// Takes up what is staged under a key and nobody holds any more.
pub(super) async fn take_up<F: StoreFixture>(
    fixture: &F,
    store: &dyn Store,
    key: &IngestKey,
) -> Outcome<Staging> {
    fixture.settle().await;
    if !fixture.idle_after().is_zero() {
        fixture.advance(fixture.idle_after()).await;
    }
    Ok(store.resume(key, Takeover::IfIdle).await?)
}

/// Fails if anything is staged that nobody holds, or that expiry does not take where dropping may leave it.
pub(super) async fn nothing_left<F: StoreFixture>(fixture: &F, store: &dyn Store) -> Outcome {
    fixture.settle().await;
    fixture.advance(fixture.idle_after() + fixture.grace() * 4).await;
    if !fixture.drops_clean() {
        store.expire(fixture.now()).await?;
        fixture.settle().await;
    }
    let left = store.expire(fixture.now()).await?;
    equal(&left, &0, "how much was left behind to expire")
}
