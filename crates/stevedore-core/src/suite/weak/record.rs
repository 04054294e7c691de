//! Small objects that several processes change, each on the state that it read.

use bytes::Bytes;

use super::bucket::{Bucket, Failure, IfMatch, Request, no_answer, tag_of};
use crate::{Error, Version};

/// Why a record was not changed.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It was not, or no longer, in the state that was read.
    Changed,
    /// Not known.
    Failed(Error),
}

/// How often a write whose answer was lost is looked after.
const WRITES: usize = 8;

/// Puts a body on the condition that the object still has the tag it was read with (`None`: is absent), and gives the
/// new tag. The body must carry a nonce, so that it is like no other: that is how a write is recognised whose answer
/// was lost, and why no tag comes twice.
///
/// [`Refusal::Changed`] may also hide a write that did take effect and was overwritten since: its caller, who looks
/// again anyway, must be prepared to find traces of it.
pub(super) async fn put_if(
    bucket: &Bucket,
    key: &str,
    seen: Option<u64>,
    body: Bytes,
) -> Result<u64, Refusal> {
    let tag = tag_of(&body);
    let condition = seen.map_or(IfMatch::Absent, IfMatch::Tag);
    for _ in 0..WRITES {
        let request = Request::Put {
            key: key.to_owned(),
            body: body.clone(),
            condition: Some(condition),
        };
        if bucket.request(request).await.is_ok() {
            return Ok(tag);
        }
        // Also after a failed condition: an earlier try of ours may have been what broke it.
        let now = bucket.get(key).await.map_err(Refusal::Failed)?;
        match now.map(|object| object.tag) {
            Some(now) if now == tag => return Ok(tag),
            // Nothing has happened yet. An earlier try that is still under way does no harm: of all tries, which
            // have the same body and the same condition, one can take effect.
            now if now == seen => {}
            _ => return Err(Refusal::Changed),
        }
    }
    Err(Refusal::Failed(no_answer(key)))
}

/// Deletes what has an id that never comes back, so that no condition is wanted.
pub(super) async fn delete(bucket: &Bucket, key: String) -> Result<(), Error> {
    let request = Request::Delete { key: key.clone() };
    match bucket.repeat(request).await {
        Ok(()) => Ok(()),
        Err(Failure::NoAnswer | Failure::NoPart | Failure::Precondition) => Err(no_answer(&key)),
    }
}

pub(super) fn version(tag: u64) -> Version {
    Version::new(format!("{tag:016x}"))
}
