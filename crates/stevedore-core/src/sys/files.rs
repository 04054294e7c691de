//! Calls of the file system stores: first those of Linux, then those of any Unix, then what is everywhere.

#[cfg(all(target_os = "linux", not(stevedore_portable)))]
pub(crate) use linux::{begin_writeback, boot_id, open_to_read, reflink, rename_new, set_accessed};
#[cfg(not(all(target_os = "linux", not(stevedore_portable))))]
pub(crate) use portable::{begin_writeback, boot_id, open_to_read, reflink, rename_new, set_accessed};

#[cfg(not(all(unix, not(stevedore_portable))))]
pub(crate) use any::{is_only_name, same_file, sync_dir, write_at};
#[cfg(all(unix, not(stevedore_portable)))]
pub(crate) use unix::{is_only_name, same_file, sync_dir, write_at};

#[cfg(all(target_os = "linux", not(stevedore_portable)))]
mod linux {
    use std::fs::{File, OpenOptions};
    use std::io;
    use std::num::NonZeroU64;
    use std::ops::Range;
    use std::os::unix::fs::OpenOptionsExt as _;
    use std::path::Path;
    use std::sync::OnceLock;
    use std::time::{SystemTime, UNIX_EPOCH};

    use rustix::fs::{Advice, AtFlags, CWD, OFlags, RenameFlags, Timespec, Timestamps, UTIME_OMIT};
    use rustix::io::Errno;

    /// Opens a file for reading so that reading does not count as an access: the access time is ours. Only the
    /// owner may ask for that. A pipe under the name does not hold the call up.
    pub(crate) fn open_to_read(path: &Path) -> io::Result<File> {
        let open = |flags: OFlags| {
            let flags = i32::try_from(flags.bits()).expect("because flags of open(2) are an int");
            OpenOptions::new().read(true).custom_flags(flags).open(path)
        };
        match open(OFlags::NOATIME | OFlags::NONBLOCK) {
            Err(error) if error.raw_os_error() == Some(Errno::PERM.raw_os_error()) => open(OFlags::NONBLOCK),
            opened => opened,
        }
    }

    /// Has a range of a file written to the disk, without waiting for it. That is what the advice does to pages that are
    /// not on the disk yet; it drops only those that are.
    pub(crate) fn begin_writeback(file: &File, range: Range<u64>) {
        let size = NonZeroU64::new(range.end.saturating_sub(range.start));
        // Without it the sync at the end takes longer, and nothing else is lost.
        rustix::fs::fadvise(file, range.start, size, Advice::DontNeed).ok();
    }

    /// Makes an empty file share the blocks of another. Gives an error wherever that cannot be.
    pub(crate) fn reflink(to: &File, from: &File) -> io::Result<()> {
        Ok(rustix::fs::ioctl_ficlone(to, from)?)
    }

    /// Renames, or fails with [`io::ErrorKind::AlreadyExists`]. A file system without that renames over what is
    /// there.
    pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
        match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => std::fs::rename(from, to),
            renamed => Ok(renamed?),
        }
    }

    /// Sets the access time and leaves the modification time.
    pub(crate) fn set_accessed(path: &Path, time: SystemTime) -> io::Result<()> {
        let since = time.duration_since(UNIX_EPOCH).map_err(io::Error::other)?;
        let times = Timestamps {
            last_access: Timespec {
                tv_sec: i64::try_from(since.as_secs()).map_err(io::Error::other)?,
                tv_nsec: i64::from(since.subsec_nanos()),
            },
            last_modification: Timespec {
                tv_sec: 0,
                tv_nsec: UTIME_OMIT,
            },
        };
        Ok(rustix::fs::utimensat(CWD, path, &times, AtFlags::empty())?)
    }

    /// What tells this boot of the machine from every other.
    pub(crate) fn boot_id() -> Option<&'static str> {
        static BOOT: OnceLock<Option<String>> = OnceLock::new();
        let read = || {
            let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
            let id = text.trim();
            (!id.is_empty()).then(|| id.to_owned())
        };
        BOOT.get_or_init(read).as_deref()
    }
}

#[cfg(not(all(target_os = "linux", not(stevedore_portable))))]
mod portable {
    use std::fs::{File, FileTimes};
    use std::io;
    use std::ops::Range;
    use std::path::Path;
    use std::time::SystemTime;

    /// Opens a file for reading. Reading may set the access time, which then only delays a collection.
    pub(crate) fn open_to_read(path: &Path) -> io::Result<File> {
        // A pipe would hold up the open.
        if std::fs::metadata(path)?.is_file() {
            File::open(path)
        } else {
            Err(io::Error::other("not a regular file"))
        }
    }

    /// Nothing: the sync at the end does it all.
    pub(crate) fn begin_writeback(_file: &File, _range: Range<u64>) {}

    /// Never possible.
    pub(crate) fn reflink(_to: &File, _from: &File) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Renames, or fails with [`io::ErrorKind::AlreadyExists`]; another process may come in between.
    pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
        if to.try_exists()? {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        std::fs::rename(from, to)
    }

    /// Sets the access time and leaves the modification time.
    pub(crate) fn set_accessed(path: &Path, time: SystemTime) -> io::Result<()> {
        File::open(path)?.set_times(FileTimes::new().set_accessed(time))
    }

    /// Not known, so nothing is taken to be of this boot.
    pub(crate) fn boot_id() -> Option<&'static str> {
        None
    }
}

#[cfg(all(unix, not(stevedore_portable)))]
mod unix {
    use std::fs::{File, Metadata};
    use std::io;
    use std::os::unix::fs::{FileExt as _, MetadataExt as _};
    use std::path::Path;

    /// Writes at an offset without moving the file's position; gives how many bytes went.
    pub(crate) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
        file.write_at(bytes, offset)
    }

    /// Makes the entries of a directory durable.
    pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    /// Whether both are the same file.
    pub(crate) fn same_file(one: &Metadata, other: &Metadata) -> bool {
        (one.dev(), one.ino()) == (other.dev(), other.ino())
    }

    /// Whether the file has exactly one name.
    pub(crate) fn is_only_name(file: &Metadata) -> bool {
        file.nlink() == 1
    }
}

#[cfg(not(all(unix, not(stevedore_portable))))]
mod any {
    use std::fs::{File, Metadata};
    use std::io::{self, Seek as _, SeekFrom, Write as _};
    use std::path::Path;

    /// Writes at an offset. The one who writes a file is the only one to do so, and readers seek first.
    pub(crate) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let mut file = file;
        file.seek(SeekFrom::Start(offset))?;
        file.write(bytes)
    }

    /// Nothing: not every system can open a directory.
    #[expect(clippy::unnecessary_wraps, reason = "the same signature as where it can fail")]
    pub(crate) fn sync_dir(_path: &Path) -> io::Result<()> {
        Ok(())
    }

    /// Whether both may be the same file: not known, so yes.
    pub(crate) fn same_file(_one: &Metadata, _other: &Metadata) -> bool {
        true
    }

    /// Whether the file has one name: not known, so yes.
    pub(crate) fn is_only_name(_file: &Metadata) -> bool {
        true
    }
}
