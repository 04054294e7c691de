//! A layout as a sink.

use std::sync::Arc;

use async_trait::async_trait;
use stevedore_core::annotations::REF_NAME;
use stevedore_core::{
    Algorithm, Descriptor, Digest, Document, Error, ErrorKind, ImageIndex, IngestPlan, MediaType, Place, Put,
    Raw, Result, Role, Selector, Sink, SinkTraits, Source as _, Staging, Store as _, Supply,
};

use super::Layout;
use super::entries::{named_as, put_entry, remove_entries, tagged};
use crate::files::blocking;
use crate::view::Files as _;
use crate::{fallback, stored};

/// A change of what is filed with a subject.
enum Change {
    Add(Box<Descriptor>),
    Remove(Digest),
}

impl Layout {
    /// Changes the index under its lock.
    async fn update(
        &self,
        change: impl FnOnce(Raw<ImageIndex>) -> Result<Raw<ImageIndex>> + Send + 'static,
    ) -> Result<()> {
        let inner = Arc::clone(&self.inner);
        blocking(move || inner.index.update(change)).await
    }

    /// Makes the directory a layout before the first blob comes: what a kill leaves behind then opens.
    async fn begin(&self) -> Result<()> {
        let begun = self.inner.begun.get_or_try_init(|| {
            let inner = Arc::clone(&self.inner);
            blocking(move || inner.index.begin())
        });
        begun.await.copied()
    }

    /// Writes a document as a blob.
    async fn write_document(&self, document: &Document) -> Result<()> {
        let (descriptor, bytes) = (document.descriptor(), document.bytes());
        let put = stored::put_blob(&self.inner.store, &descriptor, bytes, self.inner.options);
        put.await.map(drop)
    }

    /// Files a document with its subject, by both customs: an entry without a name, and the fallback tag.
    async fn file_referrer(&self, document: &Document, subject: Digest) -> Result<()> {
        let mut descriptor = document.referrer_descriptor();
        // The annotations are the document's own: it must not name itself here.
        descriptor.annotations.remove(REF_NAME);
        self.refile(subject, &Change::Add(Box::new(descriptor.clone())))
            .await?;
        self.update(move |index| put_entry(index, None, &descriptor, true))
            .await
    }

    /// Takes a document out of what is filed with its subject.
    async fn unfile(&self, digest: Digest) -> Result<()> {
        let Ok(document) = self.root(&Selector::Digest(digest)).await else {
            return Ok(());
        };
        let Some(subject) = document.subject() else {
            return Ok(());
        };
        let subject = subject.known_digest()?;
        self.refile(subject, &Change::Remove(digest)).await
    }

    /// Replaces the index under the fallback tag of a subject. It is a blob, so it is written before the entry that
    /// names it; where another writer was faster, the change is made again on what that one filed.
    async fn refile(&self, subject: Digest, change: &Change) -> Result<()> {
        let tag = fallback::tag(&subject);
        loop {
            let seen = tagged(&*self.inner.index().await?, &tag).cloned();
            let referrers = match change {
                Change::Add(referrer) => self.with_referrer(seen.as_ref(), referrer).await?,
                Change::Remove(referrer) => match self.without_referrer(seen.as_ref(), *referrer).await? {
                    Some(rest) => rest,
                    None => return Ok(()),
                },
            };
            self.write_document(&referrers).await?;
            let entry = referrers.descriptor().with_annotation(REF_NAME, &tag);
            let tag = tag.clone();
            let update = self.update(move |index| {
                if tagged(&index, &tag) != seen.as_ref() {
                    let message = "another referrer was filed meanwhile";
                    return Err(Error::new(ErrorKind::Conflict, message));
                }
                put_entry(index, Some(&tag), &entry, true)
            });
            match update.await {
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                updated => return updated,
            }
        }
    }

    /// What is filed under a fallback tag, and a referrer.
    async fn with_referrer(&self, filed: Option<&Descriptor>, referrer: &Descriptor) -> Result<Document> {
        if let Some(filed) = filed
            && let Document::Index(index) = self.document(filed).await?
        {
            if index
                .manifests
                .iter()
                .any(|entry| entry.digest == referrer.digest)
            {
                return Ok(Document::Index(index));
            }
            return Ok(Document::Index(
                index.edit(|edit| edit.push("manifests", referrer))?,
            ));
        }
        let index = ImageIndex::new([referrer.clone()]);
        Ok(Document::Index(Raw::encode(
            &index,
            MediaType::OCI_INDEX,
            Algorithm::Sha256,
        )?))
    }

    /// What is filed under a fallback tag without a referrer, or `None` where that one is not filed.
    async fn without_referrer(
        &self,
        filed: Option<&Descriptor>,
        referrer: Digest,
    ) -> Result<Option<Document>> {
        let Some(filed) = filed else { return Ok(None) };
        let Document::Index(index) = self.document(filed).await? else {
            return Ok(None);
        };
        let Some(place) = index.manifests.iter().position(|entry| entry.digest == referrer) else {
            return Ok(None);
        };
        let rest = index.edit(|edit| edit.remove(("manifests", place)).map(drop))?;
        Ok(Some(Document::Index(rest)))
    }
}

#[async_trait]
impl Sink for Layout {
    fn traits(&self) -> SinkTraits {
        SinkTraits::new().with_ingest().with_remove()
    }

    async fn has(&self, descriptor: &Descriptor) -> Result<bool> {
        stored::has_blob(&self.inner.store, descriptor, self.inner.options).await
    }

    async fn put_blob(
        &self,
        descriptor: &Descriptor,
        _held_at: &[Place],
        supply: &dyn Supply,
    ) -> Result<Put> {
        self.begin().await?;
        // A file of another layout comes as a file through the supply: nothing is to be taken from its place.
        stored::put_blob(&self.inner.store, descriptor, supply, self.inner.options).await
    }

    async fn ingest(&self, plan: IngestPlan) -> Result<Option<Staging>> {
        self.begin().await?;
        self.inner.store.ingest(plan).await.map(Some)
    }

    async fn put_document(&self, document: &Document, role: Role) -> Result<()> {
        self.begin().await?;
        self.write_document(document).await?;
        if let Some(subject) = document.subject() {
            self.file_referrer(document, subject.known_digest()?).await?;
        }
        let Role::Root { names, replace } = role else {
            return Ok(());
        };
        let descriptor = document.descriptor();
        self.update(move |mut index| {
            if names.is_empty() {
                return put_entry(index, None, &descriptor, replace);
            }
            for name in &names {
                let entry = descriptor.clone().with_annotation(REF_NAME, name.as_str());
                index = put_entry(index, Some(name.as_str()), &entry, replace)?;
            }
            Ok(index)
        })
        .await
    }

    async fn remove(&self, selector: &Selector) -> Result<()> {
        if let Selector::Digest(digest) = selector {
            self.unfile(*digest).await?;
        }
        let selector = selector.clone();
        let dir = self.inner.dir.clone();
        self.update(move |index| {
            let goes = |entry: &Descriptor| match &selector {
                Selector::Name(name) => named_as(entry, name),
                Selector::Digest(digest) => entry.digest == *digest,
                _ => false,
            };
            let places: Vec<usize> = index
                .manifests
                .iter()
                .enumerate()
                .filter(|(_, entry)| goes(entry))
                .map(|(place, _)| place)
                .collect();
            if places.is_empty() {
                let dir = dir.display();
                let message = match &selector {
                    Selector::Name(name) => format!("{dir} has no entry named {name}"),
                    Selector::Digest(digest) => format!("{dir} has no entry for {digest}"),
                    _ => format!("{dir} removes by name or digest only"),
                };
                return Err(Error::new(ErrorKind::NotFound, message));
            }
            remove_entries(&index, &places)
        })
        .await
    }

    async fn finish(&self) -> Result<()> {
        let inner = Arc::clone(&self.inner);
        blocking(move || {
            // All that was asked for is there: what cannot be cleared away is no reason to fail.
            drop(inner.store.tidy_staging());
            Ok(())
        })
        .await
    }
}
