//! What lies where a blob belongs, and is none.

use std::path::{Path, PathBuf};
use std::{fmt, io};

use super::{calls, cannot, is_missing};
use crate::{Error, ErrorKind, Result};

/// Something lies where a blob belongs, and is none: the cause within an error of
/// [`ErrorKind::Storage`](crate::ErrorKind::Storage).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InTheWay {
    /// The path of the blob.
    pub path: PathBuf,
    /// Whether it is a directory with nothing in it, which [`FsStore::clear_way`](super::FsStore::clear_way) removes.
    pub is_empty_dir: bool,
    what: &'static str,
}

impl fmt::Display for InTheWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is there, and no blob", self.what)
    }
}

impl std::error::Error for InTheWay {}

/// Refuses a path at which something else than a file lies: no blob can be put there.
pub(super) fn check_free(path: &Path) -> Result<()> {
    let metadata = match std::fs::symlink_metadata(path) {
        Err(error) if is_missing(&error) => return Ok(()),
        looked => looked.map_err(|error| cannot("look at", path, error))?,
    };
    let mut is_empty_dir = false;
    let what = if metadata.is_file() {
        return Ok(());
    } else if metadata.is_dir() {
        // One that cannot be read is not known to be empty.
        is_empty_dir = std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
        if is_empty_dir {
            "an empty directory"
        } else {
            "a directory with something in it"
        }
    } else if metadata.is_symlink() {
        match std::fs::metadata(path) {
            Ok(target) if target.is_file() => return Ok(()),
            _ => "a symbolic link that leads to no file",
        }
    } else {
        "a pipe, a socket or a device"
    };
    let path = path.to_owned();
    let message = format!("cannot write {}", path.display());
    let cause = InTheWay {
        path,
        is_empty_dir,
        what,
    };
    Err(Error::new(ErrorKind::Storage, message).with_source(cause))
}

/// Removes a directory that is empty; gives whether there was one. Anything else stays.
pub(super) fn remove_empty_dir(path: &Path) -> Result<bool> {
    // Not a symbolic link to one, which is somebody's choice.
    if !std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir()) {
        return Ok(false);
    }
    match calls::remove_dir(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty || is_missing(&error) => Ok(false),
        Err(error) => Err(cannot("remove", path, error)),
    }
}
