//! Records in memory.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use super::ids::Ids;
use crate::{Entry, Error, ErrorKind, Key, Listed, Names, RECORD_LIMIT, Result, Version, When};

/// Records in memory.
///
/// ```
/// use stevedore_core::memory::MemoryNames;
/// use stevedore_core::{ErrorKind, Key, Names as _, When};
///
/// # async fn example() -> stevedore_core::Result<()> {
/// let names = MemoryNames::new();
/// let tag = Key::parse("r/debian/tags/latest")?;
/// let version = names.put(&tag, "sha256:…".into(), When::Absent).await?;
/// names.put(&tag, "sha512:…".into(), When::Is(version.clone())).await?;
/// let late = names.remove(&tag, When::Is(version)).await;
/// assert_eq!(late.map_err(|error| error.kind()), Err(ErrorKind::Conflict));
/// # Ok(())
/// # }
/// # stevedore_core::suite::block_on(example()).unwrap();
/// ```
#[derive(Clone)]
pub struct MemoryNames {
    shared: Arc<Mutex<State>>,
}

struct State {
    ids: Ids,
    records: BTreeMap<Key, Entry>,
}

impl MemoryNames {
    /// No records.
    pub fn new() -> Self {
        let state = State {
            ids: Ids::new(),
            records: BTreeMap::new(),
        };
        Self {
            shared: Arc::new(Mutex::new(state)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock panics half-way through a change.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryNames {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryNames")
            .field("records", &self.lock().records.len())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Names for MemoryNames {
    async fn get(&self, key: &Key) -> Result<Option<Entry>> {
        Ok(self.lock().records.get(key).cloned())
    }

    async fn put(&self, key: &Key, bytes: Bytes, when: When) -> Result<Version> {
        if bytes.len() > RECORD_LIMIT {
            let message = format!(
                "record {key} of {} bytes is larger than {RECORD_LIMIT} bytes",
                bytes.len()
            );
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        let mut state = self.lock();
        state.check(key, &when)?;
        let version = Version::new(format!("{:x}", state.ids.next()));
        state
            .records
            .insert(key.clone(), Entry::new(bytes, version.clone()));
        Ok(version)
    }

    async fn remove(&self, key: &Key, when: When) -> Result<()> {
        let mut state = self.lock();
        state.check(key, &when)?;
        state.records.remove(key);
        Ok(())
    }

    async fn list(&self, under: &Key, after: Option<&Key>, limit: usize) -> Result<Vec<Listed>> {
        let state = self.lock();
        let prefix = format!("{under}/");
        // `after` may lie before, within or behind what is wanted.
        let start = after.map(Key::as_str).filter(|after| *after > prefix.as_str());
        let start = Bound::Excluded(start.unwrap_or(&prefix));
        let found = state.records.range::<str, _>((start, Bound::Unbounded));
        Ok(found
            .take_while(|(key, _)| key.as_str().starts_with(&prefix))
            .take(limit)
            .map(|(key, entry)| Listed::new(key.clone(), Some(entry.clone())))
            .collect())
    }
}

impl State {
    /// Whether the condition holds for the record as it is.
    fn check(&self, key: &Key, when: &When) -> Result<()> {
        let record = self.records.get(key);
        let problem = match (when, record) {
            (When::Always, _) | (When::Absent, None) => return Ok(()),
            (When::Is(version), Some(entry)) if entry.version == *version => return Ok(()),
            (When::Absent, Some(_)) => "is there already",
            (When::Is(_), Some(_)) => "was changed meanwhile",
            (When::Is(_), None) => "was removed meanwhile",
        };
        Err(Error::new(ErrorKind::Conflict, format!("record {key} {problem}")))
    }
}
