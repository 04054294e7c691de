//! The blobs that are visible, and how one becomes so.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::calls::OutFile;
use super::dirs::Dirs;
use super::file_names::FileNames;
use super::life::{self, Lives};
use super::locks::Locks;
use super::{calls, cannot, in_the_way, is_missing};
use crate::{Algorithm, BlobInfo, Clock, Digest, Result};

/// A directory of blobs.
#[derive(Debug)]
pub(super) struct Published {
    dirs: Dirs,
    names: FileNames,
    clock: Clock,
    grace: Option<Duration>,
    /// When this store was opened, if anybody collects here.
    started: Option<SystemTime>,
    durable: bool,
    lives: Lives,
    /// Held while a blob is published, touched or deleted: until what became visible is durable, too.
    locks: Locks<Digest>,
}

/// What a look without the lock can say.
#[derive(Debug)]
pub(super) enum Glance {
    /// As it is.
    Settled(Option<BlobInfo>),
    /// Only [`Published::touch`] can say.
    Unsettled,
}

impl Published {
    pub(super) fn new(
        (dir, names): (PathBuf, FileNames),
        staging: &Path,
        clock: Clock,
        grace: Option<Duration>,
        durable: bool,
    ) -> Self {
        Self {
            dirs: Dirs::new(dir, durable),
            names,
            lives: Lives::new(clock.clone(), staging),
            started: grace.map(|_| clock.now()),
            clock,
            grace,
            durable,
            locks: Locks::default(),
        }
    }

    pub(super) fn dir(&self) -> &Path {
        self.dirs.base()
    }

    pub(super) fn started(&self) -> Option<SystemTime> {
        self.started
    }

    pub(super) fn durable(&self) -> bool {
        self.durable
    }

    pub(super) fn path_of(&self, digest: &Digest) -> PathBuf {
        self.names.path(self.dir(), digest)
    }

    /// See [`FileNames::dirs`].
    pub(super) fn dirs_of_blobs(&self) -> Vec<(Option<Algorithm>, PathBuf)> {
        self.names.dirs(self.dir())
    }

    /// What is known of a blob.
    pub(super) fn look(&self, digest: &Digest) -> Result<Option<BlobInfo>> {
        let path = self.path_of(digest);
        match std::fs::metadata(&path) {
            Err(error) if is_missing(&error) => Ok(None),
            looked => looked
                .and_then(|metadata| life::info(*digest, &metadata, self.started))
                .map_err(|error| cannot("look at", &path, error)),
        }
    }

    /// What is known of a blob, if that is all that a touch would say: inline.
    pub(super) fn glance(&self, digest: &Digest) -> Result<Glance> {
        let found = self.look(digest)?;
        // While somebody holds the lock, what is visible may not be durable yet, or be about to go.
        if self.locks.is_held(digest) || found.as_ref().is_some_and(|found| !self.is_young(found)) {
            return Ok(Glance::Unsettled);
        }
        Ok(Glance::Settled(found))
    }

    /// What is known of a blob, renewed if need be. Blocks.
    pub(super) fn touch(&self, digest: &Digest) -> Result<Option<BlobInfo>> {
        let _lock = self.locks.lock(digest);
        self.touch_locked(digest)
    }

    /// Publishes a staged file that has the size and the digest, unless that blob is there: then gives what is
    /// there, renewed, and leaves the file. Blocks.
    pub(super) fn publish(&self, file: &mut OutFile, digest: &Digest, size: u64) -> Result<BlobInfo> {
        let path = self.path_of(digest);
        let dir = path.parent().unwrap_or(self.dir());
        let _lock = self.locks.lock(digest);
        self.dirs
            .ensure(dir)
            .map_err(|error| cannot("make", dir, error))?;
        let mut again = false;
        loop {
            let there = self.look(digest)?;
            if let Some(there) = &there
                && there.size == size
            {
                return self.adopt(&path, digest);
            }
            let earlier = std::fs::metadata(&path)
                .and_then(|metadata| metadata.modified())
                .ok();
            let times = self.lives.begin(file, earlier);
            let times = times.map_err(|error| cannot("set the times of", file.path(), error))?;
            // A file of another size is a wreck: its digest cannot be this one.
            let renamed = if there.is_some() {
                file.rename_over(&path)
            } else {
                file.rename_new(&path)
            };
            match renamed {
                // Another process was faster, or removed the directory.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && !again => again = true,
                Err(error) if is_missing(&error) && !again && !dir.is_dir() => {
                    self.dirs
                        .ensure_again(dir)
                        .map_err(|error| cannot("make", dir, error))?;
                    again = true;
                }
                Err(error) => {
                    in_the_way::check_free(&path)?;
                    return Err(cannot("publish", &path, error));
                }
                Ok(()) => {
                    self.dirs.sync(dir).map_err(|error| cannot("sync", dir, error))?;
                    let info = life::info(*digest, &times, self.started);
                    let info = info.map_err(|error| cannot("look at", &path, error))?;
                    return info.ok_or_else(|| cannot("publish", &path, io::ErrorKind::NotFound.into()));
                }
            }
        }
    }

    /// Deletes a blob that is still as it was seen. Blocks. Not synced: a power cut may bring it back, as the life
    /// that it was.
    pub(super) fn delete(&self, seen: &BlobInfo) -> Result<bool> {
        let _lock = self.locks.lock(&seen.digest);
        let path = self.path_of(&seen.digest);
        match self.look(&seen.digest)? {
            Some(found) if found.life == seen.life && found.version == seen.version => {}
            _ => return Ok(false),
        }
        let born = std::fs::metadata(&path).and_then(|metadata| metadata.modified());
        born.and_then(|born| self.lives.end(born))
            .and_then(|()| calls::unlink(&path))
            .map(|()| true)
            .or_else(|error| if is_missing(&error) { Ok(false) } else { Err(error) })
            .map_err(|error| cannot("delete", &path, error))
    }

    /// Makes a blob durable that was published but for the sync of its directory. Blocks.
    pub(super) fn settle(&self, digest: &Digest) -> Result<BlobInfo> {
        let _lock = self.locks.lock(digest);
        self.adopt(&self.path_of(digest), digest)
    }

    /// Makes sure that a blob lasts which somebody else, or we with a failure at the end, put there.
    fn adopt(&self, path: &Path, digest: &Digest) -> Result<BlobInfo> {
        if self.durable {
            calls::sync_file(path).map_err(|error| cannot("sync", path, error))?;
            let dir = path.parent().unwrap_or(path);
            calls::sync_dir(dir).map_err(|error| cannot("sync", dir, error))?;
        }
        let found = self.touch_locked(digest)?;
        found.ok_or_else(|| cannot("look at", path, io::ErrorKind::NotFound.into()))
    }

    fn touch_locked(&self, digest: &Digest) -> Result<Option<BlobInfo>> {
        match self.look(digest)? {
            Some(found) if !self.is_young(&found) => {
                let path = self.path_of(digest);
                match life::renew(&path, &found, &self.clock) {
                    Err(error) if is_missing(&error) => Ok(None),
                    Err(error) => Err(cannot("renew", &path, error)),
                    Ok(()) => self.look(digest),
                }
            }
            found => Ok(found),
        }
    }

    /// The grace of a collector, if one is expected.
    pub(super) fn grace(&self) -> Option<Duration> {
        self.grace
    }

    /// Whether a blob was wanted so lately that it need not be renewed. Without a grace nobody collects here.
    fn is_young(&self, found: &BlobInfo) -> bool {
        // A time in the future is as young as can be.
        let age = self.clock.now().duration_since(found.touched).unwrap_or_default();
        self.grace.is_none_or(|grace| age < grace / 2)
    }
}
