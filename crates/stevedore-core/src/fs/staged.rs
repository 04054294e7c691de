//! One file that is being staged, and the hash of what it holds.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::calls::OutFile;
use super::{calls, cannot};
use crate::{Algorithm, Digest, Hasher, Result, sys};

/// How much is read, hashed and written at a time: small enough to stay in the cache between the three (256 KiB).
pub(super) const BLOCK: usize = 256 * 1024;

/// After how many bytes the state of the hash is saved, so that a process that is killed costs the next one no
/// more reading than that (64 MiB).
const CHECKPOINT: u64 = 64 * 1024 * 1024;

/// After how many bytes the disk is set to work on them, so that little is left for the sync at the end (16 MiB: each
/// time costs a walk over them).
const WRITEBACK: u64 = 16 * 1024 * 1024;

/// The most that is read of a saved state, which has less than 400 bytes.
const MAX_SIDE: u64 = 1024;

/// A file that is being staged.
///
/// The hash never covers more than what was written, and is brought up to it before it counts.
#[derive(Debug)]
pub(super) struct Staged {
    file: OutFile,
    written: u64,
    hasher: Hasher,
    /// Where the state of the hash is saved; for what is staged under a key.
    side: Option<PathBuf>,
    /// How many bytes the state on the disk covers.
    saved: u64,
    /// Up to where the disk was set to work.
    writeback: u64,
    /// A sync failed: the system may have dropped what it could not write and take the rest for clean.
    doubtful: bool,
}

impl Staged {
    /// Begins with an empty file.
    pub(super) fn new(file: OutFile, algorithm: Algorithm, side: Option<PathBuf>) -> Self {
        Self {
            file,
            written: 0,
            hasher: Hasher::new(algorithm),
            side,
            saved: 0,
            writeback: 0,
            doubtful: false,
        }
    }

    /// Goes on with a file. Its bytes are hashed again unless a state was saved in this boot of the machine, by
    /// the same algorithm, over no more bytes than are there: a power cut takes bytes out of the middle, too.
    pub(super) fn resume(file: OutFile, algorithm: Algorithm, side: PathBuf) -> io::Result<Self> {
        let written = file.metadata()?.len();
        let hasher = load(&side).filter(|it| it.algorithm() == algorithm && it.len() <= written);
        let hasher = hasher.unwrap_or_else(|| {
            // Nobody is to believe it later, when there are more bytes.
            drop(calls::unlink(&side));
            Hasher::new(algorithm)
        });
        Ok(Self {
            written,
            saved: hasher.len(),
            writeback: written,
            ..Self {
                hasher,
                ..Self::new(file, algorithm, Some(side))
            }
        })
    }

    /// The same, with a place for the state of the hash.
    pub(super) fn with_side(mut self, side: PathBuf) -> Self {
        self.side = Some(side);
        self.saved = 0;
        self
    }

    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Whether the hash covers all that was written.
    pub(super) fn is_hashed(&self) -> bool {
        self.hasher.len() == self.written
    }

    pub(super) fn is_doubtful(&self) -> bool {
        self.doubtful
    }

    pub(super) fn file_mut(&mut self) -> &mut OutFile {
        &mut self.file
    }

    /// Whether the file lost its name: somebody took over, and what is written here goes nowhere.
    pub(super) fn is_taken(&self) -> bool {
        let gone = |error: io::Error| error.kind() == io::ErrorKind::NotFound;
        match (self.file.metadata(), std::fs::metadata(self.path())) {
            (Ok(ours), Ok(there)) => !sys::same_file(&ours, &there),
            (_, there) => there.is_err_and(gone),
        }
    }

    /// Writes bytes behind what is there, and hashes them once they are written. After an error nothing of this
    /// block is staged.
    pub(super) fn write(&mut self, block: &[u8]) -> Result<()> {
        debug_assert!(self.is_hashed(), "the hash was brought up");
        if let Err(error) = self.file.write_all_at(block, self.written) {
            // A part may have been written. Where it cannot be cut off, the next write goes over it, and the
            // commit tries again.
            drop(self.file.truncate(self.written));
            return Err(cannot("write", self.path(), error));
        }
        self.hasher.update(block);
        self.written += block.len() as u64;
        self.checkpoint();
        Ok(())
    }

    /// Sets the disk to work on what was written, now and then, without waiting for it.
    pub(super) fn begin_writeback(&mut self) {
        if self.written - self.writeback >= WRITEBACK {
            self.file.begin_writeback(self.writeback..self.written);
            self.writeback = self.written;
        }
    }

    /// Takes over the content of another file by sharing its blocks, where that is possible and nothing is staged
    /// yet; it is still to be hashed. Gives whether it was.
    pub(super) fn take_clone(&mut self, from: &File, size: u64) -> bool {
        if self.written > 0 || self.file.clone_from(from).is_err() {
            return false;
        }
        // The source may have grown or shrunk since somebody looked at its size.
        match self.file.metadata() {
            Ok(metadata) if metadata.len() == size => {
                self.written = size;
                true
            }
            _ => {
                drop(self.file.truncate(0));
                false
            }
        }
    }

    /// Hashes the next block of what is written and not yet hashed. Gives how many bytes that were; 0 when nothing
    /// is left.
    pub(super) fn catch_up(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let left = self.written - self.hasher.len();
        let most = usize::try_from(left).unwrap_or(buffer.len()).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let count = self
            .file
            .read_at(&mut buffer[..most], self.hasher.len())
            .and_then(|count| if count == 0 { Err(cut_off()) } else { Ok(count) })
            .map_err(|error| cannot("read back", self.path(), error))?;
        self.hasher.update(&buffer[..count]);
        self.checkpoint();
        Ok(count)
    }

    /// The digest of all that is staged, once the hash was brought up.
    pub(super) fn digest(&self) -> Digest {
        debug_assert!(self.is_hashed(), "the hash was brought up");
        self.hasher.clone().finish()
    }

    /// The digest of all that is staged by another algorithm than the one that ran along.
    pub(super) fn digest_by(&self, algorithm: Algorithm) -> Result<Digest> {
        let mut hasher = Hasher::new(algorithm);
        let mut buffer = vec![0; BLOCK];
        while hasher.len() < self.written {
            let count = self
                .file
                .read_at(&mut buffer, hasher.len())
                .and_then(|count| if count == 0 { Err(cut_off()) } else { Ok(count) })
                .map_err(|error| cannot("read back", self.path(), error))?;
            // An earlier write that failed may have left bytes behind the end.
            let left = usize::try_from(self.written - hasher.len()).unwrap_or(count);
            hasher.update(&buffer[..count.min(left)]);
        }
        Ok(hasher.finish())
    }

    /// Copies all that is there into an empty file, hashing it again. Gives it staged in that file, under no
    /// key yet.
    pub(super) fn copy_into(from: &OutFile, to: OutFile, algorithm: Algorithm) -> Result<Self> {
        let mut copy = Self::new(to, algorithm, None);
        let mut buffer = vec![0; BLOCK];
        loop {
            let count = from
                .read_at(&mut buffer, copy.written)
                .map_err(|error| cannot("read back", from.path(), error))?;
            if count == 0 {
                return Ok(copy);
            }
            copy.write(&buffer[..count])?;
        }
    }

    /// Makes the content durable, and sure that the file has no more of it than was hashed.
    pub(super) fn sync(&mut self, durable: bool) -> Result<()> {
        let cut = self.file.metadata().and_then(|metadata| {
            if metadata.len() == self.written {
                Ok(())
            } else {
                self.file.truncate(self.written)
            }
        });
        cut.map_err(|error| cannot("cut", self.path(), error))?;
        if durable && let Err(error) = self.file.sync() {
            self.doubtful = true;
            return Err(cannot("sync", self.path(), error));
        }
        Ok(())
    }

    /// Leaves the file to whoever comes next: saves the state of the hash, notes the time, and closes it, which
    /// lets go of the lock. Nothing here waits for the disk, and whatever fails only costs the next one a
    /// second read.
    pub(super) fn suspend(mut self, now: SystemTime) {
        if self.doubtful {
            // What cannot be trusted is not kept.
            self.discard();
            return;
        }
        self.save();
        drop(self.file.set_times(now, now));
    }

    /// Removes the file and what belongs to it.
    pub(super) fn discard(&mut self) {
        // A name that is gone is somebody else's business, and what stays behind expires.
        drop(calls::unlink(self.file.path()));
        self.discard_side();
    }

    /// Removes the saved state of the hash.
    pub(super) fn discard_side(&mut self) {
        if self.saved > 0
            && let Some(side) = &self.side
        {
            drop(calls::unlink(side));
        }
    }

    fn checkpoint(&mut self) {
        if self.hasher.len() - self.saved >= CHECKPOINT {
            self.save();
        }
    }

    /// Saves the state of the hash, where there is a place for it and something new to say.
    fn save(&mut self) {
        if self.hasher.len() > self.saved
            && let Some(side) = &self.side
            && let Some(boot) = sys::boot_id()
        {
            match save(side, boot, &self.hasher) {
                Ok(()) => self.saved = self.hasher.len(),
                Err(_) => drop(calls::unlink(side)),
            }
        }
    }
}

fn cut_off() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter")
}

/// A checkpoint carries a checksum, so a torn one is recognised and it can be written in place.
fn save(side: &Path, boot: &str, hasher: &Hasher) -> io::Result<()> {
    let mut content = format!("{boot}\n").into_bytes();
    content.extend_from_slice(&hasher.save());
    let file = OutFile::create(side.to_owned())?;
    file.write_all_at(&content, 0)?;
    file.truncate(content.len() as u64)
}

fn load(side: &Path) -> Option<Hasher> {
    let mut content = Vec::new();
    File::open(side)
        .ok()?
        .take(MAX_SIDE)
        .read_to_end(&mut content)
        .ok()?;
    let boot = sys::boot_id()?;
    let checkpoint = content.strip_prefix(boot.as_bytes())?.strip_prefix(b"\n")?;
    Hasher::restore(checkpoint).ok()
}
