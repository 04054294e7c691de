//! The cases for [`Names`].

mod keys;
mod listing;
mod records;
mod rivals;

pub use keys::*;
pub use listing::*;
pub use records::*;
pub use rivals::*;

use bytes::Bytes;

use super::failure::{Failure, Outcome, equal};
use crate::{Entry, Key, Names, When};

fn key(text: &str) -> Outcome<Key> {
    Ok(Key::parse(text)?)
}

/// Writes a record on no condition.
async fn put(names: &dyn Names, text: &str, bytes: impl Into<Bytes> + Send) -> Outcome<Entry> {
    let bytes = bytes.into();
    let version = names.put(&key(text)?, bytes.clone(), When::Always).await?;
    Ok(Entry::new(bytes, version))
}

/// A record that must be there.
async fn get(names: &dyn Names, key: &Key) -> Outcome<Entry> {
    match names.get(key).await? {
        Some(entry) => Ok(entry),
        None => Err(Failure::new(format!("record {key} is missing"))),
    }
}

/// Fails unless a record is in a state.
async fn is(names: &dyn Names, key: &Key, entry: Option<&Entry>) -> Outcome {
    equal(&names.get(key).await?.as_ref(), &entry, &format!("record {key}"))
}
