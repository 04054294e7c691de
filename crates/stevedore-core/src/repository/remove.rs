//! Taking names and documents out of a repository.

use super::pages::records;
use super::read::parse_tag;
use super::record::Record;
use super::{ATTEMPTS, Repository};
use crate::{Digest, Error, ErrorKind, RefName, Result, When};

impl Repository {
    pub(super) async fn remove_tag(&self, name: &RefName) -> Result<()> {
        let key = self.tag_key(name)?;
        if self.records().get(&key).await?.is_none() {
            return Err(self.not_found(format!("tag {name}")));
        }
        self.records().remove(&key, When::Always).await
    }

    /// Removes a document with its names and its entry among the referrers.
    ///
    /// The record goes last, so that no name ever leads to nothing and a repeat goes on. It is first marked as going:
    /// who puts the document under a name that this misses looks for the mark afterwards, and then puts it again.
    pub(super) async fn remove_document(&self, digest: Digest) -> Result<()> {
        let key = self.manifest_key(&digest)?;
        for attempt in 0..ATTEMPTS {
            let Some(entry) = self.records().get(&key).await? else {
                return if attempt == 0 {
                    Err(self.not_found(format!("document {digest}")))
                } else {
                    Ok(())
                };
            };
            let mut record = Record::parse(&key, &entry.bytes)?;
            let going = if record.going {
                entry.version
            } else {
                record.going = true;
                let marked = self
                    .records()
                    .put(&key, record.to_bytes()?, When::Is(entry.version));
                match marked.await {
                    Err(error) if error.kind() == ErrorKind::Conflict => continue,
                    marked => marked?,
                }
            };
            self.remove_names_of(digest).await?;
            self.remove_referrer(&record).await?;
            match self.records().remove(&key, When::Is(going)).await {
                // It was put again meanwhile.
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                removed => return removed,
            }
        }
        let message = format!("others keep putting {digest} into repository {}", self.name);
        Err(Error::new(ErrorKind::Conflict, message))
    }

    async fn remove_names_of(&self, digest: Digest) -> Result<()> {
        let tags = self.below("tags")?;
        let mut after = None;
        loop {
            let (page, next) = records(self.records(), &tags, after.as_ref()).await?;
            for (key, bytes) in page {
                if parse_tag(&key, &bytes)? != digest {
                    continue;
                }
                // Looked at again, for the version: it may name another document by now.
                let Some(entry) = self.records().get(&key).await? else {
                    continue;
                };
                if entry.bytes != bytes {
                    continue;
                }
                match self.records().remove(&key, When::Is(entry.version)).await {
                    // Moved, or put again by somebody who will see the mark.
                    Err(error) if error.kind() == ErrorKind::Conflict => {}
                    removed => removed?,
                }
            }
            if next.is_none() {
                return Ok(());
            }
            after = next;
        }
    }

    async fn remove_referrer(&self, record: &Record) -> Result<()> {
        let document = match self.read(&record.descriptor).await {
            Ok(document) => document,
            // Whoever damaged it took its subject along; it can be removed all the same.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Mismatch) => return Ok(()),
            Err(error) => return Err(error),
        };
        match self.referrer_key(&document)? {
            Some(key) => self.records().remove(&key, When::Always).await,
            None => Ok(()),
        }
    }
}
