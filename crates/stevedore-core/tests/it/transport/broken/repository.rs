//! Repositories that are broken in one way each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use stevedore_core::raw::MANIFEST_LIMIT;
use stevedore_core::stream::{self, BoxStream};
use stevedore_core::suite::{Neighbour, TransportFixture, block_on};
use stevedore_core::{
    Blob, ByteRange, Descriptor, Digest, Document, ErrorKind, IngestPlan, MediaType, Named, Place, Put,
    RefName, ReferrerFilter, Repository, Result, Role, Selector, Sink, SinkTraits, Source, Staging, Supply,
    annotations,
};

use super::super::{InMemory, lock};

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Documents are given as they lie, whatever the descriptor says.
    UnverifiedDocuments,
    /// Blobs are published under the digest that was promised, whatever came.
    UnverifiedBlobs,
    /// Names that lead elsewhere are taken over, asked or not.
    Clobbers,
    /// Names are put one after the other, until one is refused.
    ClobbersSome,
    /// No referrers are listed.
    ForgetsReferrers,
    /// All referrers are listed, whatever is wanted.
    ListsAllReferrers,
    /// Referrers are listed without their annotations.
    ForgetsAnnotations,
    /// Names come in another order.
    ListsInDisorder,
    /// The supply is always opened from the beginning.
    NeverResumes,
    /// The supply is opened to see whether it would give something.
    OpensTheSupply,
    /// Anything is there.
    HasEverything,
    /// Each document is served under one type.
    ForgetsTypes,
    /// Documents are written anew from what they say.
    Reserialises,
    /// Ranges are not cut.
    IgnoresRanges,
    /// Ranges outside of a blob are cut to fit.
    ClampsRanges,
    /// Removing what is not there succeeds.
    RemovesAnything,
    /// Removing a document leaves its names.
    LeavesNames,
    /// Removing a name removes its document.
    RemovesTooMuch,
    /// What a document says of itself becomes its name.
    TakesAnnotationsForNames,
    /// The first of several is taken for the only one.
    TakesTheFirst,
    /// A mount is acknowledged from wherever it is asked for.
    MountsFromAnywhere,
    /// What cannot be found is taken for a breakage.
    BlursKinds,
    /// An index leads to its first image.
    ResolvesToTheFirstImage,
    /// A put of a document is done once its name is written, before its content.
    NamesFirst,
}

type Overlay = Arc<Mutex<HashMap<Digest, Bytes>>>;

/// A place for images with a fault.
pub(super) struct BrokenFixture(InMemory, Fault, Overlay);

/// A repository with a fault.
#[derive(Debug)]
struct Broken {
    inner: Arc<Repository>,
    sink: Arc<dyn Sink>,
    fault: Fault,
    /// What was published unverified.
    overlay: Overlay,
}

impl BrokenFixture {
    pub(super) fn new(fault: Fault) -> Self {
        Self(InMemory::new(), fault, Overlay::default())
    }

    fn over(&self, sink: Arc<dyn Sink>) -> Result<Arc<Broken>> {
        Ok(Arc::new(Broken {
            inner: self.0.open()?,
            sink,
            fault: self.1,
            overlay: Arc::clone(&self.2),
        }))
    }
}

#[async_trait]
impl TransportFixture for BrokenFixture {
    async fn sink(&self) -> Result<Arc<dyn Sink>> {
        Ok(self.over(self.0.sink().await?)?)
    }

    async fn source(&self) -> Result<Arc<dyn Source>> {
        Ok(self.over(self.0.sink().await?)?)
    }

    async fn slow_sink(&self) -> Result<Arc<dyn Sink>> {
        Ok(self.over(self.0.slow_sink().await?)?)
    }

    async fn neighbour(&self) -> Result<Option<Neighbour>> {
        self.0.neighbour().await
    }

    async fn damage(&self, digest: &Digest) -> Result<bool> {
        self.0.damage(digest).await
    }
}

impl Broken {
    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn blur<T>(&self, result: Result<T>) -> Result<T> {
        match result {
            Err(error) if self.is(Fault::BlursKinds) && error.is_not_found() => {
                Err(stevedore_core::Error::new(ErrorKind::Other, "something failed"))
            }
            result => result,
        }
    }

    /// A document as a fault leaves it.
    fn changed(&self, document: &Document) -> Result<Document> {
        let bytes = match document {
            Document::Image(raw) if self.is(Fault::Reserialises) => serde_json::to_vec(raw.value())
                .expect("a manifest is JSON")
                .into(),
            _ => document.bytes().clone(),
        };
        let media_type = if self.is(Fault::ForgetsTypes) && !document.media_type().is_index() {
            MediaType::verbatim("application/vnd.example.any")
        } else {
            document.media_type().clone()
        };
        let algorithm = document.digest().algorithm();
        Ok(Document::parse(
            bytes,
            Some(media_type),
            algorithm,
            MANIFEST_LIMIT,
        )?)
    }

    /// The bytes that lie under a digest, as a document, unverified.
    async fn unverified(&self, digest: &Digest, media_type: MediaType) -> Result<Document> {
        self.inner.resolve(&Selector::Digest(*digest)).await?;
        let descriptor = Descriptor::new(media_type.clone(), *digest, 0);
        let blob = self.inner.blob(&descriptor, ByteRange::FULL).await?;
        let bytes = blob.into_bytes(MANIFEST_LIMIT as u64).await?;
        let parsed = Document::parse(
            bytes.clone(),
            Some(media_type),
            digest.algorithm(),
            MANIFEST_LIMIT,
        );
        Ok(parsed.or_else(|_| Document::parse(bytes, None, digest.algorithm(), MANIFEST_LIMIT))?)
    }
}

#[async_trait]
impl Source for Broken {
    async fn resolve(&self, selector: &Selector) -> Result<Descriptor> {
        let first = self.is(Fault::TakesTheFirst) && *selector == Selector::Only;
        let selector = if first { &Selector::Nth(0) } else { selector };
        self.blur(self.inner.resolve(selector).await)
    }

    async fn root(&self, selector: &Selector) -> Result<Document> {
        if self.is(Fault::UnverifiedDocuments) {
            let descriptor = self.inner.resolve(selector).await?;
            return self
                .unverified(&descriptor.known_digest()?, descriptor.media_type)
                .await;
        }
        let first = self.is(Fault::TakesTheFirst) && *selector == Selector::Only;
        let selector = if first { &Selector::Nth(0) } else { selector };
        let document = self.blur(self.inner.root(selector).await)?;
        match &document {
            Document::Index(index) if self.is(Fault::ResolvesToTheFirstImage) => {
                self.inner.document(&index.manifests[0]).await
            }
            _ => self.changed(&document),
        }
    }

    async fn document(&self, descriptor: &Descriptor) -> Result<Document> {
        if self.is(Fault::UnverifiedDocuments) {
            let digest = descriptor.known_digest()?;
            return self.unverified(&digest, descriptor.media_type.clone()).await;
        }
        self.changed(&self.blur(self.inner.document(descriptor).await)?)
    }

    async fn blob(&self, descriptor: &Descriptor, range: ByteRange) -> Result<Blob> {
        if let Ok(digest) = descriptor.known_digest()
            && let Some(bytes) = lock(&self.overlay).get(&digest)
        {
            return Ok(Blob::from(bytes.clone()));
        }
        let mut range = range;
        if self.is(Fault::ClampsRanges) {
            let whole = self.inner.blob(descriptor, ByteRange::FULL).await?;
            let size = whole.size.expect("a blob in memory has a size");
            range.end = range.end.map(|end| end.min(size));
            range.start = range.start.min(range.end.unwrap_or(size));
        }
        if self.is(Fault::IgnoresRanges) {
            range = ByteRange::FULL;
        }
        self.blur(self.inner.blob(descriptor, range).await)
    }

    async fn find_blob(&self, digest: &Digest) -> Result<Descriptor> {
        self.blur(self.inner.find_blob(digest).await)
    }

    fn place(&self, digest: &Digest) -> Option<Place> {
        self.inner.place(digest)
    }

    fn referrers(&self, subject: &Digest, filter: ReferrerFilter) -> BoxStream<Result<Descriptor>> {
        let filter = match self.fault {
            Fault::ForgetsReferrers => return Box::pin(stream::iter([])),
            Fault::ListsAllReferrers => ReferrerFilter::all(),
            _ => filter,
        };
        let referrers = self.inner.referrers(subject, filter);
        if !self.is(Fault::ForgetsAnnotations) {
            return referrers;
        }
        let mut all = all(referrers);
        for referrer in all.iter_mut().flatten() {
            referrer.annotations.clear();
        }
        Box::pin(stream::iter(all))
    }

    fn names(&self) -> BoxStream<Result<Named>> {
        let mut names = all(self.inner.names());
        if self.is(Fault::ListsInDisorder) {
            names.reverse();
        }
        Box::pin(stream::iter(names))
    }
}

fn all<T>(mut items: BoxStream<T>) -> Vec<T> {
    block_on(async {
        let mut all = Vec::new();
        while let Some(item) = stream::next(&mut items).await {
            all.push(item);
        }
        all
    })
}

#[async_trait]
impl Sink for Broken {
    fn traits(&self) -> SinkTraits {
        self.sink.traits()
    }

    async fn has(&self, descriptor: &Descriptor) -> Result<bool> {
        let digest = descriptor.known_digest()?;
        if self.is(Fault::HasEverything) || lock(&self.overlay).contains_key(&digest) {
            return Ok(true);
        }
        self.sink.has(descriptor).await
    }

    async fn put_blob(&self, descriptor: &Descriptor, held_at: &[Place], supply: &dyn Supply) -> Result<Put> {
        match self.fault {
            Fault::UnverifiedBlobs => {
                let digest = descriptor.known_digest()?;
                if self.has(descriptor).await? {
                    return Ok(Put::Present);
                }
                let bytes = supply.open(0).await?.into_bytes(u64::MAX).await?;
                if digest.algorithm().digest(&bytes) == digest && bytes.len() as u64 == descriptor.size {
                    return self.sink.put_blob(descriptor, held_at, &bytes).await;
                }
                lock(&self.overlay).insert(digest, bytes);
                Ok(Put::Written)
            }
            Fault::NeverResumes => {
                if self.sink.has(descriptor).await? {
                    return self.sink.put_blob(descriptor, held_at, supply).await;
                }
                let bytes = supply.open(0).await?.into_bytes(u64::MAX).await?;
                self.sink.put_blob(descriptor, held_at, &bytes).await
            }
            Fault::OpensTheSupply => {
                drop(supply.open(0).await);
                self.sink.put_blob(descriptor, held_at, supply).await
            }
            Fault::MountsFromAnywhere if !held_at.is_empty() => Ok(Put::Mounted),
            _ => self.sink.put_blob(descriptor, held_at, supply).await,
        }
    }

    async fn ingest(&self, plan: IngestPlan) -> Result<Option<Staging>> {
        self.sink.ingest(plan).await
    }

    async fn put_document(&self, document: &Document, role: Role) -> Result<()> {
        let role = match (self.fault, role) {
            (Fault::Clobbers, Role::Root { names, .. }) => Role::Root { names, replace: true },
            (Fault::ClobbersSome, Role::Root { names, replace }) => {
                for name in names {
                    let names = vec![name];
                    self.sink
                        .put_document(document, Role::Root { names, replace })
                        .await?;
                }
                return Ok(());
            }
            (Fault::TakesAnnotationsForNames, role) => {
                match document.annotations().get(annotations::REF_NAME) {
                    Some(name) => {
                        let names = vec![RefName::verbatim(name)];
                        self.sink
                            .put_document(document, Role::Root { names, replace: true })
                            .await?;
                        role
                    }
                    None => role,
                }
            }
            (Fault::NamesFirst, Role::Root { names, replace }) => {
                return self.name_first(document, names, replace).await;
            }
            (_, role) => role,
        };
        self.sink.put_document(document, role).await
    }

    async fn remove(&self, selector: &Selector) -> Result<()> {
        match (self.fault, selector) {
            (Fault::RemovesAnything, _) => {
                drop(self.sink.remove(selector).await);
                Ok(())
            }
            (Fault::LeavesNames, Selector::Digest(digest)) => {
                let mut kept = Vec::new();
                for named in all(self.inner.names()) {
                    let name = named?.name;
                    let resolved = self.inner.resolve(&Selector::Name(name.clone())).await?;
                    if resolved.digest == *digest {
                        kept.push(name);
                    }
                }
                self.sink.remove(selector).await?;
                // They lead to something else than to nothing, which no repository would let itself be told.
                let other = Document::parse(
                    Bytes::from_static(b"left"),
                    Some(MediaType::verbatim("application/vnd.example.left")),
                    digest.algorithm(),
                    MANIFEST_LIMIT,
                )?;
                self.sink
                    .put_document(
                        &other,
                        Role::Root {
                            names: kept,
                            replace: true,
                        },
                    )
                    .await
            }
            (Fault::RemovesTooMuch, Selector::Name(_)) => {
                let resolved = self.inner.resolve(selector).await?;
                self.sink
                    .remove(&Selector::Digest(resolved.known_digest()?))
                    .await
            }
            _ => self.blur(self.sink.remove(selector).await),
        }
    }

    async fn finish(&self) -> Result<()> {
        self.sink.finish().await
    }
}

impl Broken {
    /// Names an empty document, then puts the content.
    async fn name_first(&self, document: &Document, names: Vec<RefName>, replace: bool) -> Result<()> {
        let early = Document::parse(
            Bytes::from_static(b"early"),
            Some(MediaType::verbatim("application/vnd.example.early")),
            document.digest().algorithm(),
            MANIFEST_LIMIT,
        )?;
        let early_names = names.clone();
        self.sink
            .put_document(
                &early,
                Role::Root {
                    names: early_names,
                    replace,
                },
            )
            .await?;
        self.sink
            .put_document(document, Role::Root { names, replace: true })
            .await
    }
}
