//! A layout in a directory as a source.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use stevedore_core::stream::BoxStream;
use stevedore_core::{
    Blob, ByteRange, Descriptor, Digest, Document, ImageIndex, Named, Place, Raw, ReferrerFilter, Result,
    Selector, Source, Store as _,
};

use super::{Inner, Layout};
use crate::files::blocking;
use crate::view::{Files, View};

#[async_trait]
impl Files for Inner {
    async fn index(&self) -> Result<Raw<ImageIndex>> {
        let index = self.index.clone();
        blocking(move || index.read()).await
    }

    async fn size(&self, digest: &Digest) -> Result<Option<u64>> {
        Ok(self.store.stat(digest).await?.map(|info| info.size))
    }

    async fn open(&self, digest: &Digest, range: ByteRange) -> Result<Blob> {
        self.store.open(digest, range).await
    }

    fn place(&self, digest: &Digest) -> Option<Place> {
        Some(Place::File(self.store.path(digest)))
    }
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.dir.display().fmt(f)
    }
}

impl Layout {
    fn view(&self) -> View<Inner> {
        View::new(Arc::clone(&self.inner))
    }
}

#[async_trait]
impl Source for Layout {
    async fn resolve(&self, selector: &Selector) -> Result<Descriptor> {
        self.view().resolve(selector).await
    }

    async fn root(&self, selector: &Selector) -> Result<Document> {
        self.view().root(selector).await
    }

    async fn document(&self, descriptor: &Descriptor) -> Result<Document> {
        self.view().document(descriptor).await
    }

    async fn blob(&self, descriptor: &Descriptor, range: ByteRange) -> Result<Blob> {
        self.view().blob(descriptor, range).await
    }

    async fn find_blob(&self, digest: &Digest) -> Result<Descriptor> {
        self.view().find_blob(digest).await
    }

    fn place(&self, digest: &Digest) -> Option<Place> {
        self.inner.place(digest)
    }

    fn referrers(&self, subject: &Digest, filter: ReferrerFilter) -> BoxStream<Result<Descriptor>> {
        self.view().referrers(subject, filter)
    }

    fn names(&self) -> BoxStream<Result<Named>> {
        self.view().names()
    }
}
