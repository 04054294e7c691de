//! How a sink over a [`Store`] takes a blob from a [`Supply`].

use std::pin::Pin;

use crate::{
    BlobInfo, ByteRange, CHUNK_SIZE, Descriptor, Digest, Error, ErrorKind, Expected, Hasher, Ingest,
    IngestKey, IngestPlan, Put, Result, Staging, Store, Supply, stream,
};

/// The largest blob, in bytes, that is staged without a key: one chunk.
const WORTH_GOING_ON: u64 = CHUNK_SIZE as u64;

/// What is waited for: whether to look once more.
pub type Wait = Pin<Box<dyn Future<Output = bool> + Send>>;

/// What a blob of a digest and a size in bytes must turn out to be.
pub fn expected(digest: Digest, size: u64) -> Expected {
    Expected::digest(digest).with_size(size)
}

/// Sees to it that a blob is in a store: [`Put::Present`] or [`Put::Written`].
///
/// A blob of more than [`CHUNK_SIZE`] bytes is staged under the key of its digest, so that a later call goes on where
/// this one was cut. Where another holder stages the same blob, `wait` is called before each new look; once it gives
/// `false` the blob is staged apart, as small ones are: to go on with these costs more than to begin again.
///
/// # Errors
/// What store and supply answer; [`ErrorKind::Mismatch`] where the bytes are not the
/// descriptor's.
pub async fn put_blob(
    store: &dyn Store,
    descriptor: &Descriptor,
    supply: &dyn Supply,
    mut wait: impl FnMut() -> Wait + Send,
) -> Result<Put> {
    let digest = descriptor.known_digest()?;
    let mut plan = IngestPlan::of(digest).with_size(descriptor.size);
    plan.key = (descriptor.size > WORTH_GOING_ON).then(|| IngestKey::of_digest(&digest));
    loop {
        match store.ingest(plan.clone()).await? {
            Staging::There(info) if info.size == descriptor.size => return Ok(Put::Present),
            Staging::There(info) => clear_damaged(store, &info, descriptor.size).await?,
            Staging::Mine(ingest) => {
                if fill(ingest, descriptor, digest, supply).await?.is_some() {
                    return Ok(Put::Written);
                }
            }
            Staging::Busy | Staging::None => {
                if !wait().await {
                    plan.key = None;
                }
            }
        }
    }
}

/// Writes a blob of a supply to a store, also where the store has it: for a place where only who brings the bytes may
/// have them. It is staged under the key if it has more than [`CHUNK_SIZE`] bytes.
///
/// # Errors
/// As [`put_blob`].
pub async fn write_blob(
    store: &dyn Store,
    key: IngestKey,
    descriptor: &Descriptor,
    supply: &dyn Supply,
) -> Result<BlobInfo> {
    let digest = descriptor.known_digest()?;
    let mut plan = IngestPlan::new(digest.algorithm()).with_size(descriptor.size);
    plan.key = (descriptor.size > WORTH_GOING_ON).then_some(key);
    loop {
        match store.ingest(plan.clone()).await? {
            Staging::Mine(ingest) => match fill(ingest, descriptor, digest, supply).await? {
                Some(info) if info.size == descriptor.size => return Ok(info),
                Some(info) => clear_damaged(store, &info, descriptor.size).await?,
                None => {}
            },
            Staging::There(info) => return Ok(info),
            // Somebody writes the same: apart then.
            Staging::Busy | Staging::None => plan.key = None,
        }
    }
}

/// Appends what is missing, and commits. Gives `None` where what had been staged was no beginning of this blob: it is
/// discarded then, and the caller begins again from nothing.
async fn fill(
    mut ingest: Box<dyn Ingest>,
    descriptor: &Descriptor,
    digest: Digest,
    supply: &dyn Supply,
) -> Result<Option<BlobInfo>> {
    let offset = ingest.offset().await?;
    if offset > descriptor.size {
        ingest.abort().await?;
        return Ok(None);
    }
    // Everything may be staged already: a cut between the last byte and the commit.
    if offset < descriptor.size
        && let Err(error) = ingest.append(supply.open(offset).await?).await
    {
        if error.kind() == ErrorKind::Mismatch {
            // Too many bytes. Those before them stay staged, and are no use to anybody.
            ingest.abort().await?;
        }
        return Err(error);
    }
    match ingest.commit(expected(digest, descriptor.size)).await {
        // The earlier bytes came from an earlier supply; this one may be good.
        Err(error) if error.kind() == ErrorKind::Mismatch && offset > 0 => Ok(None),
        committed => committed.map(Some),
    }
}

/// Whether a published blob has the digest under which it lies. Reads it to its end.
///
/// # Errors
/// What the store answers.
pub async fn is_intact(store: &dyn Store, info: &BlobInfo) -> Result<bool> {
    let mut hasher = Hasher::new(info.digest.algorithm());
    let mut body = store.open(&info.digest, ByteRange::FULL).await?.into_stream();
    while let Some(chunk) = stream::next(&mut body).await {
        hasher.update(&chunk?);
    }
    Ok(hasher.finish() == info.digest)
}

/// Writes a blob in place of a published one that is damaged. That one goes only after the good bytes are staged whole.
///
/// # Errors
/// As [`put_blob`]; after [`ErrorKind::Mismatch`] the damaged blob is as it was.
pub async fn replace_blob(
    store: &dyn Store,
    damaged: &BlobInfo,
    descriptor: &Descriptor,
    supply: &dyn Supply,
) -> Result<BlobInfo> {
    let digest = descriptor.known_digest()?;
    // Without the digest, for the store would say that the blob is there; without a key, for only what is taken from
    // the beginning is known to be good before the commit.
    let plan = IngestPlan::new(digest.algorithm()).with_size(descriptor.size);
    let Staging::Mine(mut ingest) = store.ingest(plan).await? else {
        let message = format!("{digest} cannot be staged a second time");
        return Err(Error::new(ErrorKind::Conflict, message));
    };
    ingest.append(supply.open(0).await?.verified(descriptor)?).await?;
    delete_life(store, damaged).await?;
    ingest.commit(expected(digest, descriptor.size)).await
}

/// Deletes a blob, unless somebody else published it anew meanwhile. To have read it may have moved the time of its last
/// access, and with it the version that was seen.
async fn delete_life(store: &dyn Store, seen: &BlobInfo) -> Result<()> {
    while let Some(there) = store.stat(&seen.digest).await? {
        if there.life != seen.life || store.delete(&there).await? {
            break;
        }
    }
    Ok(())
}

/// Deletes a published blob of another size than expected, if it is not what its digest says: a leftover of a tool
/// that does not publish whole. If it is, the expectation is wrong, and the blob stays.
async fn clear_damaged(store: &dyn Store, info: &BlobInfo, expected: u64) -> Result<()> {
    if is_intact(store, info).await? {
        let (expected, actual) = (format!("{expected} bytes"), format!("{} bytes", info.size));
        return Err(Error::mismatch(info.digest, expected, actual));
    }
    store.delete(info).await?;
    Ok(())
}
