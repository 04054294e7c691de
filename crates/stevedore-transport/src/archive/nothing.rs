//! What can be read of an archive before it is whole.

use async_trait::async_trait;
use futures_util::stream;
use stevedore_core::stream::BoxStream;
use stevedore_core::{
    Blob, ByteRange, Descriptor, Digest, Document, Error, ErrorKind, Named, Place, ReferrerFilter, Result,
    Selector, Source,
};

/// A source that has nothing.
#[derive(Debug)]
pub(crate) struct Nothing;

fn nothing<T>() -> Result<T> {
    Err(Error::new(ErrorKind::NotFound, "the archive is not written yet"))
}

#[async_trait]
impl Source for Nothing {
    async fn resolve(&self, _selector: &Selector) -> Result<Descriptor> {
        nothing()
    }

    async fn root(&self, _selector: &Selector) -> Result<Document> {
        nothing()
    }

    async fn document(&self, _descriptor: &Descriptor) -> Result<Document> {
        nothing()
    }

    async fn blob(&self, _descriptor: &Descriptor, _range: ByteRange) -> Result<Blob> {
        nothing()
    }

    async fn find_blob(&self, _digest: &Digest) -> Result<Descriptor> {
        nothing()
    }

    fn place(&self, _digest: &Digest) -> Option<Place> {
        None
    }

    fn referrers(&self, _subject: &Digest, _filter: ReferrerFilter) -> BoxStream<Result<Descriptor>> {
        Box::pin(stream::empty())
    }

    fn names(&self) -> BoxStream<Result<Named>> {
        Box::pin(stream::empty())
    }
}
