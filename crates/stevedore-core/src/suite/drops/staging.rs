//! Dropping what begins, writes or ends an ingest.

use super::{MOST_AWAITS, never_ends, slowed};
use crate::suite::body::{chunked, content, sha256};
use crate::suite::failure::{Outcome, equal, holds, refused};
use crate::suite::fixture::StoreFixture;
use crate::suite::run::drop_after;
use crate::suite::tools::{gone, key, mine, nothing_left, publish, take_up, there, whole};
use crate::{Algorithm, Blob, ErrorKind, Expected, IngestPlan, Staging, Takeover};

/// An ingest that was dropped before it answered leaves nothing in the way of the next one.
pub async fn dropped_ingest<F: StoreFixture>(fixture: &F) -> Outcome {
    let (inner, slow) = slowed(fixture).await?;
    for polls in 0..MOST_AWAITS {
        let bytes = content("begun", 100 + polls);
        let digest = sha256(&bytes);
        let key = key(&format!("begun-{polls}"))?;
        let alone = drop_after(polls, slow.ingest(IngestPlan::of(digest)))
            .await
            .transpose()?;
        drop(alone);
        let plan = IngestPlan::of(digest).with_key(key.clone());
        let done = drop_after(polls, slow.ingest(plan.clone())).await.transpose()?;
        let done = done
            .map(|staging| mine(staging, "an ingest"))
            .transpose()?
            .is_some();
        gone(fixture, &*inner, &digest).await?;
        let left = take_up(fixture, &*inner, &key).await?;
        holds(
            matches!(left, Staging::Mine(_) | Staging::None),
            "nobody holds what a dropped ingest began",
        )?;
        drop(left);
        fixture.settle().await;
        fixture.advance(fixture.idle_after()).await;
        let mut ingest = mine(inner.ingest(plan).await?, "an ingest after one that was dropped")?;
        equal(
            &ingest.offset().await?,
            &0,
            "the offset after an ingest that was dropped",
        )?;
        ingest.append(Blob::from(bytes.clone())).await?;
        ingest.commit(Expected::digest(digest)).await?;
        whole(&*inner, &digest, &bytes).await?;
        if done {
            return nothing_left(fixture, &*inner).await;
        }
    }
    never_ends()
}

/// An ingest of what is published, dropped, leaves the blob as it was or touched.
pub async fn dropped_ingest_of_published<F: StoreFixture>(fixture: &F) -> Outcome {
    let (inner, slow) = slowed(fixture).await?;
    let bytes = content("published", 100);
    let digest = sha256(&bytes);
    let before = publish(&*inner, &bytes).await?;
    for polls in 0..MOST_AWAITS {
        fixture.advance(fixture.grace()).await;
        let done = drop_after(polls, slow.ingest(IngestPlan::of(digest)))
            .await
            .transpose()?;
        fixture.settle().await;
        let after = whole(&*inner, &digest, &bytes).await?;
        equal(
            &after.life,
            &before.life,
            "the life after an ingest that was dropped",
        )?;
        if let Some(staging) = done {
            there(staging, "an ingest of what is published")?;
            return nothing_left(fixture, &*inner).await;
        }
    }
    never_ends()
}

/// After an append was dropped, the same holder goes on from the offset that it is told.
pub async fn dropped_append<F: StoreFixture>(fixture: &F) -> Outcome {
    append_is_dropped(fixture, Then::GoOn).await
}

/// After an append was dropped with its keyed ingest, the next holder goes on from the offset that it is told.
pub async fn dropped_append_resumes<F: StoreFixture>(fixture: &F) -> Outcome {
    append_is_dropped(fixture, Then::Resume).await
}

/// After an append was dropped with its ingest without a key, nothing is left.
pub async fn dropped_append_without_a_key<F: StoreFixture>(fixture: &F) -> Outcome {
    append_is_dropped(fixture, Then::Leave).await
}

/// What follows upon a dropped append.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    GoOn,
    Resume,
    Leave,
}

async fn append_is_dropped<F: StoreFixture>(fixture: &F, then: Then) -> Outcome {
    let (inner, slow) = slowed(fixture).await?;
    for polls in 0..MOST_AWAITS {
        let bytes = content("appended", 1000 + polls);
        let digest = sha256(&bytes);
        let key = key(&format!("appended-{polls}"))?;
        let mut plan = IngestPlan::of(digest);
        plan.key = (then != Then::Leave).then(|| key.clone());
        let mut ingest = mine(slow.ingest(plan).await?, "an ingest")?;
        ingest.append(Blob::from(bytes.slice(..100))).await?;
        let done = drop_after(polls, ingest.append(chunked(&bytes.slice(100..900), 150)))
            .await
            .transpose()?;
        match then {
            Then::GoOn => {}
            Then::Resume => {
                drop(ingest);
                let staging = take_up(fixture, &*inner, &key).await?;
                ingest = mine(staging, "a resume after an append that was dropped")?;
            }
            Then::Leave => {
                drop(ingest);
                gone(fixture, &*inner, &digest).await?;
                nothing_left(fixture, &*inner).await?;
                if done.is_some() {
                    return Ok(());
                }
                continue;
            }
        }
        let offset = usize::try_from(ingest.offset().await?).unwrap_or(usize::MAX);
        holds(
            (100..=900).contains(&offset),
            "what came before a drop stays, and no more than came",
        )?;
        holds(
            done.is_none() || offset == 900,
            "all of a body is staged once append has answered",
        )?;
        ingest.append(Blob::from(bytes.slice(offset..))).await?;
        ingest.commit(Expected::digest(digest)).await?;
        whole(&*inner, &digest, &bytes).await?;
        if done.is_some() {
            return nothing_left(fixture, &*inner).await;
        }
    }
    never_ends()
}

/// A resume that was dropped leaves what is staged to the next one; a takeover may have happened or not.
pub async fn dropped_resume<F: StoreFixture>(fixture: &F) -> Outcome {
    let (inner, slow) = slowed(fixture).await?;
    for polls in 0..MOST_AWAITS {
        let bytes = content("resumed", 1000 + polls);
        let digest = sha256(&bytes);
        let key = key(&format!("resumed-{polls}"))?;
        let plan = IngestPlan::of(digest).with_key(key.clone());
        let mut first = mine(inner.ingest(plan).await?, "an ingest")?;
        first.append(Blob::from(bytes.slice(..500))).await?;
        let done = drop_after(polls, slow.resume(&key, Takeover::Force))
            .await
            .transpose()?;
        let done = done
            .map(|staging| mine(staging, "a takeover"))
            .transpose()?
            .is_some();
        fixture.settle().await;
        match first.offset().await {
            Ok(offset) => {
                holds(!done, "who was taken over holds nothing any more")?;
                equal(&offset, &500, "the offset after a takeover that was dropped")?;
            }
            Err(error) => refused::<()>(Err(error), ErrorKind::Conflict, "a call after a takeover")?,
        }
        drop(first);
        let idle = drop_after(polls, slow.resume(&key, Takeover::IfIdle)).await;
        drop(idle.transpose()?);
        let mut second = mine(
            take_up(fixture, &*inner, &key).await?,
            "a resume after one that was dropped",
        )?;
        equal(
            &second.offset().await?,
            &500,
            "the offset after a resume that was dropped",
        )?;
        second.append(Blob::from(bytes.slice(500..))).await?;
        second.commit(Expected::digest(digest)).await?;
        whole(&*inner, &digest, &bytes).await?;
        if done {
            return nothing_left(fixture, &*inner).await;
        }
    }
    never_ends()
}

/// An abort that was dropped has discarded all or nothing.
pub async fn dropped_abort<F: StoreFixture>(fixture: &F) -> Outcome {
    let (inner, slow) = slowed(fixture).await?;
    for polls in 0..MOST_AWAITS {
        let bytes = content("aborted", 1000 + polls);
        let digest = sha256(&bytes);
        let key = key(&format!("aborted-{polls}"))?;
        let mut alone = mine(slow.ingest(IngestPlan::of(digest)).await?, "an ingest")?;
        alone.append(Blob::from(bytes.slice(..500))).await?;
        drop_after(polls, alone.abort()).await.transpose()?;
        let plan = IngestPlan::new(Algorithm::Sha512).with_key(key.clone());
        let mut ingest = mine(slow.ingest(plan).await?, "an ingest")?;
        ingest.append(Blob::from(bytes.slice(..500))).await?;
        let done = drop_after(polls, ingest.abort()).await.transpose()?;
        match take_up(fixture, &*inner, &key).await? {
            Staging::None => {}
            staging => {
                holds(done.is_none(), "nothing is staged once abort has answered")?;
                let mut ingest = mine(staging, "a resume after an abort that was dropped")?;
                equal(
                    &ingest.offset().await?,
                    &500,
                    "the offset after an abort that was dropped",
                )?;
                ingest.append(Blob::from(bytes.slice(500..))).await?;
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

/// An expire that was dropped has taken only what was idle, and a repeat takes the rest.
pub async fn dropped_expire<F: StoreFixture>(fixture: &F) -> Outcome {
    let (inner, slow) = slowed(fixture).await?;
    let bytes = content("published", 100);
    let published = publish(&*inner, &bytes).await?;
    let held = content("held", 100);
    for polls in 0..MOST_AWAITS {
        for number in 0..3 {
            let plan = IngestPlan::new(Algorithm::Sha256).with_key(key(&format!("idle-{polls}-{number}"))?);
            mine(inner.ingest(plan).await?, "an ingest")?
                .append(Blob::from("five!"))
                .await?;
        }
        fixture.settle().await;
        fixture.advance(fixture.idle_after() + fixture.grace()).await;
        let since = fixture.now();
        fixture.advance(fixture.grace()).await;
        let plan = IngestPlan::new(Algorithm::Sha256).with_key(key(&format!("held-{polls}"))?);
        let mut holder = mine(inner.ingest(plan).await?, "an ingest")?;
        holder.append(Blob::from(held.slice(..50))).await?;
        let done = drop_after(polls, slow.expire(since)).await.transpose()?;
        fixture.settle().await;
        inner.expire(since).await?;
        for number in 0..3 {
            let left = take_up(fixture, &*inner, &key(&format!("idle-{polls}-{number}"))?).await?;
            holds(
                matches!(left, Staging::None),
                "a repeat of a dropped expire takes the rest",
            )?;
        }
        equal(
            &holder.offset().await?,
            &50,
            "the offset of what is held after a dropped expire",
        )?;
        holder.abort().await?;
        equal(
            &whole(&*inner, &sha256(&bytes), &bytes).await?,
            &published,
            "a blob after a dropped expire",
        )?;
        if done.is_some() {
            return Ok(());
        }
    }
    never_ends()
}
