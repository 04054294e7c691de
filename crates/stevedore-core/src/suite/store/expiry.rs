//! What goes when it was left alone, and what does not.

use crate::suite::body::{content, sha256};
use crate::suite::failure::{Outcome, equal, holds};
use crate::suite::fixture::StoreFixture;
use crate::suite::tools::{key, mine, nothing, nothing_left, publish, take_up, whole};
use crate::{Algorithm, Blob, Expected, IngestKey, IngestPlan, Store};

/// What was staged and left alone goes, and tells that it went.
pub async fn idle_expires<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    for text in ["idle-1", "idle-2"] {
        stage(&*store, &key(text)?).await?;
    }
    fixture.settle().await;
    fixture.advance(fixture.idle_after() + fixture.grace()).await;
    let count = store.expire(fixture.now()).await?;
    holds(count >= 2, "expire counts what went")?;
    for text in ["idle-1", "idle-2"] {
        nothing(
            &take_up(fixture, &*store, &key(text)?).await?,
            "a key that expired",
        )?;
    }
    equal(
        &store.expire(fixture.now()).await?,
        &0,
        "how much is left to expire",
    )
}

/// What was staged before a restart goes as well.
pub async fn idle_expires_after_a_restart<F: StoreFixture>(fixture: &F) -> Outcome {
    stage(&*fixture.open().await?, &key("restarted")?).await?;
    fixture.settle().await;
    fixture.advance(fixture.idle_after() + fixture.grace()).await;
    let store = fixture.open().await?;
    holds(store.expire(fixture.now()).await? >= 1, "expire counts what went")?;
    nothing(
        &take_up(fixture, &*store, &key("restarted")?).await?,
        "a key that expired",
    )
}

/// What was written since stays, in whatever order it was begun.
pub async fn newer_stays<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    stage(&*store, &key("older")?).await?;
    stage(&*store, &key("revived")?).await?;
    fixture.advance(fixture.idle_after() + fixture.grace()).await;
    let since = fixture.now();
    fixture.advance(fixture.grace()).await;
    stage(&*store, &key("newer")?).await?;
    let mut revived = mine(
        take_up(fixture, &*store, &key("revived")?).await?,
        "a resume of an idle key",
    )?;
    revived.append(Blob::from("more")).await?;
    drop(revived);
    fixture.settle().await;
    store.expire(since).await?;
    nothing(
        &take_up(fixture, &*store, &key("older")?).await?,
        "a key that expired",
    )?;
    for (text, offset) in [("newer", 5), ("revived", 9)] {
        let mut kept = mine(
            take_up(fixture, &*store, &key(text)?).await?,
            "a key that did not expire",
        )?;
        equal(
            &kept.offset().await?,
            &offset,
            "the offset of what did not expire",
        )?;
    }
    Ok(())
}

/// What a living holder stages stays, however long ago it was written.
pub async fn held_stays<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("held", 100);
    let digest = sha256(&bytes);
    let plan = IngestPlan::of(digest);
    let mut holders = Vec::new();
    for plan in [plan.clone(), plan.with_key(key("held")?)] {
        let mut ingest = mine(store.ingest(plan).await?, "an ingest")?;
        ingest.append(Blob::from(bytes.slice(..50))).await?;
        holders.push(ingest);
    }
    if fixture.idle_after().is_zero() {
        fixture.advance(fixture.grace() * 4).await;
    }
    let since = fixture.now() - fixture.idle_after();
    equal(
        &store.expire(since).await?,
        &0,
        "how much of what is held expires",
    )?;
    for mut ingest in holders {
        equal(&ingest.offset().await?, &50, "the offset of what is held")?;
        ingest.append(Blob::from(bytes.slice(50..))).await?;
        ingest.commit(Expected::digest(digest)).await?;
    }
    whole(&*store, &digest, &bytes).await?;
    Ok(())
}

/// What is published never expires.
pub async fn published_stays<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("published", 100);
    let digest = sha256(&bytes);
    let before = publish(&*store, &bytes).await?;
    stage(&*store, &IngestKey::of_digest(&digest)).await?;
    nothing_left_but_one(fixture, &*store).await?;
    equal(
        &whole(&*store, &digest, &bytes).await?,
        &before,
        "a blob after expire",
    )?;
    drop(store);
    let store = fixture.open().await?;
    nothing_left(fixture, &*store).await?;
    whole(&*store, &digest, &bytes).await?;
    Ok(())
}

async fn nothing_left_but_one<F: StoreFixture>(fixture: &F, store: &dyn Store) -> Outcome {
    fixture.settle().await;
    fixture.advance(fixture.idle_after() + fixture.grace()).await;
    holds(store.expire(fixture.now()).await? >= 1, "expire counts what went")
}

/// Stages five bytes under a key and leaves them.
async fn stage(store: &dyn Store, key: &IngestKey) -> Outcome {
    let plan = IngestPlan::new(Algorithm::Sha256).with_key(key.clone());
    let mut ingest = mine(store.ingest(plan).await?, "an ingest")?;
    ingest.append(Blob::from("five!")).await?;
    Ok(())
}
