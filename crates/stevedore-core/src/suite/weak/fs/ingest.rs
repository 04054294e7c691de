//! The holder of what is staged.

use async_trait::async_trait;
use bytes::Bytes;

use super::{Disk, FsLike, Staged};
use crate::stream::next;
use crate::{Blob, BlobInfo, Digest, Error, ErrorKind, Expected, Ingest, IngestPlan, Result};

/// Who has something staged locked.
#[derive(Debug)]
pub(super) struct FsIngest {
    pub(super) process: FsLike,
    pub(super) name: String,
    pub(super) holder: u128,
}

impl FsIngest {
    /// A call on what is staged, if it is still ours.
    async fn staged<T>(&self, f: impl FnOnce(&mut Staged) -> T + Send) -> Result<T>
    where
        T: Send,
    {
        let answer = self
            .process
            .call(|disk, process| {
                let stamp = disk.stamp(&process.clock);
                let staged = disk.staged.get_mut(&self.name)?;
                staged.touched = stamp;
                (staged.holder == Some(self.holder)).then(|| f(staged))
            })
            .await;
        answer.ok_or_else(|| {
            Error::new(
                ErrorKind::Conflict,
                "somebody took over what was staged, or it is spent",
            )
        })
    }

    fn check(plan: &IngestPlan, bytes: &[u8], expected: Expected) -> Result<Digest> {
        let mut known = None;
        for wanted in [expected.digest, plan.digest].into_iter().flatten() {
            let actual = wanted.algorithm().digest(bytes);
            if actual != wanted {
                return Err(Error::mismatch("the content", wanted, actual));
            }
            known = known.or(Some(actual));
        }
        let digest = known.unwrap_or_else(|| plan.algorithm.digest(bytes));
        for wanted in [expected.size, plan.size].into_iter().flatten() {
            let size = bytes.len() as u64;
            if wanted != size {
                return Err(Error::mismatch(
                    digest,
                    format!("{wanted} bytes"),
                    format!("{size} bytes"),
                ));
            }
        }
        Ok(digest)
    }

    /// Forgets what is staged, if it is still ours.
    fn drop_staged(&self, disk: &mut Disk) {
        if disk
            .staged
            .get(&self.name)
            .is_some_and(|staged| staged.holder == Some(self.holder))
        {
            disk.staged.remove(&self.name);
        }
    }
}

#[async_trait]
impl Ingest for FsIngest {
    async fn offset(&mut self) -> Result<u64> {
        self.staged(|staged| staged.bytes.len() as u64).await
    }

    async fn append(&mut self, blob: Blob) -> Result<()> {
        let mut stream = blob.into_stream();
        self.staged(|_| ()).await?;
        while let Some(chunk) = next(&mut stream).await {
            let chunk = chunk?;
            let append = |staged: &mut Staged| {
                let length = staged.bytes.len() as u64;
                let room = staged.plan.size.map(|size| size.saturating_sub(length));
                let room = room.map_or(usize::MAX, |room| usize::try_from(room).unwrap_or(usize::MAX));
                staged.bytes.extend_from_slice(&chunk[..room.min(chunk.len())]);
                chunk.len() <= room
            };
            if !self.staged(append).await? {
                return Err(Error::mismatch("the content", "no more bytes", "more"));
            }
        }
        Ok(())
    }

    async fn commit(&mut self, expected: Expected) -> Result<BlobInfo> {
        let copy = |staged: &mut Staged| (Bytes::copy_from_slice(&staged.bytes), staged.plan.clone());
        let (bytes, plan) = self.staged(copy).await?;
        let checked = Self::check(&plan, &bytes, expected);
        let this = &*self;
        self.process
            .call(move |disk, process| {
                let digest = checked.inspect_err(|_| this.drop_staged(disk))?;
                let info = disk.publish(digest, bytes, process);
                this.drop_staged(disk);
                info.ok_or_else(|| Error::new(ErrorKind::Other, "what was published is not there"))
            })
            .await
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        self.process.call(|disk, _| self.drop_staged(disk)).await;
        Ok(())
    }
}

impl Drop for FsIngest {
    fn drop(&mut self) {
        let mut disk = self.process.lock();
        if self.name.starts_with("u/") {
            self.drop_staged(&mut disk);
        } else if let Some(staged) = disk.staged.get_mut(&self.name)
            && staged.holder == Some(self.holder)
        {
            staged.holder = None;
        }
    }
}
