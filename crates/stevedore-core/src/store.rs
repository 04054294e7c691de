//! The seam to where blobs lie: content by digest, published whole or not at all.

mod ingest;
mod life;

use std::fmt;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use crate::stream::BoxStream;
use crate::{Blob, ByteRange, Digest, Result};

pub use ingest::{Expected, Ingest, IngestKey, IngestPlan, Staging, Takeover};
pub use life::{Life, Version};

/// A store of blobs.
///
/// What it promises to every caller, at once and over restarts:
///
/// - A blob is visible whole or not at all, and durable once [`Ingest::commit`] has answered.
/// - Nothing is published whose digest or size was not what was expected.
/// - What is staged is never visible; it goes by [`expire`](Self::expire).
/// - Each publication of the bytes of a digest has a [`Life`] of its own, and ids of lives never come back. Only
///   [`delete`](Self::delete) ends one.
///
/// Dropping a future leaves each of these as it was. Implementations run the tests of the `suite` feature.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// What is known of a blob, or `None` where there is none. Changes nothing.
    async fn stat(&self, digest: &Digest) -> Result<Option<BlobInfo>>;

    /// The same, and renews the time at which the blob was last wanted, so that a collector leaves it alone.
    ///
    /// A store may skip the write while the time on record is younger than half of its [`grace`](Self::grace). So
    /// the time that this gives is never older than half a grace before the call began, and a touch of anything
    /// older gives the blob a new version.
    async fn touch(&self, digest: &Digest) -> Result<Option<BlobInfo>>;

    /// How long a blob that nothing refers to is left alone after it was touched. The same for every process that
    /// opened the same store, longer than twice the time by which its listings, and those of the
    /// [`Names`](crate::Names) beside it, may be late, and longer by what the clocks of the processes differ.
    fn grace(&self) -> Duration;

    /// The bytes of a blob, not hashed.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) where there is none,
    /// [`ErrorKind::OutOfRange`](crate::ErrorKind::OutOfRange) for a range outside of it.
    async fn open(&self, digest: &Digest, range: ByteRange) -> Result<Blob>;

    /// All blobs, in no order. One that is published or deleted meanwhile may or may not be among them, and over
    /// some stores the listing is late.
    fn list(&self) -> BoxStream<Result<BlobInfo>>;

    /// Begins to write a blob, or goes on with what was staged under the plan's key if nobody holds it; this plan
    /// then takes the place of the earlier one.
    ///
    /// Gives [`Staging::There`] (touched) where the plan names a digest that is published, [`Staging::Busy`]
    /// where a living holder stages the same key, else [`Staging::Mine`].
    async fn ingest(&self, plan: IngestPlan) -> Result<Staging>;

    /// Goes on with what is staged under a key; the plan under which it was staged holds on. Gives
    /// [`Staging::None`] where nothing is, and never [`Staging::There`].
    async fn resume(&self, key: &IngestKey, takeover: Takeover) -> Result<Staging>;

    /// Deletes a blob if it is still exactly as it was seen: the same life and the same version. Gives whether it
    /// was, so whether this call deleted it.
    async fn delete(&self, seen: &BlobInfo) -> Result<bool>;

    /// Drops what was staged, or left behind by a crash, and that nobody has held or written since a time. Gives
    /// how many items went.
    async fn expire(&self, idle_since: SystemTime) -> Result<u64>;
}

/// What a store knows of a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlobInfo {
    /// The digest under which it lies.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Which publication of the bytes this is.
    pub life: Life,
    /// Changes whenever anything on record changes, and never repeats.
    pub version: Version,
    /// When it was last published, written again or touched.
    pub touched: SystemTime,
}

impl BlobInfo {
    /// What a store knows of a blob.
    pub fn new(digest: Digest, size: u64, life: Life, version: Version, touched: SystemTime) -> Self {
        Self {
            digest,
            size,
            life,
            version,
            touched,
        }
    }
}
