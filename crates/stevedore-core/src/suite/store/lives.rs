//! Lives and versions of a blob, and what deletes it.

use std::collections::BTreeSet;

use crate::suite::body::{content, sha256};
use crate::suite::failure::{Failure, Outcome, equal, holds};
use crate::suite::fixture::StoreFixture;
use crate::suite::tools::{gone, list, publish, read, stat, whole};
use crate::{BlobInfo, ByteRange, Digest, Store};

/// Delete takes what is exactly as it was seen, once.
pub async fn delete_as_seen<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("deleted", 100);
    let bystander = content("bystander", 100);
    publish(&*store, &bystander).await?;
    let seen = publish(&*store, &bytes).await?;
    holds(
        store.delete(&seen).await?,
        "delete deletes what is as it was seen",
    )?;
    gone(fixture, &*store, &seen.digest).await?;
    holds(
        !store.delete(&seen).await?,
        "delete tells that a blob was gone already",
    )?;
    whole(&*store, &sha256(&bystander), &bystander).await?;
    Ok(())
}

/// Delete takes what a listing showed.
pub async fn delete_as_listed<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    for count in 1..5 {
        publish(&*store, &content("listed", count)).await?;
    }
    fixture.settle().await;
    for (digest, info) in list(&*store).await? {
        holds(
            store.delete(&info).await?,
            "delete deletes what is as it was listed",
        )?;
        gone(fixture, &*store, &digest).await?;
    }
    Ok(())
}

/// Delete leaves what was touched since it was seen.
pub async fn delete_after_a_touch<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("touched", 100);
    let seen = publish(&*store, &bytes).await?;
    fixture.advance(fixture.grace()).await;
    let touched = touch(&*store, &seen.digest).await?;
    holds(
        !store.delete(&seen).await?,
        "delete leaves what was touched since it was seen",
    )?;
    equal(
        &whole(&*store, &seen.digest, &bytes).await?,
        &touched,
        "a blob after a refused delete",
    )?;
    holds(
        store.delete(&touched).await?,
        "delete deletes what is as it was touched",
    )
}

/// Delete leaves what was written again since it was seen.
pub async fn delete_after_a_push<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("pushed", 100);
    let seen = publish(&*store, &bytes).await?;
    fixture.advance(fixture.grace()).await;
    publish(&*store, &bytes).await?;
    holds(
        !store.delete(&seen).await?,
        "delete leaves what was written again since it was seen",
    )?;
    whole(&*store, &seen.digest, &bytes).await?;
    Ok(())
}

/// Delete leaves what was deleted and published again since it was seen, and that has another life.
pub async fn delete_of_an_earlier_life<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("reborn", 100);
    let seen = publish(&*store, &bytes).await?;
    holds(
        store.delete(&seen).await?,
        "delete deletes what is as it was seen",
    )?;
    let again = publish(&*store, &bytes).await?;
    holds(
        again.life != seen.life,
        "a blob that was deleted and pushed again has another life",
    )?;
    holds(!store.delete(&seen).await?, "delete leaves a later life alone")?;
    equal(
        &whole(&*store, &seen.digest, &bytes).await?,
        &again,
        "a blob after a refused delete",
    )
}

/// Ids of lives and versions never come back, however often blobs come and go, and over restarts.
pub async fn nothing_repeats<F: StoreFixture>(fixture: &F) -> Outcome {
    let (mut lives, mut versions) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..4 {
        let store = fixture.open().await?;
        for round in 0..6 {
            let bytes = content("comes and goes", 100);
            let mut info = publish(&*store, &bytes).await?;
            holds(lives.insert(info.life), "ids of lives never come back")?;
            holds(
                versions.insert(info.version.as_str().to_owned()),
                "versions never repeat",
            )?;
            if round % 2 == 0 {
                fixture.advance(fixture.grace()).await;
                info = touch(&*store, &info.digest).await?;
                holds(
                    versions.insert(info.version.as_str().to_owned()),
                    "versions never repeat",
                )?;
            }
            holds(
                store.delete(&info).await?,
                "delete deletes what is as it was seen",
            )?;
        }
    }
    Ok(())
}

/// Blobs and their lives outlive a restart, and are touched and deleted after it as before.
pub async fn lives_outlive_a_restart<F: StoreFixture>(fixture: &F) -> Outcome {
    let bytes = content("restarted", 100);
    let store = fixture.open().await?;
    let before = publish(&*store, &bytes).await?;
    drop(store);
    let store = fixture.open().await?;
    let after = whole(&*store, &before.digest, &bytes).await?;
    holds(
        after.life.admits(before.life),
        "a blob after a restart counts for what was recorded of its life",
    )?;
    fixture.advance(fixture.grace()).await;
    let touched = touch(&*store, &before.digest).await?;
    equal(
        &touched.life,
        &after.life,
        "the life of a blob touched after a restart",
    )?;
    holds(
        !store.delete(&before).await?,
        "delete leaves what was touched after a restart",
    )?;
    holds(
        store.delete(&touched).await?,
        "delete deletes what is as it was touched",
    )?;
    drop(store);
    gone(fixture, &*fixture.open().await?, &before.digest).await
}

/// A touch records the time, under another version, in the same life; one that comes too early may be skipped,
/// and is then skipped whole.
pub async fn touching<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let begun = fixture.now();
    let mut last = publish(&*store, &content("touch", 100)).await?;
    holds(last.touched >= begun, "publishing sets the time of the touch")?;
    for half in 0..8 {
        fixture.advance(fixture.grace() * 2 / 5).await;
        let now = fixture.now();
        let info = touch(&*store, &last.digest).await?;
        equal(&info.life, &last.life, "the life of a blob that was touched")?;
        equal(
            &stat(&*store, &last.digest).await?,
            &info,
            "what stat says of what a touch gave",
        )?;
        if info.version == last.version {
            equal(&info, &last, "what a skipped touch leaves")?;
            let age = now.duration_since(info.touched).unwrap_or_default();
            holds(
                age < fixture.grace() / 2,
                "a touch is skipped only within half a grace",
            )?;
        } else {
            holds(info.touched >= now, "a touch records the time")?;
            holds(info.touched > last.touched, "a touch renews the time")?;
        }
        holds(half == 0 || fixture.now() > begun, "the fixture's time moves")?;
        last = info;
    }
    Ok(())
}

/// Neither stat nor open nor a listing touches a blob.
pub async fn looking_changes_nothing<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("looked at", 100);
    let info = publish(&*store, &bytes).await?;
    for _ in 0..3 {
        fixture.advance(fixture.grace() * 2).await;
        equal(&stat(&*store, &info.digest).await?, &info, "stat after stat")?;
        read(&*store, &info.digest, ByteRange::FULL).await?;
        equal(&stat(&*store, &info.digest).await?, &info, "stat after open")?;
        fixture.settle().await;
        equal(
            &list(&*store).await?.get(&info.digest),
            &Some(&info),
            "a listing after open",
        )?;
        equal(&stat(&*store, &info.digest).await?, &info, "stat after a listing")?;
    }
    holds(
        store.delete(&info).await?,
        "delete deletes what was only looked at",
    )
}

async fn touch(store: &dyn Store, digest: &Digest) -> Outcome<BlobInfo> {
    match store.touch(digest).await? {
        Some(info) => Ok(info),
        None => Err(Failure::new(format!("blob {digest} is missing"))),
    }
}
