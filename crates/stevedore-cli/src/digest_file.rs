//! `--digestfile`: written whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::exit::Failure;

/// A file that is going to hold a digest.
#[derive(Debug)]
pub(crate) struct DigestFile {
    path: PathBuf,
    /// A pipe or a device, which is written as it is.
    in_place: bool,
}

impl DigestFile {
    /// Looks at where it is going to be, so that a place that is none is known before the work is done.
    pub(crate) fn plan(path: &Path) -> Result<Self, Failure> {
        let there = fs::metadata(path);
        if there.as_ref().is_ok_and(fs::Metadata::is_dir) {
            return Err(Failure::usage(format!("{} is a directory", path.display())));
        }
        // A symbolic link stays one.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let dir = dir_of(&path);
        if !dir.is_dir() {
            return Err(Failure::usage(format!("there is no directory {}", dir.display())));
        }
        let in_place = there.is_ok_and(|metadata| !metadata.is_file());
        Ok(Self { path, in_place })
    }

    /// Writes the digest, without a line's end, as skopeo does.
    pub(crate) fn write(&self, digest: &str) -> Result<(), Failure> {
        let written = if self.in_place {
            fs::write(&self.path, digest)
        } else {
            self.replace(digest)
        };
        written.with_context(|| format!("cannot write {}", self.path.display()))?;
        Ok(())
    }

    fn replace(&self, digest: &str) -> io::Result<()> {
        let name = format!(".stevedore-digest.{}", std::process::id());
        let temporary = dir_of(&self.path).join(name);
        let file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        let placed = fill(file, digest).and_then(|()| fs::rename(&temporary, &self.path));
        if placed.is_err() {
            // What failed before is what is told.
            drop(fs::remove_file(&temporary));
        }
        placed
    }
}

fn dir_of(path: &Path) -> &Path {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

fn fill(mut file: File, digest: &str) -> io::Result<()> {
    file.write_all(digest.as_bytes())?;
    file.sync_all()
}
