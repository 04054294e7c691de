//! An image in a directory of its own, as skopeo's `dir:` has it: `manifest.json`, each blob in a file called by its
//! digits, and `<digits>.manifest.json` for the images of an index.
//!
//! There is one image and no name. Reading needs no right to write. The image that was there is replaced at once, when
//! all of the new one is there; what was only its own goes afterwards.

mod layout;
mod read;
mod write;

use std::collections::HashSet;
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stevedore_core::fs::{FileNames, FsOptions, FsStore};
use stevedore_core::{Digest, Error, ErrorKind, Result};
use tokio::sync::OnceCell;

use crate::WriteOptions;

/// An image in a directory of its own: a [`Source`](stevedore_core::Source) and a [`Sink`](stevedore_core::Sink).
///
/// Cheap to clone. As a sink it makes the directory with the first write; one process at a time writes.
#[derive(Clone)]
pub struct Directory {
    inner: Arc<Inner>,
}

struct Inner {
    dir: PathBuf,
    store: FsStore,
    options: WriteOptions,
    /// The right to write, once it is had; empty on a file system without locks.
    begun: OnceCell<Option<File>>,
    written: Mutex<Written>,
}

/// What belongs to the image that is being written.
#[derive(Default)]
struct Written {
    blobs: HashSet<Digest>,
    documents: HashSet<Digest>,
    /// Whether the image itself was written: else all that is there is still the other one's.
    whole: bool,
    /// Whether the same image was there before: then its signatures stay.
    same: bool,
}

impl Directory {
    /// The image in a directory that is there.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where the directory is not there, or has no `manifest.json`.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self> {
        let directory = Self::new(dir.into(), WriteOptions::default());
        directory.check_there()?;
        Ok(directory)
    }

    /// The directory for an image, which is made with the first write if it is not there.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] where something else than such an image is in it.
    pub fn create(dir: impl Into<PathBuf>, options: WriteOptions) -> Result<Self> {
        let directory = Self::new(dir.into(), options);
        directory.check_ours()?;
        Ok(directory)
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    fn new(dir: PathBuf, options: WriteOptions) -> Self {
        let staging = dir.join(layout::OWN_DIR).join("staging");
        let store = FsStore::new(
            FsOptions::new(&dir, staging)
                .with_names(FileNames::Flat)
                .with_durable(options.durable),
        );
        Self {
            inner: Arc::new(Inner {
                dir,
                store,
                options,
                begun: OnceCell::new(),
                written: Mutex::default(),
            }),
        }
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.inner.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn no(&self, what: impl fmt::Display) -> Error {
        Error::new(
            ErrorKind::NotFound,
            format!("{} has no {what}", self.inner.dir.display()),
        )
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Directory").field(&self.inner.dir).finish()
    }
}
