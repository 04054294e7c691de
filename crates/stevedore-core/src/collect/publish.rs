//! Writing a record that needs blobs.

use bytes::Bytes;

use super::ATTEMPTS;
use super::membership::{Member, check};
use crate::{Digest, Error, ErrorKind, Key, Life, Names, Result, Store, Version, When};

/// What became of a manifest that was to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Published {
    /// It is there, and what it needs stays for as long as it does.
    Done(Version),
    /// Nothing was written: the repository does not have these blobs.
    Missing(Vec<Digest>),
    /// It was written, and taken back, because these blobs were collected meanwhile. Push them and try again.
    Lost(Vec<Digest>),
}

/// Writes a manifest, or whatever else keeps blobs alive, under a key whose record never has another content; and
/// answers [`Published::Done`] only once what it needs can no longer be collected.
///
/// `needed` are the blobs that have to be there. A manifest that may name others as well (foreign layers) is
/// published without listing them here.
///
/// # Errors
/// [`ErrorKind::Conflict`] when others changed the record again and again. After any error the record may or may not
/// be there, with or without what it needs: nothing was promised, and a repeat puts it right.
pub async fn publish(
    store: &dyn Store,
    names: &dyn Names,
    key: &Key,
    bytes: Bytes,
    needed: &[Member],
) -> Result<Published> {
    for _ in 0..ATTEMPTS {
        // Read before anything else. The put below is on this version, so that a record which another publisher
        // wrote, and was promised, after we saw our lives is never replaced by ours: it would be taken back for
        // the sake of a life that died long before.
        let before = names.get(key).await?;

        // First look: each blob is in this repository, and its life is noted.
        let lives = match first_look(store, names, needed).await? {
            Ok(lives) => lives,
            Err(missing) => return Ok(Published::Missing(missing)),
        };

        // Written also where an equal record is there: its writer may be about to take it back, on its version.
        let version = match names
            .put(key, bytes.clone(), When::unchanged(before.as_ref()))
            .await
        {
            Ok(version) => version,
            Err(error) if error.kind() == ErrorKind::Conflict => continue,
            Err(error) => return Err(error),
        };

        let lost = second_look(store, needed, &lives).await;
        if let Ok(lost) = &lost
            && lost.is_empty()
        {
            return Ok(Published::Done(version));
        }
        // On its version: whoever wrote the record again since then answers for it. Nobody can have been promised
        // it before: a promise keeps the blobs, and they went.
        let taken_back = names.remove(key, When::Is(version)).await;
        let lost = lost?;
        return match taken_back {
            Err(error) if error.kind() != ErrorKind::Conflict => Err(error),
            _ => Ok(Published::Lost(lost)),
        };
    }
    let message = format!("others keep changing {key}");
    Err(Error::new(ErrorKind::Conflict, message))
}

/// The lives of what is needed, or what of it the repository does not have.
async fn first_look(
    store: &dyn Store,
    names: &dyn Names,
    needed: &[Member],
) -> Result<Result<Vec<Life>, Vec<Digest>>> {
    let mut lives = Vec::with_capacity(needed.len());
    let mut missing = Vec::new();
    for member in needed {
        match check(store, names, member).await? {
            Some(info) => lives.push(info.life),
            None => missing.push(member.digest),
        }
    }
    Ok(if missing.is_empty() {
        Ok(lives)
    } else {
        Err(missing)
    })
}

/// What of the needed blobs is not alive any more in the life noted, now that the record is written.
///
/// Why this is enough, whatever a collector does at any time: take one that saw a blob as old. Either it marks after
/// the record could be seen, and finds it. Or it began before that (by the lateness of listings at the most, which is
/// less than half a grace). Then the blob was, when this look touches it, untouched for longer than half a grace; so
/// the touch, which a mere `stat` would not do, writes a new version. Did the delete come before the touch, then the
/// life is another, and the record goes. Does it come after, then the version is another, and the delete does nothing.
async fn second_look(store: &dyn Store, needed: &[Member], lives: &[Life]) -> Result<Vec<Digest>> {
    let mut lost = Vec::new();
    for (member, life) in needed.iter().zip(lives) {
        let now = store.touch(&member.digest).await?;
        if now.is_none_or(|info| info.life != *life) {
            lost.push(member.digest);
        }
    }
    Ok(lost)
}
