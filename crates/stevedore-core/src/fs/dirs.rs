//! Directories that are there, and stay there over a power cut.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::calls;
use super::rounds::Rounds;

/// How many directories are remembered; then it begins anew, at the cost of some syncs that could have been saved.
const REMEMBERED: usize = 16 * 1024;

/// Makes the directories of a tree, and remembers which are known to be durable.
///
/// That a directory is there does not mean that it lasts: a thread that just made it, or a process that was
/// killed, may not have synced its parent. So the entry of each directory is synced once a process before
/// anything in it is acknowledged.
#[derive(Debug)]
pub(super) struct Dirs {
    base: PathBuf,
    durable: bool,
    known: Mutex<HashSet<PathBuf>>,
    syncs: Mutex<HashMap<PathBuf, Arc<Rounds>>>,
}

impl Dirs {
    /// The tree below a directory, which is made with all above it when it is first needed. Without `durable`
    /// nothing is synced.
    pub(super) fn new(base: PathBuf, durable: bool) -> Self {
        Self {
            base,
            durable,
            known: Mutex::default(),
            syncs: Mutex::default(),
        }
    }

    pub(super) fn base(&self) -> &Path {
        &self.base
    }

    /// Makes a directory of the tree and what is missing above it, so that they outlast a power cut.
    pub(super) fn ensure(&self, dir: &Path) -> io::Result<()> {
        if self.known().contains(dir) {
            return Ok(());
        }
        match dir.parent() {
            Some(parent) if dir != self.base => {
                self.ensure(parent)?;
                make_if_missing(dir)?;
                self.sync(parent)?;
            }
            _ => self.make_with_parents(dir)?,
        }
        let mut known = self.known();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(dir.to_owned());
        Ok(())
    }

    /// Makes a directory again that somebody removed meanwhile.
    pub(super) fn ensure_again(&self, dir: &Path) -> io::Result<()> {
        self.known().retain(|known| !dir.starts_with(known));
        self.ensure(dir)
    }

    /// Makes the entries of a directory durable, where that was asked for. Those who come while a sync runs share the
    /// next one.
    pub(super) fn sync(&self, dir: &Path) -> io::Result<()> {
        if !self.durable {
            return Ok(());
        }
        let rounds = {
            let mut syncs = self.syncs.lock().unwrap_or_else(PoisonError::into_inner);
            if syncs.len() >= REMEMBERED {
                syncs.clear();
            }
            Arc::clone(syncs.entry(dir.to_owned()).or_default())
        };
        rounds.run(|| calls::sync_dir(dir))
    }

    fn make_with_parents(&self, dir: &Path) -> io::Result<()> {
        let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        if !dir.is_dir() {
            if !parent.is_dir() {
                self.make_with_parents(parent)?;
            }
            make_if_missing(dir)?;
            return self.sync(parent);
        }
        // Somebody else's directory above ours need not be readable for us.
        match self.sync(parent) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
            synced => synced,
        }
    }

    fn known(&self) -> MutexGuard<'_, HashSet<PathBuf>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a directory whose parent is there.
fn make_if_missing(dir: &Path) -> io::Result<()> {
    match calls::make_dir(dir) {
        // Whatever the error, it only matters where there is no directory: some systems look at rights first.
        Err(_) if dir.is_dir() => Ok(()),
        // It was there, and somebody removed it between the two looks.
        Err(error)
            if error.kind() == io::ErrorKind::AlreadyExists && std::fs::symlink_metadata(dir).is_err() =>
        {
            Err(io::ErrorKind::NotFound.into())
        }
        made => made,
    }
}
