//! Whole files beside the blobs of a store, for whoever keeps a tree that a store is part of (an OCI layout).

use std::io;
use std::path::{Path, PathBuf};

use super::calls::{self, OutFile};
use super::cannot;
use super::store::FsStore;
use crate::{Digest, Result};

impl FsStore {
    /// The file in which a blob lies, if it is there.
    pub fn path(&self, digest: &Digest) -> PathBuf {
        self.keep().published().path_of(digest)
    }

    /// Puts a file with these bytes in place of the one at a path, or where there is none. Whoever looks sees the old
    /// one or the new one, also after a power cut. Blocks. The path is on the file system of the store's staging
    /// directory.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`](crate::ErrorKind::Storage), with the path. The old file is then as it was.
    pub fn replace_file(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        self.place_file(path, bytes, OutFile::rename_over)
    }

    /// The same where there is none; gives whether there was none.
    ///
    /// # Errors
    /// As [`replace_file`](Self::replace_file).
    pub fn create_file(&self, path: &Path, bytes: &[u8]) -> Result<bool> {
        let mut created = true;
        self.place_file(path, bytes, |file, path| match file.rename_new(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                created = false;
                Ok(())
            }
            renamed => renamed,
        })?;
        Ok(created)
    }

    /// Removes from the staging directory what dead processes left that nobody can go on with; then it and the one
    /// above it if they are empty. They are made again when they are needed. Blocks.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`](crate::ErrorKind::Storage), with the path. Nothing depends on what stays behind.
    pub fn tidy_staging(&self) -> Result<()> {
        let staging = self.keep().area().dir();
        self.keep().area().tidy()?;
        if let Some(above) = staging.parent().filter(|_| !staging.exists()) {
            // It may hold other things.
            drop(calls::remove_dir(above));
        }
        Ok(())
    }

    fn place_file(
        &self,
        path: &Path,
        bytes: &[u8],
        rename: impl FnOnce(&mut OutFile, &Path) -> io::Result<()>,
    ) -> Result<()> {
        let durable = self.keep().published().durable();
        let mut file = self.keep().area().temporary()?;
        let temporary = file.path().to_owned();
        let written = file
            .write_all_at(bytes, 0)
            .and_then(|()| if durable { file.sync() } else { Ok(()) });
        let placed = written
            .map_err(|error| cannot("write", &temporary, error))
            .and_then(|()| rename(&mut file, path).map_err(|error| cannot("write", path, error)));
        if file.path() == temporary {
            // What cannot be removed expires.
            drop(calls::unlink(&temporary));
        }
        placed?;
        let dir = path
            .parent()
            .filter(|dir| !dir.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        if durable {
            calls::sync_dir(dir).map_err(|error| cannot("sync", dir, error))?;
        }
        Ok(())
    }
}
