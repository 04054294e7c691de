//! Sweeping bytes that no record names: left by a delete that broke off, or by a push that lost or died.

use std::time::SystemTime;

use super::super::record::{Refusal, delete};
use super::{BYTES, Fault, PAGE, Process, Record, bytes_key};
use crate::{Digest, Life, Result};

impl Process {
    /// Gives how many went.
    pub(super) async fn expire_bytes(&self, idle_since: SystemTime) -> Result<u64> {
        let mut swept = 0;
        let mut after = None;
        loop {
            let page = self.bucket.list(BYTES, after.as_deref(), PAGE).await;
            let Some((last, _)) = page.last() else {
                return Ok(swept);
            };
            after = Some(last.clone());
            for (key, object) in page {
                // Old ones only, so that pushes that are on their way are not made to begin again.
                if object.modified < idle_since
                    && let Some((digest, life)) = parse_key(&key)
                    && self.sweep(&digest, life).await?
                {
                    swept += 1;
                }
            }
        }
    }

    async fn sweep(&self, digest: &Digest, life: Life) -> Result<bool> {
        let seen = self.read(digest).await?;
        let (record, tag) = match seen {
            Some((Record::Live { life: named, .. }, _)) if named == life => return Ok(false),
            Some((record, tag)) => (record, Some(tag)),
            // So that there is something to change: a tombstone of a life that never was.
            None => (
                Record::Gone {
                    life: Life::new(self.nonces.next()),
                },
                None,
            ),
        };
        // The fence. A publisher may have put these bytes and be about to name them. It read the record before it
        // put them, so before we saw them; written again now, the record is not as it read it, and it loses. After
        // this, nothing can name this life any more, and the bytes can be deleted at any time.
        if self.fault != Some(Fault::NoFence) {
            match self.write(digest, tag, record).await {
                Ok(_) => {}
                // Somebody was there first, perhaps the publisher: another time.
                Err(Refusal::Changed) => return Ok(false),
                Err(Refusal::Failed(error)) => return Err(error),
            }
        }
        delete(&self.bucket, bytes_key(digest, life)).await?;
        Ok(true)
    }
}

fn parse_key(key: &str) -> Option<(Digest, Life)> {
    let (digest, life) = key.strip_prefix(BYTES)?.split_once('/')?;
    Some((digest.parse().ok()?, life.parse().ok()?))
}
