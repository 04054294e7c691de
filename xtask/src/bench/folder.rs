//! Folders for a while.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Failure;

/// A folder that goes, with what is in it, when this is dropped.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes one that is not there yet.
    pub(super) fn make(path: PathBuf) -> Result<Self, Failure> {
        fs::create_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // On the way out of a failure there is nobody left to tell.
        drop(fs::remove_dir_all(&self.0));
    }
}
