//! The end of what is staged and was left behind.

use std::path::Path;
use std::time::SystemTime;

use super::{Area, HASH, TEMPORARY, UNLOCKED_IDLE, entries, is_named};
use crate::Result;
use crate::fs::calls::{self, Lock, OutFile};
use crate::fs::life::FLOOR;
use crate::fs::{cannot, is_missing};

impl Area {
    /// Removes what nobody has held or written since a time. Gives how many staged files went.
    pub(in crate::fs) fn sweep(&self, idle_since: SystemTime) -> Result<u64> {
        let mut count = 0;
        for (name, path) in entries(self.dirs.base())? {
            if name == FLOOR {
                continue;
            }
            if !path.is_dir() {
                count += u64::from(sweep_file(&path, idle_since)?);
                continue;
            }
            for (name, path) in entries(&path)? {
                if !name.ends_with(HASH) {
                    let gone = sweep_file(&path, idle_since)?;
                    if gone {
                        drop(calls::unlink(&path.with_extension("hash")));
                    }
                    count += u64::from(gone);
                } else if !path.with_extension("part").exists() {
                    // Not counted: it is no item of its own.
                    sweep_file(&path, idle_since)?;
                }
            }
            // Fails while something is in it, as it should.
            drop(calls::remove_dir(&path));
        }
        Ok(count)
    }

    /// Removes what dead holders left that nobody can go on with, then what is empty. What can be gone on with stays.
    pub(in crate::fs) fn tidy(&self) -> Result<()> {
        for (name, path) in entries(self.dirs.base())? {
            if name.ends_with(TEMPORARY) {
                // One that its holder has locked stays in any case. Without locks only its age tells.
                let now = self.clock.now();
                let unlocked = now.checked_sub(UNLOCKED_IDLE).unwrap_or(SystemTime::UNIX_EPOCH);
                sweep_file_by(
                    &path,
                    |lock| if lock == Lock::Ours { None } else { Some(unlocked) },
                )?;
            } else if name != FLOOR {
                for (name, path) in entries(&path)? {
                    if name.ends_with(HASH) && !path.with_extension("part").exists() {
                        drop(calls::unlink(&path));
                    }
                }
                // Fails while something is in it, as it should.
                drop(calls::remove_dir(&path));
            }
        }
        drop(calls::remove_dir(self.dirs.base()));
        Ok(())
    }
}

/// Removes a file unless somebody holds it or it was changed since a time.
fn sweep_file(path: &Path, idle_since: SystemTime) -> Result<bool> {
    sweep_file_by(path, |_| Some(idle_since))
}

/// Removes a file unless somebody holds it or it was changed since a time, which follows from the lock that was had.
fn sweep_file_by(path: &Path, idle_since: impl FnOnce(Lock) -> Option<SystemTime>) -> Result<bool> {
    let file = match OutFile::open(path.to_owned()) {
        Err(error) if is_missing(&error) => return Ok(false),
        opened => opened.map_err(|error| cannot("open", path, error))?,
    };
    let lock = file.try_lock().map_err(|error| cannot("lock", path, error))?;
    let modified = file.metadata().and_then(|metadata| metadata.modified());
    let modified = modified.map_err(|error| cannot("look at", path, error))?;
    let is_young = idle_since(lock).is_some_and(|idle_since| modified >= idle_since);
    // Its holder may have renamed it before we had the lock: then it is not ours to remove.
    if lock == Lock::Theirs || is_young || !is_named(&file)? {
        return Ok(false);
    }
    match calls::unlink(path) {
        Err(error) if is_missing(&error) => Ok(false),
        removed => removed
            .map(|()| true)
            .map_err(|error| cannot("remove", path, error)),
    }
}
