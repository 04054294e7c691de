//! Lives and versions of blobs, kept in the times of their files.
//!
//! A life is the modification time in nanoseconds since 1970, set before the rename that publishes, so it costs no
//! sync of its own. The access time says when the blob was last wanted. The version is both.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::calls::{self, OutFile};
use crate::{BlobInfo, Clock, Digest, Life, Version};

/// The file whose modification time is the newest life that was deleted.
pub(super) const FLOOR: &str = "lives";

/// How far apart two times must be for a file system to tell them apart: from the usual nanosecond to the two
/// seconds of FAT.
const GRAINS: [Duration; 5] = [
    Duration::from_nanos(1),
    Duration::from_micros(1),
    Duration::from_millis(1),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

/// Gives out lives, each later than all before it.
#[derive(Debug)]
pub(super) struct Lives {
    clock: Clock,
    floor: PathBuf,
    /// The newest life ever, or `None` until the floor was read.
    newest: Mutex<Option<SystemTime>>,
}

impl Lives {
    /// Lives by a clock. `staging` keeps the newest that was deleted, so that a clock that was set back, or
    /// stands still, brings none of them back after a restart.
    pub(super) fn new(clock: Clock, staging: &Path) -> Self {
        Self {
            clock,
            floor: staging.join(FLOOR),
            newest: Mutex::new(None),
        }
    }

    /// Gives a file a new life, which is later than `earlier` too, and says what its times have become.
    pub(super) fn begin(&self, file: &OutFile, earlier: Option<SystemTime>) -> io::Result<Metadata> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let mut floor = match *newest {
            Some(newest) => newest,
            None => self.floor()?,
        };
        floor = floor.max(earlier.unwrap_or(UNIX_EPOCH));
        for grain in GRAINS {
            let life = self.clock.now().max(floor + grain);
            file.set_times(life, life)?;
            let metadata = file.metadata()?;
            let kept = metadata.modified()?;
            if kept > floor {
                *newest = Some(kept);
                return Ok(metadata);
            }
        }
        Err(io::Error::other(
            "the file system does not keep the time of a file",
        ))
    }

    /// Remembers that a life is about to end, so that it never comes back.
    pub(super) fn end(&self, life: SystemTime) -> io::Result<()> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let floor = self.floor()?;
        if life > floor {
            OutFile::create(self.floor.clone())?.set_times(life, life)?;
        }
        *newest = (*newest).max(Some(floor.max(life)));
        Ok(())
    }

    fn floor(&self) -> io::Result<SystemTime> {
        match std::fs::metadata(&self.floor) {
            Ok(metadata) => metadata.modified(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(UNIX_EPOCH),
            Err(error) => Err(error),
        }
    }
}

/// What the times of a published file say, or `None` where it is no regular file.
///
/// Before `started` the machine may have lost power, and with it times that were set: a life from then is
/// [`Life::EARLIER`], and was wanted at the start.
pub(super) fn info(
    digest: Digest,
    metadata: &Metadata,
    started: Option<SystemTime>,
) -> io::Result<Option<BlobInfo>> {
    if !metadata.is_file() {
        return Ok(None);
    }
    let born = metadata.modified()?;
    // A file that somebody else put there may say that it was read before it was written.
    let touched = metadata.accessed()?.max(born);
    let version = format!("{:x}-{:x}-{:x}", nanos(born), nanos(touched), metadata.len());
    let life = if started.is_some_and(|started| born < started) {
        Life::EARLIER
    } else {
        Life::new(nanos(born))
    };
    Ok(Some(BlobInfo::new(
        digest,
        metadata.len(),
        life,
        Version::new(version),
        started.map_or(touched, |started| touched.max(started)),
    )))
}

/// Sets when a blob was last wanted: now, and later than ever before, so that no version comes back.
pub(super) fn renew(path: &Path, seen: &BlobInfo, clock: &Clock) -> io::Result<()> {
    for grain in GRAINS {
        calls::set_accessed(path, clock.now().max(seen.touched + grain))?;
        if std::fs::metadata(path)?.accessed()? > seen.touched {
            return Ok(());
        }
    }
    Err(io::Error::other(
        "the file system does not keep the time of an access",
    ))
}

/// Nanoseconds since 1970; earlier times wrap around to the very late ones, each its own.
fn nanos(time: SystemTime) -> u128 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_nanos(),
        Err(before) => before.duration().as_nanos().wrapping_neg(),
    }
}
