//! OCI image layouts: a directory with `blobs`, `index.json` and `oci-layout` (image-spec, "Image Layout").
//!
//! Reading needs no right to write and creates nothing. Writing changes `index.json` by its bytes: what other tools put
//! there stays as it is. Two processes may write one layout at once; neither loses an entry of the other.

mod ambiguous;
mod broken;
pub(crate) mod entries;
mod index_file;
mod read;
mod write;

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use stevedore_core::fs::{FsOptions, FsStore};
use stevedore_core::{Error, ErrorKind, Result};

use tokio::sync::OnceCell;

pub use ambiguous::Ambiguous;
pub use broken::{BlankHeader, BrokenIndex};
use index_file::IndexFile;
pub(crate) use index_file::{HEADER, check_header};

use crate::WriteOptions;

/// An OCI image layout in a directory: a [`Source`](stevedore_core::Source) and a [`Sink`](stevedore_core::Sink).
///
/// Cheap to clone. As a sink it makes the directory with the first write.
#[derive(Clone)]
pub struct Layout {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    store: FsStore,
    index: IndexFile,
    options: WriteOptions,
    /// Set once the directory is a layout, if only an empty one.
    begun: OnceCell<()>,
}

impl Layout {
    /// The layout in a directory that is there.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where the directory is not there, or has no `oci-layout` or no `index.json`;
    /// [`ErrorKind::Invalid`] where its `oci-layout` is none, [`ErrorKind::Unsupported`] where that is of a version
    /// that is not known.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self> {
        let layout = Self::new(dir.into(), WriteOptions::default());
        layout.inner.index.check_version()?;
        layout.inner.index.check_there()?;
        Ok(layout)
    }

    /// The layout in a directory, which becomes one with the first write if it is empty or not there.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] where something else is in the directory, a layout of a version that is not known, or one
    /// whose index cannot be parsed (the cause is a [`BrokenIndex`]) and is not to be
    /// [mended](WriteOptions::mend); the same holds of a [`BlankHeader`].
    pub fn create(dir: impl Into<PathBuf>, options: WriteOptions) -> Result<Self> {
        let layout = Self::new(dir.into(), options);
        match layout.inner.index.check_version() {
            // Another process may make it one between the two looks.
            Err(error) if error.is_not_found() => layout
                .check_empty()
                .or_else(|foreign| layout.inner.index.check_version().map_err(|_| foreign))?,
            checked => checked?,
        }
        // Before the first blob is written, for whose sake the index would be changed at the end.
        layout.inner.index.read()?;
        Ok(layout)
    }

    /// Has somebody told when an index that cannot be parsed was set aside: of its path, and of the one under which it
    /// is kept. Only the first one who asks for it is. See [`WriteOptions::mend`].
    pub fn on_set_aside(&self, tell: impl Fn(&Path, &Path) + Send + Sync + 'static) {
        self.inner.index.on_set_aside(Box::new(tell));
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    fn new(dir: PathBuf, options: WriteOptions) -> Self {
        let own = dir.join(OWN_DIR);
        let store = FsStore::new(
            FsOptions::new(dir.join("blobs"), own.join("staging")).with_durable(options.durable),
        );
        let index = IndexFile::new(dir.clone(), store.clone(), options.mend);
        Self {
            inner: Arc::new(Inner {
                dir,
                store,
                index,
                options,
                begun: OnceCell::new(),
            }),
        }
    }

    fn check_empty(&self) -> Result<()> {
        let dir = &self.inner.dir;
        let mut entries = match std::fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Error::storage(format!("cannot read {}", dir.display()), error)),
        };
        // A copy that was killed before it wrote `oci-layout` has left these.
        let is_ours = |name: &OsStr| {
            name == OWN_DIR || name == "blobs" || (name == "index.json" && self.inner.index.is_as_begun())
        };
        let foreign = entries.find(|entry| !entry.as_ref().is_ok_and(|entry| is_ours(&entry.file_name())));
        if foreign.is_none() {
            return Ok(());
        }
        let message = format!(
            "{} is not empty and no OCI layout: it has no oci-layout file",
            dir.display()
        );
        Err(Error::new(ErrorKind::Invalid, message))
    }
}

/// The directory within a layout for what is ours: staged blobs.
const OWN_DIR: &str = ".stevedore";

impl fmt::Debug for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Layout").field(&self.inner.dir).finish()
    }
}
