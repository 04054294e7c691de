//! The closure of an image: blobs, children, referrers, then the root with its names.
//!
//! Children are followed first, and whoever meets one that is under way waits for it: edges downwards are digests of
//! verified documents, so they cannot go in circles. Referrers are followed afterwards, from a list: their edges go
//! upwards, and an index may well refer to an image that it also contains.
//!
//! A registry may refuse a referrer whose subject it does not have yet, though the specification forbids that. Such a
//! referrer waits until its subject stands; the root then comes by its digest first, and its names still come last.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _, TryStreamExt as _};
use stevedore_core::{
    Context as _, Descriptor, Digest, Document, Error, ErrorKind, Event, Put, RefName, ReferrerFilter,
    Result, Role, Selector,
};
use tokio::sync::OnceCell;
use tokio::task::JoinSet;

use super::report::Counts;
use super::{Copied, Job, LeftOut, Shared, blob};

/// How many images are under way at once: their documents are what is kept in memory.
const IMAGES_AT_ONCE: usize = 4;

/// The most referrers of one document that are followed.
const MAX_REFERRERS: usize = 1024;

/// The tags that are made of the digest of an image, by their endings.
const DIGEST_TAG_ENDINGS: [&str; 3] = ["sig", "att", "sbom"];

/// The copy of one image.
pub(super) struct Run {
    shared: Arc<Shared>,
    job: Job,
    /// The root, if the sink has it under all its names.
    standing: Option<Digest>,
    /// Documents that are in the sink, or on the way there.
    documents: Mutex<HashMap<Digest, Arc<OnceCell<()>>>>,
    subjects: Mutex<Subjects>,
    refused: Mutex<Refused>,
    counts: Counts,
}

/// Documents whose referrers are copied too.
#[derive(Debug, Default)]
struct Subjects {
    met: HashSet<Digest>,
    waiting: Vec<Digest>,
}

/// Documents that the sink refused while their subjects were not there.
#[derive(Debug, Default)]
struct Refused {
    /// Subjects that the sink does not have yet: the root, and what is in the queue.
    absent: HashSet<Digest>,
    /// In the order in which they can be put again.
    queue: Vec<(Document, Role)>,
}

impl Run {
    pub(super) fn new(shared: Arc<Shared>, job: Job, standing: Option<Digest>) -> Self {
        let (documents, subjects, refused) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self {
            shared,
            job,
            standing,
            documents,
            subjects,
            refused,
            counts: Counts::default(),
        }
    }

    /// Copies all that belongs to the root, then the root with its names, if it does not stand.
    pub(super) async fn put_root(self: &Arc<Self>, root: &Document) -> Result<()> {
        if self.standing.is_none() {
            self.refused().absent.insert(root.digest());
        }
        self.put_below(root).await?;
        self.put_above().await?;
        self.put_refused(root).await?;
        if self.standing.is_none() {
            let role = Role::Root {
                names: self.job.names.clone(),
                replace: self.job.replace,
            };
            self.put_document(root, role).await?;
        }
        if self.job.dry_run {
            Ok(())
        } else {
            self.job.sink.finish().await
        }
    }

    pub(super) fn report(&self, root: Descriptor, left_out: Vec<LeftOut>) -> Copied {
        self.counts.report(root, left_out)
    }

    /// Puts the blobs and children of a document.
    fn put_below<'a>(self: &'a Arc<Self>, document: &'a Document) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let descriptor = document.descriptor();
            self.note_subject(&descriptor);
            let settled = self.is_settled(&descriptor).await?;
            match document {
                Document::Image(image) if settled => self.counts.add_present(1 + image.layers.len() as u64),
                Document::Image(image) => {
                    self.put_blobs(std::iter::once(&image.config).chain(&image.layers))
                        .await?;
                }
                Document::Index(_) if settled && !self.follows_referrers() => {}
                Document::Index(index) => {
                    self.at_once(index.manifests.iter(), |child| self.put_child(child.clone()))
                        .await?;
                }
                Document::Artifact(artifact) if settled => {
                    self.counts.add_present(artifact.blobs.len() as u64);
                }
                Document::Artifact(artifact) => self.put_blobs(artifact.blobs.iter()).await?,
                // An index may list documents of any type (image-spec, "Image Index Property Descriptions").
                other => other.ensure_known_edges()?,
            }
            Ok(())
        })
    }

    /// Puts a document that another one names, with all below it, once in a run.
    async fn put_child(self: &Arc<Self>, descriptor: Descriptor) -> Result<()> {
        let digest = descriptor.known_digest()?;
        let flight = {
            let mut documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(documents.entry(digest).or_default())
        };
        let put = flight.get_or_try_init(|| async {
            let document = self.job.source.document(&descriptor).await?;
            self.put_below(&document).await?;
            self.put_document(&document, Role::Child).await
        });
        put.await.copied()
    }

    /// Puts what refers to the documents met so far, and to those met on the way.
    async fn put_above(self: &Arc<Self>) -> Result<()> {
        if !self.follows_referrers() {
            return Ok(());
        }
        loop {
            let subjects = {
                let mut subjects = self.subjects.lock().unwrap_or_else(PoisonError::into_inner);
                std::mem::take(&mut subjects.waiting)
            };
            if subjects.is_empty() {
                return Ok(());
            }
            self.at_once(subjects.into_iter(), |subject| self.put_referrers(subject))
                .await?;
        }
    }

    async fn put_referrers(self: &Arc<Self>, subject: Digest) -> Result<()> {
        if self.job.referrers {
            let referrers = self.job.source.referrers(&subject, ReferrerFilter::all());
            let referrers: Vec<Descriptor> = referrers.take(MAX_REFERRERS + 1).try_collect().await?;
            if referrers.len() > MAX_REFERRERS {
                let message = format!("{subject} has more than {MAX_REFERRERS} referrers");
                return Err(Error::new(ErrorKind::TooLarge, message));
            }
            for referrer in referrers {
                let put = self.put_child(referrer).await;
                put.context(|| format!("cannot copy a referrer of {subject}"))?;
            }
        }
        if self.job.digest_tags {
            for ending in DIGEST_TAG_ENDINGS {
                self.put_digest_tag(subject, ending).await?;
            }
        }
        Ok(())
    }

    async fn put_digest_tag(self: &Arc<Self>, subject: Digest, ending: &str) -> Result<()> {
        let tag = format!("{}-{}.{ending}", subject.algorithm(), subject.hex());
        let Ok(name) = tag.parse::<RefName>() else {
            return Ok(());
        };
        match self.job.source.root(&Selector::Name(name.clone())).await {
            Ok(document) => {
                self.put_below(&document).await?;
                self.put_document(
                    &document,
                    Role::Root {
                        names: vec![name],
                        replace: true,
                    },
                )
                .await
            }
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error.context(format!("cannot read {tag}"))),
        }
    }

    /// Puts what was refused for its subject's sake, now that the root can stand: by its digest, without its names.
    async fn put_refused(&self, root: &Document) -> Result<()> {
        let queue = {
            let mut refused = self.refused();
            refused.absent.clear();
            std::mem::take(&mut refused.queue)
        };
        if queue.is_empty() {
            return Ok(());
        }
        let put = self.job.sink.put_document(root, Role::Child).await;
        put.context(|| format!("cannot write {} before its referrers", root.digest()))?;
        for (document, role) in queue {
            let put = self.put_document(&document, role).await;
            put.context(|| "the sink has the subject of this referrer, and takes it no better".to_owned())?;
        }
        Ok(())
    }

    /// Queues a document that was refused, if its subject may be why.
    fn waits_for_subject(&self, document: &Document, role: &Role, error: &Error) -> bool {
        // 404 from Docker Hub; others have an error in 400 for what a manifest names.
        let says_so = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Invalid);
        let subject = document.subject().and_then(|subject| subject.known_digest().ok());
        let Some(subject) = subject.filter(|_| says_so) else {
            return false;
        };
        let mut refused = self.refused();
        let waits = refused.absent.contains(&subject);
        if waits {
            refused.absent.insert(document.digest());
            refused.queue.push((document.clone(), role.clone()));
        }
        waits
    }

    fn refused(&self) -> MutexGuard<'_, Refused> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn put_document(&self, document: &Document, role: Role) -> Result<()> {
        let descriptor = document.descriptor();
        if !self.job.dry_run {
            match self.job.sink.put_document(document, role.clone()).await {
                Ok(()) => {}
                Err(error) if self.waits_for_subject(document, &role, &error) => return Ok(()),
                Err(error) => return Err(error.context(format!("cannot write {}", descriptor.digest))),
            }
        }
        self.counts.add_document();
        if !self.job.dry_run {
            self.shared.observer.event(Event::DocumentDone {
                descriptor: &descriptor,
            });
        }
        Ok(())
    }

    async fn put_blobs<'a>(self: &Arc<Self>, blobs: impl Iterator<Item = &'a Descriptor>) -> Result<()> {
        // What lies at foreign addresses stays there: its licence may forbid to push it.
        let mut blobs: Vec<_> = blobs
            .filter(|blob| !blob.media_type.is_foreign_layer() || blob.urls.is_empty())
            .collect();
        if self.job.sink.traits().sequential || self.job.dry_run {
            for blob in blobs {
                self.put_blob(blob).await?;
            }
            return Ok(());
        }
        // The largest first, so that it is not alone at the end. The order among equals stays.
        blobs.sort_by_key(|blob| Reverse(blob.size));
        // Tasks of their own, for some sinks hash inline and there are several cores. The set aborts them when
        // this future is dropped.
        let mut tasks = JoinSet::new();
        for blob in blobs {
            let (run, blob) = (Arc::clone(self), blob.clone());
            tasks.spawn(async move { run.put_blob(&blob).await });
        }
        while let Some(done) = tasks.join_next().await {
            match done {
                Ok(result) => result?,
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            }
        }
        Ok(())
    }

    async fn put_blob(&self, descriptor: &Descriptor) -> Result<()> {
        let put = if !self.job.dry_run {
            blob::put(&self.shared, &self.job.source, &self.job.sink, descriptor).await?
        } else if self.job.sink.has(descriptor).await? {
            Put::Present
        } else {
            Put::Written
        };
        self.counts.add_blob(put, descriptor.size);
        Ok(())
    }

    /// Runs one future an item, a few of them at once (one, where the sink wants it so).
    async fn at_once<I, F>(&self, mut items: I, start: impl Fn(I::Item) -> F) -> Result<()>
    where
        I: Iterator,
        F: Future<Output = Result<()>>,
    {
        let most = if self.job.sink.traits().sequential {
            1
        } else {
            IMAGES_AT_ONCE
        };
        let mut under_way = FuturesUnordered::new();
        loop {
            while under_way.len() < most {
                let Some(item) = items.next() else { break };
                under_way.push(start(item));
            }
            match under_way.next().await {
                Some(result) => result?,
                None => return Ok(()),
            }
        }
    }

    /// Whether a document that is there vouches for all below it.
    async fn is_settled(&self, descriptor: &Descriptor) -> Result<bool> {
        if self
            .standing
            .is_some_and(|standing| descriptor.digest == standing)
        {
            return Ok(true);
        }
        Ok(self.job.vouches() && self.job.sink.has(descriptor).await?)
    }

    fn follows_referrers(&self) -> bool {
        self.job.referrers || self.job.digest_tags
    }

    fn note_subject(&self, descriptor: &Descriptor) {
        let Ok(digest) = descriptor.known_digest() else {
            return;
        };
        let mut subjects = self.subjects.lock().unwrap_or_else(PoisonError::into_inner);
        if subjects.met.insert(digest) {
            subjects.waiting.push(digest);
        }
    }
}
