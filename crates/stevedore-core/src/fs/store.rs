//! [`FsStore`].

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use super::file_names::FileNames;
use super::keep::Keep;
use super::published::{Glance, Published};
use super::staging::Area;
use super::{blocking, cannot, in_the_way, is_missing, listing};
use crate::stream::BoxStream;
use crate::{
    Blob, BlobInfo, ByteRange, Clock, Digest, Error, ErrorKind, IngestKey, IngestPlan, Result, Staging,
    Store, Takeover, sys,
};

/// Where an [`FsStore`] lies and how it works.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FsOptions {
    /// The directory of blobs.
    pub blobs: PathBuf,
    /// How their files are called.
    pub names: FileNames,
    /// The directory of what is being written: on the same file system, and outside of `blobs`.
    pub staging: PathBuf,
    /// How long a collector leaves a blob alone after it was last wanted. Without one nobody collects here:
    /// [`touch`](Store::touch) then changes nothing, so files of another owner are no hindrance. With one it begins again
    /// when the store is opened, and what was published before is of [`Life::EARLIER`](crate::Life::EARLIER): power
    /// may have been lost, and times with it.
    pub grace: Option<Duration>,
    /// Where times come from.
    pub clock: Clock,
    /// Whether files and directories are synced, so that what was acknowledged outlasts a power cut. On unless
    /// turned off.
    pub durable: bool,
}

/// A store of blobs in a directory, laid out as the `blobs` directory of an OCI layout unless [`FileNames`] say
/// otherwise.
///
/// - Modes are what the umask leaves of 0666 and 0777.
/// - Other processes may read the directory and publish into it by rename at any time. Lives, touches and deletes
///   hold together only within one `FsStore`: one process collects.
/// - A life is the file's modification time, the time of the last touch its access time; both are set before
///   the rename. Reading through this store leaves the access time alone where it may (Linux, as the owner). If
///   something else moves it, the blob is collected later.
/// - What is staged under a key goes on after a restart. Within one boot of the machine the state of the hash is
///   kept, else the staged bytes are read again.
/// - A holder is alive while it has its staged file locked. To take over from one in another process costs a
///   copy of what is staged. Where the file system has no locks, a file that was not written for 10 minutes
///   counts as idle.
///
/// Cloning is cheap; clones are one store. All but [`new`](Self::new) need a tokio runtime around them.
#[derive(Clone, Debug)]
pub struct FsStore {
    keep: Arc<Keep>,
}

impl FsOptions {
    /// Blobs in a directory and staged files in another, synced, for no collector.
    pub fn new(blobs: impl Into<PathBuf>, staging: impl Into<PathBuf>) -> Self {
        Self {
            blobs: blobs.into(),
            names: FileNames::default(),
            staging: staging.into(),
            grace: None,
            clock: Clock::system(),
            durable: true,
        }
    }

    /// The same, with the files of blobs called otherwise.
    #[must_use]
    pub fn with_names(mut self, names: FileNames) -> Self {
        self.names = names;
        self
    }

    /// The same, with the grace of a collector.
    #[must_use]
    pub fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = Some(grace);
        self
    }

    /// The same, by another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The same, synced or not. Without syncs a power cut may take what was acknowledged, and leave files under a
    /// digest that they do not have.
    #[must_use]
    pub fn with_durable(mut self, durable: bool) -> Self {
        self.durable = durable;
        self
    }
}

impl FsStore {
    /// The store over two directories. Nothing is read or made yet.
    pub fn new(options: FsOptions) -> Self {
        let FsOptions {
            blobs,
            names,
            staging,
            grace,
            clock,
            durable,
        } = options;
        let published = Published::new((blobs, names), &staging, clock.clone(), grace, durable);
        let area = Area::new(staging, clock.clone());
        Self {
            keep: Arc::new(Keep::new(published, area, clock)),
        }
    }

    pub(super) fn keep(&self) -> &Keep {
        &self.keep
    }

    /// Removes a directory that lies where a blob belongs, if there is nothing in it; gives whether there was one.
    /// Anything else that lies there stays, and is an [`InTheWay`](super::InTheWay) for who writes the blob. Blocks.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`], with the path.
    pub fn clear_way(&self, digest: &Digest) -> Result<bool> {
        in_the_way::remove_empty_dir(&self.keep.published().path_of(digest))
    }

    /// What is published under the digest of a plan, renewed. A file of another size than was planned is none.
    async fn find(&self, plan: &IngestPlan) -> Result<Option<BlobInfo>> {
        let Some(digest) = &plan.digest else {
            return Ok(None);
        };
        let found = self.touch(digest).await?;
        Ok(found.filter(|found| plan.size.is_none_or(|size| size == found.size)))
    }
}

#[async_trait]
impl Store for FsStore {
    /// For ever where none was set: nobody collects here.
    fn grace(&self) -> Duration {
        self.keep.published().grace().unwrap_or(Duration::MAX)
    }

    async fn stat(&self, digest: &Digest) -> Result<Option<BlobInfo>> {
        self.keep.published().look(digest)
    }

    async fn touch(&self, digest: &Digest) -> Result<Option<BlobInfo>> {
        if let Glance::Settled(found) = self.keep.published().glance(digest)? {
            return Ok(found);
        }
        let (keep, digest) = (Arc::clone(&self.keep), *digest);
        blocking::run(move || keep.published().touch(&digest)).await
    }

    async fn open(&self, digest: &Digest, range: ByteRange) -> Result<Blob> {
        let path = self.keep.published().path_of(digest);
        let missing = || {
            Error::new(
                ErrorKind::NotFound,
                format!("there is no blob {digest} at {}", path.display()),
            )
        };
        let file = match sys::open_to_read(&path) {
            Err(error) if is_missing(&error) => return Err(missing()),
            opened => opened.map_err(|error| cannot("open", &path, error))?,
        };
        let metadata = file.metadata().map_err(|error| cannot("look at", &path, error))?;
        if !metadata.is_file() {
            return Err(missing());
        }
        let range = range.within(metadata.len())?;
        Ok(Blob::from_file(Arc::new(file), path, range))
    }

    fn list(&self) -> BoxStream<Result<BlobInfo>> {
        let published = self.keep.published();
        listing::list(published.dirs_of_blobs(), published.started())
    }

    async fn ingest(&self, plan: IngestPlan) -> Result<Staging> {
        if let Some(found) = self.find(&plan).await? {
            return Ok(Staging::There(found));
        }
        if let Some(digest) = &plan.digest {
            // Now, and not after all its bytes have come.
            in_the_way::check_free(&self.keep.published().path_of(digest))?;
        }
        let Some(key) = plan.key.clone() else {
            return Ok(Staging::Mine(Box::new(self.keep.begin(plan))));
        };
        let keep = Arc::clone(&self.keep);
        blocking::run(move || keep.acquire(&key, Some(&plan), Takeover::IfIdle)).await
    }

    async fn resume(&self, key: &IngestKey, takeover: Takeover) -> Result<Staging> {
        let (keep, key) = (Arc::clone(&self.keep), key.clone());
        blocking::run(move || keep.acquire(&key, None, takeover)).await
    }

    async fn delete(&self, seen: &BlobInfo) -> Result<bool> {
        let (keep, seen) = (Arc::clone(&self.keep), seen.clone());
        blocking::run(move || keep.delete(&seen)).await
    }

    async fn expire(&self, idle_since: SystemTime) -> Result<u64> {
        let keep = Arc::clone(&self.keep);
        blocking::run(move || keep.sweep(idle_since)).await
    }
}
