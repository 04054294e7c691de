//! The repository as a source and a sink.

use async_trait::async_trait;
use futures_util::StreamExt;
use stevedore_core::reference::Tag;
use stevedore_core::stream::BoxStream;
use stevedore_core::{
    Algorithm, Blob, ByteRange, Descriptor, Digest, Document, Error as CoreError, ErrorKind, IngestPlan,
    MediaType, Named, Place, Put, RefName, ReferrerFilter, Result, Role, Selector, Sink, SinkTraits, Source,
    Staging, Supply, stream,
};

use super::Repository;
use super::documents::{Condition, tag};

#[async_trait]
impl Source for Repository {
    async fn resolve(&self, selector: &Selector) -> Result<Descriptor> {
        let reference = self.reference(selector)?;
        let what = || format!("cannot find {reference} in {self}");
        let found = self
            .head_document(&reference)
            .await
            .map_err(|error| error.while_doing(what()))?;
        match (found, selector) {
            (Some(found), Selector::Digest(digest)) if found.digest != *digest => Err(CoreError::mismatch(
                "what the registry names",
                digest,
                found.digest,
            )),
            (Some(found), _) => Ok(found),
            // A registry that does not say it all has to give it.
            (None, _) => Ok(self.root(selector).await?.descriptor()),
        }
    }

    async fn root(&self, selector: &Selector) -> Result<Document> {
        match selector {
            Selector::Digest(digest) => self.fetch_digest(*digest).await,
            selector => Ok(self.fetch_tagged(&self.reference(selector)?).await?.0),
        }
    }

    async fn document(&self, descriptor: &Descriptor) -> Result<Document> {
        let digest = descriptor.known_digest()?;
        let what = || format!("cannot read {digest} of {self}");
        let (bytes, _) = self
            .fetch_bytes(&digest.to_string())
            .await
            .map_err(|error| error.while_doing(what()))?;
        Document::verified(bytes, descriptor).map_err(|error| error.context(what()))
    }

    async fn blob(&self, descriptor: &Descriptor, range: ByteRange) -> Result<Blob> {
        self.fetch_blob(descriptor, range).await
    }

    async fn find_blob(&self, digest: &Digest) -> Result<Descriptor> {
        let size = self.size_of_blob(digest).await;
        let size = size.map_err(|error| error.while_doing(format!("cannot find {digest} in {self}")))?;
        Ok(Descriptor::new(MediaType::OCTET_STREAM, *digest, size))
    }

    fn place(&self, _digest: &Digest) -> Option<Place> {
        Some(self.here())
    }

    fn referrers(&self, subject: &Digest, filter: ReferrerFilter) -> BoxStream<Result<Descriptor>> {
        let (repository, subject) = (self.clone(), *subject);
        let listed = async move { repository.list_referrers(&subject, &filter).await };
        all_of(listed)
    }

    fn names(&self) -> BoxStream<Result<Named>> {
        let repository = self.clone();
        let tags = async move {
            let tags = repository.tags().await;
            let tags =
                tags.map_err(|error| error.while_doing(format!("cannot list the tags of {repository}")))?;
            Ok(tags.into_iter().map(|name| Named::new(name, None)).collect())
        };
        all_of(tags)
    }
}

#[async_trait]
impl Sink for Repository {
    fn traits(&self) -> SinkTraits {
        SinkTraits::new().with_ingest().with_complete().with_remove()
    }

    async fn has(&self, descriptor: &Descriptor) -> Result<bool> {
        let digest = descriptor.known_digest()?;
        let what = || format!("cannot find {digest} in {self}");
        if descriptor.media_type.is_document() {
            return match self.head_document(&digest.to_string()).await {
                Ok(Some(found)) => Ok(found.digest == digest && found.size == descriptor.size),
                // Some tell no digest. Then only the document itself shows that it is there.
                Ok(None) => self
                    .holds_document(&digest)
                    .await
                    .map_err(|error| error.while_doing(what())),
                Err(error) if error.is_not_found() => Ok(false),
                Err(error) => Err(error.while_doing(what())),
            };
        }
        let size = self
            .head_blob(&digest)
            .await
            .map_err(|error| error.while_doing(what()))?;
        Ok(size == Some(descriptor.size))
    }

    async fn put_blob(&self, descriptor: &Descriptor, held_at: &[Place], supply: &dyn Supply) -> Result<Put> {
        self.push_blob(descriptor, held_at, supply).await
    }

    async fn ingest(&self, plan: IngestPlan) -> Result<Option<Staging>> {
        self.begin_ingest(plan).await.map(Some)
    }

    async fn put_document(&self, document: &Document, role: Role) -> Result<()> {
        let digest = document.digest();
        let (names, replace) = match role {
            Role::Child => (Vec::new(), true),
            Role::Root { names, replace } => (names, replace),
            _ => {
                return Err(CoreError::new(
                    ErrorKind::Unsupported,
                    format!("{self} does not know this role"),
                ));
            }
        };
        let tags = self.tags_to_write(&names, replace, digest).await?;
        // Whether the registry said of what was written that it lists it; where all was there, nothing was.
        let mut filed = None;
        let mut note = |listed: bool| filed = Some(filed.unwrap_or(false) | listed);
        // What a tag names is known to registries by its sha256 only.
        if names.is_empty() || digest.algorithm() != Algorithm::Sha256 {
            let written = self
                .write_document(document, &digest.to_string(), Condition::None)
                .await;
            note(written.map_err(|error| error.while_doing(format!("cannot write {digest} to {self}")))?);
        }
        for (tag, condition) in tags {
            let written = self.write_document(document, tag.as_str(), condition).await;
            note(written.map_err(|error| error.while_doing(format!("cannot write {tag} to {self}")))?);
        }
        if let Some(subject) = document.subject() {
            let subject = subject.known_digest()?;
            if filed == Some(false) || !self.lists_referrers_of(&subject).await? {
                self.file_referrer(document).await?;
            }
        }
        Ok(())
    }

    async fn remove(&self, selector: &Selector) -> Result<()> {
        let reference = self.reference(selector)?;
        // Once it is gone nobody can say what it referred to. What cannot be read is removed all the same.
        let document = match selector {
            Selector::Digest(digest) => self.fetch_digest(*digest).await.ok(),
            _ => None,
        };
        let removed = self.delete_document(&reference).await;
        removed.map_err(|error| error.while_doing(format!("cannot remove {reference} from {self}")))?;
        match document {
            Some(document) => self.unfile_referrer(&document).await.map_err(|error| {
                error.context(format!(
                    "{reference} is removed from {self}, but listed as a referrer"
                ))
            }),
            None => Ok(()),
        }
    }

    async fn finish(&self) -> Result<()> {
        Ok(())
    }
}

impl Repository {
    /// The tags that names want to be written, each on its condition. All are looked at before the first one is
    /// written, for a registry takes them one by one, and one that is taken should leave the others alone.
    async fn tags_to_write(
        &self,
        names: &[RefName],
        replace: bool,
        digest: Digest,
    ) -> Result<Vec<(Tag, Condition)>> {
        let mut tags = Vec::with_capacity(names.len());
        for name in names {
            let tag = tag(name)?;
            if replace {
                // Also where it names the document already: a registry that checks finds then what it lost of it.
                tags.push((tag, Condition::None));
                continue;
            }
            match self.head_document(tag.as_str()).await {
                Ok(Some(found)) if found.digest == digest => {}
                Ok(_) => {
                    let message = format!("{tag} of {self} names something else already");
                    return Err(CoreError::new(ErrorKind::Conflict, message));
                }
                Err(error) if error.is_not_found() => tags.push((tag, Condition::Absent)),
                Err(error) => return Err(error.while_doing(format!("cannot look at {tag} of {self}"))),
            }
        }
        Ok(tags)
    }

    /// How a selector is spelled in a URL.
    fn reference(&self, selector: &Selector) -> Result<String> {
        match selector {
            Selector::Name(name) => Ok(tag(name)?.to_string()),
            Selector::Digest(digest) => Ok(digest.to_string()),
            _ => {
                let message =
                    format!("{self} has tags and digests, and nothing that is the first or only one");
                Err(CoreError::new(ErrorKind::Unsupported, message))
            }
        }
    }
}

/// A list that comes later, as a stream.
fn all_of<T: Send + Unpin + 'static>(
    list: impl Future<Output = Result<Vec<T>>> + Send + 'static,
) -> BoxStream<Result<T>> {
    let items = futures_util::stream::once(list).flat_map(|list| {
        stream::iter(match list {
            Ok(items) => items.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        })
    });
    Box::pin(items)
}
