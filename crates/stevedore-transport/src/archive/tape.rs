//! What an archive is written to: whole entries, one behind the other.

use std::collections::HashSet;
use std::fmt;

use stevedore_archive::tar::{self, Entry, Kind};
use stevedore_core::{Digest, Error, ErrorKind, Hasher, Result};

use super::open::blob_path;
use super::output::Output;

/// An archive while it is written. All of its calls block.
#[derive(Debug)]
pub(super) struct Tape {
    output: Output,
    /// Where the last whole entry ends.
    end: u64,
    /// A blob of which a part is written.
    pending: Option<Pending>,
    dirs: HashSet<String>,
}

#[derive(Debug)]
struct Pending {
    digest: Digest,
    size: u64,
    hasher: Hasher,
}

impl Tape {
    pub(super) fn new(output: Output) -> Self {
        Self {
            output,
            end: 0,
            pending: None,
            dirs: HashSet::new(),
        }
    }

    /// Begins a blob, or goes on with it: gives how many of its bytes are written.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] where an entry broke off and the output is a pipe: nothing can be taken back there.
    pub(super) fn begin(&mut self, digest: Digest, size: u64) -> Result<u64> {
        if let Some(pending) = &self.pending
            && (pending.digest, pending.size) == (digest, size)
        {
            return Ok(pending.hasher.len());
        }
        self.rewind()?;
        let path = blob_path(&digest);
        self.make_dirs(&path)?;
        self.head(&Entry::file(path, size))?;
        self.pending = Some(Pending {
            digest,
            size,
            hasher: Hasher::new(digest.algorithm()),
        });
        Ok(0)
    }

    /// Writes and hashes more of the blob that was begun.
    ///
    /// # Errors
    /// [`ErrorKind::Mismatch`] where it is more than was to come, [`ErrorKind::Storage`].
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(mut pending) = self.pending.take() else {
            return Err(Error::new(
                ErrorKind::Conflict,
                "no blob of the archive was begun",
            ));
        };
        let would_be = pending.hasher.len() + bytes.len() as u64;
        if would_be > pending.size {
            let actual = format!("at least {would_be} bytes");
            return Err(Error::mismatch(
                pending.digest,
                format!("{} bytes", pending.size),
                actual,
            ));
        }
        self.output.write(bytes)?;
        pending.hasher.update(bytes);
        self.pending = Some(pending);
        Ok(())
    }

    /// Ends the blob that was begun: it is in the archive if it is what its digest says.
    ///
    /// # Errors
    /// [`ErrorKind::Mismatch`], [`ErrorKind::Storage`].
    pub(super) fn finish_blob(&mut self) -> Result<()> {
        let Some(Pending { digest, size, hasher }) = self.pending.take() else {
            return Err(Error::new(
                ErrorKind::Conflict,
                "no blob of the archive was begun",
            ));
        };
        if hasher.len() != size {
            let actual = format!("{} bytes", hasher.len());
            return Err(Error::mismatch(digest, format!("{size} bytes"), actual));
        }
        let actual = hasher.finish();
        if actual != digest {
            return Err(Error::mismatch("the content", digest, actual));
        }
        self.output.write(tar::padding(size))?;
        self.end = self.output.written();
        Ok(())
    }

    /// Writes a whole file.
    pub(super) fn put(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        self.rewind()?;
        self.make_dirs(path)?;
        self.head(&Entry::file(path, bytes.len() as u64))?;
        self.output.write(bytes)?;
        self.output.write(tar::padding(bytes.len() as u64))?;
        self.end = self.output.written();
        Ok(())
    }

    /// Ends the archive, and gives it its name.
    pub(super) fn finish(&mut self) -> Result<()> {
        self.rewind()?;
        self.output.write(tar::END)?;
        self.output.finish()
    }

    /// Takes back what was written of an entry that broke off.
    fn rewind(&mut self) -> Result<()> {
        self.pending = None;
        if self.output.written() == self.end {
            return Ok(());
        }
        self.output.cut(self.end)
    }

    /// The directories that a file is in, each once: some programs make none by themselves.
    fn make_dirs(&mut self, path: &str) -> Result<()> {
        for (slash, _) in path.match_indices('/') {
            let dir = &path[..=slash];
            if !self.dirs.contains(dir) {
                self.head(&Entry::new(Kind::Directory, dir))?;
                self.end = self.output.written();
                self.dirs.insert(dir.to_owned());
            }
        }
        Ok(())
    }

    fn head(&mut self, entry: &Entry) -> Result<()> {
        let mut headers = Vec::new();
        tar::encode(entry, &mut headers).map_err(|error| Error::of(ErrorKind::Invalid, error))?;
        self.output.write(&headers)
    }
}

impl fmt::Display for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.output.fmt(f)
    }
}
