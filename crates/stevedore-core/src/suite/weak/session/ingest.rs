//! The holder of a session.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};

use super::super::record::Refusal;
use super::super::store::{Holder, Process};
use super::{ATTEMPTS, PARTS, Session, clear, contended, digest_again, expired, put_part, read, write};
use crate::stream::next;
use crate::{Algorithm, Blob, BlobInfo, Digest, Error, Expected, Ingest, Result};

/// Dropped, it leaves its session idle; one without a key is then found by `expire`, for nothing can be deleted without
/// waiting.
#[derive(Debug)]
pub(super) struct WeakIngest {
    holder: Holder,
    process: Arc<Process>,
    name: String,
    /// `None` once spent.
    session: Option<Session>,
    /// The tag of the session's record, once there is one.
    tag: Option<u64>,
}

/// The most bytes in one part.
const PART: usize = 1 << 20;

impl WeakIngest {
    pub(super) fn new(
        holder: Holder,
        process: Arc<Process>,
        name: String,
        session: Session,
        tag: Option<u64>,
    ) -> Self {
        Self {
            holder,
            process,
            name,
            session: Some(session),
            tag,
        }
    }

    /// Puts a part, then writes the session that names it.
    async fn stage(&mut self, bytes: Bytes) -> Result<()> {
        for _ in 0..ATTEMPTS {
            let session = self.session.as_ref().ok_or_else(expired)?;
            let mut next = session.clone();
            next.touched = self.process.clock().now();
            if self.tag.is_none() {
                // The session comes before its first part, so that a part without a session is nobody's.
                match write(&self.process, &self.name, None, Some(session)).await {
                    Ok(tag) => self.tag = Some(tag),
                    Err(Refusal::Changed) => return Err(contended(&self.name)),
                    Err(Refusal::Failed(error)) => return Err(error),
                }
            }
            let part = format!(
                "{PARTS}{}/{:032x}/{:032x}",
                self.name,
                next.id,
                self.process.nonces.next()
            );
            put_part(&self.process, &part, bytes.clone()).await?;
            next.parts.push(part);
            next.hasher.update(&bytes);
            match write(&self.process, &self.name, self.tag, Some(&next)).await {
                Ok(tag) => {
                    self.tag = Some(tag);
                    self.session = Some(next);
                    return Ok(());
                }
                Err(Refusal::Changed) => self.look_again().await?,
                // It may have taken effect: the next write finds out.
                Err(Refusal::Failed(error)) => return Err(error),
            }
        }
        Err(contended(&self.name))
    }

    /// Reads the session again: a sweeper may have fenced it, or a write of ours whose answer was lost have taken
    /// effect. Somebody else's it is not ours to write to.
    async fn look_again(&mut self) -> Result<()> {
        if self.session.is_none() {
            return Err(expired());
        }
        if self.tag.is_none() {
            return Ok(());
        }
        let (seen, tag) = read(&self.process, &self.name).await?;
        self.session = seen.filter(|session| session.holder == self.holder.id);
        self.tag = tag;
        self.session.as_ref().map(|_| ()).ok_or_else(expired)
    }

    /// The digest of what is staged, by an algorithm; the one that ran costs nothing.
    async fn digest(&self, session: &Session, algorithm: Algorithm) -> Result<Digest> {
        if algorithm == session.hasher.algorithm() {
            Ok(session.hasher.clone().finish())
        } else {
            digest_again(&self.process, &session.parts, algorithm.hasher()).await
        }
    }

    /// The digest and size of what is staged, which are what was expected; or the mismatch as the inner error.
    async fn check(&self, session: &Session, expected: Expected) -> Result<Result<(Digest, u64)>> {
        let size = session.hasher.len();
        let mut digest = None;
        for wanted in [expected.digest, session.plan.digest].into_iter().flatten() {
            let actual = self.digest(session, wanted.algorithm()).await?;
            if actual != wanted {
                return Ok(Err(Error::mismatch("the content", wanted, actual)));
            }
            digest = digest.or(Some(actual));
        }
        let digest = match digest {
            Some(digest) => digest,
            None => self.digest(session, session.plan.algorithm).await?,
        };
        for wanted in [expected.size, session.plan.size].into_iter().flatten() {
            if wanted != size {
                let (wanted, actual) = (format!("{wanted} bytes"), format!("{size} bytes"));
                return Ok(Err(Error::mismatch(digest, wanted, actual)));
            }
        }
        Ok(Ok((digest, size)))
    }

    /// Ends the session. What a failure leaves is swept some day.
    async fn discard(&mut self) -> Result<()> {
        let (Some(session), Some(tag)) = (self.session.take(), self.tag.take()) else {
            return Ok(());
        };
        match write(&self.process, &self.name, Some(tag), None).await {
            Ok(_) => clear(&self.process, &self.name, &session.parts).await,
            // Somebody took over.
            Err(Refusal::Changed) => Ok(()),
            Err(Refusal::Failed(error)) => Err(error),
        }
    }
}

#[async_trait]
impl Ingest for WeakIngest {
    async fn offset(&mut self) -> Result<u64> {
        self.look_again().await?;
        Ok(self.session.as_ref().map_or(0, |session| session.hasher.len()))
    }

    async fn append(&mut self, blob: Blob) -> Result<()> {
        self.look_again().await?;
        let mut room = match &self.session {
            Some(session) => session
                .plan
                .size
                .map(|size| size.saturating_sub(session.hasher.len())),
            None => return Err(expired()),
        };
        let mut stream = blob.into_stream();
        let mut pending = BytesMut::new();
        loop {
            let mut chunk = next(&mut stream).await;
            if let Some(Ok(bytes)) = &chunk {
                let length = bytes.len() as u64;
                let fits = room.is_none_or(|room| length <= room);
                let taken = usize::try_from(room.unwrap_or(length).min(length)).unwrap_or(bytes.len());
                pending.extend_from_slice(&bytes[..taken]);
                room = room.map(|room| room.saturating_sub(length));
                if !fits {
                    chunk = Some(Err(Error::mismatch("the content", "no more bytes", "more")));
                } else if pending.len() < PART {
                    continue;
                }
            }
            // At the end, and before an error: what came stays.
            if !pending.is_empty() {
                self.stage(pending.split().freeze()).await?;
            }
            match chunk {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => return Ok(()),
            }
        }
    }

    async fn commit(&mut self, expected: Expected) -> Result<BlobInfo> {
        self.look_again().await?;
        let session = self.session.clone().ok_or_else(expired)?;
        let (digest, size) = match self.check(&session, expected).await? {
            Ok(known) => known,
            Err(mismatch) => {
                // What is left of it, if this fails, is swept some day.
                let _swept_later = self.discard().await;
                return Err(mismatch);
            }
        };
        let info = self.process.publish(&digest, size, &session.parts).await?;
        let _swept_later = self.discard().await;
        Ok(info)
    }

    async fn abort(mut self: Box<Self>) -> Result<()> {
        self.discard().await
    }
}
