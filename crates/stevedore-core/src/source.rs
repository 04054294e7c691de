//! The seam to where images are read from.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use crate::stream::BoxStream;
use crate::{Blob, ByteRange, Descriptor, Digest, Document, MediaType, RefName, Result};

/// A repository, layout or archive that images are read from.
///
/// [`root`](Self::root) is the one resolution of a name, in one request; everything later goes on by digest.
/// Implementations run the tests of the `suite` feature.
#[async_trait]
pub trait Source: fmt::Debug + Send + Sync + 'static {
    /// What a selector names, without its content: a claim (by `HEAD` on a registry).
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) where it names nothing,
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) where [`Selector::Only`] meets several images,
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) where this source knows no such selectors.
    async fn resolve(&self, selector: &Selector) -> Result<Descriptor>;

    /// The document that a selector names, hashed, in one request.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve); [`ErrorKind::Mismatch`](crate::ErrorKind::Mismatch) where the bytes are not
    /// those of the digest asked for.
    async fn root(&self, selector: &Selector) -> Result<Document>;

    /// The document of a descriptor, with digest, size and type checked against it.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound), [`ErrorKind::Mismatch`](crate::ErrorKind::Mismatch) (for
    /// another type too, where the source keeps the types), [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) where the
    /// document itself contradicts its type, [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for a digest of
    /// an unknown algorithm, of which nothing is opened.
    async fn document(&self, descriptor: &Descriptor) -> Result<Document>;

    /// The bytes of a blob, or of a range of it, not hashed.
    ///
    /// # Errors
    /// As [`document`](Self::document), and [`ErrorKind::OutOfRange`](crate::ErrorKind::OutOfRange).
    async fn blob(&self, descriptor: &Descriptor, range: ByteRange) -> Result<Blob>;

    /// What a blob is of which only the digest is known: its size, of no type in particular. A claim, as
    /// [`resolve`](Self::resolve) is.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound), [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported)
    /// where sizes are known from documents only.
    async fn find_blob(&self, digest: &Digest) -> Result<Descriptor>;

    /// Where a blob lies, for a sink that can mount or reflink it from there.
    fn place(&self, digest: &Digest) -> Option<Place>;

    /// The descriptors of the documents whose subject is this digest, with their annotations and their kinds of
    /// artifact, in no order. Whether the subject is there does not matter.
    fn referrers(&self, subject: &Digest, filter: ReferrerFilter) -> BoxStream<Result<Descriptor>>;

    /// The names that are here, each once, in the order of their bytes, with what they name where that costs no request.
    fn names(&self) -> BoxStream<Result<Named>>;
}

/// Which of the documents of a source.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Selector {
    /// The one with this name (a tag, on a registry).
    Name(RefName),
    /// The one with this digest.
    Digest(Digest),
    /// The one at this place of an archive or layout, counted from 0.
    Nth(usize),
    /// The only one.
    Only,
}

/// A name, and what it names.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Named {
    /// The name.
    pub name: RefName,
    /// What it names, where the source knows without asking.
    pub descriptor: Option<Descriptor>,
}

/// Which referrers are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReferrerFilter {
    /// Only those of this artifact type.
    pub artifact_type: Option<MediaType>,
}

/// Where a blob lies.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Place {
    /// In a repository of a registry.
    Repository {
        /// The registry, `host` or `host:port`.
        registry: String,
        /// The name of the repository.
        repository: String,
    },
    /// In a file that holds just these bytes.
    File(PathBuf),
    /// In a repository of this process.
    Memory {
        /// The id of its [`Repositories`](crate::Repositories), unique in this process.
        store: u64,
        /// The name of the repository.
        repository: Arc<str>,
    },
}

impl Named {
    /// A name, and what it names.
    pub fn new(name: RefName, descriptor: Option<Descriptor>) -> Self {
        Self { name, descriptor }
    }
}

impl ReferrerFilter {
    /// All of them.
    pub fn all() -> Self {
        Self::default()
    }

    /// Only those of an artifact type.
    pub fn artifact_type(artifact_type: MediaType) -> Self {
        Self {
            artifact_type: Some(artifact_type),
        }
    }

    /// Whether a referrer is wanted.
    pub fn admits(&self, referrer: &Descriptor) -> bool {
        self.artifact_type
            .as_ref()
            .is_none_or(|wanted| referrer.artifact_type.as_ref() == Some(wanted))
    }
}
