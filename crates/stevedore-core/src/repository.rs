//! Repositories over a [`Store`] and [`Names`]: in memory, on a file system, over an object store.
//!
//! A repository holds documents, blobs, tags and referrers as a registry's does, and a blob belongs to those
//! repositories only that pushed or mounted it. Deletion is by [`collect`](crate::collect): a [`Repositories`] knows
//! what to mark. The records of a repository `r` lie below `r/<name, escaped>`:
//!
//! | key | content |
//! |---|---|
//! | `…/blobs/<digest>` | the life of the blob that belongs to the repository |
//! | `…/manifests/<digest>` | the descriptor of a document, as JSON; with `"going":true` while it is being removed |
//! | `…/tags/<name, escaped>` | the digest of a document |
//! | `…/referrers/<subject>/<digest>` | the descriptor of a document that refers to the subject, as JSON |

mod joining;
mod mark;
mod pages;
mod read;
mod record;
mod remove;
mod write;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::collect::Member;
use crate::memory::{MemoryNames, MemoryStore};
use crate::{Digest, Document, Key, Names, RefName, Result, Store};

/// How often a step is tried again that others keep undoing: a collector that takes a blob before it could join, a removal
/// that meets a put.
const ATTEMPTS: u32 = 8;

/// All repositories over one store.
///
/// ```
/// use stevedore_core::Repositories;
///
/// let repositories = Repositories::in_memory();
/// let debian = repositories.open("library/debian")?;
/// assert_eq!(debian.name(), "library/debian");
/// # Ok::<(), stevedore_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Repositories {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn Store>,
    names: Arc<dyn Names>,
    /// Below which all records lie.
    root: Key,
    id: u64,
}

/// One repository: a [`Source`](crate::Source) and a [`Sink`](crate::Sink). Cheap to clone.
#[derive(Clone)]
pub struct Repository {
    all: Repositories,
    name: Arc<str>,
    key: Key,
}

impl Repositories {
    /// The repositories over a store and its records. Two of these over the same store are two processes to each
    /// other: they see each other's writes, and do not mount from each other.
    pub fn new(store: Arc<dyn Store>, names: Arc<dyn Names>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let root = Key::parse("r").expect("because one letter is a key");
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            inner: Arc::new(Inner {
                store,
                names,
                root,
                id,
            }),
        }
    }

    /// New repositories in the memory of this process.
    pub fn in_memory() -> Self {
        Self::new(Arc::new(MemoryStore::new()), Arc::new(MemoryNames::new()))
    }

    /// The repository with a name. It is there as soon as something is in it.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for a name that is empty or too long.
    pub fn open(&self, name: &str) -> Result<Repository> {
        let key = self.inner.root.join_escaped(name)?;
        Ok(Repository {
            all: self.clone(),
            name: name.into(),
            key,
        })
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.inner.store
    }

    /// Below which key all records lie, those of the memberships for [`collect`](crate::collect) too.
    pub fn root_key(&self) -> &Key {
        &self.inner.root
    }

    /// The records.
    pub fn records(&self) -> &Arc<dyn Names> {
        &self.inner.names
    }
}

impl Repository {
    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn store(&self) -> &dyn Store {
        &*self.all.inner.store
    }

    fn records(&self) -> &dyn Names {
        &*self.all.inner.names
    }

    fn below(&self, kind: &str) -> Result<Key> {
        self.key.join(kind)
    }

    fn member(&self, digest: Digest) -> Result<Member> {
        Member::new(&self.below("blobs")?, digest)
    }

    fn manifest_key(&self, digest: &Digest) -> Result<Key> {
        self.below("manifests")?.join(&digest.to_string())
    }

    fn tag_key(&self, name: &RefName) -> Result<Key> {
        self.below("tags")?.join_escaped(name.as_str())
    }

    /// The key of a document's entry among the referrers of its subject, where it has one that can be opened.
    fn referrer_key(&self, document: &Document) -> Result<Option<Key>> {
        let subject = document.subject().and_then(|subject| subject.known_digest().ok());
        let Some(subject) = subject else { return Ok(None) };
        let key = self
            .referrers_key(&subject)?
            .join(&document.digest().to_string())?;
        Ok(Some(key))
    }

    fn referrers_key(&self, subject: &Digest) -> Result<Key> {
        self.below("referrers")?.join(&subject.to_string())
    }
}

impl fmt::Debug for Repositories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repositories")
            .field("store", &self.inner.store)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Repository").field(&self.name).finish()
    }
}
