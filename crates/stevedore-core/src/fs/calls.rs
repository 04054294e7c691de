//! Every call by which these stores change the disk. No other file here writes.
//!
//! So there is one place at which a test can watch the calls, make one fail as a full disk would, and build the
//! states that a power cut may leave behind. Outside of the tests of this crate the hook is empty and costs
//! nothing.

use std::fs::{File, FileTimes, Metadata, OpenOptions, TryLockError};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::sys;

/// A file that can be written, and the only way to write one.
#[derive(Debug)]
pub(super) struct OutFile {
    file: File,
    /// The name it had last.
    path: PathBuf,
}

/// A call that is about to be made.
#[derive(Debug)]
#[expect(
    dead_code,
    reason = "each hook looks at what it needs; outside of tests there is none"
)]
pub(super) enum Call<'a> {
    Create(&'a Path),
    Write {
        path: &'a Path,
        offset: u64,
        bytes: &'a [u8],
    },
    Truncate {
        path: &'a Path,
        size: u64,
    },
    Clone {
        path: &'a Path,
    },
    SetTimes(&'a Path),
    Lock(&'a Path),
    SyncFile(&'a Path),
    Rename {
        from: &'a Path,
        to: &'a Path,
    },
    Unlink(&'a Path),
    MakeDir(&'a Path),
    RemoveDir(&'a Path),
    SyncDir(&'a Path),
}

/// What came of the wish to lock a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lock {
    /// It is ours until the file is closed.
    Ours,
    /// Somebody alive has it.
    Theirs,
    /// The file system has no locks.
    Unsupported,
}

impl OutFile {
    /// Makes a file that must not be there. Its mode is what the umask leaves of 0666: what others may read is the
    /// user's to say.
    pub(super) fn create_new(path: PathBuf) -> io::Result<Self> {
        hook(&Call::Create(&path))?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)?;
        Ok(Self { file, path })
    }

    /// Opens a file that is there, and leaves its content.
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(&path)?;
        Ok(Self { file, path })
    }

    /// Opens a file and makes it where there is none.
    pub(super) fn create(path: PathBuf) -> io::Result<Self> {
        hook(&Call::Create(&path))?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)?;
        Ok(Self { file, path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn metadata(&self) -> io::Result<Metadata> {
        self.file.metadata()
    }

    /// Reads; gives 0 at the end of the file.
    pub(super) fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        sys::read_at(&self.file, buffer, offset)
    }

    pub(super) fn write_all_at(&self, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            hook(&Call::Write {
                path: &self.path,
                offset,
                bytes,
            })?;
            match sys::write_at(&self.file, bytes, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    bytes = &bytes[count..];
                    offset += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    pub(super) fn truncate(&self, size: u64) -> io::Result<()> {
        hook(&Call::Truncate {
            path: &self.path,
            size,
        })?;
        self.file.set_len(size)
    }

    /// Makes this empty file share the content of another, where the file system can do that.
    pub(super) fn clone_from(&self, from: &File) -> io::Result<()> {
        hook(&Call::Clone { path: &self.path })?;
        sys::reflink(&self.file, from)
    }

    /// Sets when the file was changed and accessed.
    pub(super) fn set_times(&self, modified: SystemTime, accessed: SystemTime) -> io::Result<()> {
        hook(&Call::SetTimes(&self.path))?;
        let times = FileTimes::new().set_modified(modified).set_accessed(accessed);
        self.file.set_times(times)
    }

    /// Locks the file for as long as it is open, if that goes without waiting.
    pub(super) fn try_lock(&self) -> io::Result<Lock> {
        if let Err(error) = hook(&Call::Lock(&self.path)) {
            return without_locks(error);
        }
        match self.file.try_lock() {
            Ok(()) => Ok(Lock::Ours),
            Err(TryLockError::WouldBlock) => Ok(Lock::Theirs),
            Err(TryLockError::Error(error)) => without_locks(error),
        }
    }

    /// Sets the disk to work on a range, without waiting for it. No call that anything depends on: the system may do so
    /// at any time by itself.
    pub(super) fn begin_writeback(&self, range: Range<u64>) {
        sys::begin_writeback(&self.file, range);
    }

    /// Makes the content durable, and as much of the metadata as reading it needs.
    pub(super) fn sync(&self) -> io::Result<()> {
        hook(&Call::SyncFile(&self.path))?;
        self.file.sync_data()
    }

    /// Gives the file another name, over whatever has it.
    pub(super) fn rename_over(&mut self, to: &Path) -> io::Result<()> {
        hook(&Call::Rename { from: &self.path, to })?;
        std::fs::rename(&self.path, to)?;
        to.clone_into(&mut self.path);
        Ok(())
    }

    /// Gives the file another name that is free, else fails with [`io::ErrorKind::AlreadyExists`].
    pub(super) fn rename_new(&mut self, to: &Path) -> io::Result<()> {
        hook(&Call::Rename { from: &self.path, to })?;
        sys::rename_new(&self.path, to)?;
        to.clone_into(&mut self.path);
        Ok(())
    }
}

/// Makes the content of a file durable that somebody else wrote.
pub(super) fn sync_file(path: &Path) -> io::Result<()> {
    hook(&Call::SyncFile(path))?;
    File::open(path)?.sync_data()
}

/// Sets when a file was accessed, and leaves when it was changed.
pub(super) fn set_accessed(path: &Path, time: SystemTime) -> io::Result<()> {
    hook(&Call::SetTimes(path))?;
    sys::set_accessed(path, time)
}

/// Makes a directory; the umask says its mode.
pub(super) fn make_dir(path: &Path) -> io::Result<()> {
    hook(&Call::MakeDir(path))?;
    std::fs::create_dir(path)
}

/// Removes a directory that is empty.
pub(super) fn remove_dir(path: &Path) -> io::Result<()> {
    hook(&Call::RemoveDir(path))?;
    std::fs::remove_dir(path)
}

pub(super) fn unlink(path: &Path) -> io::Result<()> {
    hook(&Call::Unlink(path))?;
    std::fs::remove_file(path)
}

/// Makes the entries of a directory durable.
pub(super) fn sync_dir(path: &Path) -> io::Result<()> {
    hook(&Call::SyncDir(path))?;
    sys::sync_dir(path)
}

fn without_locks(error: io::Error) -> io::Result<Lock> {
    // Linux also says ENOLCK where a network file system has no lock service.
    const ENOLCK: i32 = 37;
    if error.kind() == io::ErrorKind::Unsupported
        || (cfg!(target_os = "linux") && error.raw_os_error() == Some(ENOLCK))
    {
        Ok(Lock::Unsupported)
    } else {
        Err(error)
    }
}

#[cfg(test)]
use hooks::hook;

#[cfg(not(test))]
#[expect(clippy::unnecessary_wraps, reason = "the tests make a call fail here")]
fn hook(_: &Call<'_>) -> io::Result<()> {
    Ok(())
}

/// Hooks that tests set on all calls below a directory.
#[cfg(test)]
pub(super) mod hooks {
    use std::io;
    use std::path::{Path, PathBuf};
    use std::sync::{Arc, Mutex, PoisonError};

    use super::Call;

    type Watch = dyn Fn(&Call<'_>) -> io::Result<()> + Send + Sync;

    static HOOKS: Mutex<Vec<(PathBuf, Arc<Watch>)>> = Mutex::new(Vec::new());

    /// A hook, until it is dropped.
    #[derive(Debug)]
    pub(in crate::fs) struct Hooked(PathBuf);

    /// Has every call below a directory asked for before it is made; an error is given instead of making it.
    pub(in crate::fs) fn set(
        below: &Path,
        watch: impl Fn(&Call<'_>) -> io::Result<()> + Send + Sync + 'static,
    ) -> Hooked {
        let mut hooks = HOOKS.lock().unwrap_or_else(PoisonError::into_inner);
        hooks.push((below.to_owned(), Arc::new(watch)));
        Hooked(below.to_owned())
    }

    impl Drop for Hooked {
        fn drop(&mut self) {
            let mut hooks = HOOKS.lock().unwrap_or_else(PoisonError::into_inner);
            hooks.retain(|(below, _)| *below != self.0);
        }
    }

    pub(super) fn hook(call: &Call<'_>) -> io::Result<()> {
        let path = match *call {
            Call::Create(path)
            | Call::Write { path, .. }
            | Call::Truncate { path, .. }
            | Call::Clone { path }
            | Call::SetTimes(path)
            | Call::Lock(path)
            | Call::SyncFile(path)
            | Call::Rename { from: path, .. }
            | Call::Unlink(path)
            | Call::MakeDir(path)
            | Call::RemoveDir(path)
            | Call::SyncDir(path) => path,
        };
        let hooks = HOOKS.lock().unwrap_or_else(PoisonError::into_inner);
        let found = hooks.iter().find(|(below, _)| path.starts_with(below));
        let watch = found.map(|(_, watch)| Arc::clone(watch));
        drop(hooks);
        watch.map_or(Ok(()), |watch| watch(call))
    }
}
