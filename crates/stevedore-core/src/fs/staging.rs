//! The directory of what is staged: who may write what, what goes on after a restart, what has expired.
//!
//! What is staged under a key has a directory named after the key, with one file in it as a rule. The name of a
//! file is made by its first holder, says the plan, and is never used again; whoever has the file locked is its
//! holder. To take over from a living holder in another process is to copy what is there to a file of the next
//! generation and to remove the old one: the holder may still write, into a file without a name, and its commit
//! finds nothing to rename. A file without a key lies in the staging directory itself and goes with its holder.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::calls::{self, Lock, OutFile};
use super::dirs::Dirs;
use super::escape::{MAX_NAME, escape};
use super::nonce::Nonce;
use super::staged::Staged;
use super::{cannot, is_missing};
use crate::{Algorithm, Clock, Error, ErrorKind, IngestKey, IngestPlan, Result, Takeover, sys};

mod part;
mod sweep;

use part::Part;

/// How long a staged file must not have been written to count as idle on a file system that has no locks (10
/// minutes).
pub(super) const UNLOCKED_IDLE: Duration = Duration::from_secs(10 * 60);

/// How often somebody else may come in between before it is an error.
const ATTEMPTS: u32 = 100;

/// The end of the name of a saved state of a hash.
const HASH: &str = ".hash";

/// The end of the name of a file that goes with its holder.
const TEMPORARY: &str = ".tmp";

/// A directory of what is staged.
#[derive(Debug)]
pub(super) struct Area {
    dirs: Dirs,
    clock: Clock,
    /// Begins the name of each file that this store makes.
    instance: Nonce,
    count: AtomicU64,
}

/// What became of the wish for what is staged under a key.
#[derive(Debug)]
pub(super) enum Acquired {
    Mine(Box<(Staged, IngestPlan)>),
    Busy,
    None,
}

impl Area {
    pub(super) fn new(dir: PathBuf, clock: Clock) -> Self {
        Self {
            dirs: Dirs::new(dir, false),
            clock,
            instance: Nonce::new(),
            count: AtomicU64::new(0),
        }
    }

    /// The directory.
    pub(super) fn dir(&self) -> &Path {
        self.dirs.base()
    }

    /// Makes the directory, if need be.
    pub(super) fn ensure(&self) -> Result<()> {
        let dir = self.dirs.base();
        self.dirs.ensure(dir).map_err(|error| cannot("make", dir, error))
    }

    /// A new file without a key, locked so that nobody takes it for left behind.
    pub(super) fn temporary(&self) -> Result<OutFile> {
        for _ in 0..ATTEMPTS {
            let path = self.dirs.base().join(format!("{}{TEMPORARY}", self.unique()));
            let file = self.in_dir(|| OutFile::create_new(path.clone()));
            let file = file.map_err(|error| cannot("make", &path, error))?;
            // Somebody may have taken it for left behind before it was locked.
            if lock_or_remove(&file)? != Lock::Theirs && is_named(&file)? {
                return Ok(file);
            }
        }
        Err(changes(self.dirs.base()))
    }

    /// What is staged under a key, for whoever asks; with a plan it begins where there is nothing.
    ///
    /// The caller has seen that nobody in this store holds it.
    pub(super) fn acquire(
        &self,
        key: &IngestKey,
        plan: Option<&IngestPlan>,
        takeover: Takeover,
    ) -> Result<Acquired> {
        let dir = self.dir_of(key);
        for _ in 0..ATTEMPTS {
            let parts = parts(&dir)?;
            let Some((top, older)) = parts.split_last() else {
                let Some(plan) = plan else {
                    return Ok(Acquired::None);
                };
                if let Some(staged) = self.begin(&dir, plan)? {
                    return Ok(Acquired::Mine(Box::new((staged, plan.clone()))));
                }
                continue;
            };
            let path = dir.join(top.to_string());
            let file = match OutFile::open(path.clone()) {
                Err(error) if is_missing(&error) => continue,
                opened => opened.map_err(|error| cannot("open", &path, error))?,
            };
            let plan = plan.cloned().unwrap_or_else(|| top.plan(key));
            let lock = file.try_lock().map_err(|error| cannot("lock", &path, error))?;
            let in_place = match lock {
                Lock::Ours => true,
                Lock::Unsupported if top.unique.starts_with(&self.instance.to_string()) => true,
                Lock::Theirs if takeover == Takeover::IfIdle => return Ok(Acquired::Busy),
                Lock::Unsupported if takeover == Takeover::IfIdle && !self.is_idle(&file)? => {
                    return Ok(Acquired::Busy);
                }
                Lock::Theirs | Lock::Unsupported => false,
            };
            let staged = if in_place {
                go_on(file, plan.algorithm)?
            } else {
                self.take_over(&dir, &file, top, &plan)?
            };
            if let Some(mut staged) = staged {
                // Of two that began at once this one was left by a death before it stepped back; the other lives.
                if in_place && has_living(&dir, older, top.generation)? {
                    staged.discard();
                    continue;
                }
                remove_all(&dir, if in_place { older } else { &parts });
                return Ok(Acquired::Mine(Box::new((staged, plan))));
            }
        }
        Err(changes(&dir))
    }

    /// Removes the directory of a key, if nothing else is in it.
    pub(super) fn leave(&self, key: &IngestKey) {
        drop(calls::remove_dir(&self.dir_of(key)));
    }

    /// Begins with an empty file, or gives `None` where somebody else did so at the same time.
    fn begin(&self, dir: &Path, plan: &IngestPlan) -> Result<Option<Staged>> {
        let part = Part::new(0, self.unique(), plan);
        let path = dir.join(part.to_string());
        match self.in_dir(|| calls::make_dir(dir)) {
            // It is there, or was a moment ago: the next step tells.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) if !dir.is_dir() => return Err(cannot("make", dir, error)),
            _ => {}
        }
        // It gets its name once it is locked: whoever saw it before would take it for left behind, go on with it, and
        // remove what lies beside it.
        let mut file = self.temporary()?;
        let temporary = file.path().to_owned();
        // No name is given twice, so there is nothing to rename over.
        if let Err(error) = file.rename_over(&path) {
            drop(calls::unlink(&temporary));
            // Somebody removed the directory again, as it was empty.
            let gone = is_missing(&error);
            return if gone {
                Ok(None)
            } else {
                Err(cannot("rename", &temporary, error))
            };
        }
        // Of two that begin at once at least one sees the other's file, and steps back.
        let alone = parts(dir)?.iter().all(|other| *other == part);
        if !alone || !is_named(&file)? {
            drop(calls::unlink(&path));
            return Ok(None);
        }
        let side = path.with_extension("hash");
        Ok(Some(Staged::new(file, plan.algorithm, Some(side))))
    }

    /// Copies what a living holder has staged to a file of the next generation; that holder's file is then
    /// removed by the caller.
    fn take_over(&self, dir: &Path, from: &OutFile, top: &Part, plan: &IngestPlan) -> Result<Option<Staged>> {
        let to = self.temporary()?;
        let temporary = to.path().to_owned();
        let part = Part::new(top.generation.saturating_add(1), self.unique(), plan);
        let path = dir.join(part.to_string());
        let copied = Staged::copy_into(from, to, plan.algorithm).and_then(|mut copy| {
            // No name is given twice, so there is nothing to rename over.
            match copy.file_mut().rename_over(&path) {
                Err(error) if is_missing(&error) => Ok(None),
                Err(error) => Err(cannot("rename", &temporary, error)),
                Ok(()) => Ok(Some(copy)),
            }
        });
        match copied {
            Ok(Some(copy)) if parts(dir)?.last() == Some(&part) => {
                Ok(Some(copy.with_side(path.with_extension("hash"))))
            }
            // Somebody else took over at the same time, and further.
            Ok(Some(mut copy)) => {
                copy.discard();
                Ok(None)
            }
            other => {
                drop(calls::unlink(&temporary));
                other
            }
        }
    }

    /// Does something in the directory, and again where it is gone: whoever finds it empty at the end of its work
    /// removes it.
    fn in_dir<T>(&self, mut attempt: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        let base = self.dirs.base();
        let mut done = self.dirs.ensure(base).and_then(|()| attempt());
        for _ in 0..ATTEMPTS {
            match done {
                Err(error) if is_missing(&error) => {
                    done = self.dirs.ensure_again(base).and_then(|()| attempt());
                }
                done => return done,
            }
        }
        done
    }

    fn is_idle(&self, file: &OutFile) -> Result<bool> {
        let modified = file.metadata().and_then(|metadata| metadata.modified());
        let modified = modified.map_err(|error| cannot("look at", file.path(), error))?;
        let age = self.clock.now().duration_since(modified).unwrap_or_default();
        Ok(age >= UNLOCKED_IDLE)
    }

    fn dir_of(&self, key: &IngestKey) -> PathBuf {
        let mut name = escape(key.as_str());
        if name.len() > MAX_NAME {
            // The mark keeps it from being the name of a short key.
            name = format!("{}^", Algorithm::Sha256.digest(name.as_bytes()).hex());
        }
        self.dirs.base().join(name)
    }

    fn unique(&self) -> String {
        format!(
            "{}-{:x}",
            self.instance,
            self.count.fetch_add(1, Ordering::Relaxed)
        )
    }
}

fn changes(dir: &Path) -> Error {
    let message = format!("{} changes all the time", dir.display());
    Error::new(ErrorKind::Conflict, message)
}

/// Locks a file that was just made, and removes it if that cannot be.
fn lock_or_remove(file: &OutFile) -> Result<Lock> {
    file.try_lock().map_err(|error| {
        drop(calls::unlink(file.path()));
        cannot("lock", file.path(), error)
    })
}

/// Goes on with a file that is ours now, or gives `None` where it is no longer what is staged.
fn go_on(file: OutFile, algorithm: Algorithm) -> Result<Option<Staged>> {
    let path = file.path().to_owned();
    let looked = |error| cannot("look at", &path, error);
    // Its holder may have published it, or given up, before we had the lock.
    if !is_named(&file)? {
        return Ok(None);
    }
    // Published, and the removal of the old name was lost in a power cut: it must not be written.
    if !sys::is_only_name(&file.metadata().map_err(looked)?) {
        calls::unlink(&path).map_err(|error| cannot("remove", &path, error))?;
        return Ok(None);
    }
    let side = path.with_extension("hash");
    Ok(Some(Staged::resume(file, algorithm, side).map_err(looked)?))
}

/// Whether an open file is what its name stands for.
fn is_named(file: &OutFile) -> Result<bool> {
    match (file.metadata(), std::fs::metadata(file.path())) {
        (Ok(ours), Ok(there)) => Ok(sys::same_file(&ours, &there)),
        (_, Err(error)) if is_missing(&error) => Ok(false),
        (Err(error), _) | (_, Err(error)) => Err(cannot("look at", file.path(), error)),
    }
}

/// Whether somebody holds one of these files of a generation.
fn has_living(dir: &Path, parts: &[Part], generation: u32) -> Result<bool> {
    for part in parts.iter().filter(|part| part.generation == generation) {
        let path = dir.join(part.to_string());
        let file = match OutFile::open(path.clone()) {
            Err(error) if is_missing(&error) => continue,
            opened => opened.map_err(|error| cannot("open", &path, error))?,
        };
        if file.try_lock().map_err(|error| cannot("lock", &path, error))? == Lock::Theirs {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes files that were taken over.
fn remove_all(dir: &Path, parts: &[Part]) {
    for part in parts {
        let path = dir.join(part.to_string());
        // What stays behind is passed over, for it is of an earlier generation.
        drop(calls::unlink(&path));
        drop(calls::unlink(&path.with_extension("hash")));
    }
}

/// The staged files in the directory of a key, the newest generation last.
fn parts(dir: &Path) -> Result<Vec<Part>> {
    let mut parts: Vec<Part> = entries(dir)?
        .iter()
        .filter_map(|(name, _)| Part::parse(name))
        .collect();
    parts
        .sort_unstable_by(|one, other| (one.generation, &one.unique).cmp(&(other.generation, &other.unique)));
    Ok(parts)
}

/// Names and paths in a directory; none where there is no directory.
fn entries(dir: &Path) -> Result<Vec<(String, PathBuf)>> {
    let failed = |error| cannot("list", dir, error);
    let listing = match std::fs::read_dir(dir) {
        Err(error) if is_missing(&error) => return Ok(Vec::new()),
        listing => listing.map_err(failed)?,
    };
    let mut entries = Vec::new();
    for entry in listing {
        let entry = entry.map_err(failed)?;
        // Nothing of ours has another name.
        if let Ok(name) = entry.file_name().into_string() {
            entries.push((name, entry.path()));
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_directories_of_their_own() {
        let area = Area::new("x".into(), Clock::system());
        let dir = |key: &str| area.dir_of(&IngestKey::parse(key).unwrap());
        assert_ne!(dir("a"), dir("A"));
        let (one, other) = ("A".repeat(255), "B".repeat(255));
        assert_ne!(dir(&one), dir(&other));
        assert!(dir(&one).file_name().unwrap().len() <= MAX_NAME);
    }
}
