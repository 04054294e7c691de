//! Writing blobs of a repository whose digest is not known beforehand.

use async_trait::async_trait;

use super::Repository;
use crate::collect::join;
use crate::stream::next;
use crate::{Blob, BlobInfo, ByteRange, Digest, Error, Expected, Hasher, Ingest, Result};

/// An ingest whose blob becomes the repository's with the commit.
#[derive(Debug)]
pub(super) struct Joining {
    repository: Repository,
    ingest: Box<dyn Ingest>,
    /// The digest of the plan, of which the store was not told.
    planned: Option<Digest>,
}

impl Joining {
    pub(super) fn new(repository: Repository, ingest: Box<dyn Ingest>, planned: Option<Digest>) -> Self {
        Self {
            repository,
            ingest,
            planned,
        }
    }

    /// Holds a blob of the store against the digest of the plan, where the commit named another one.
    async fn check_planned(&mut self, found: Digest) -> Result<()> {
        let Some(planned) = self.planned.filter(|planned| *planned != found) else {
            return Ok(());
        };
        let mut actual = found;
        if planned.algorithm() != found.algorithm() {
            let mut hasher = Hasher::new(planned.algorithm());
            let blob = self.repository.store().open(&found, ByteRange::FULL).await?;
            let mut body = blob.into_stream();
            while let Some(chunk) = next(&mut body).await {
                hasher.update(&chunk?);
            }
            actual = hasher.finish();
        }
        if actual == planned {
            Ok(())
        } else {
            Err(Error::mismatch("what was written", planned, actual))
        }
    }
}

#[async_trait]
impl Ingest for Joining {
    async fn offset(&mut self) -> Result<u64> {
        self.ingest.offset().await
    }

    async fn append(&mut self, blob: Blob) -> Result<()> {
        self.ingest.append(blob).await
    }

    async fn commit(&mut self, mut expected: Expected) -> Result<BlobInfo> {
        expected.digest = expected.digest.or(self.planned);
        let info = self.ingest.commit(expected).await?;
        self.check_planned(info.digest).await?;
        let repository = &self.repository;
        let member = repository.member(info.digest)?;
        let joined = join(repository.store(), repository.records(), &member).await?;
        joined.ok_or_else(|| repository.collected(info.digest))
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        self.ingest.abort().await
    }
}
