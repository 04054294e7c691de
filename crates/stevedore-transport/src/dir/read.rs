//! A directory as a source.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use stevedore_core::raw::MANIFEST_LIMIT;
use stevedore_core::stream::BoxStream;
use stevedore_core::{
    Algorithm, Blob, ByteRange, Context as _, Descriptor, Digest, Document, Error, ErrorKind, MediaType,
    Named, Place, ReferrerFilter, Result, Selector, Source, Store as _,
};

use super::Directory;
use super::layout::{MANIFEST, Part};
use crate::files::{blocking, read_limited};
use crate::lists::all_of;

/// How many documents are read to find the referrers of a subject.
const MAX_LOOKED_AT: usize = 4096;

impl Directory {
    /// The image, hashed by an algorithm.
    pub(super) async fn image(&self, algorithm: Algorithm) -> Result<Document> {
        let path = self.manifest_path();
        let shown = path.display().to_string();
        let bytes = blocking(move || read_limited(&path, MANIFEST_LIMIT as u64)).await?;
        let bytes = bytes.ok_or_else(|| self.no(MANIFEST))?;
        let document = Document::parse(bytes, None, algorithm, MANIFEST_LIMIT).map_err(Error::from);
        match document.context(|| format!("cannot read {shown}"))? {
            Document::Other(_) => {
                let message = format!("{shown} is no manifest: neither that of an image nor an index");
                Err(Error::new(ErrorKind::Invalid, message))
            }
            document => Ok(document),
        }
    }

    /// The bytes of a document that is not the image itself, and are not hashed.
    async fn child(&self, digest: &Digest) -> Result<Option<Bytes>> {
        let path = self.child_path(digest);
        blocking(move || read_limited(&path, MANIFEST_LIMIT as u64)).await
    }

    /// The bytes of a document, as they lie there.
    pub(super) async fn document_bytes(&self, digest: &Digest) -> Result<Bytes> {
        if let Some(bytes) = self.child(digest).await? {
            return Ok(bytes);
        }
        let image = self.image(digest.algorithm()).await?;
        if image.digest() == *digest {
            return Ok(image.bytes().clone());
        }
        Err(self.no(format!("document {digest}")))
    }

    fn cannot_read(&self, digest: &Digest) -> String {
        format!("cannot read {digest} of {}", self.inner.dir.display())
    }

    async fn find_referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>> {
        let directory = self.clone();
        let documents = blocking(move || directory.documents()).await?;
        let mut found = Vec::new();
        for digest in documents.into_iter().take(MAX_LOOKED_AT) {
            let Ok(Some(bytes)) = self.child(&digest).await else {
                continue;
            };
            // One that is damaged refers to nothing.
            let Ok(document) = Document::parse(bytes, None, digest.algorithm(), MANIFEST_LIMIT) else {
                continue;
            };
            if document.digest() == digest && document.subject().is_some_and(|named| named.digest == *subject)
            {
                found.push(document.referrer_descriptor());
            }
        }
        Ok(found)
    }

    /// The digests of the documents that are not the image itself, in their order. Blocks.
    fn documents(&self) -> Result<Vec<Digest>> {
        let cannot = |error| Error::storage(format!("cannot read {}", self.inner.dir.display()), error);
        let mut digests = Vec::new();
        for entry in std::fs::read_dir(&self.inner.dir).map_err(cannot)? {
            if let Some(Part::Document(digest)) = Part::of(&entry.map_err(cannot)?.file_name()) {
                digests.push(digest);
            }
        }
        digests.sort_unstable();
        Ok(digests)
    }
}

#[async_trait]
impl Source for Directory {
    async fn resolve(&self, selector: &Selector) -> Result<Descriptor> {
        Ok(self.root(selector).await?.descriptor())
    }

    async fn root(&self, selector: &Selector) -> Result<Document> {
        match selector {
            Selector::Only | Selector::Nth(0) => self.image(Algorithm::Sha256).await,
            Selector::Digest(digest) => {
                let bytes = self.document_bytes(digest).await?;
                let found = digest.algorithm().digest(&bytes);
                let document = if found == *digest {
                    Document::parse(bytes, None, digest.algorithm(), MANIFEST_LIMIT).map_err(Error::from)
                } else {
                    Err(Error::mismatch("the document", *digest, found))
                };
                document.context(|| self.cannot_read(digest))
            }
            Selector::Name(name) => Err(self.no(format!("name, so none that is {name}"))),
            _ => Err(self.no("more than one image")),
        }
    }

    async fn document(&self, descriptor: &Descriptor) -> Result<Document> {
        let digest = descriptor.known_digest()?;
        let bytes = self.document_bytes(&digest).await?;
        Document::verified(bytes, descriptor).context(|| self.cannot_read(&digest))
    }

    async fn blob(&self, descriptor: &Descriptor, range: ByteRange) -> Result<Blob> {
        let digest = descriptor.known_digest()?;
        let opened = self.inner.store.open(&digest, range).await;
        opened.map_err(|error| match error.kind() {
            ErrorKind::NotFound => self.no(format!("blob {digest}")),
            _ => error,
        })
    }

    async fn find_blob(&self, digest: &Digest) -> Result<Descriptor> {
        let info = self.inner.store.stat(digest).await?;
        let info = info.ok_or_else(|| self.no(format!("blob {digest}")))?;
        Ok(Descriptor::new(MediaType::OCTET_STREAM, *digest, info.size))
    }

    fn place(&self, digest: &Digest) -> Option<Place> {
        Some(Place::File(self.inner.store.path(digest)))
    }

    fn referrers(&self, subject: &Digest, filter: ReferrerFilter) -> BoxStream<Result<Descriptor>> {
        let (directory, subject) = (self.clone(), *subject);
        all_of(async move {
            let mut found = directory.find_referrers(&subject).await?;
            found.retain(|entry| filter.admits(entry));
            Ok(found)
        })
    }

    fn names(&self) -> BoxStream<Result<Named>> {
        Box::pin(stream::empty())
    }
}
