//! Blobs in a store that other processes may be writing to at the same time, and may have damaged.

use std::time::Duration;

use stevedore_core::fs::FsStore;
use stevedore_core::{BlobInfo, Descriptor, Digest, Put, Result, Store, Supply, supply};

use crate::files::blocking;

/// How files are written: those of layouts, directories and archives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WriteOptions {
    /// Whether a blob or document is synced to the disk before it is acknowledged. Without it a power cut may leave
    /// a blob of zeros under its digest.
    pub durable: bool,
    /// Whether a blob that is there is hashed before it counts as such, and written again if it is damaged.
    pub check_present: bool,
    /// Whether what hinders a write is cleared away, as far as nothing is lost by it. An `index.json` that cannot be
    /// parsed counts as empty, and is kept as `index.json.broken` (or `index.json.broken.1` and so on, for an earlier one
    /// is never written over) by the write that replaces it. An `oci-layout` without a word is written anew, and an empty
    /// directory in place of a blob is removed.
    pub mend: bool,
    /// Whether an archive takes the place of a file that is there. Names in a layout are the copy's own business.
    pub replace: bool,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self {
            durable: true,
            check_present: false,
            mend: false,
            replace: true,
        }
    }
}

/// How long a blob that another holder stages is waited for, before it is staged apart.
const PATIENCE: Duration = Duration::from_secs(30);

/// The wait between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Sees to it that a blob is in a store. One that another holder stages is waited for, then staged apart; one that is
/// there with wrong bytes is replaced, if blobs that are there are to be checked, and an empty directory in its place is
/// removed, if what hinders is to be cleared away.
///
/// # Errors
/// Those of [`supply::put_blob`].
pub(crate) async fn put_blob(
    store: &FsStore,
    descriptor: &Descriptor,
    supply: &dyn Supply,
    options: WriteOptions,
) -> Result<Put> {
    if options.mend {
        clear_way(store, descriptor.known_digest()?).await?;
    }
    if options.check_present
        && let Some(damaged) = damaged(store, descriptor).await?
    {
        supply::replace_blob(store, &damaged, descriptor, supply).await?;
        return Ok(Put::Written);
    }
    let mut patience = PATIENCE;
    let put = supply::put_blob(store, descriptor, supply, move || {
        let more = !patience.is_zero();
        patience = patience.saturating_sub(LOOK_AGAIN);
        Box::pin(async move {
            tokio::time::sleep(LOOK_AGAIN).await;
            more
        })
    });
    put.await
}

/// Removes an empty directory in place of a blob.
async fn clear_way(store: &FsStore, digest: Digest) -> Result<()> {
    let store = store.clone();
    blocking(move || store.clear_way(&digest).map(drop)).await
}

/// Whether a blob is there: with its size and, if blobs that are there are to be checked, its bytes.
pub(crate) async fn has_blob(
    store: &FsStore,
    descriptor: &Descriptor,
    options: WriteOptions,
) -> Result<bool> {
    let there = store.stat(&descriptor.known_digest()?).await?;
    match there.filter(|info| info.size == descriptor.size) {
        Some(info) if options.check_present => supply::is_intact(store, &info).await,
        there => Ok(there.is_some()),
    }
}

/// A blob that is there with the right size and wrong bytes. One of another size is written anew in any case.
async fn damaged(store: &FsStore, descriptor: &Descriptor) -> Result<Option<BlobInfo>> {
    let there = store.stat(&descriptor.known_digest()?).await?;
    match there.filter(|info| info.size == descriptor.size) {
        Some(info) if !supply::is_intact(store, &info).await? => Ok(Some(info)),
        _ => Ok(None),
    }
}
