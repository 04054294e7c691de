//! Images in one file: `oci-archive:`, a layout in a tar, and `docker-archive:`, which `docker load` reads.
//!
//! What is written is both at once: the layout has every document byte for byte, and a docker-archive has beside it the
//! `manifest.json` of `docker save` over the same blobs. Equal images give equal bytes. An archive is written whole or
//! not at all, and never changed.
//!
//! Reading takes archives of others too: compressed ones (gzip, zstd, xz), those on stdin, and those of `docker save` from
//! the time when it wrote no layout.

mod docker;
mod legacy;
mod manifest;
mod nothing;
mod open;
mod output;
mod sink;
mod source;
mod tape;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use stevedore_core::{Error, ErrorKind, Result};
use tokio::sync::OnceCell;

use crate::view::View;

pub(crate) use nothing::Nothing;
pub use sink::ArchiveSink;

use open::Opened;

/// Which files an archive has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ArchiveForm {
    /// Those of an OCI layout (image-spec, "Image Layout").
    Oci,
    /// Those of `docker save`: `manifest.json`, and of a later one also those of a layout.
    Docker,
}

impl ArchiveForm {
    /// The transport, as in a location.
    pub fn transport(self) -> &'static str {
        match self {
            Self::Oci => "oci-archive",
            Self::Docker => "docker-archive",
        }
    }
}

/// An archive as a [`Source`](stevedore_core::Source). Cheap to clone.
///
/// It is opened when it is first asked something: then the whole of a compressed one, or of one that comes through a pipe,
/// is laid out in a temporary file.
#[derive(Clone)]
pub struct Archive {
    path: PathBuf,
    form: ArchiveForm,
    opened: Arc<OnceCell<View<Opened>>>,
}

impl Archive {
    /// The archive in a file, or on stdin for the path `-`.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where there is no such file, [`ErrorKind::Invalid`] for a directory.
    pub fn open(path: impl Into<PathBuf>, form: ArchiveForm) -> Result<Self> {
        let path = path.into();
        if !is_standard_stream(&path) {
            match std::fs::metadata(&path) {
                Ok(metadata) if metadata.is_dir() => {
                    let message = format!("{} is a directory, and no archive", path.display());
                    return Err(Error::new(ErrorKind::Invalid, message));
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    let message = format!("there is no file {}", path.display());
                    return Err(Error::new(ErrorKind::NotFound, message));
                }
                // What cannot be looked at is told when it is read.
                _ => {}
            }
        }
        Ok(Self {
            path,
            form,
            opened: Arc::default(),
        })
    }

    /// The file; `-` for stdin.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Whether a path stands for stdin or stdout.
pub(crate) fn is_standard_stream(path: &Path) -> bool {
    path.as_os_str() == "-"
}

impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Archive")
            .field("path", &self.path)
            .field("form", &self.form)
            .finish_non_exhaustive()
    }
}
