//! The seam to small durable records: tags, manifests, blob membership, referrers.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{Key, Result, Version};

/// Small records by key, each changed whole, durably, and on a condition.
///
/// Single records are linearizable: once a [`put`](Self::put) or [`remove`](Self::remove) has answered, every later
/// [`get`](Self::get) sees it. There is no transaction over several; callers change them in an order in which each
/// step is legal and a repeat completes it. [`list`](Self::list) may be late over some stores.
///
/// Dropping a future leaves the record as it was or changed, never in between. Implementations run the tests of
/// the `suite` feature.
#[async_trait]
pub trait Names: fmt::Debug + Send + Sync + 'static {
    /// The record under a key, or `None` where there is none.
    async fn get(&self, key: &Key) -> Result<Option<Entry>>;

    /// Writes a record if the condition holds, and gives its new version, which is never one it had before, also
    /// when the bytes are equal.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) when the condition does not hold.
    /// [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) for more than [`RECORD_LIMIT`] bytes.
    async fn put(&self, key: &Key, bytes: Bytes, when: When) -> Result<Version>;

    /// Removes a record if the condition holds. With [`When::Always`] and [`When::Absent`] a record that is not
    /// there is no error.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) when the condition does not hold.
    async fn remove(&self, key: &Key, when: When) -> Result<()>;

    /// At most `limit` records below a key (at any depth, not the key itself), in the order of their keys, from the
    /// first one behind `after`. The entry comes along where the store has it at hand; else ask
    /// [`get`](Self::get). An empty list is the end; a shorter one need not be.
    async fn list(&self, under: &Key, after: Option<&Key>, limit: usize) -> Result<Vec<Listed>>;
}

/// The most bytes a record may have: 4 MiB, as a manifest.
pub const RECORD_LIMIT: usize = 4 * 1024 * 1024;

/// A record in one of its states.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Its content.
    pub bytes: Bytes,
    /// The version of this state.
    pub version: Version,
}

/// A record in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed {
    /// The key.
    pub key: Key,
    /// The record, where the store has it at hand.
    pub entry: Option<Entry>,
}

/// On what condition a record is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum When {
    /// On none.
    Always,
    /// There is no such record.
    Absent,
    /// The record is still at this version.
    Is(Version),
}

impl Entry {
    /// A record in a state.
    pub fn new(bytes: Bytes, version: Version) -> Self {
        Self { bytes, version }
    }
}

impl Listed {
    /// A record in a listing.
    pub fn new(key: Key, entry: Option<Entry>) -> Self {
        Self { key, entry }
    }
}

impl When {
    /// The condition that a record is as it was read: absent, or at the version of the entry.
    pub fn unchanged(seen: Option<&Entry>) -> Self {
        seen.map_or(Self::Absent, |entry| Self::Is(entry.version.clone()))
    }
}
