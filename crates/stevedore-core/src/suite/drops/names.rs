//! Dropping what changes or reads a record.

use std::sync::Arc;

use bytes::Bytes;

use super::{MOST_AWAITS, never_ends};
use crate::suite::failure::{Outcome, equal, holds, refused};
use crate::suite::fixture::NamesFixture;
use crate::suite::run::drop_after;
use crate::suite::yielding::Yielding;
use crate::{Entry, ErrorKind, Key, Names, When};

/// A record of which a put was dropped is as before or as put, and a repeat completes it.
pub async fn dropped_put<F: NamesFixture>(fixture: &F) -> Outcome {
    let (inner, slow) = slowed(fixture).await?;
    for first in [true, false] {
        for polls in 0..MOST_AWAITS {
            let key = Key::parse(&format!("put/{first}/{polls}"))?;
            if !first {
                inner.put(&key, "old".into(), When::Always).await?;
            }
            let old = inner.get(&key).await?;
            let when = When::unchanged(old.as_ref());
            let done = drop_after(polls, slow.put(&key, "new".into(), when.clone()))
                .await
                .transpose()?;
            fixture.settle().await;
            let new = changed(&*inner, &key, old.as_ref(), Some("new")).await?;
            holds(new || done.is_none(), "a put that answered was done")?;
            let repeat = inner.put(&key, "new".into(), when).await;
            if new {
                refused(repeat, ErrorKind::Conflict, "a repeat of a put that was done")?;
            } else {
                repeat?;
            }
            let now = inner.get(&key).await?;
            equal(
                &now.map(|entry| entry.bytes),
                &Some("new".into()),
                "a record after the repeat",
            )?;
            if done.is_some() {
                break;
            }
            if polls + 1 == MOST_AWAITS {
                return never_ends();
            }
        }
    }
    Ok(())
}

/// A record of which a remove was dropped is as before or gone, and a repeat completes it.
pub async fn dropped_remove<F: NamesFixture>(fixture: &F) -> Outcome {
    let (inner, slow) = slowed(fixture).await?;
    for polls in 0..MOST_AWAITS {
        let key = Key::parse(&format!("remove/{polls}"))?;
        let version = inner.put(&key, "old".into(), When::Always).await?;
        let old = Entry::new("old".into(), version.clone());
        let done = drop_after(polls, slow.remove(&key, When::Is(version.clone())))
            .await
            .transpose()?;
        fixture.settle().await;
        let gone = changed(&*inner, &key, Some(&old), None).await?;
        holds(gone || done.is_none(), "a remove that answered was done")?;
        let repeat = inner.remove(&key, When::Is(version)).await;
        if gone {
            refused(repeat, ErrorKind::Conflict, "a repeat of a remove that was done")?;
        } else {
            repeat?;
        }
        equal(&inner.get(&key).await?, &None, "a record after the repeat")?;
        if done.is_some() {
            return Ok(());
        }
    }
    never_ends()
}

/// Reads that were dropped change nothing and leave the names usable.
pub async fn dropped_look<F: NamesFixture>(fixture: &F) -> Outcome {
    let (inner, slow) = slowed(fixture).await?;
    let under = Key::parse("look")?;
    let key = Key::parse("look/record")?;
    inner.put(&key, "bytes".into(), When::Always).await?;
    fixture.settle().await;
    let before = inner.get(&key).await?;
    for polls in 0..MOST_AWAITS {
        let got = drop_after(polls, slow.get(&key)).await.transpose()?;
        let listed = drop_after(polls, slow.list(&under, None, 10)).await.transpose()?;
        fixture.settle().await;
        equal(&inner.get(&key).await?, &before, "a record that was looked at")?;
        equal(
            &inner.list(&under, None, 10).await?.len(),
            &1,
            "a listing after one that was dropped",
        )?;
        if let (Some(got), Some(listed)) = (got, listed) {
            equal(&got, &before, "a record that was got in the end")?;
            return equal(&listed.len(), &1, "a listing that came to its end");
        }
    }
    never_ends()
}

/// Whether a record is in its new state and not the old one; anything else is a failure.
async fn changed(names: &dyn Names, key: &Key, old: Option<&Entry>, new: Option<&str>) -> Outcome<bool> {
    let found = names.get(key).await?;
    if found.as_ref() == old {
        return Ok(false);
    }
    let bytes = found.map(|entry| entry.bytes);
    let new = new.map(|text| Bytes::copy_from_slice(text.as_bytes()));
    equal(&bytes, &new, "a record is as before or changed, never in between")?;
    Ok(true)
}

async fn slowed<F: NamesFixture>(fixture: &F) -> Outcome<(Arc<dyn Names>, Arc<dyn Names>)> {
    let inner = fixture.open().await?;
    let slow = Arc::new(Yielding::new(Arc::clone(&inner)));
    Ok((inner, slow))
}
