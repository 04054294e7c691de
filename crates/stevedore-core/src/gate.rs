//! The seam to policies: who may enter.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{Document, Result, Source};

/// Decides whether an image may be used.
///
/// It is asked once for each image, on the untouched documents and the name that was asked for, before any edit.
#[async_trait]
pub trait Gate: fmt::Debug + Send + Sync + 'static {
    /// Lets an image in.
    ///
    /// # Errors
    /// [`ErrorKind::Denied`](crate::ErrorKind::Denied), with the rule that said no. Any other error denies too.
    async fn admit(&self, admission: &Admission<'_>) -> Result<()>;
}

/// An image that wants to be let in.
#[non_exhaustive]
pub struct Admission<'a> {
    /// The transport, as `docker` or `oci`.
    pub transport: &'a str,
    /// The reference that was asked for, as the user would write it, without the transport.
    pub reference: &'a str,
    /// The documents from the one that was asked for down to the image: an index first, where there is one.
    pub chain: &'a [Document],
    /// Where they were read from; signatures beside the image are its referrers and names.
    pub source: &'a Arc<dyn Source>,
    /// Opens other places, for signatures that lie elsewhere.
    pub opener: &'a dyn Opener,
}

/// Opens sources by their location strings.
#[async_trait]
pub trait Opener: Send + Sync {
    /// The source at a location, as `docker://registry.example/signatures`.
    async fn source(&self, location: &str) -> Result<Arc<dyn Source>>;
}

impl<'a> Admission<'a> {
    /// An image that wants to be let in.
    pub fn new(
        transport: &'a str,
        reference: &'a str,
        chain: &'a [Document],
        source: &'a Arc<dyn Source>,
        opener: &'a dyn Opener,
    ) -> Self {
        Self {
            transport,
            reference,
            chain,
            source,
            opener,
        }
    }
}

impl fmt::Debug for Admission<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admission")
            .field("transport", &self.transport)
            .field("reference", &self.reference)
            .field("chain", &self.chain)
            .finish_non_exhaustive()
    }
}
