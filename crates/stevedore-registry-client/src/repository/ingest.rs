//! Bytes whose digest is not known yet, on their way into an upload session.

use std::fmt;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use stevedore_core::stream::next;
use stevedore_core::{
    Blob, BlobInfo, Digest, Error as CoreError, ErrorKind, Expected, Hasher, Ingest, IngestPlan, Life,
    Staging, Version,
};

use super::Repository;
use super::push::CHUNK;
use super::session::{Begun, Session, is_out_of_step};
use crate::error::{Error, Result};
use crate::request::{Reopen, pause_before};

/// An upload session that is being filled. The last chunk is kept here until the end, and until the digest fits.
struct Upload {
    repository: Repository,
    session: Session,
    plan: IngestPlan,
    hasher: Hasher,
    /// Bytes that the registry has.
    sent: u64,
    /// Bytes that it does not have yet.
    kept: BytesMut,
    chunk: usize,
    spent: bool,
}

impl Repository {
    /// Begins to write bytes whose digest is not known yet.
    pub(super) async fn begin_ingest(&self, plan: IngestPlan) -> stevedore_core::Result<Staging> {
        let what = |error: Error| error.while_doing(format!("cannot write a blob to {self}"));
        if let Some(digest) = plan.digest
            && let Some(size) = self.head_blob(&digest).await.map_err(what)?
            && plan.size.is_none_or(|wanted| wanted == size)
        {
            return Ok(Staging::There(info(digest, size)));
        }
        let begun = self.begin(&[], &self.shared.push).await.map_err(what)?;
        let Begun::Session(session) = begun else {
            return Err(CoreError::new(
                ErrorKind::Invalid,
                format!("{self} ended an upload that did not begin"),
            ));
        };
        let chunk = self
            .host()
            .settings()
            .chunk_size
            .unwrap_or(CHUNK)
            .max(session.min_chunk);
        Ok(Staging::Mine(Box::new(Upload {
            repository: self.clone(),
            session,
            hasher: Hasher::new(plan.algorithm),
            plan,
            sent: 0,
            kept: BytesMut::new(),
            chunk: usize::try_from(chunk).unwrap_or(usize::MAX).max(1),
            spent: false,
        })))
    }
}

#[async_trait]
impl Ingest for Upload {
    async fn offset(&mut self) -> stevedore_core::Result<u64> {
        Ok(self.hasher.len())
    }

    async fn append(&mut self, blob: Blob) -> stevedore_core::Result<()> {
        self.is_open()?;
        let mut stream = blob.into_stream();
        while let Some(chunk) = next(&mut stream).await {
            let chunk = chunk?;
            self.hasher.update(&chunk);
            self.kept.extend_from_slice(&chunk);
            while self.kept.len() > self.chunk {
                self.send(self.chunk).await.map_err(|error| self.failed(error))?;
            }
        }
        Ok(())
    }

    async fn commit(&mut self, expected: Expected) -> stevedore_core::Result<BlobInfo> {
        self.is_open()?;
        let size = self.hasher.len();
        let wanted = expected.digest.or(self.plan.digest);
        if let Some(wanted) = wanted.filter(|wanted| wanted.algorithm() != self.hasher.algorithm()) {
            let message = format!(
                "what was sent to {} cannot be read again for {wanted}",
                self.repository
            );
            return Err(CoreError::new(ErrorKind::Unsupported, message));
        }
        let digest = self.hasher.clone().finish();
        let digests = [expected.digest, self.plan.digest];
        if let Some(wanted) = digests.into_iter().flatten().find(|wanted| *wanted != digest) {
            return Err(self.mismatch(wanted.to_string(), digest.to_string()).await);
        }
        let sizes = [expected.size, self.plan.size];
        if let Some(wanted) = sizes.into_iter().flatten().find(|wanted| *wanted != size) {
            return Err(self
                .mismatch(format!("{wanted} bytes"), format!("{size} bytes"))
                .await);
        }
        self.end(&digest).await.map_err(|error| self.failed(error))?;
        self.spent = true;
        Ok(info(digest, size))
    }

    async fn abort(self: Box<Self>) -> stevedore_core::Result<()> {
        if !self.spent {
            self.repository
                .cancel(&self.session)
                .await
                .map_err(|error| self.failed(error))?;
        }
        Ok(())
    }
}

impl Upload {
    fn is_open(&self) -> stevedore_core::Result<()> {
        if self.spent {
            let message = format!("this upload to {} has ended", self.repository);
            return Err(CoreError::new(ErrorKind::Conflict, message));
        }
        Ok(())
    }

    fn failed(&self, error: Error) -> CoreError {
        error.while_doing(format!("cannot write a blob to {}", self.repository))
    }

    async fn mismatch(&mut self, expected: String, actual: String) -> CoreError {
        self.spent = true;
        self.repository.cancel(&self.session).await.ok();
        CoreError::mismatch("the blob", expected, actual)
    }

    /// Sends so many of the bytes that are kept; they are kept until the registry says that it has them.
    async fn send(&mut self, length: usize) -> Result<()> {
        let goal = self.sent + length as u64;
        let mut tries = 0;
        while self.sent < goal {
            let left = usize::try_from(goal - self.sent)
                .unwrap_or(usize::MAX)
                .min(self.kept.len());
            let bytes = Bytes::copy_from_slice(&self.kept[..left]);
            let known = match self.repository.patch(&mut self.session, self.sent, &bytes).await {
                Ok(known) => known,
                Err(error) => {
                    tries += 1;
                    let policy = &self.repository.client().retry;
                    if !(error.is_retryable() || is_out_of_step(&error)) || tries >= policy.attempts {
                        return Err(error);
                    }
                    self.repository
                        .client()
                        .pause(&error, pause_before(tries, policy))
                        .await;
                    match self.repository.progress(&mut self.session).await? {
                        Some(known) => known,
                        // What the registry forgot cannot be read again.
                        None => return Err(error),
                    }
                }
            };
            let Some(taken) = known.checked_sub(self.sent).filter(|taken| *taken <= left as u64) else {
                let message = format!("the registry has {known} bytes where it got {}", self.sent);
                let source = CoreError::new(ErrorKind::Conflict, message);
                return Err(self.repository.supply_error(source));
            };
            drop(self.kept.split_to(usize::try_from(taken).unwrap_or(left)));
            self.sent = known;
        }
        Ok(())
    }

    async fn end(&mut self, digest: &Digest) -> Result<()> {
        if self.sent == 0 {
            let content = Kept(Bytes::copy_from_slice(&self.kept));
            let rest = Some((&content as &dyn Reopen, 0, self.kept.len() as u64));
            return self.repository.put(&self.session, digest, rest).await;
        }
        self.send(self.kept.len()).await?;
        self.repository.put(&self.session, digest, None).await
    }
}

/// Bytes in memory.
struct Kept(Bytes);

#[async_trait]
impl Reopen for Kept {
    async fn open(&self) -> stevedore_core::Result<Blob> {
        Ok(Blob::from(self.0.clone()))
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("repository", &self.repository)
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}

/// What is known of a blob of a registry: lives and versions are its own business.
fn info(digest: Digest, size: u64) -> BlobInfo {
    BlobInfo::new(digest, size, Life::new(0), Version::new(""), SystemTime::now())
}
