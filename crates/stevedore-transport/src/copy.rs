//! The copy engine: everything that an image consists of, from a source to a sink, each byte once.
//!
//! The engine owns what is common to a run: the closure of documents, digests in flight, the number of blobs at
//! once, retries of an item. Source and sink own their medium.

mod blob;
mod platforms;
mod report;
mod tree;

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use stevedore_core::{
    Admission, Context as _, Digest, Document, Error, ErrorKind, Gate, Observer, Opener, RefName, Result,
    Selector, Sink, Source,
};

pub use platforms::{Chosen, LeftOut, Platforms, choose};
pub use report::Copied;

use tree::Run;

/// How many blobs are under way at once, unless said otherwise.
pub const DEFAULT_JOBS: NonZeroUsize = NonZeroUsize::new(6).expect("because 6 is not 0");

/// How often an item is tried again after a passing failure, unless said otherwise.
pub const DEFAULT_RETRIES: u32 = 3;

/// Copies images. One engine serves one run, so that images which share blobs share the work.
///
/// See the crate's README for an example.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

/// What one run has in common.
struct Shared {
    observer: Arc<dyn Observer>,
    retries: u32,
    permits: tokio::sync::Semaphore,
    flights: blob::Flights,
}

/// One image to copy.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Job {
    /// Where it is read from.
    pub source: Arc<dyn Source>,
    /// Which of the source's documents.
    pub selector: Selector,
    /// Where it is written to.
    pub sink: Arc<dyn Sink>,
    /// The names that it gets there.
    pub names: Vec<RefName>,
    /// The sink as something to read from. Where there is one it is asked for the names before anything is written: if
    /// they are not to be [`replace`](Self::replace)d, and in a sink whose documents vouch for what is below them, where
    /// nothing is written when the image stands. Without it only the sink's own look at the end tells.
    pub destination: Option<Arc<dyn Source>>,
    /// The digest that the image must have, where its destination says so: nothing is written if it has another.
    pub expected: Option<Digest>,
    /// Which platforms of an index.
    pub platforms: Platforms,
    /// Whether documents that refer to the image, its children or their referrers come along.
    pub referrers: bool,
    /// Whether documents under tags that are made of a digest (`sha256-….sig`, `.att`, `.sbom`) come along.
    pub digest_tags: bool,
    /// Whether a name that names something else already is given to this image.
    pub replace: bool,
    /// Whether the sink is asked about everything again, though it has the document already.
    pub force: bool,
    /// Whether nothing is written and only what would be is counted.
    pub dry_run: bool,
}

impl Engine {
    /// An engine that nobody watches, with the default numbers of jobs and retries.
    pub fn new() -> Self {
        Self::with(DEFAULT_JOBS, DEFAULT_RETRIES, Arc::new(()))
    }

    /// An engine for this many blobs at once, which tries an item again this many times, and tells an observer.
    pub fn with(jobs: NonZeroUsize, retries: u32, observer: Arc<dyn Observer>) -> Self {
        let permits = tokio::sync::Semaphore::new(jobs.get().min(tokio::sync::Semaphore::MAX_PERMITS));
        Self {
            shared: Arc::new(Shared {
                observer,
                retries,
                permits,
                flights: blob::Flights::default(),
            }),
        }
    }

    /// Copies one image. Must run within a tokio runtime.
    ///
    /// When the future is dropped the copy stops and nothing half-written is visible; a later copy goes on with what
    /// was staged.
    ///
    /// # Errors
    /// What source and sink answer, with what was being copied as context; [`ErrorKind::NotFound`] where an index
    /// has no image for the platform asked for, [`ErrorKind::Conflict`] where a name is taken and must not be
    /// replaced, [`ErrorKind::Unsupported`] where the document is of no known kind, or names one that is not known and
    /// names something in turn: that would be left behind.
    pub async fn copy(&self, job: Job) -> Result<Copied> {
        self.copy_admitted(job, None).await
    }

    /// Copies one image if a gate lets it in. The gate sees the untouched documents before anything is written.
    ///
    /// # Errors
    /// As [`copy`](Self::copy), and what the gate answers.
    pub async fn copy_through(&self, job: Job, gate: &Entrance<'_>) -> Result<Copied> {
        self.copy_admitted(job, Some(gate)).await
    }

    async fn copy_admitted(&self, mut job: Job, entrance: Option<&Entrance<'_>>) -> Result<Copied> {
        let chosen = choose(&*job.source, &job.selector, &job.platforms).await?;
        let root = chosen.document;
        if let Some(entrance) = entrance {
            let mut chain = chosen.above;
            chain.push(root.clone());
            entrance.admit(&chain, &job.source).await?;
        }
        root.ensure_known_kind()?;
        let descriptor = root.descriptor();
        job.check_digest(root.digest())?;
        let standing = job.leave_standing(&root).await?;
        let run = Arc::new(Run::new(Arc::clone(&self.shared), job, standing));
        run.put_root(&root)
            .await
            .context(|| format!("cannot copy {}", descriptor.digest))?;
        Ok(run.report(descriptor, chosen.left_out))
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("retries", &self.shared.retries)
            .finish_non_exhaustive()
    }
}

impl Job {
    /// A copy of what a selector names into a sink, of the host's platform where it names an index, without names.
    pub fn new(source: Arc<dyn Source>, selector: Selector, sink: Arc<dyn Sink>) -> Self {
        Self {
            source,
            selector,
            sink,
            names: Vec::new(),
            destination: None,
            expected: None,
            platforms: Platforms::Host,
            referrers: false,
            digest_tags: false,
            replace: true,
            force: false,
            dry_run: false,
        }
    }

    fn check_digest(&self, root: Digest) -> Result<()> {
        match self.expected {
            Some(expected) if expected != root => {
                let message = format!("the image is {root}, and its destination says {expected}");
                Err(Error::new(ErrorKind::Mismatch, message))
            }
            _ => Ok(()),
        }
    }

    /// Takes out the names that the root has already, where the sink vouches for what it has; the digest, if none is
    /// left: then the root stands, and nothing is to be done for it. Refuses before the first byte what the sink would
    /// refuse after the last.
    async fn leave_standing(&mut self, root: &Document) -> Result<Option<Digest>> {
        // A referrer may be there, and not be filed.
        let may_stand = self.vouches() && !self.names.is_empty() && root.subject().is_none();
        let Some(destination) = self.destination.as_ref().filter(|_| may_stand || !self.replace) else {
            return Ok(None);
        };
        let mut missing = Vec::new();
        for name in &self.names {
            match destination.resolve(&Selector::Name(name.clone())).await {
                Ok(there) if there.digest == root.digest() => {}
                Ok(there) if !self.replace => {
                    let message = format!("the name {name} is taken by {}", there.digest);
                    return Err(Error::new(ErrorKind::Conflict, message));
                }
                Err(error) if !self.replace && !error.is_not_found() => {
                    return Err(error.context(format!("cannot see whether the name {name} is free")));
                }
                // One that cannot be seen is written, which tells more.
                _ => missing.push(name.clone()),
            }
        }
        if !may_stand {
            return Ok(None);
        }
        let standing = missing.is_empty().then(|| root.digest());
        self.names = missing;
        Ok(standing)
    }

    /// Whether a document that the sink has tells that all below it is there, too.
    fn vouches(&self) -> bool {
        self.sink.traits().complete && !self.force
    }
}

/// A gate, and what it is told beside the documents.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Entrance<'a> {
    /// Decides.
    pub gate: &'a dyn Gate,
    /// The transport, as `docker` or `oci`.
    pub transport: &'a str,
    /// The reference that was asked for, without the transport.
    pub reference: &'a str,
    /// Opens other places.
    pub opener: &'a dyn Opener,
}

impl<'a> Entrance<'a> {
    /// A gate, and what it is told beside the documents.
    pub fn new(gate: &'a dyn Gate, transport: &'a str, reference: &'a str, opener: &'a dyn Opener) -> Self {
        Self {
            gate,
            transport,
            reference,
            opener,
        }
    }

    async fn admit(&self, chain: &[Document], source: &Arc<dyn Source>) -> Result<()> {
        let admission = Admission::new(self.transport, self.reference, chain, source, self.opener);
        self.gate.admit(&admission).await
    }
}

impl fmt::Debug for Entrance<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entrance")
            .field("gate", &self.gate)
            .field("transport", &self.transport)
            .field("reference", &self.reference)
            .finish_non_exhaustive()
    }
}
