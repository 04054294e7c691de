//! [`FsNames`].

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use self::path::path_of;
use super::calls::OutFile;
use super::dirs::Dirs;
use super::locks::Locks;
use super::nonce::Nonce;
use super::staging::Area;
use super::{blocking, calls, cannot, is_missing};
use crate::{Clock, Entry, Error, ErrorKind, Key, Listed, Names, RECORD_LIMIT, Result, Version, When, sys};

mod path;
mod walk;

/// Small records in a directory, one file each.
///
/// - A segment of a key is one directory, the last one the file. Names are escaped, so that keys stay apart on
///   file systems which fold case or refuse signs; `names/path.rs` says how.
/// - A file begins with one line: `stevedore-record 1 <version> <length of the body in bytes>`; the body follows.
/// - One process writes at a time; conditions hold together within one `FsNames`. Readers may be anywhere.
/// - Directories that became empty stay.
///
/// Cloning is cheap; clones are one store. Everything but reading a record needs a tokio runtime around it.
///
/// ```
/// use stevedore_core::fs::FsNames;
/// use stevedore_core::{Key, Names, When};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// # let dir = tempfile::tempdir()?;
/// let names = FsNames::new(dir.path().join("names"), dir.path().join("staging"));
/// let key = Key::parse("r/debian/tags/stable")?;
/// let version = names.put(&key, "sha256:…".into(), When::Absent).await?;
/// let entry = names.get(&key).await?.expect("it was put");
/// assert_eq!((entry.version, &entry.bytes[..]), (version, "sha256:…".as_bytes()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct FsNames {
    records: Arc<Records>,
}

#[derive(Debug)]
struct Records {
    dirs: Dirs,
    area: Area,
    durable: bool,
    /// Held while a record is changed: until what became visible is durable, too.
    locks: Locks<Key>,
}

impl FsNames {
    /// The records below a directory; `staging` is a directory of the same file system outside of it. Nothing
    /// is read or made yet.
    ///
    /// What a crash leaves in `staging` goes by the [`expire`](crate::Store::expire) of an
    /// [`FsStore`](super::FsStore) with the same one.
    pub fn new(root: impl Into<PathBuf>, staging: impl Into<PathBuf>) -> Self {
        Self::with_sync(root.into(), staging.into(), true)
    }

    /// The same without syncs: a power cut may take records that were acknowledged, or leave damaged ones.
    pub fn without_sync(root: impl Into<PathBuf>, staging: impl Into<PathBuf>) -> Self {
        Self::with_sync(root.into(), staging.into(), false)
    }

    fn with_sync(root: PathBuf, staging: PathBuf, durable: bool) -> Self {
        let records = Records {
            dirs: Dirs::new(root, durable),
            area: Area::new(staging, Clock::system()),
            durable,
            locks: Locks::default(),
        };
        Self {
            records: Arc::new(records),
        }
    }
}

#[async_trait]
impl Names for FsNames {
    async fn get(&self, key: &Key) -> Result<Option<Entry>> {
        let found = self.records.read(key)?;
        if !self.records.locks.is_held(key) {
            return Ok(found);
        }
        // What was read may not be durable yet, and nobody may act on it before it is.
        let (records, key) = (Arc::clone(&self.records), key.clone());
        blocking::run(move || {
            let _lock = records.locks.lock(&key);
            records.read(&key)
        })
        .await
    }

    async fn put(&self, key: &Key, bytes: Bytes, when: When) -> Result<Version> {
        if bytes.len() > RECORD_LIMIT {
            let message = format!(
                "record {key} has {} bytes, {RECORD_LIMIT} are allowed",
                bytes.len()
            );
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        let (records, key) = (Arc::clone(&self.records), key.clone());
        blocking::run(move || records.put(&key, &bytes, &when)).await
    }

    async fn remove(&self, key: &Key, when: When) -> Result<()> {
        let (records, key) = (Arc::clone(&self.records), key.clone());
        blocking::run(move || records.remove(&key, &when)).await
    }

    async fn list(&self, under: &Key, after: Option<&Key>, limit: usize) -> Result<Vec<Listed>> {
        let (records, under, after) = (Arc::clone(&self.records), under.clone(), after.cloned());
        blocking::run(move || walk::list(records.dirs.base(), &under, after.as_ref(), limit)).await
    }
}

impl Records {
    fn read(&self, key: &Key) -> Result<Option<Entry>> {
        let path = path_of(self.dirs.base(), key);
        let mut file = match sys::open_to_read(&path) {
            Err(error) if is_missing(&error) => return Ok(None),
            opened => opened.map_err(|error| cannot("open", &path, error))?,
        };
        let read = file.metadata().and_then(|metadata| {
            let most = RECORD_LIMIT + MAX_HEADER;
            let size = usize::try_from(metadata.len()).unwrap_or(most).min(most);
            let mut content = Vec::with_capacity(size + 1);
            file.by_ref().take(most as u64 + 1).read_to_end(&mut content)?;
            Ok(content)
        });
        let content = Bytes::from(read.map_err(|error| cannot("read", &path, error))?);
        let damaged = || cannot("read", &path, io::Error::other("the record is damaged"));
        parse(&content).map(Some).ok_or_else(damaged)
    }

    fn put(&self, key: &Key, bytes: &[u8], when: &When) -> Result<Version> {
        let path = path_of(self.dirs.base(), key);
        let dir = path.parent().unwrap_or(self.dirs.base());
        // Before anything is written; the answer that counts is that under the lock.
        self.check(key, when)?;
        let version = Version::new(Nonce::new().to_string());
        let mut file = self.write(&version, bytes)?;
        let temporary = file.path().to_owned();
        let placed = self.place(key, when, &mut file, dir, &path);
        if file.path() == temporary {
            // What stays behind expires.
            drop(calls::unlink(&temporary));
        }
        placed.map(|()| version)
    }

    fn place(&self, key: &Key, when: &When, file: &mut OutFile, dir: &Path, path: &Path) -> Result<()> {
        let _lock = self.locks.lock(key);
        self.check(key, when)?;
        self.dirs
            .ensure(dir)
            .map_err(|error| cannot("make", dir, error))?;
        let renamed = match file.rename_over(path) {
            Err(error) if is_missing(&error) && !dir.is_dir() => {
                self.dirs.ensure_again(dir).and_then(|()| file.rename_over(path))
            }
            renamed => renamed,
        };
        renamed.map_err(|error| cannot("write", path, error))?;
        self.dirs.sync(dir).map_err(|error| cannot("sync", dir, error))
    }

    /// The record as a durable file that nobody sees.
    fn write(&self, version: &Version, bytes: &[u8]) -> Result<OutFile> {
        let file = self.area.temporary()?;
        let mut content = format!("{MAGIC} {} {}\n", version.as_str(), bytes.len()).into_bytes();
        content.extend_from_slice(bytes);
        let written = file.write_all_at(&content, 0);
        let synced = written.and_then(|()| if self.durable { file.sync() } else { Ok(()) });
        if let Err(error) = synced {
            drop(calls::unlink(file.path()));
            return Err(cannot("write", file.path(), error));
        }
        Ok(file)
    }

    fn remove(&self, key: &Key, when: &When) -> Result<()> {
        let path = path_of(self.dirs.base(), key);
        let _lock = self.locks.lock(key);
        self.check(key, when)?;
        match calls::unlink(&path) {
            Err(error) if is_missing(&error) => return Ok(()),
            removed => removed.map_err(|error| cannot("remove", &path, error))?,
        }
        let dir = path.parent().unwrap_or(self.dirs.base());
        self.dirs.sync(dir).map_err(|error| cannot("sync", dir, error))
    }

    fn check(&self, key: &Key, when: &When) -> Result<()> {
        // A damaged record can be written over, as long as nobody asks which one it is.
        let holds = match when {
            When::Always => true,
            When::Absent => self.read(key)?.is_none(),
            When::Is(version) => self.read(key)?.is_some_and(|entry| entry.version == *version),
        };
        if holds {
            return Ok(());
        }
        let message = format!("record {key} was changed by somebody else");
        Err(Error::new(ErrorKind::Conflict, message))
    }
}

/// What a record begins with: what it is, and the version of the form.
const MAGIC: &str = "stevedore-record 1";

/// More than the longest first line of a record, in bytes.
const MAX_HEADER: usize = 128;

/// Reads a record, or gives `None` where it is damaged.
fn parse(content: &Bytes) -> Option<Entry> {
    let end = content.iter().take(MAX_HEADER).position(|byte| *byte == b'\n')?;
    let header = std::str::from_utf8(&content[..end]).ok()?;
    let (version, length) = header.strip_prefix(MAGIC)?.strip_prefix(' ')?.split_once(' ')?;
    let body = content.slice(end + 1..);
    (!version.is_empty() && length.parse() == Ok(body.len())).then(|| Entry::new(body, Version::new(version)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_damaged_record_is_seen() {
        let whole = Bytes::from("stevedore-record 1 v 3\nabc");
        assert_eq!(parse(&whole), Some(Entry::new("abc".into(), Version::new("v"))));
        for length in 0..whole.len() {
            assert_eq!(parse(&whole.slice(..length)), None, "{length}");
        }
        for other in [
            "stevedore-record 2 v 3\nabc",
            "stevedore-record 1 v 3\nabcd",
            "stevedore-record 1  3\nabc",
        ] {
            assert_eq!(parse(&other.into()), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn any_content_is_read_or_refused(content in prop::collection::vec(any::<u8>(), 0..200)) {
            parse(&content.into());
        }
    }
}
