//! Which blobs a repository has.

use bytes::Bytes;

use super::ATTEMPTS;
use crate::{BlobInfo, Context as _, Digest, Entry, Error, ErrorKind, Key, Life, Names, Result, Store, When};

/// A blob in a repository: its digest, and the key of the record that says so.
///
/// The record's content is the id of the life for which it was made, 32 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Member {
    /// The digest of the blob.
    pub digest: Digest,
    /// The key of the membership. For the collector to find it, its last segment is the digest.
    pub key: Key,
}

impl Member {
    /// The blob `digest` in the repository whose memberships lie below `under`.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] where the key becomes too long.
    pub fn new(under: &Key, digest: Digest) -> Result<Self> {
        let key = under.join(&digest.to_string())?;
        Ok(Self { digest, key })
    }
}

/// Whether a repository has a blob, as a promise: what this gives stays for half a grace from the call. For HEAD and
/// for the source of a mount.
pub async fn check(store: &dyn Store, names: &dyn Names, member: &Member) -> Result<Option<BlobInfo>> {
    // The touch comes first: from here on the life holds, so the membership read next is compared with bytes that
    // stay. Read the other way round, an old touch could be the answer to a question asked long after.
    let Some(info) = store.touch(&member.digest).await? else {
        return Ok(None);
    };
    let entry = names.get(&member.key).await?;
    Ok(counts(&info, entry.as_ref()).then_some(info))
}

/// Whether a repository has a blob at this moment. It changes nothing and promises nothing: for plans and dry runs.
pub async fn peek(store: &dyn Store, names: &dyn Names, member: &Member) -> Result<Option<BlobInfo>> {
    let Some(info) = store.stat(&member.digest).await? else {
        return Ok(None);
    };
    let entry = names.get(&member.key).await?;
    Ok(counts(&info, entry.as_ref()).then_some(info))
}

/// Makes a blob that is in the store, from a commit or a mount, one of a repository's. What it gives is promised as
/// by [`check`]; `None` says that the blob was collected before it could join, and has to be pushed again.
///
/// # Errors
/// [`ErrorKind::Conflict`] when others changed the membership again and again.
pub async fn join(store: &dyn Store, names: &dyn Names, member: &Member) -> Result<Option<BlobInfo>> {
    for _ in 0..ATTEMPTS {
        let Some(first) = store.touch(&member.digest).await? else {
            return Ok(None);
        };
        let entry = names.get(&member.key).await?;
        if counts(&first, entry.as_ref()) {
            return Ok(Some(first));
        }
        // The membership is of another life, but of which: a dead one, or one that began after the touch above,
        // with somebody's acknowledged push behind it? The second touch tells. If our life is still the one, then
        // it lasted from before the read until after it, so whatever was read is dead and may be written over. If
        // a later life joins after this touch, it changes the version that was read, and the put fails. So a
        // membership only ever goes from an earlier life to a later one.
        let info = match store.touch(&member.digest).await? {
            Some(second) if second.life == first.life => second,
            Some(_) => continue,
            None => return Ok(None),
        };
        match names
            .put(&member.key, record(info.life), When::unchanged(entry.as_ref()))
            .await
        {
            Ok(_) => return Ok(Some(info)),
            // Somebody joined, or a collector took the stale record away: look again.
            Err(error) if error.kind() == ErrorKind::Conflict => {}
            Err(error) => return Err(error),
        }
    }
    let message = format!("others keep changing {}", member.key);
    Err(Error::new(ErrorKind::Conflict, message)).context(|| format!("cannot add {}", member.digest))
}

/// Whether a membership, as it was read, counts for the blob. One that cannot be read counts for nothing.
fn counts(info: &BlobInfo, entry: Option<&Entry>) -> bool {
    entry
        .and_then(recorded)
        .is_some_and(|recorded| info.life.admits(recorded))
}

/// The life that a membership was made for, or `None` where its content is something else.
pub(super) fn recorded(entry: &Entry) -> Option<Life> {
    std::str::from_utf8(&entry.bytes).ok()?.parse().ok()
}

fn record(life: Life) -> Bytes {
    life.to_string().into()
}
