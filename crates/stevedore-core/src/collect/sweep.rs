//! Deleting what nothing refers to.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use super::membership::recorded;
use crate::stream::next;
use crate::{BlobInfo, Digest, ErrorKind, Key, Listed, Names, Result, Store, When};

/// Knows which blobs are needed.
#[async_trait]
pub trait Mark: Send + Sync {
    /// Every digest that a manifest refers to. All is read after the call began, and nothing from a cache; an
    /// error, also a single manifest that cannot be read, ends the collection before it deletes a blob.
    async fn mark(&self) -> Result<HashSet<Digest>>;
}

/// How to collect.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Collection {
    /// When it begins: now, by the clock of the store.
    pub begun: SystemTime,
    /// How long something staged is left alone after it was last written. At least the store's grace is taken.
    pub staged: Duration,
    /// The keys below which, at any depth, memberships lie. Records whose last segment is no digest are left alone.
    pub memberships: Vec<Key>,
    /// Whether to count only. What is staged is then left out of the report.
    pub dry_run: bool,
}

/// What a collection did, or would have done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Blobs in the listing.
    pub listed: u64,
    /// Blobs that nobody touched for a grace, but that are needed.
    pub kept: u64,
    /// Blobs deleted.
    pub deleted: u64,
    /// The sizes of these, in bytes.
    pub bytes: u64,
    /// Blobs that somebody renewed, or deleted, while this ran.
    pub spared: u64,
    /// Memberships removed because the life that they were made for is over.
    pub memberships: u64,
    /// What was staged, or left behind by a crash, and dropped.
    pub staged: u64,
}

/// Memberships asked for in one list.
const PAGE: usize = 1000;

impl Collection {
    /// A collection that begins now, of what was left alone for the store's grace.
    pub fn new(begun: SystemTime) -> Self {
        Self {
            begun,
            staged: Duration::ZERO,
            memberships: Vec::new(),
            dry_run: false,
        }
    }

    /// The same collection, which also removes stale memberships below these keys.
    #[must_use]
    pub fn with_memberships(mut self, under: Vec<Key>) -> Self {
        self.memberships = under;
        self
    }

    /// The same collection, which leaves alone what was staged and written within this time.
    #[must_use]
    pub fn with_staged(mut self, staged: Duration) -> Self {
        self.staged = staged;
        self
    }

    /// The same collection, which only counts.
    #[must_use]
    pub fn with_dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }
}

/// Deletes blobs that nothing refers to and nobody touched for a grace, then memberships that ended with them, then
/// what was staged and left. Any number may run at once, with pushes and pulls going on; each may stall for any time
/// or be dropped at any step.
///
/// # Errors
/// What the store, the names or the mark give. What was done until then stands, and a repeat goes on.
pub async fn collect(
    store: &dyn Store,
    names: &dyn Names,
    mark: &dyn Mark,
    collection: &Collection,
) -> Result<Report> {
    let grace = store.grace();
    let before = |age| {
        collection
            .begun
            .checked_sub(age)
            .unwrap_or(SystemTime::UNIX_EPOCH)
    };
    let mut report = Report::default();

    // First the list, then the marks. What is here was untouched for a grace when we began, in the state that is
    // listed; with its version it is all that we may delete.
    let old = list_old(store, before(grace), &mut report).await?;

    // A manifest that these marks miss is one that was not yet written, or that the listing of the names does not
    // show yet. Its publisher looks again after it was written, and then renews what it needs: a new version, which
    // we did not see. So a missed manifest is no loss, whenever it comes. See `second_look`.
    let needed = mark.mark().await?;

    for blob in old {
        if needed.contains(&blob.digest) {
            report.kept += 1;
        } else if collection.dry_run || store.delete(&blob).await? {
            report.deleted += 1;
            report.bytes += blob.size;
        } else {
            report.spared += 1;
        }
    }
    for under in &collection.memberships {
        drop_stale(store, names, under, collection.dry_run, &mut report).await?;
    }
    if !collection.dry_run {
        report.staged = store.expire(before(grace.max(collection.staged))).await?;
    }
    Ok(report)
}

async fn list_old(store: &dyn Store, before: SystemTime, report: &mut Report) -> Result<Vec<BlobInfo>> {
    let mut old = Vec::new();
    let mut blobs = store.list();
    while let Some(blob) = next(&mut blobs).await {
        let blob = blob?;
        report.listed += 1;
        if blob.touched < before {
            old.push(blob);
        }
    }
    Ok(old)
}

/// Removes memberships of a life that is over.
async fn drop_stale(
    store: &dyn Store,
    names: &dyn Names,
    under: &Key,
    dry_run: bool,
    report: &mut Report,
) -> Result<()> {
    let mut after = None;
    loop {
        let page = names.list(under, after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = Some(last.key.clone());
        for listed in page {
            if drop_if_stale(store, names, listed, dry_run).await? {
                report.memberships += 1;
            }
        }
    }
}

async fn drop_if_stale(store: &dyn Store, names: &dyn Names, listed: Listed, dry_run: bool) -> Result<bool> {
    let Ok(digest) = listed.key.last().parse() else {
        return Ok(false);
    };
    let entry = match listed.entry {
        Some(entry) => Some(entry),
        None => names.get(&listed.key).await?,
    };
    let Some(entry) = entry else {
        return Ok(false);
    };
    // Not written by this version: not ours to judge.
    let Some(recorded) = recorded(&entry) else {
        return Ok(false);
    };
    // The membership was read first, the blob after it: the life on it was alive at some time before, so if it is
    // not the one now, it never will be again. Asked the other way round, a blob that was pushed and joined in
    // between would look stale.
    let blob = store.stat(&digest).await?;
    if blob.is_some_and(|blob| blob.life.admits(recorded)) {
        return Ok(false);
    }
    if dry_run {
        return Ok(true);
    }
    // On its version: a push that joins meanwhile has written another.
    match names.remove(&listed.key, When::Is(entry.version)).await {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::Conflict => Ok(false),
        Err(error) => Err(error),
    }
}
