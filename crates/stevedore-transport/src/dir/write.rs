//! A directory as a sink.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use stevedore_core::{
    AnyDigest, Descriptor, Document, Error, ErrorKind, IngestPlan, Place, Put, Result, Role, Selector, Sink,
    SinkTraits, Staging, Store as _, Supply,
};

use super::layout::{Part, VERSION};
use super::{Directory, Written};
use crate::files::{self, blocking};
use crate::stored;

/// How long a writer waits for the one before it: no longer than that one needs for its last steps.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

impl Directory {
    /// Makes the directory one of this transport, and takes the right to write there.
    async fn begin(&self) -> Result<()> {
        let begin = || async {
            let directory = self.clone();
            blocking(move || directory.take()).await
        };
        self.inner.begun.get_or_try_init(begin).await.map(drop)
    }

    /// Blocks.
    fn take(&self) -> Result<Option<File>> {
        let path = self.version_path();
        self.check_ours()?;
        // Never replaced, for the lock lies on it.
        self.inner.store.create_file(&path, VERSION)?;
        let file = File::open(&path)
            .map_err(|error| Error::storage(format!("cannot open {}", path.display()), error))?;
        files::lock(file, &path, LOCK_TIMEOUT)
    }

    async fn put(&self, path: PathBuf, document: &Document) -> Result<()> {
        let (store, bytes) = (self.inner.store.clone(), document.bytes().clone());
        blocking(move || store.replace_file(&path, &bytes)).await
    }

    /// Removes what belongs to an image that was replaced, and to no document or blob of this one. Blocks.
    fn clear(&self) -> Result<()> {
        let cannot = |what: &str, path: &Path, error| {
            Error::storage(format!("cannot {what} {}", path.display()), error)
        };
        let dir = &self.inner.dir;
        for entry in std::fs::read_dir(dir).map_err(|error| cannot("read", dir, error))? {
            let path = entry.map_err(|error| cannot("read", dir, error))?.path();
            let written = self.written();
            let stale = match path.file_name().and_then(Part::of) {
                Some(Part::Blob(digest)) => !written.blobs.contains(&digest),
                Some(Part::Document(digest)) => !written.documents.contains(&digest),
                Some(Part::Signature) => !written.same,
                None => false,
            };
            drop(written);
            if stale
                && let Err(error) = std::fs::remove_file(&path)
                && error.kind() != std::io::ErrorKind::NotFound
            {
                return Err(cannot("remove", &path, error));
            }
        }
        Ok(())
    }
}

impl Written {
    /// What a document names is of this image.
    fn add(&mut self, document: &Document) {
        let named: Vec<&Descriptor> = match document {
            Document::Image(image) => std::iter::once(&image.config).chain(&image.layers).collect(),
            Document::Artifact(artifact) => artifact.blobs.iter().collect(),
            // Children come as documents of their own.
            _ => Vec::new(),
        };
        self.blobs
            .extend(named.into_iter().filter_map(|blob| match &blob.digest {
                AnyDigest::Known(digest) => Some(*digest),
                _ => None,
            }));
    }
}

#[async_trait]
impl Sink for Directory {
    fn traits(&self) -> SinkTraits {
        SinkTraits::new().with_ingest()
    }

    async fn has(&self, descriptor: &Descriptor) -> Result<bool> {
        if descriptor.media_type.is_document() {
            let digest = descriptor.known_digest()?;
            let there = self.document_bytes(&digest).await;
            return Ok(there.is_ok_and(|bytes| digest.algorithm().digest(&bytes) == digest));
        }
        stored::has_blob(&self.inner.store, descriptor, self.inner.options).await
    }

    async fn put_blob(
        &self,
        descriptor: &Descriptor,
        _held_at: &[Place],
        supply: &dyn Supply,
    ) -> Result<Put> {
        self.begin().await?;
        stored::put_blob(&self.inner.store, descriptor, supply, self.inner.options).await
    }

    async fn ingest(&self, plan: IngestPlan) -> Result<Option<Staging>> {
        self.begin().await?;
        self.inner.store.ingest(plan).await.map(Some)
    }

    async fn put_document(&self, document: &Document, role: Role) -> Result<()> {
        self.begin().await?;
        let Role::Root { names, replace } = role else {
            self.put(self.child_path(&document.digest()), document).await?;
            let mut written = self.written();
            written.documents.insert(document.digest());
            written.add(document);
            return Ok(());
        };
        if let Some(name) = names.first() {
            let message = format!(
                "{} holds one image without a name, and cannot hold one that is called {name}",
                self.inner.dir.display()
            );
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let there = self.image(document.digest().algorithm()).await;
        let same = there
            .as_ref()
            .is_ok_and(|there| there.digest() == document.digest());
        if !replace && !same && !there.is_err_and(|error| error.is_not_found()) {
            let message = format!("{} holds another image already", self.inner.dir.display());
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        let root = |written: &mut Written| {
            written.add(document);
            // As a root it has a file of its own.
            written.documents.remove(&document.digest());
            written.same = same;
        };
        root(&mut self.written());
        self.put(self.manifest_path(), document).await?;
        self.written().whole = true;
        Ok(())
    }

    async fn remove(&self, _selector: &Selector) -> Result<()> {
        let message = format!(
            "{} is one image: to remove it, remove the directory",
            self.inner.dir.display()
        );
        Err(Error::new(ErrorKind::Unsupported, message))
    }

    async fn finish(&self) -> Result<()> {
        let directory = self.clone();
        blocking(move || {
            if directory.written().whole {
                directory.clear()?;
            }
            // What cannot be cleared away of what was staged is no reason to fail.
            drop(directory.inner.store.tidy_staging());
            Ok(())
        })
        .await
    }
}
