//! `oci-layout` and `index.json`: read without a lock, changed under one.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use stevedore_core::fs::FsStore;
use stevedore_core::raw::MANIFEST_LIMIT;
use stevedore_core::{Algorithm, Error, ErrorKind, ImageIndex, MediaType, Raw, Result};

use super::{BlankHeader, BrokenIndex};
use crate::files::{self, read_limited};

/// The version of layouts that is written, and whose major number is read (image-spec, "oci-layout file").
const VERSION: &str = "1.0.0";

/// An `oci-layout` file of that version.
pub(crate) const HEADER: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// How large an `oci-layout` file may be, in bytes.
const HEADER_LIMIT: u64 = 4096;

/// How long a writer waits for the writers before it. Each holds the lock for a rename and two syncs.
const LOCK_TIMEOUT: Duration = Duration::from_secs(60);

/// Is told which index was set aside, and where it is now.
pub(super) type TellAside = Box<dyn Fn(&Path, &Path) + Send + Sync>;

/// The two files that make a directory a layout.
#[derive(Clone)]
pub(super) struct IndexFile {
    dir: PathBuf,
    store: FsStore,
    /// Whether an index that cannot be parsed is set aside by whoever changes it, and read as an empty one.
    mend: bool,
    on_set_aside: Arc<OnceLock<TellAside>>,
}

#[derive(Deserialize)]
struct Header {
    #[serde(rename = "imageLayoutVersion")]
    version: String,
}

impl IndexFile {
    pub(super) fn new(dir: PathBuf, store: FsStore, mend: bool) -> Self {
        Self {
            dir,
            store,
            mend,
            on_set_aside: Arc::default(),
        }
    }

    /// Has somebody told of an index that is set aside. The first one who asks for it is.
    pub(super) fn on_set_aside(&self, tell: TellAside) {
        drop(self.on_set_aside.set(tell));
    }

    fn header_path(&self) -> PathBuf {
        self.dir.join("oci-layout")
    }

    fn index_path(&self) -> PathBuf {
        self.dir.join("index.json")
    }

    /// Checks that the directory is a layout of a version that is known.
    pub(super) fn check_version(&self) -> Result<()> {
        let path = self.header_path();
        let Some(bytes) = read_limited(&path, HEADER_LIMIT)? else {
            let dir = self.dir.display();
            let message = if self.dir.is_dir() {
                format!("{dir} is no OCI layout: it has no oci-layout file")
            } else {
                format!("there is no directory {dir}")
            };
            return Err(Error::new(ErrorKind::NotFound, message));
        };
        if is_blank(&bytes) {
            if self.mend {
                return Ok(());
            }
            let message = format!("{} says nothing", path.display());
            return Err(Error::new(ErrorKind::Invalid, message).with_source(BlankHeader { path }));
        }
        check_header(&path.display().to_string(), &bytes)
    }

    /// Checks that there is an index, which a layout must have (image-spec, "index.json file").
    pub(super) fn check_there(&self) -> Result<()> {
        // One that may not be looked at is told when it is read.
        if self.index_path().try_exists().unwrap_or(true) {
            return Ok(());
        }
        let message = format!(
            "{} is no OCI layout: it has no index.json file",
            self.dir.display()
        );
        Err(Error::new(ErrorKind::NotFound, message))
    }

    /// Makes both files where they are not there: an empty layout, which a writer that dies leaves behind. The header
    /// comes last, for what has one has to have an index too.
    pub(super) fn begin(&self) -> Result<()> {
        let (header, index) = (self.header_path(), self.index_path());
        if !index.exists() {
            self.store.create_file(&index, EMPTY_INDEX)?;
        }
        if !header.exists() {
            self.write_header(&header)?;
        }
        if self.mend && self.has_blank_header()? {
            let _lock = self.lock()?;
            // Who had the lock before may have mended it, and others have locked the new one since.
            if self.has_blank_header()? {
                self.store.replace_file(&header, HEADER)?;
            }
        }
        Ok(())
    }

    fn has_blank_header(&self) -> Result<bool> {
        let header = read_limited(&self.header_path(), HEADER_LIMIT)?;
        Ok(header.is_some_and(|bytes| is_blank(&bytes)))
    }

    /// Whether the index is what [`begin`](Self::begin) makes.
    pub(super) fn is_as_begun(&self) -> bool {
        let limit = EMPTY_INDEX.len() as u64;
        matches!(read_limited(&self.index_path(), limit), Ok(Some(bytes)) if bytes == EMPTY_INDEX)
    }

    /// The index as it is now, or an empty one where there is none yet.
    pub(super) fn read(&self) -> Result<Raw<ImageIndex>> {
        let bytes = self.read_bytes()?;
        match parse(bytes, &self.index_path()) {
            Err(_) if self.mend => empty(),
            parsed => parsed,
        }
    }

    fn read_bytes(&self) -> Result<Bytes> {
        let bytes = read_limited(&self.index_path(), MANIFEST_LIMIT as u64)?;
        Ok(bytes.unwrap_or(Bytes::from_static(EMPTY_INDEX)))
    }

    /// Changes the index: locks, reads again, changes, and replaces the file if its bytes are others.
    pub(super) fn update(
        &self,
        change: impl FnOnce(Raw<ImageIndex>) -> Result<Raw<ImageIndex>>,
    ) -> Result<()> {
        let _lock = self.lock()?;
        let path = self.index_path();
        let (old, is_new) = (self.read_bytes()?, !path.exists());
        let (before, is_broken) = match parse(old.clone(), &path) {
            Err(_) if self.mend => (empty()?, true),
            parsed => (parsed?, false),
        };
        let after = change(before)?;
        if is_broken {
            let aside = self.set_aside(&old)?;
            self.store.replace_file(&path, after.bytes())?;
            if let Some(tell) = self.on_set_aside.get() {
                tell(&path, &aside);
            }
        } else if is_new || old != *after.bytes() {
            self.store.replace_file(&path, after.bytes())?;
        }
        Ok(())
    }

    /// Keeps the bytes of a broken index, which may have names that nobody else knows, under a name that is free; gives
    /// its path.
    fn set_aside(&self, broken: &Bytes) -> Result<PathBuf> {
        let mut number = 0_u64;
        loop {
            let name = match number {
                0 => "index.json.broken".to_owned(),
                number => format!("index.json.broken.{number}"),
            };
            let path = self.dir.join(name);
            let is_kept = self.store.create_file(&path, broken)?
                // By somebody who was stopped before the next step.
                || read_limited(&path, MANIFEST_LIMIT as u64).is_ok_and(|kept| kept.as_ref() == Some(broken));
            if is_kept {
                return Ok(path);
            }
            number += 1;
        }
    }

    /// Waits for the right to change the index. The lock lies on `oci-layout`, which, unlike the index, is not
    /// replaced unless it is blank; it goes with the file handle, also by a kill.
    fn lock(&self) -> Result<Option<File>> {
        let path = self.header_path();
        let file = self.open_header(&path)?;
        files::lock(file, &path, LOCK_TIMEOUT)
    }

    /// Makes `oci-layout` unless another process was faster.
    fn write_header(&self, path: &Path) -> Result<()> {
        self.store.create_file(path, HEADER)?;
        Ok(())
    }

    /// Opens `oci-layout`, which is made where it is not there: all lock the same file.
    fn open_header(&self, path: &Path) -> Result<File> {
        match File::open(path) {
            Ok(file) => return Ok(file),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => self.write_header(path)?,
            Err(error) => return Err(Error::storage(format!("cannot open {}", path.display()), error)),
        }
        File::open(path).map_err(|error| Error::storage(format!("cannot open {}", path.display()), error))
    }
}

/// Checks that an `oci-layout` file, which people know by a text, is of a version that is known.
pub(crate) fn check_header(shown: &str, bytes: &[u8]) -> Result<()> {
    let header: Header = serde_json::from_slice(bytes).map_err(|error| {
        Error::new(ErrorKind::Invalid, format!("{shown} is no layout header")).with_source(error)
    })?;
    if header.version.split('.').next() == VERSION.split('.').next() {
        return Ok(());
    }
    let message = format!("{shown} is of version {:?}; this reads version 1", header.version);
    Err(Error::new(ErrorKind::Unsupported, message))
}

const EMPTY_INDEX: &[u8] =
    br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;

/// Whether a file says nothing: what a power cut may leave of one that was never synced.
fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0 || byte.is_ascii_whitespace())
}

fn empty() -> Result<Raw<ImageIndex>> {
    Ok(Raw::encode(
        &ImageIndex::new([]),
        MediaType::OCI_INDEX,
        Algorithm::Sha256,
    )?)
}

/// The index that bytes are, which were read from a path.
fn parse(bytes: Bytes, path: &Path) -> Result<Raw<ImageIndex>> {
    let parsed = Raw::parse(bytes, MediaType::OCI_INDEX, Algorithm::Sha256, MANIFEST_LIMIT);
    parsed.map_err(|why| {
        let cause = BrokenIndex {
            path: path.to_owned(),
            why,
        };
        Error::new(ErrorKind::Invalid, format!("cannot read {}", path.display())).with_source(cause)
    })
}

impl fmt::Debug for IndexFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IndexFile")
            .field("dir", &self.dir)
            .field("mend", &self.mend)
            .finish_non_exhaustive()
    }
}
