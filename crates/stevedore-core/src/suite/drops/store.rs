//! Dropping what publishes, touches, deletes or reads a blob.

use super::{MOST_AWAITS, never_ends, slowed};
use crate::suite::body::{chunked, content, sha256};
use crate::suite::failure::{Outcome, equal, holds, refused};
use crate::suite::fixture::StoreFixture;
use crate::suite::run::drop_after;
use crate::suite::tools::{gone, key, list, mine, nothing_left, publish, read, stat, take_up, there, whole};
use crate::suite::yielding::collect;
use crate::{Algorithm, Blob, ByteRange, ErrorKind, Expected, IngestPlan, Staging};

/// A commit that was dropped has published the whole blob or none of it, and a repeat completes it.
pub async fn dropped_commit<F: StoreFixture>(fixture: &F) -> Outcome {
    commit_is_dropped(fixture, Algorithm::Sha256, Algorithm::Sha256).await
}

/// The same, where the commit names an algorithm for which the bytes have to be read again.
pub async fn dropped_commit_by_another_algorithm<F: StoreFixture>(fixture: &F) -> Outcome {
    commit_is_dropped(fixture, Algorithm::Sha512, Algorithm::Sha256).await
}

async fn commit_is_dropped<F: StoreFixture>(fixture: &F, planned: Algorithm, named: Algorithm) -> Outcome {
    let (inner, slow) = slowed(fixture).await?;
    for polls in 0..MOST_AWAITS {
        // Of several chunks, so that a second read has awaits within.
        let bytes = content("committed", crate::CHUNK_SIZE * 2 + polls);
        let digest = named.digest(&bytes);
        let mut ingest = mine(slow.ingest(IngestPlan::new(planned)).await?, "an ingest")?;
        ingest.append(Blob::from(bytes.clone())).await?;
        let expected = Expected::digest(digest).with_size(bytes.len() as u64);
        let done = drop_after(polls, ingest.commit(expected)).await.transpose()?;
        fixture.settle().await;
        let published = inner.stat(&digest).await?;
        holds(
            published.is_some() || done.is_none(),
            "a commit that answered has published",
        )?;
        if published.is_some() {
            whole(&*inner, &digest, &bytes).await?;
        } else {
            gone(fixture, &*inner, &digest).await?;
        }
        match ingest.commit(expected).await {
            Ok(info) => equal(
                &stat(&*inner, &digest).await?,
                &info,
                "a blob after the repeat of a commit",
            )?,
            Err(error) => {
                refused::<()>(Err(error), ErrorKind::Conflict, "the repeat of a dropped commit")?;
                holds(
                    published.is_some(),
                    "a dropped commit that published nothing can be repeated",
                )?;
                there(
                    inner.ingest(IngestPlan::of(digest)).await?,
                    "an ingest after a dropped commit",
                )?;
            }
        }
        let after = whole(&*inner, &digest, &bytes).await?;
        if let Some(published) = published {
            equal(
                &after.life,
                &published.life,
                "the life after the repeat of a commit",
            )?;
        }
        drop(ingest);
        if done.is_some() {
            return nothing_left(fixture, &*inner).await;
        }
    }
    never_ends()
}

/// A commit that was dropped with its keyed ingest has published, or the next holder can.
pub async fn dropped_commit_resumes<F: StoreFixture>(fixture: &F) -> Outcome {
    let (inner, slow) = slowed(fixture).await?;
    for polls in 0..MOST_AWAITS {
        let bytes = content("suspended", 1000 + polls);
        let digest = sha256(&bytes);
        let key = key(&format!("suspended-{polls}"))?;
        let plan = IngestPlan::of(digest).with_key(key.clone());
        let mut ingest = mine(slow.ingest(plan).await?, "an ingest")?;
        ingest.append(chunked(&bytes, 100)).await?;
        let done = drop_after(polls, ingest.commit(Expected::digest(digest)))
            .await
            .transpose()?;
        drop(ingest);
        match take_up(fixture, &*inner, &key).await? {
            Staging::None => {
                whole(&*inner, &digest, &bytes).await?;
            }
            staging => {
                holds(done.is_none(), "nothing is staged once commit has answered")?;
                let mut ingest = mine(staging, "a resume after a commit that was dropped")?;
                equal(
                    &ingest.offset().await?,
                    &(bytes.len() as u64),
                    "the offset after a dropped commit",
                )?;
                ingest.commit(Expected::digest(digest)).await?;
                whole(&*inner, &digest, &bytes).await?;
            }
        }
        if done.is_some() {
            return nothing_left(fixture, &*inner).await;
        }
    }
    never_ends()
}

/// A commit of wrong bytes that was dropped has published nothing, and its repeat says why.
pub async fn dropped_mismatch<F: StoreFixture>(fixture: &F) -> Outcome {
    let (inner, slow) = slowed(fixture).await?;
    let wanted = sha256(b"what was wanted");
    for polls in 0..MOST_AWAITS {
        let bytes = content("wrong", 1000 + polls);
        let mut ingest = mine(slow.ingest(IngestPlan::of(wanted)).await?, "an ingest")?;
        ingest.append(Blob::from(bytes.clone())).await?;
        let done = drop_after(polls, ingest.commit(Expected::digest(wanted))).await;
        gone(fixture, &*inner, &wanted).await?;
        gone(fixture, &*inner, &sha256(&bytes)).await?;
        let again = ingest.commit(Expected::digest(wanted)).await;
        let spent = matches!(&again, Err(error) if error.kind() == ErrorKind::Conflict);
        if !spent {
            holds(done.is_none(), "a mismatch spends the ingest")?;
            refused(
                again,
                ErrorKind::Mismatch,
                "the repeat of a dropped commit of wrong bytes",
            )?;
        }
        gone(fixture, &*inner, &wanted).await?;
        drop(ingest);
        if let Some(result) = done {
            refused(result, ErrorKind::Mismatch, "a commit of wrong bytes")?;
            return nothing_left(fixture, &*inner).await;
        }
    }
    never_ends()
}

/// A touch that was dropped has happened or not, and harms nothing.
pub async fn dropped_touch<F: StoreFixture>(fixture: &F) -> Outcome {
    let (inner, slow) = slowed(fixture).await?;
    let bytes = content("touched", 100);
    let mut before = publish(&*inner, &bytes).await?;
    for polls in 0..MOST_AWAITS {
        fixture.advance(fixture.grace()).await;
        let done = drop_after(polls, slow.touch(&before.digest)).await.transpose()?;
        fixture.settle().await;
        let after = whole(&*inner, &before.digest, &bytes).await?;
        equal(
            &after.life,
            &before.life,
            "the life after a touch that was dropped",
        )?;
        let touched = after.touched > before.touched;
        equal(
            &touched,
            &(after.version != before.version),
            "whether a touched blob has another version",
        )?;
        holds(touched || done.is_none(), "a touch that answered has touched")?;
        if done.is_some() {
            return Ok(());
        }
        before = after;
    }
    never_ends()
}

/// A delete that was dropped has deleted the blob or left it as it was, and a repeat completes it.
pub async fn dropped_delete<F: StoreFixture>(fixture: &F) -> Outcome {
    let (inner, slow) = slowed(fixture).await?;
    for polls in 0..MOST_AWAITS {
        let bytes = content("deleted", 100 + polls);
        let seen = publish(&*inner, &bytes).await?;
        let done = drop_after(polls, slow.delete(&seen)).await.transpose()?;
        fixture.settle().await;
        let left = inner.stat(&seen.digest).await?.is_some();
        if left {
            holds(done.is_none(), "a delete that answered has deleted")?;
            equal(
                &whole(&*inner, &seen.digest, &bytes).await?,
                &seen,
                "a blob after a dropped delete",
            )?;
        }
        equal(
            &inner.delete(&seen).await?,
            &left,
            "whether the repeat of a delete deletes",
        )?;
        gone(fixture, &*inner, &seen.digest).await?;
        let again = publish(&*inner, &bytes).await?;
        holds(
            again.life != seen.life,
            "a blob that was deleted and pushed again has another life",
        )?;
        if done.is_some() {
            return Ok(());
        }
    }
    never_ends()
}

/// Reads that were dropped change nothing and leave the store usable.
pub async fn dropped_read<F: StoreFixture>(fixture: &F) -> Outcome {
    let (inner, slow) = slowed(fixture).await?;
    let bytes = content("read", 1000);
    let before = publish(&*inner, &bytes).await?;
    for polls in 0..MOST_AWAITS {
        let known = drop_after(polls, slow.stat(&before.digest)).await.transpose()?;
        let found = drop_after(polls, read(&*slow, &before.digest, ByteRange::from(10)))
            .await
            .transpose()?;
        let listed = drop_after(polls, collect(slow.list())).await.transpose()?;
        fixture.settle().await;
        equal(
            &whole(&*inner, &before.digest, &bytes).await?,
            &before,
            "a blob that was looked at",
        )?;
        equal(
            &list(&*inner).await?.len(),
            &1,
            "a listing after one that was dropped",
        )?;
        if let (Some(known), Some(found), Some(listed)) = (known, found, listed) {
            equal(&known, &Some(before), "what stat says in the end")?;
            equal(&found, &bytes.slice(10..), "what open gives in the end")?;
            return equal(&listed.len(), &1, "a listing that came to its end");
        }
    }
    never_ends()
}
