//! An ingest with the fault of its store.

use async_trait::async_trait;
use bytes::Bytes;
use stevedore_core::suite::block_on;
use stevedore_core::{
    Algorithm, Blob, BlobInfo, Error, ErrorKind, Expected, Ingest, IngestPlan, Result, Store as _,
};
use stevedore_core::{Takeover, stream};

use super::pause;
use super::store::FaultyStore;
use super::store_by_fault::Fault;

#[derive(Debug)]
pub(super) struct FaultyIngest {
    inner: Option<Box<dyn Ingest>>,
    store: FaultyStore,
    plan: IngestPlan,
    resumed: bool,
    /// What was appended here, for the faults that need it.
    copy: Vec<u8>,
    committed: Option<BlobInfo>,
}

impl FaultyIngest {
    pub(super) fn new(inner: Box<dyn Ingest>, store: FaultyStore, plan: IngestPlan, resumed: bool) -> Self {
        Self {
            inner: Some(inner),
            store,
            plan,
            resumed,
            copy: Vec::new(),
            committed: None,
        }
    }

    fn inner(&mut self) -> Result<&mut Box<dyn Ingest>> {
        self.inner
            .as_mut()
            .ok_or_else(|| Error::new(ErrorKind::Conflict, "it is gone"))
    }
}

#[async_trait]
impl Ingest for FaultyIngest {
    async fn offset(&mut self) -> Result<u64> {
        let ahead = u64::from(self.store.fault == Fault::OffsetAhead && self.resumed);
        Ok(self.inner()?.offset().await? + ahead)
    }

    async fn append(&mut self, mut blob: Blob) -> Result<()> {
        match self.store.fault {
            Fault::AllOrNothingAppend => blob = Blob::from(blob.into_bytes(u64::MAX).await?),
            Fault::AppendKeepsOneChunk => {
                let mut body = blob.into_stream();
                let mut kept = Bytes::new();
                while kept.is_empty() {
                    match stream::next(&mut body).await {
                        Some(chunk) => kept = chunk?,
                        None => break,
                    }
                }
                blob = Blob::from(kept);
            }
            Fault::AppendLosesOnDrop => {
                let mut inner = self.inner.take();
                let result = match &mut inner {
                    Some(inner) => inner.append(blob).await,
                    None => Err(Error::new(ErrorKind::Conflict, "it is gone")),
                };
                self.inner = inner;
                return result;
            }
            Fault::TrustsClaims => {
                let claim = blob.size.take();
                let bytes = blob.into_bytes(u64::MAX).await?;
                let claimed = claim.and_then(|size| usize::try_from(size).ok());
                blob = Blob::from(bytes.slice(..claimed.unwrap_or(bytes.len()).min(bytes.len())));
            }
            Fault::CommitAbortsFirst
            | Fault::HalfVisible
            | Fault::HashRestarts
            | Fault::Unchecked
            | Fault::VisibleWhileStaged => {
                let bytes = blob.into_bytes(u64::MAX).await?;
                self.copy.extend_from_slice(&bytes);
                blob = Blob::from(bytes);
            }
            _ => {}
        }
        self.inner()?.append(blob).await?;
        if let (Fault::VisibleWhileStaged, Some(digest)) = (self.store.fault, &self.plan.digest) {
            self.store.show(*digest, &self.copy);
        }
        Ok(())
    }

    async fn commit(&mut self, mut expected: Expected) -> Result<BlobInfo> {
        if self.store.fault == Fault::RefusesEmpty && self.offset().await? == 0 {
            return Err(Error::new(ErrorKind::Storage, "nothing to write"));
        }
        let digest = expected.digest.or(self.plan.digest);
        match self.store.fault {
            Fault::CommitAbortsFirst => {
                if let (Some(inner), Some(digest)) = (self.inner.take(), digest) {
                    inner.abort().await?;
                    pause().await;
                    return self.store.publish(digest, self.copy.clone().into()).await;
                }
            }
            Fault::CommitDoesNotTouch | Fault::TrustsPublished => {
                let digest = digest.unwrap_or_else(|| Algorithm::Sha256.digest(&self.copy));
                if let Some(info) = self.store.inner.stat(&digest).await? {
                    self.inner = None;
                    return Ok(info);
                }
            }
            Fault::CommitOfOneAlgorithm if digest.is_some_and(|it| it.algorithm() != self.plan.algorithm) => {
                return Err(Error::new(ErrorKind::Unsupported, "one algorithm only"));
            }
            Fault::HalfVisible => {
                if let Some(digest) = digest {
                    self.store.show(digest, &self.copy[..self.copy.len() / 2]);
                    pause().await;
                    self.store.hide(&digest);
                }
            }
            Fault::HashRestarts if self.resumed => {
                let actual = self.plan.algorithm.digest(&self.copy);
                if digest.is_some_and(|digest| digest != actual) {
                    return Err(Error::mismatch("the upload", digest.unwrap_or(actual), actual));
                }
            }
            Fault::IgnoresSize => expected.size = None,
            Fault::NewLifeOnCommit => {
                if let Some(digest) = digest
                    && let Some(info) = self.store.inner.stat(&digest).await?
                {
                    self.store.inner.delete(&info).await?;
                }
            }
            Fault::ResumeForgetsPlan => {
                expected.digest = digest;
                expected.size = expected.size.or(self.plan.size);
            }
            Fault::VisibleWhileStaged => {
                if let Some(digest) = digest {
                    self.store.hide(&digest);
                }
            }
            _ => {}
        }
        let result = self.inner()?.commit(expected).await;
        match (&result, self.store.fault) {
            (Ok(info), _) => self.committed = Some(info.clone()),
            (Err(error), Fault::NeverSpent) if error.kind() == ErrorKind::Conflict => {
                if let Some(info) = self.committed.clone() {
                    return Ok(info);
                }
            }
            (Err(error), Fault::Unchecked) if error.kind() == ErrorKind::Mismatch => {
                if let Some(digest) = digest {
                    self.store.show(digest, &self.copy);
                }
            }
            _ => {}
        }
        result.map(|info| self.store.info(info))
    }

    async fn abort(mut self: Box<Self>) -> Result<()> {
        if self.store.fault == Fault::LoserAborts
            && let Some(key) = &self.plan.key
            && let stevedore_core::Staging::Mine(theirs) =
                self.store.inner.resume(key, Takeover::Force).await?
        {
            return theirs.abort().await;
        }
        match self.inner.take() {
            Some(_) if self.store.fault == Fault::AbortSuspends => Ok(()),
            Some(inner) => inner.abort().await,
            None => Ok(()),
        }
    }
}

impl Drop for FaultyIngest {
    fn drop(&mut self) {
        if self.store.fault == Fault::EmptyDropDiscards
            && let Some(mut inner) = self.inner.take()
            && block_on(inner.offset()).is_ok_and(|offset| offset == 0)
        {
            block_on(inner.abort()).unwrap();
        }
    }
}
