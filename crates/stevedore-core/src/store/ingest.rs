//! How a blob gets into a store: staged, checked, published.

mod key;

use std::fmt;

use async_trait::async_trait;

use super::BlobInfo;
use crate::{Algorithm, Blob, Digest, Result};

pub use key::IngestKey;

/// A blob that is being written. `Send`, not `Sync`: one holder writes.
///
/// Dropping it suspends a keyed ingest and aborts one without a key, at once and without waiting.
#[async_trait]
pub trait Ingest: fmt::Debug + Send {
    /// How many bytes are staged: where the next [`append`](Self::append) goes on.
    async fn offset(&mut self) -> Result<u64>;

    /// Writes a body behind what is staged.
    ///
    /// # Errors
    /// What came before an error stays staged, and [`offset`](Self::offset) says how much that is.
    /// [`ErrorKind::Interrupted`](crate::ErrorKind::Interrupted) (or the body's own kind) when the body broke,
    /// [`ErrorKind::Storage`](crate::ErrorKind::Storage) when it could not be written,
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) when somebody took over by [`Takeover::Force`].
    /// [`ErrorKind::Mismatch`](crate::ErrorKind::Mismatch) as soon as more came than the plan's size: nothing beyond it
    /// is staged, and whether the rest is the blob shows at the commit.
    async fn append(&mut self, blob: Blob) -> Result<()>;

    /// Checks what is staged and publishes it, durably. Where the blob is published already this gives that one,
    /// touched. What is expected of the plan holds too.
    ///
    /// # Errors
    /// [`ErrorKind::Mismatch`](crate::ErrorKind::Mismatch) when digest or size are not as expected: what was staged is
    /// discarded and the ingest spent. After any other error the commit can be called again. A spent ingest answers
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict).
    async fn commit(&mut self, expected: Expected) -> Result<BlobInfo>;

    /// Discards what is staged.
    async fn abort(self: Box<Self>) -> Result<()>;
}

/// What is going to be written.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IngestPlan {
    /// Under which key it is staged, so that it outlives its holder; without one it ends with its holder.
    pub key: Option<IngestKey>,
    /// The digest, where it is known beforehand.
    pub digest: Option<Digest>,
    /// What is hashed while it is written. Another algorithm asked for at the commit costs a second read.
    pub algorithm: Algorithm,
    /// The size in bytes, where it is known beforehand.
    pub size: Option<u64>,
}

/// What a blob must turn out to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expected {
    /// Its digest; without one the staged bytes get the digest that they have.
    pub digest: Option<Digest>,
    /// Its size in bytes.
    pub size: Option<u64>,
}

/// The answer to a wish to write.
#[derive(Debug)]
#[non_exhaustive]
pub enum Staging {
    /// The blob is published already; nothing needs to be written.
    There(BlobInfo),
    /// Write here.
    Mine(Box<dyn Ingest>),
    /// A living holder writes under the same key.
    Busy,
    /// Nothing is staged under the key. Only [`Store::resume`](super::Store::resume) says so.
    None,
}

/// What becomes of the holder of something staged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Takeover {
    /// It keeps what it has: [`Staging::Busy`].
    IfIdle,
    /// It loses it; its next call answers [`ErrorKind::Conflict`](crate::ErrorKind::Conflict).
    Force,
}

impl IngestPlan {
    /// A plan for bytes of which nothing is known, hashed by `algorithm`.
    pub fn new(algorithm: Algorithm) -> Self {
        Self {
            key: None,
            digest: None,
            algorithm,
            size: None,
        }
    }

    /// A plan for a blob of a known digest.
    pub fn of(digest: Digest) -> Self {
        Self {
            digest: Some(digest),
            ..Self::new(digest.algorithm())
        }
    }

    /// The same plan, staged under a key.
    #[must_use]
    pub fn with_key(mut self, key: IngestKey) -> Self {
        self.key = Some(key);
        self
    }

    /// The same plan for a blob of a known size in bytes.
    #[must_use]
    pub fn with_size(mut self, size: u64) -> Self {
        self.size = Some(size);
        self
    }
}

impl Expected {
    /// Whatever was written.
    pub fn anything() -> Self {
        Self::default()
    }

    /// Content of a digest, of any size.
    pub fn digest(digest: Digest) -> Self {
        Self {
            digest: Some(digest),
            size: None,
        }
    }

    /// The same, of a size in bytes.
    #[must_use]
    pub fn with_size(mut self, size: u64) -> Self {
        self.size = Some(size);
        self
    }
}
