//! What the documents of all repositories need.

use std::collections::HashSet;

use async_trait::async_trait;

use super::Repositories;
use super::record::Record;
use crate::collect::Mark;
use crate::raw::MANIFEST_LIMIT;
use crate::{ByteRange, Context as _, Digest, Document, Key, Result};

/// How many records are listed at once.
const PAGE: usize = 1000;

#[async_trait]
impl Mark for Repositories {
    async fn mark(&self) -> Result<HashSet<Digest>> {
        let mut needed = HashSet::new();
        let mut after: Option<Key> = None;
        loop {
            let page = self
                .inner
                .names
                .list(&self.inner.root, after.as_ref(), PAGE)
                .await?;
            let Some(last) = page.last() else {
                return Ok(needed);
            };
            after = Some(last.key.clone());
            for listed in page {
                // `r/<name>/manifests/<digest>`
                if listed.key.segments().nth(2) == Some("manifests") {
                    self.mark_document(&listed.key, &mut needed).await?;
                }
            }
        }
    }
}

impl Repositories {
    async fn mark_document(&self, key: &Key, needed: &mut HashSet<Digest>) -> Result<()> {
        let Some(entry) = self.inner.names.get(key).await? else {
            return Ok(());
        };
        let descriptor = Record::parse(key, &entry.bytes)?.descriptor;
        let digest = descriptor.known_digest()?;
        let opened = self.inner.store.open(&digest, ByteRange::FULL).await;
        let bytes = match opened {
            Ok(blob) => blob.into_bytes(MANIFEST_LIMIT as u64).await,
            // Its publisher is taking it back, or it was deleted: it needs nothing.
            Err(error) if error.is_not_found() => return Ok(()),
            Err(error) => Err(error),
        };
        let bytes = bytes.context(|| format!("cannot read {digest}"))?;
        let document = Document::parse(
            bytes,
            Some(descriptor.media_type),
            digest.algorithm(),
            MANIFEST_LIMIT,
        )?;
        needed.insert(digest);
        needed.extend(
            document
                .children()
                .filter_map(|child| child.descriptor.known_digest().ok()),
        );
        Ok(())
    }
}
