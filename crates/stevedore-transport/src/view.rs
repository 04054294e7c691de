//! The files of a layout as a source, wherever they are: in a directory, or in an archive.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use stevedore_core::annotations::REF_NAME;
use stevedore_core::raw::MANIFEST_LIMIT;
use stevedore_core::stream::BoxStream;
use stevedore_core::{
    Blob, ByteRange, Descriptor, Digest, Document, Error, ErrorKind, ImageIndex, MediaType, Named, Place,
    Raw, RefName, ReferrerFilter, Result, Selector, Source,
};

use crate::fallback;
use crate::layout::Ambiguous;
use crate::layout::entries::{named_as, tagged};
use crate::lists::all_of;

/// How many documents are read to find the media type of a lone digest, or the referrers of a subject.
const MAX_LOOKED_AT: usize = 4096;

/// Where the files of a layout are. As text, what people know it by: a path.
#[async_trait]
pub(crate) trait Files: fmt::Debug + fmt::Display + Send + Sync + 'static {
    /// The index as it is now.
    async fn index(&self) -> Result<Raw<ImageIndex>>;

    /// The size of a blob in bytes, or `None` where there is none.
    async fn size(&self, digest: &Digest) -> Result<Option<u64>>;

    /// The bytes of a blob, not hashed.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where there is none, [`ErrorKind::OutOfRange`] for a range outside of it.
    async fn open(&self, digest: &Digest, range: ByteRange) -> Result<Blob>;

    /// Where a blob lies, for a sink that can take it over from there.
    fn place(&self, digest: &Digest) -> Option<Place>;
}

/// A layout as a source. Cheap to clone.
#[derive(Debug)]
pub(crate) struct View<F>(Arc<F>);

impl<F> Clone for View<F> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<F: Files> View<F> {
    pub(crate) fn new(files: Arc<F>) -> Self {
        Self(files)
    }

    /// The entries that are images of their own, with their places: no referrers that were filed here, no fallback
    /// tags.
    fn images(index: &ImageIndex) -> Vec<(usize, &Descriptor)> {
        let filed = |entry: &Descriptor| {
            let name = entry.annotations.get(REF_NAME);
            name.is_some_and(|name| fallback::is_tag(name))
                || (name.is_none() && entry.artifact_type.is_some())
        };
        let all = || index.manifests.iter().enumerate();
        let images: Vec<_> = all().filter(|(_, entry)| !filed(entry)).collect();
        if images.is_empty() {
            all().collect()
        } else {
            images
        }
    }

    /// The one document of some entries, if it is one.
    fn only(
        entries: &[(usize, &Descriptor)],
        several: impl FnOnce() -> String,
    ) -> Result<Option<Descriptor>> {
        let Some((_, first)) = entries.first() else {
            return Ok(None);
        };
        if entries.iter().all(|(_, entry)| entry.digest == first.digest) {
            return Ok(Some((*first).clone()));
        }
        let with_name = |(place, entry): &(usize, &Descriptor)| {
            let name = entry.annotations.get(REF_NAME);
            (*place, name.map(|name| RefName::verbatim(name)))
        };
        let entries = entries.iter().map(with_name).collect();
        Err(Error::new(ErrorKind::Invalid, several()).with_source(Ambiguous { entries }))
    }

    fn find(&self, index: &ImageIndex, selector: &Selector) -> Result<Descriptor> {
        let dir = &self.0;
        let not_found = |what: String| Error::new(ErrorKind::NotFound, format!("{dir} has {what}"));
        match selector {
            Selector::Name(name) => {
                let entries: Vec<_> = named(index, name).collect();
                let found = Self::only(&entries, || format!("{dir} has several entries named {name}"))?;
                found.ok_or_else(|| not_found(format!("no entry named {name}; it has {}", list_names(index))))
            }
            Selector::Nth(place) => {
                let count = index.manifests.len();
                let entry = index.manifests.get(*place);
                entry
                    .cloned()
                    .ok_or_else(|| not_found(format!("{count} entries and none at place {place}")))
            }
            Selector::Only => {
                let several = || format!("{dir} has several entries, and which is meant was not said");
                let found = Self::only(&Self::images(index), several)?;
                found.ok_or_else(|| not_found("no entry".to_owned()))
            }
            _ => Err(Error::new(
                ErrorKind::Unsupported,
                format!("{dir} cannot be asked for {selector:?}"),
            )),
        }
    }

    /// The descriptor of a lone digest: as an entry has it, or an index below one, else by its own size.
    async fn by_digest(&self, digest: &Digest) -> Result<Descriptor> {
        let index = self.0.index().await?;
        let mut looked_at = 0;
        let mut waiting: VecDeque<Descriptor> = index.manifests.iter().cloned().collect();
        while let Some(entry) = waiting.pop_front() {
            if entry.digest == *digest {
                return Ok(entry);
            }
            looked_at += 1;
            if entry.media_type.is_index() && looked_at < MAX_LOOKED_AT {
                // One that is damaged or not there cannot vouch for the type of another.
                if let Ok(Document::Index(index)) = self.document(&entry).await {
                    waiting.extend(index.manifests.iter().cloned());
                }
            }
        }
        let size = self.0.size(digest).await?.ok_or_else(|| self.no_blob(digest))?;
        let parse = |bytes| Document::parse(bytes, None, digest.algorithm(), MANIFEST_LIMIT);
        let document = self
            .read_document(digest)
            .await
            .and_then(|bytes| Ok(parse(bytes)?))
            .map_err(|error| self.cannot_read(digest, error))?;
        Ok(Descriptor::new(document.media_type().clone(), *digest, size))
    }

    async fn read_document(&self, digest: &Digest) -> Result<bytes::Bytes> {
        let blob = self.open(digest, ByteRange::FULL).await?;
        blob.into_bytes(MANIFEST_LIMIT as u64).await
    }

    fn cannot_read(&self, digest: &Digest, error: Error) -> Error {
        match error.kind() {
            // It says itself what is not there.
            ErrorKind::NotFound => error,
            _ => error.context(format!("cannot read {digest} of {}", self.0)),
        }
    }

    async fn open(&self, digest: &Digest, range: ByteRange) -> Result<Blob> {
        let opened = self.0.open(digest, range).await;
        opened.map_err(|error| {
            if error.is_not_found() {
                self.no_blob(digest)
            } else {
                error
            }
        })
    }

    fn no_blob(&self, digest: &Digest) -> Error {
        Error::new(ErrorKind::NotFound, format!("{} has no blob {digest}", self.0))
    }
}

#[async_trait]
impl<F: Files> Source for View<F> {
    async fn resolve(&self, selector: &Selector) -> Result<Descriptor> {
        match selector {
            Selector::Digest(digest) => self.by_digest(digest).await,
            _ => self.find(&*self.0.index().await?, selector),
        }
    }

    async fn root(&self, selector: &Selector) -> Result<Document> {
        self.document(&self.resolve(selector).await?).await
    }

    async fn document(&self, descriptor: &Descriptor) -> Result<Document> {
        let digest = descriptor.known_digest()?;
        self.read_document(&digest)
            .await
            .and_then(|bytes| Document::verified(bytes, descriptor))
            .map_err(|error| self.cannot_read(&digest, error))
    }

    async fn blob(&self, descriptor: &Descriptor, range: ByteRange) -> Result<Blob> {
        self.open(&descriptor.known_digest()?, range).await
    }

    async fn find_blob(&self, digest: &Digest) -> Result<Descriptor> {
        let size = self.0.size(digest).await?;
        let size = size.ok_or_else(|| self.no_blob(digest))?;
        Ok(Descriptor::new(MediaType::OCTET_STREAM, *digest, size))
    }

    fn place(&self, digest: &Digest) -> Option<Place> {
        self.0.place(digest)
    }

    fn referrers(&self, subject: &Digest, filter: ReferrerFilter) -> BoxStream<Result<Descriptor>> {
        let (view, subject) = (self.clone(), *subject);
        all_of(async move {
            let mut found = view.find_referrers(&subject).await?;
            found.retain(|entry| filter.admits(entry));
            Ok(found)
        })
    }

    fn names(&self) -> BoxStream<Result<Named>> {
        let files = Arc::clone(&self.0);
        all_of(async move { Ok(all_names(&*files.index().await?)) })
    }
}

impl<F: Files> View<F> {
    /// The documents whose subject is a digest: by the fallback tag, and among the entries without a name.
    async fn find_referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>> {
        let index = self.0.index().await?;
        let mut found: Vec<Descriptor> = Vec::new();
        let tag = fallback::tag(subject);
        if let Some(entry) = tagged(&index, &tag)
            && let Document::Index(filed) = self.document(entry).await?
        {
            found.extend(filed.manifests.iter().cloned());
        }
        let unnamed = index
            .manifests
            .iter()
            .filter(|entry| !entry.annotations.contains_key(REF_NAME));
        for entry in unnamed.take(MAX_LOOKED_AT) {
            if found.iter().any(|other| other.digest == entry.digest) {
                continue;
            }
            // One that is not there, or damaged, refers to nothing.
            let Ok(document) = self.document(entry).await else {
                continue;
            };
            if document.subject().is_some_and(|named| named.digest == *subject) {
                found.push(document.referrer_descriptor());
            }
        }
        Ok(found)
    }
}

/// The entries with a name, with their places.
fn named<'a>(index: &'a ImageIndex, name: &'a RefName) -> impl Iterator<Item = (usize, &'a Descriptor)> {
    let all = index.manifests.iter().enumerate();
    all.filter(move |(_, entry)| named_as(entry, name))
}

fn all_names(index: &ImageIndex) -> Vec<Named> {
    let mut names: Vec<Named> = index
        .manifests
        .iter()
        .filter_map(|entry| {
            let name = entry.annotations.get(REF_NAME)?;
            // How referrers are found is no name that anybody gave.
            if fallback::is_tag(name) && entry.media_type.is_index() {
                return None;
            }
            let name = RefName::verbatim(name);
            Some(Named::new(name, Some(entry.clone())))
        })
        .collect();
    names.sort_by(|one, other| one.name.as_str().cmp(other.name.as_str()));
    names.dedup_by(|one, other| one.name == other.name);
    names
}

fn list_names(index: &ImageIndex) -> String {
    const MOST: usize = 20;
    let names = all_names(index);
    let mut shown: Vec<String> = names
        .iter()
        .take(MOST)
        .map(|named| named.name.to_string())
        .collect();
    if names.len() > MOST {
        shown.push(format!("and {} more", names.len() - MOST));
    }
    if shown.is_empty() {
        "none with a name".to_owned()
    } else {
        shown.join(", ")
    }
}
