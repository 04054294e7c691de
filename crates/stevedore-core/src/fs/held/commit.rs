//! The end of something staged: it is what was promised, and becomes visible; or it is not, and goes.

use super::{Held, Slot, taken_over};
use crate::fs::staged::Staged;
use crate::{Algorithm, BlobInfo, Digest, Error, ErrorKind, Expected, Hasher, Result};

impl Held {
    /// Checks what is staged and publishes it. Blocks.
    pub(in crate::fs) fn commit(&self, call: u64, expected: Expected) -> Result<BlobInfo> {
        if let Some(digest) = self.renamed(expected) {
            let settled = self.keep.published().settle(&digest);
            return settled.inspect(|_| *self.slot() = Slot::Spent);
        }
        if let Some(info) = self.commit_unwritten(call, expected)? {
            return Ok(info);
        }
        self.bring_up(call, None)?;
        let mut slot = self.slot();
        self.check(call)?;
        let staged = slot.file()?;
        let by = |algorithm| staged.digest_by(algorithm);
        let digest = match self.judge(expected, staged.written(), staged.digest(), by) {
            Err(error) if error.kind() == ErrorKind::Mismatch => {
                self.discard(&mut slot);
                return Err(error);
            }
            judged => judged?,
        };
        let staging = staged.path().to_owned();
        let published = self.publish(staged, &digest);
        if staged.path() != staging {
            staged.discard_side();
            *slot = if published.is_ok() {
                Slot::Spent
            } else {
                Slot::Renamed(digest)
            };
            self.leave_key();
        } else if published.is_ok() {
            // Somebody else published the same.
            self.discard(&mut slot);
        } else if staged.is_taken() {
            *slot = Slot::Taken;
            return Err(taken_over());
        }
        published
    }

    /// The digest of a commit that only lacked the sync of the directory.
    fn renamed(&self, expected: Expected) -> Option<Digest> {
        match *self.slot() {
            Slot::Renamed(digest) if expected.digest.is_none_or(|it| it == digest) => Some(digest),
            _ => None,
        }
    }

    /// The digest under which staged bytes of a size are to be published. `ours` is the digest by the algorithm
    /// that ran along, `by` gives that by another one.
    fn judge(
        &self,
        expected: Expected,
        size: u64,
        ours: Digest,
        by: impl Fn(Algorithm) -> Result<Digest>,
    ) -> Result<Digest> {
        for promised in [self.plan.size, expected.size].into_iter().flatten() {
            if promised != size {
                let (promised, size) = (format!("{promised} bytes"), format!("{size} bytes"));
                return Err(Error::mismatch("the staged content", promised, size));
            }
        }
        for promised in [self.plan.digest, expected.digest].into_iter().flatten() {
            let actual = if promised.algorithm() == ours.algorithm() {
                ours
            } else {
                by(promised.algorithm())?
            };
            if promised != actual {
                return Err(Error::mismatch("the staged content", promised, actual));
            }
        }
        Ok(expected.digest.or(self.plan.digest).unwrap_or(ours))
    }

    /// Commits what is in memory without writing it, where that can be: because it is published, or because it
    /// does not fit. Gives `None` where it has to be written.
    fn commit_unwritten(&self, call: u64, expected: Expected) -> Result<Option<BlobInfo>> {
        let mut slot = self.slot();
        self.check(call)?;
        let Slot::Memory { hasher, chunks } = &*slot else {
            return Ok(None);
        };
        let by = |algorithm| {
            let mut hasher = Hasher::new(algorithm);
            for chunk in chunks {
                hasher.update(chunk);
            }
            Ok(hasher.finish())
        };
        let size = hasher.len();
        let digest = match self.judge(expected, size, hasher.clone().finish(), by) {
            Ok(digest) => digest,
            Err(error) => {
                *slot = Slot::Spent;
                return Err(error);
            }
        };
        let published = self.keep.published();
        if published.look(&digest)?.is_none_or(|there| there.size != size) {
            return Ok(None);
        }
        let info = published.settle(&digest)?;
        *slot = Slot::Spent;
        Ok(Some(info))
    }

    fn publish(&self, staged: &mut Staged, digest: &Digest) -> Result<BlobInfo> {
        let published = self.keep.published();
        let size = staged.written();
        let there = published.look(digest)?.is_some_and(|there| there.size == size);
        if !there && staged.is_doubtful() {
            // The system may take for written what it could not write. So everything is written once more.
            let file = self.keep.area().temporary()?;
            let temporary = file.path().to_owned();
            let mut again = Staged::copy_into(staged.file_mut(), file, digest.algorithm())?;
            let info = if again.written() == size && again.digest() == *digest {
                again
                    .sync(published.durable())
                    .and_then(|()| published.publish(again.file_mut(), digest, size))
            } else {
                Err(Error::mismatch(
                    "the staged content, read back,",
                    digest,
                    again.digest(),
                ))
            };
            if again.path() == temporary {
                again.discard();
            }
            return info;
        }
        if !there {
            staged.sync(published.durable())?;
        }
        published.publish(staged.file_mut(), digest, size)
    }
}
