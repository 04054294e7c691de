//! The seam to where images are written to.

use std::fmt;

use async_trait::async_trait;

use crate::{
    Blob, Descriptor, Document, Error, ErrorKind, IngestPlan, Place, RefName, Result, Selector, Staging,
};

/// A repository, layout or archive that images are written to.
///
/// The sink pulls: it opens the [`Supply`] when it is ready to write, at the offset that it has, and again after a
/// cut. It hashes and sizes whatever it writes. The order of calls is blobs, child documents, referrers, then the
/// root with its names, then [`finish`](Self::finish), once. Implementations run the tests of the `suite` feature.
#[async_trait]
pub trait Sink: fmt::Debug + Send + Sync + 'static {
    /// What this sink can do.
    fn traits(&self) -> SinkTraits;

    /// Whether the content of a descriptor is there: a document, where its type is one of a document
    /// ([`MediaType::is_document`](crate::MediaType::is_document)), else a blob. Changes nothing: for plans and dry runs.
    async fn has(&self, descriptor: &Descriptor) -> Result<bool>;

    /// Sees to it that a blob is there: finds it, mounts it from one of the places where it lies, or writes it.
    ///
    /// # Errors
    /// [`ErrorKind::Mismatch`] where the bytes are not the descriptor's; nothing is published then.
    /// [`ErrorKind::Unsupported`] for a digest of an unknown algorithm; the supply is not opened. After any other
    /// error, or where the future is dropped, a later call goes on with what was staged.
    async fn put_blob(&self, descriptor: &Descriptor, held_at: &[Place], supply: &dyn Supply) -> Result<Put>;

    /// Begins to write bytes whose digest is not known yet, or `None` where this sink cannot
    /// ([`SinkTraits::ingest`]). What is committed is the sink's own at once.
    async fn ingest(&self, plan: IngestPlan) -> Result<Option<Staging>>;

    /// Writes a document whose blobs and children are there, gives it its names where it is a root, and files it
    /// as a referrer where it has a subject. What the document says of its own name in its annotations is no name.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] where a name leads elsewhere and is not to be replaced; then none of the names is put.
    async fn put_document(&self, document: &Document, role: Role) -> Result<()>;

    /// Removes a name, or a document by its digest with its names and its entry among the referrers. Blobs stay for a
    /// collection, and what refers to the document stays.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where there is no such thing, [`ErrorKind::Unsupported`] where this sink cannot.
    async fn remove(&self, selector: &Selector) -> Result<()>;

    /// Ends the writing: what an archive leaves for last is written, what was deferred is durable. Nothing is put
    /// afterwards.
    async fn finish(&self) -> Result<()>;
}

/// Where a sink takes the bytes of one blob from.
#[async_trait]
pub trait Supply: Send + Sync {
    /// The bytes from an offset to the end. May be called again, from another offset.
    async fn open(&self, from: u64) -> Result<Blob>;
}

/// What a sink can do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SinkTraits {
    /// Whether [`Sink::ingest`] works.
    pub ingest: bool,
    /// Whether a document that is there vouches for its blobs and children, as a registry's does that checks them.
    pub complete: bool,
    /// Whether blobs come one by one, in the order of the manifest, as a tar wants them; else side by side.
    pub sequential: bool,
    /// Whether [`Sink::remove`] works.
    pub remove: bool,
}

/// How a blob came to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Put {
    /// It was there.
    Present,
    /// It was taken over from a place where it lay, without its bytes being sent.
    Mounted,
    /// Its bytes were written.
    Written,
}

/// What a document is to the image that is being written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// A child of an index, or a referrer.
    Child,
    /// What was asked for.
    Root {
        /// The names that it gets: none, one or several.
        names: Vec<RefName>,
        /// Whether a name that names something else already is taken over; else that is a
        /// [`ErrorKind::Conflict`].
        replace: bool,
    },
}

impl SinkTraits {
    /// A sink that takes blobs side by side and can do nothing optional.
    pub fn new() -> Self {
        Self {
            ingest: false,
            complete: false,
            sequential: false,
            remove: false,
        }
    }

    /// The same sink, which also takes bytes whose digest is not known yet.
    #[must_use]
    pub fn with_ingest(mut self) -> Self {
        self.ingest = true;
        self
    }

    /// The same sink, whose documents vouch for what they name.
    #[must_use]
    pub fn with_complete(mut self) -> Self {
        self.complete = true;
        self
    }

    /// The same sink, which wants blobs one by one.
    #[must_use]
    pub fn with_sequential(mut self) -> Self {
        self.sequential = true;
        self
    }

    /// The same sink, which can also remove.
    #[must_use]
    pub fn with_remove(mut self) -> Self {
        self.remove = true;
        self
    }
}

impl Default for SinkTraits {
    fn default() -> Self {
        Self::new()
    }
}

/// A supply over bytes in memory.
#[async_trait]
impl Supply for bytes::Bytes {
    async fn open(&self, from: u64) -> Result<Blob> {
        match usize::try_from(from) {
            Ok(from) if from <= self.len() => Ok(Blob::from(self.slice(from..))),
            _ => {
                let message = format!("offset {from} lies behind content of {} bytes", self.len());
                Err(Error::new(ErrorKind::OutOfRange, message))
            }
        }
    }
}
