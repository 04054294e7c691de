//! Records in memory with one fault: written anew, so that it is no twin of what the suite was made with.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use stevedore_core::{
    Algorithm, Entry, Error, ErrorKind, Key, Listed, Names, RECORD_LIMIT, Result, Version, When,
};

use super::names_by_fault::Fault;
use super::pause;

#[derive(Clone, Debug)]
pub(super) struct FaultyNames {
    pub(super) fault: Fault,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    records: BTreeMap<String, Entry>,
    removed: BTreeMap<String, Entry>,
    writes: u64,
}

fn conflict() -> Error {
    Error::new(ErrorKind::Conflict, "the condition does not hold")
}

impl FaultyNames {
    pub(super) fn new(fault: Fault) -> Self {
        Self {
            fault,
            state: Arc::default(),
        }
    }

    /// Under which text a record lies.
    fn place(&self, key: &Key) -> String {
        match self.fault {
            Fault::KeysIgnoreCase => key.as_str().to_lowercase(),
            Fault::Unescapes => match key.last_unescaped() {
                Some(text) => key.as_str().replace(key.last(), &text),
                None => key.to_string(),
            },
            _ => key.to_string(),
        }
    }

    fn find(&self, place: &str) -> Option<Entry> {
        self.state.lock().unwrap().records.get(place).cloned()
    }

    /// Checks a condition, changes the record if it holds.
    fn change(&self, place: &str, when: &When, new: Option<Entry>) -> Result<()> {
        let mut state = self.state.lock().unwrap();
        let holds = match (when, state.records.get(place)) {
            (When::Always, _) | (When::Absent, None) => true,
            (When::Is(version), Some(entry)) => {
                self.fault != Fault::VersionsRefused && entry.version == *version
            }
            _ => false,
        };
        if !holds {
            return Err(conflict());
        }
        match new {
            Some(entry) => drop(state.records.insert(place.to_owned(), entry)),
            None => {
                if let Some(entry) = state.records.remove(place) {
                    state.removed.insert(place.to_owned(), entry);
                }
            }
        }
        Ok(())
    }

    fn version(&self, place: &str, bytes: &Bytes) -> Version {
        let mut state = self.state.lock().unwrap();
        state.writes += 1;
        match self.fault {
            Fault::VersionsByContent => Version::new(Algorithm::Sha256.digest(bytes).to_string()),
            Fault::VersionsByCount => {
                let last = state.records.get(place);
                let last = last.map_or(0, |entry| entry.version.as_str().parse().unwrap());
                Version::new((last + 1_u64).to_string())
            }
            _ => Version::new(state.writes.to_string()),
        }
    }
}

#[async_trait]
impl Names for FaultyNames {
    async fn get(&self, key: &Key) -> Result<Option<Entry>> {
        let place = self.place(key);
        let found = self.find(&place);
        match (self.fault, &found) {
            (Fault::EmptyIsAbsent, Some(entry)) if entry.bytes.is_empty() => Ok(None),
            (Fault::GetTakesOut, Some(entry)) => {
                self.state.lock().unwrap().records.remove(&place);
                pause().await;
                self.state.lock().unwrap().records.insert(place, entry.clone());
                Ok(found)
            }
            (Fault::TornReads, Some(entry)) => {
                pause().await;
                let version = self.find(&place).unwrap_or_else(|| entry.clone()).version;
                Ok(Some(Entry::new(entry.bytes.clone(), version)))
            }
            _ => Ok(found),
        }
    }

    async fn put(&self, key: &Key, bytes: Bytes, mut when: When) -> Result<Version> {
        let place = self.place(key);
        if self.fault == Fault::ShortKeys && place.len() > 255 {
            return Err(Error::new(ErrorKind::Invalid, "the key is too long"));
        }
        if bytes.len() > RECORD_LIMIT && self.fault != Fault::NoLimit {
            return Err(Error::new(ErrorKind::TooLarge, "the record is too large"));
        }
        let version = self.version(&place, &bytes);
        let entry = Entry::new(bytes, version.clone());
        match self.fault {
            Fault::CheckThenAct => {
                let found = self.find(&place);
                if when != When::Always && when != When::unchanged(found.as_ref()) {
                    return Err(conflict());
                }
                pause().await;
                when = When::Always;
            }
            Fault::PutIgnoresCondition => when = When::Always,
            Fault::PutEmptiesFirst => {
                self.change(&place, &when, Some(Entry::new(Bytes::new(), version.clone())))?;
                pause().await;
                when = When::Is(version.clone());
            }
            _ => {}
        }
        self.change(&place, &when, Some(entry))?;
        Ok(version)
    }

    async fn remove(&self, key: &Key, mut when: When) -> Result<()> {
        let place = self.place(key);
        match self.fault {
            Fault::AbsentRemoveConflicts if self.find(&place).is_none() => return Err(conflict()),
            Fault::CheckThenAct => {
                let found = self.find(&place);
                if when != When::Always && when != When::unchanged(found.as_ref()) {
                    return Err(conflict());
                }
                pause().await;
                when = When::Always;
            }
            Fault::RemoveIgnoresCondition => when = When::Always,
            Fault::RemoveEmptiesFirst => {
                let empty = Entry::new(Bytes::new(), Version::new("emptied"));
                self.change(&place, &when, Some(empty))?;
                pause().await;
                when = When::Always;
            }
            Fault::RemoveLeavesEmpty => {
                let empty = Entry::new(Bytes::new(), self.version(&place, &Bytes::new()));
                return self.change(&place, &when, Some(empty));
            }
            Fault::RemovesBelow => {
                let prefix = format!("{place}/");
                let records = &mut self.state.lock().unwrap().records;
                records.retain(|place, _| !place.starts_with(&prefix));
            }
            _ => {}
        }
        self.change(&place, &when, None)
    }

    async fn list(&self, under: &Key, after: Option<&Key>, limit: usize) -> Result<Vec<Listed>> {
        let state = self.state.lock().unwrap();
        let mut records: Vec<_> = state.records.iter().collect();
        if self.fault == Fault::ListsRemoved {
            records.extend(
                state
                    .removed
                    .iter()
                    .filter(|(place, _)| !state.records.contains_key(*place)),
            );
        }
        match self.fault {
            Fault::OrdersBySegments => {
                records.sort_by_key(|(place, _)| place.split('/').collect::<Vec<_>>());
            }
            _ => records.sort_by_key(|(place, _)| *place),
        }
        let (prefix, under) = (format!("{}/", self.place(under)), self.place(under));
        let mut found = Vec::new();
        for (place, entry) in records {
            let itself = self.fault == Fault::ListsItself && *place == under;
            let behind = after.is_none_or(|after| match self.fault {
                Fault::AfterIsIncluded => place.as_str() >= after.as_str(),
                Fault::AfterMustExist => {
                    state.records.contains_key(after.as_str()) && place.as_str() > after.as_str()
                }
                _ => place.as_str() > after.as_str(),
            });
            if (place.starts_with(&prefix) || itself) && behind && found.len() < limit {
                found.push(Listed::new(Key::parse(place)?, Some(entry.clone())));
            }
        }
        Ok(found)
    }
}
