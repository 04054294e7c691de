//! A layout as a sink.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use stevedore_core::annotations::REF_NAME;
use stevedore_core::{
    Algorithm, Blob, Descriptor, Digest, Document, Error, ErrorKind, ImageIndex, IngestPlan,
    MediaType, Place, Put, Raw, RefName, Result, Role, Selector, Sink, SinkTraits, Staging, Store as _,
    Supply, supply,
};

use super::{Layout, blocking};
use crate::fallback;

/// How long a blob that another holder stages is waited for, before it is staged apart.
const PATIENCE: Duration = Duration::from_secs(30);

/// The wait between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

impl Layout {
    /// Changes the index under its lock.
    async fn update(
        &self,
        change: impl FnOnce(Raw<ImageIndex>) -> Result<Raw<ImageIndex>> + Send + 'static,
    ) -> Result<()> {
        let inner = Arc::clone(&self.inner);
        blocking(move || inner.index.update(change)).await
    }

    /// Writes a document as a blob.
    async fn write_document(&self, document: &Document) -> Result<()> {
        let (digest, size) = (document.digest(), document.size());
        let plan = IngestPlan::of(digest).with_size(size);
        if let Staging::Mine(mut ingest) = self.inner.store.ingest(plan).await? {
            ingest.append(Blob::from(document.bytes().clone())).await?;
            ingest.commit(supply::expected(digest, size)).await?;
        }
        Ok(())
    }

    /// Files a document with its subject, by both customs: an entry without a name, and the fallback tag.
    async fn file_referrer(&self, document: &Document, subject: Digest) -> Result<()> {
        let mut descriptor = document.referrer_descriptor();
        // The annotations are the document's own: it must not name itself here.
        descriptor.annotations.remove(REF_NAME);
        let tag = fallback::tag(&subject);
        // The index under the tag is a blob, so it is written before the entry; if somebody files another
        // referrer in between, once more.
        loop {
            let before = self.index().await?;
            let filed = tagged(&before, &tag).cloned();
            let referrers = self.add_to_fallback(filed.as_ref(), &descriptor).await?;
            self.write_document(&referrers).await?;
            let entry = referrers.descriptor().with_annotation(REF_NAME, &tag);
            let (tag, descriptor) = (tag.clone(), descriptor.clone());
            let update = self.update(move |index| {
                if tagged(&index, &tag) != filed.as_ref() {
                    return Err(Error::new(
                        ErrorKind::Conflict,
                        "another referrer was filed meanwhile",
                    ));
                }
                let index = put_entry(index, Some(&tag), &entry, true)?;
                put_entry(index, None, &descriptor, true)
            });
            match update.await {
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                updated => return updated,
            }
        }
    }

    async fn add_to_fallback(&self, filed: Option<&Descriptor>, descriptor: &Descriptor) -> Result<Document> {
        use stevedore_core::Source as _;
        if let Some(filed) = filed {
            if let Document::Index(index) = self.document(filed).await? {
                if index
                    .manifests
                    .iter()
                    .any(|entry| entry.digest == descriptor.digest)
                {
                    return Ok(Document::Index(index));
                }
                let edited = index.edit(|edit| edit.push("manifests", descriptor))?;
                return Ok(Document::Index(edited));
            }
        }
        let index = ImageIndex::new([descriptor.clone()]);
        Ok(Document::Index(Raw::encode(
            &index,
            MediaType::OCI_INDEX,
            Algorithm::Sha256,
        )?))
    }

    /// Takes a document out of what is filed with its subject.
    async fn unfile(&self, digest: Digest) -> Result<()> {
        use stevedore_core::Source as _;
        let Ok(document) = self.root(&Selector::Digest(digest)).await else {
            return Ok(());
        };
        let Some(subject) = document.subject() else {
            return Ok(());
        };
        let tag = fallback::tag(&subject.known_digest()?);
        let index = self.index().await?;
        let Some(filed) = tagged(&index, &tag).cloned() else {
            return Ok(());
        };
        let Document::Index(referrers) = self.document(&filed).await? else {
            return Ok(());
        };
        let Some(place) = referrers
            .manifests
            .iter()
            .position(|entry| entry.digest == digest)
        else {
            return Ok(());
        };
        let rest = Document::Index(
            referrers.edit(|edit| edit.remove(("manifests", place)).map(drop))?,
        );
        self.write_document(&rest).await?;
        let entry = rest.descriptor().with_annotation(REF_NAME, &tag);
        self.update(move |index| put_entry(index, Some(&tag), &entry, true))
            .await
    }
}

#[async_trait]
impl Sink for Layout {
    fn traits(&self) -> SinkTraits {
        SinkTraits::new().with_ingest().with_remove()
    }

    async fn has(&self, descriptor: &Descriptor) -> Result<bool> {
        let there = self.inner.store.stat(&descriptor.known_digest()?).await?;
        Ok(there.is_some_and(|info| info.size == descriptor.size))
    }

    async fn put_blob(
        &self,
        descriptor: &Descriptor,
        _held_at: &[Place],
        supply: &dyn Supply,
    ) -> Result<Put> {
        // A file of another layout comes as a file through the supply: nothing is to be taken from its place.
        let mut patience = PATIENCE;
        let put = supply::put_blob(&self.inner.store, descriptor, supply, move || {
            let more = !patience.is_zero();
            patience = patience.saturating_sub(LOOK_AGAIN);
            Box::pin(async move {
                tokio::time::sleep(LOOK_AGAIN).await;
                more
            })
        });
        put.await
    }

    async fn ingest(&self, plan: IngestPlan) -> Result<Option<Staging>> {
        self.inner.store.ingest(plan).await.map(Some)
    }

    async fn put_document(&self, document: &Document, role: Role) -> Result<()> {
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
                let message = format!("{} has no entry that is {selector:?}", dir.display());
                return Err(Error::new(ErrorKind::NotFound, message));
            }
            remove_entries(&index, &places)
        })
        .await
    }

    async fn finish(&self) -> Result<()> {
        let inner = Arc::clone(&self.inner);
        blocking(move || {
            inner.store.remove_empty_staging();
            Ok(())
        })
        .await
    }
}

fn named_as(entry: &Descriptor, name: &RefName) -> bool {
    entry
        .annotations
        .get(REF_NAME)
        .is_some_and(|it| it == name.as_str())
}

fn tagged<'a>(index: &'a ImageIndex, tag: &str) -> Option<&'a Descriptor> {
    index
        .manifests
        .iter()
        .find(|entry| entry.annotations.get(REF_NAME).is_some_and(|name| name == tag))
}

fn remove_entries(index: &Raw<ImageIndex>, places: &[usize]) -> Result<Raw<ImageIndex>> {
    let edited = index.edit(|edit| {
        for place in places.iter().rev() {
            edit.remove(("manifests", *place))?;
        }
        Ok(())
    });
    Ok(edited?)
}

/// Puts an entry under a name in place of the one that has it, or one without a name where its digest is not among
/// the entries yet.
fn put_entry(
    index: Raw<ImageIndex>,
    name: Option<&str>,
    entry: &Descriptor,
    replace: bool,
) -> Result<Raw<ImageIndex>> {
    let Some(name) = name else {
        if index.manifests.iter().any(|other| other.digest == entry.digest) {
            return Ok(index);
        }
        return Ok(index.edit(|edit| edit.push("manifests", entry))?);
    };
    let has_name = |other: &Descriptor| other.annotations.get(REF_NAME).is_some_and(|it| it == name);
    let places: Vec<usize> = index
        .manifests
        .iter()
        .enumerate()
        .filter(|(_, other)| has_name(other))
        .map(|(place, _)| place)
        .collect();
    let Some((first, others)) = places.split_first() else {
        return Ok(index.edit(|edit| edit.push("manifests", entry))?);
    };
    if others.is_empty() && index.manifests[*first].digest == entry.digest {
        return Ok(index);
    }
    if !replace {
        let message = format!("the name {name} is taken by {}", index.manifests[*first].digest);
        return Err(Error::new(ErrorKind::Conflict, message));
    }
    let edited = index.edit(|edit| {
        for place in others.iter().rev() {
            edit.remove(("manifests", *place))?;
        }
        edit.set(("manifests", *first), entry)
    });
    Ok(edited?)
}
