//! Records over the weakened object store.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::{BufMut as _, Bytes, BytesMut};

use super::bucket::{Bucket, Object};
use super::record::{Refusal, put_if, version};
use super::weather::Nonces;
use crate::{Entry, Error, ErrorKind, Key, Listed, Names, RECORD_LIMIT, Result, Version, When};

/// [`Names`] over a [`Bucket`], as one process sees it.
///
/// An object is a mark (`+` for a record, `-` for a tombstone), a nonce, and the bytes. It is changed on its tag only
/// and never removed: to remove a record is to write a tombstone.
#[derive(Debug)]
pub struct WeakNames {
    bucket: Arc<Bucket>,
    nonces: Nonces,
}

const ROOT: &str = "n/";
const HEAD: usize = 1 + 16;

/// How often an unconditional change that lost against others begins again.
const ATTEMPTS: usize = 64;

impl WeakNames {
    /// The names in a bucket. Each process needs another seed.
    pub fn new(bucket: Arc<Bucket>, seed: u64) -> Self {
        Self {
            bucket,
            nonces: Nonces::new(seed),
        }
    }

    /// Writes a record, or a tombstone, if the condition holds.
    async fn change(&self, key: &Key, bytes: Option<Bytes>, when: &When) -> Result<Option<Version>> {
        let path = path(key);
        for _ in 0..ATTEMPTS {
            // Without a condition, too: an unconditional put whose answer was lost could not be told from one
            // that was overwritten, and its repeat would undo the other.
            let object = self.bucket.get(&path).await?;
            let entry = object.as_ref().and_then(parse);
            let holds = match when {
                When::Always => true,
                When::Absent => entry.is_none(),
                When::Is(version) => entry.as_ref().is_some_and(|entry| entry.version == *version),
            };
            if !holds {
                return Err(conflict(key));
            }
            if bytes.is_none() && entry.is_none() {
                return Ok(None);
            }
            let body = self.body(bytes.as_deref());
            match put_if(&self.bucket, &path, object.map(|object| object.tag), body).await {
                Ok(tag) => return Ok(Some(version(tag))),
                Err(Refusal::Failed(error)) => return Err(error),
                Err(Refusal::Changed) if matches!(when, When::Is(_)) => return Err(conflict(key)),
                Err(Refusal::Changed) => {}
            }
        }
        Err(conflict(key))
    }

    fn body(&self, bytes: Option<&[u8]>) -> Bytes {
        let mut body = BytesMut::with_capacity(HEAD + bytes.map_or(0, <[u8]>::len));
        body.put_u8(if bytes.is_some() { b'+' } else { b'-' });
        body.put_u128(self.nonces.next());
        body.put_slice(bytes.unwrap_or_default());
        body.freeze()
    }
}

#[async_trait]
impl Names for WeakNames {
    async fn get(&self, key: &Key) -> Result<Option<Entry>> {
        Ok(self.bucket.get(&path(key)).await?.as_ref().and_then(parse))
    }

    async fn put(&self, key: &Key, bytes: Bytes, when: When) -> Result<Version> {
        if bytes.len() > RECORD_LIMIT {
            let message = format!("{} bytes are too many for {key}", bytes.len());
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        let written = self.change(key, Some(bytes), &when).await?;
        written.ok_or_else(|| conflict(key))
    }

    async fn remove(&self, key: &Key, when: When) -> Result<()> {
        self.change(key, None, &when).await.map(|_| ())
    }

    async fn list(&self, under: &Key, after: Option<&Key>, limit: usize) -> Result<Vec<Listed>> {
        let prefix = format!("{}/", path(under));
        let mut after = after.map(path);
        loop {
            let page = self.bucket.list(&prefix, after.as_deref(), limit).await;
            let Some((last, _)) = page.last() else {
                return Ok(Vec::new());
            };
            after = Some(last.clone());
            let mut listed = Vec::with_capacity(page.len());
            for (path, object) in page {
                if let Some(entry) = parse(&object) {
                    // A listing may give the content along, late as it is, or leave it to be asked for.
                    let entry = (!self.bucket.weather().strikes(2)).then_some(entry);
                    listed.push(Listed::new(Key::parse(&path[ROOT.len()..])?, entry));
                }
            }
            // A page of tombstones is not the end.
            if !listed.is_empty() || limit == 0 {
                return Ok(listed);
            }
        }
    }
}

fn path(key: &Key) -> String {
    format!("{ROOT}{key}")
}

fn parse(object: &Object) -> Option<Entry> {
    let live = object.body.first() == Some(&b'+') && object.body.len() >= HEAD;
    live.then(|| Entry::new(object.body.slice(HEAD..), version(object.tag)))
}

fn conflict(key: &Key) -> Error {
    Error::new(
        ErrorKind::Conflict,
        format!("{key} is not as it was expected to be"),
    )
}
