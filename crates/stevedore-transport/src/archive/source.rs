//! An archive as a source.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt as _};
use stevedore_core::stream::BoxStream;
use stevedore_core::{
    Blob, ByteRange, Descriptor, Digest, Document, Named, Place, ReferrerFilter, Result, Selector, Source,
};

use super::Archive;
use super::open::Opened;
use crate::files::blocking;
use crate::view::View;

impl Archive {
    async fn view(&self) -> Result<&View<Opened>> {
        let open = || async {
            let (path, form) = (self.path.clone(), self.form);
            let opened = blocking(move || Opened::open(path, form)).await?;
            Ok(View::new(Arc::new(opened)))
        };
        self.opened.get_or_try_init(open).await
    }

    /// A list that the opened archive gives.
    fn listed<T: Send + 'static>(
        &self,
        list: impl FnOnce(&View<Opened>) -> BoxStream<Result<T>> + Send + 'static,
    ) -> BoxStream<Result<T>> {
        let archive = self.clone();
        let opened = async move {
            match archive.view().await {
                Ok(view) => list(view),
                Err(error) => Box::pin(stream::once(async { Err(error) })),
            }
        };
        Box::pin(stream::once(opened).flatten())
    }
}

#[async_trait]
impl Source for Archive {
    async fn resolve(&self, selector: &Selector) -> Result<Descriptor> {
        self.view().await?.resolve(selector).await
    }

    async fn root(&self, selector: &Selector) -> Result<Document> {
        self.view().await?.root(selector).await
    }

    async fn document(&self, descriptor: &Descriptor) -> Result<Document> {
        self.view().await?.document(descriptor).await
    }

    async fn blob(&self, descriptor: &Descriptor, range: ByteRange) -> Result<Blob> {
        self.view().await?.blob(descriptor, range).await
    }

    async fn find_blob(&self, digest: &Digest) -> Result<Descriptor> {
        self.view().await?.find_blob(digest).await
    }

    /// No file holds just the bytes of a blob.
    fn place(&self, _digest: &Digest) -> Option<Place> {
        None
    }

    fn referrers(&self, subject: &Digest, filter: ReferrerFilter) -> BoxStream<Result<Descriptor>> {
        let subject = *subject;
        self.listed(move |view| view.referrers(&subject, filter))
    }

    fn names(&self) -> BoxStream<Result<Named>> {
        self.listed(|view| view.names())
    }
}
