//! What is staged, by whom, and what becomes of it.

use bytes::Bytes;

use crate::suite::body::{broken, chunked, content, sha256};
use crate::suite::failure::{Outcome, equal, holds, refused};
use crate::suite::fixture::StoreFixture;
use crate::suite::tools::{busy, gone, key, mine, nothing, nothing_left, take_up, whole};
use crate::{Algorithm, Blob, CHUNK_SIZE, ErrorKind, Expected, IngestKey, IngestPlan, Takeover};

/// Nothing goes on under a key under which nothing is staged.
pub async fn resume_of_nothing<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    for takeover in [Takeover::IfIdle, Takeover::Force] {
        nothing(
            &store.resume(&key("nothing")?, takeover).await?,
            "a key that was never used",
        )?;
    }
    nothing_left(fixture, &*store).await
}

/// What a living holder stages is not given to another.
pub async fn held_key_is_busy<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("held", 100);
    let digest = sha256(&bytes);
    let key = key("held")?;
    let plan = IngestPlan::of(digest).with_key(key.clone());
    let mut holder = mine(store.ingest(plan.clone()).await?, "an ingest")?;
    for piece in [0..40, 40..100] {
        busy(&store.ingest(plan.clone()).await?, "an ingest under a held key")?;
        busy(
            &store.resume(&key, Takeover::IfIdle).await?,
            "a resume of a held key",
        )?;
        holder.append(Blob::from(bytes.slice(piece))).await?;
    }
    busy(&store.ingest(plan).await?, "an ingest under a held key")?;
    holder.commit(Expected::digest(digest)).await?;
    whole(&*store, &digest, &bytes).await?;
    Ok(())
}

/// Ingests without a key, or under different keys, do not meet.
pub async fn apart<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("apart", 100);
    let digest = sha256(&bytes);
    let plan = IngestPlan::of(digest);
    // Keys that a file system might take for one, or for a path.
    let plans = [
        plan.clone(),
        plan.clone(),
        plan.clone().with_key(key("apart")?),
        plan.clone().with_key(key("Apart")?),
        plan.clone().with_key(key("apart.")?),
        plan.clone().with_key(key(".apart")?),
        plan.clone().with_key(key("apart%2F\\:*?\"<>|~")?),
        plan.clone().with_key(key(&"a".repeat(255))?),
        plan.with_key(IngestKey::of_digest(&digest)),
    ];
    let mut ingests = Vec::new();
    for (number, plan) in plans.into_iter().enumerate() {
        let mut ingest = mine(store.ingest(plan).await?, "an ingest of its own")?;
        equal(&ingest.offset().await?, &0, "the offset of a new ingest")?;
        ingest.append(Blob::from(bytes.slice(..=number))).await?;
        ingests.push(ingest);
    }
    for (number, mut ingest) in ingests.into_iter().enumerate() {
        equal(
            &ingest.offset().await?,
            &(number as u64 + 1),
            "the offset of one of many ingests",
        )?;
        ingest.append(Blob::from(bytes.slice(number + 1..))).await?;
        ingest.commit(Expected::digest(digest)).await?;
    }
    whole(&*store, &digest, &bytes).await?;
    nothing_left(fixture, &*store).await
}

/// Dropping a keyed ingest leaves what it staged for the next one, by `ingest` and by `resume`.
pub async fn dropped_key_goes_on<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("suspended", 1000);
    let digest = sha256(&bytes);
    let key = IngestKey::of_digest(&digest);
    let plan = IngestPlan::of(digest).with_key(key.clone());
    let mut ingest = mine(store.ingest(plan.clone()).await?, "an ingest")?;
    ingest.append(Blob::from(bytes.slice(..300))).await?;
    drop(ingest);
    gone(fixture, &*store, &digest).await?;

    let mut ingest = mine(take_up(fixture, &*store, &key).await?, "a resume of an idle key")?;
    equal(&ingest.offset().await?, &300, "the offset of a resume")?;
    ingest.append(Blob::from(bytes.slice(300..600))).await?;
    drop(ingest);

    drop(take_up(fixture, &*store, &key).await?);
    fixture.advance(fixture.idle_after()).await;
    let mut ingest = mine(store.ingest(plan).await?, "an ingest under an idle key")?;
    equal(
        &ingest.offset().await?,
        &600,
        "the offset of an ingest that goes on",
    )?;
    ingest.append(Blob::from(bytes.slice(600..))).await?;
    ingest.commit(Expected::digest(digest)).await?;
    whole(&*store, &digest, &bytes).await?;
    nothing_left(fixture, &*store).await
}

/// A keyed ingest is staged from the beginning, before any byte was appended.
pub async fn empty_key_goes_on<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let key = key("empty")?;
    drop(mine(
        store
            .ingest(IngestPlan::new(Algorithm::Sha256).with_key(key.clone()))
            .await?,
        "an ingest",
    )?);
    let mut ingest = mine(take_up(fixture, &*store, &key).await?, "a resume of an idle key")?;
    equal(&ingest.offset().await?, &0, "the offset of an empty ingest")?;
    ingest.commit(Expected::digest(sha256(b""))).await?;
    whole(&*store, &sha256(b""), &Bytes::new()).await?;
    Ok(())
}

/// Dropping an ingest without a key leaves nothing.
pub async fn dropped_without_a_key<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("dropped", 1000);
    let digest = sha256(&bytes);
    for length in [0, 1000] {
        let mut ingest = mine(store.ingest(IngestPlan::of(digest)).await?, "an ingest")?;
        ingest.append(Blob::from(bytes.slice(..length))).await?;
        drop(ingest);
        gone(fixture, &*store, &digest).await?;
        nothing_left(fixture, &*store).await?;
    }
    Ok(())
}

/// Who takes over by force goes on where the earlier holder was; that one gets Conflict and can do no harm.
pub async fn takeover_by_force<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("forced", 1000);
    let digest = sha256(&bytes);
    let key = key("forced")?;
    let plan = IngestPlan::of(digest).with_key(key.clone());
    let mut first = mine(store.ingest(plan.clone()).await?, "an ingest")?;
    first.append(Blob::from(bytes.slice(..100))).await?;
    let mut second = mine(store.resume(&key, Takeover::Force).await?, "a takeover")?;
    equal(&second.offset().await?, &100, "the offset of a takeover")?;

    let lost = "a call on an ingest that was taken over";
    refused(
        first.append(Blob::from(bytes.slice(100..))).await,
        ErrorKind::Conflict,
        lost,
    )?;
    refused(first.offset().await, ErrorKind::Conflict, lost)?;
    refused(
        first.commit(Expected::digest(digest)).await,
        ErrorKind::Conflict,
        lost,
    )?;
    equal(
        &second.offset().await?,
        &100,
        "the offset after the earlier holder's calls",
    )?;

    second.append(Blob::from(bytes.slice(100..400))).await?;
    drop(first);
    busy(
        &store.ingest(plan).await?,
        "a key after its earlier holder was dropped",
    )?;
    let mut third = mine(store.resume(&key, Takeover::Force).await?, "a second takeover")?;
    // Whoever lost it can abort nothing.
    drop(second.abort().await);
    equal(
        &third.offset().await?,
        &400,
        "the offset after the earlier holder's abort",
    )?;
    third.append(chunked(&bytes.slice(400..), 70)).await?;
    third.commit(Expected::digest(digest)).await?;
    whole(&*store, &digest, &bytes).await?;
    nothing_left(fixture, &*store).await
}

/// Force takes what is idle as well.
pub async fn takeover_of_the_idle<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("idle", 100);
    let key = key("idle")?;
    let plan = IngestPlan::new(Algorithm::Sha384).with_key(key.clone());
    let mut ingest = mine(store.ingest(plan).await?, "an ingest")?;
    ingest.append(Blob::from(bytes.slice(..50))).await?;
    drop(ingest);
    let mut ingest = mine(
        store.resume(&key, Takeover::Force).await?,
        "a takeover of the idle",
    )?;
    ingest.append(Blob::from(bytes.slice(50..))).await?;
    let info = ingest.commit(Expected::anything()).await?;
    equal(
        &info.digest,
        &Algorithm::Sha384.digest(&bytes),
        "the digest by the planned algorithm",
    )?;
    whole(&*store, &info.digest, &bytes).await?;
    Ok(())
}

/// What came before a body broke stays, whether the same holder goes on or the next.
pub async fn broken_body<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("broken", CHUNK_SIZE * 2 + 1000);
    let digest = sha256(&bytes);
    let key = key("broken")?;
    let mut ingest = mine(
        store.ingest(IngestPlan::of(digest).with_key(key.clone())).await?,
        "an ingest",
    )?;
    let mut staged = 0;
    for end in [0, 70, 2000, CHUNK_SIZE + 500] {
        let result = ingest.append(broken(&bytes.slice(staged..end), 997)).await;
        refused(result, ErrorKind::Interrupted, "a body that breaks")?;
        equal(
            &ingest.offset().await?,
            &(end as u64),
            "the offset behind a body that broke",
        )?;
        staged = end;
    }
    drop(ingest);
    let mut ingest = mine(take_up(fixture, &*store, &key).await?, "a resume of an idle key")?;
    equal(
        &ingest.offset().await?,
        &(staged as u64),
        "the offset of a resume",
    )?;
    ingest.append(Blob::from(bytes.slice(staged..))).await?;
    ingest.commit(Expected::digest(digest)).await?;
    whole(&*store, &digest, &bytes).await?;
    Ok(())
}

/// After a restart what was staged goes on, hashed as if there had been none, by each algorithm.
pub async fn restart<F: StoreFixture>(fixture: &F) -> Outcome {
    for planned in Algorithm::ALL {
        for named in Algorithm::ALL {
            let bytes = content(&format!("{planned} and {named}"), CHUNK_SIZE + 777);
            let key = key(&format!("restart-{planned}-{named}"))?;
            // Cuts within and between the blocks of the algorithms.
            for cuts in [[0, 64], [64, 191], [191, CHUNK_SIZE + 1]] {
                let store = fixture.open().await?;
                let staging = if cuts[0] == 0 {
                    store
                        .ingest(IngestPlan::new(*planned).with_key(key.clone()))
                        .await?
                } else {
                    take_up(fixture, &*store, &key).await?
                };
                let mut ingest = mine(staging, "an ingest after a restart")?;
                equal(
                    &ingest.offset().await?,
                    &(cuts[0] as u64),
                    "the offset after a restart",
                )?;
                ingest.append(Blob::from(bytes.slice(cuts[0]..cuts[1]))).await?;
            }
            let store = fixture.open().await?;
            let mut ingest = mine(
                take_up(fixture, &*store, &key).await?,
                "an ingest after a restart",
            )?;
            ingest.append(Blob::from(bytes.slice(CHUNK_SIZE + 1..))).await?;
            let digest = named.digest(&bytes);
            let expected = if planned == named {
                Expected::anything()
            } else {
                Expected::digest(digest)
            };
            let info = ingest.commit(expected.with_size(bytes.len() as u64)).await?;
            equal(&info.digest, &digest, "the digest after a restart")?;
            drop(ingest);
            drop(store);
            whole(&*fixture.open().await?, &digest, &bytes).await?;
        }
    }
    nothing_left(fixture, &*fixture.open().await?).await
}

/// What the plan expected still holds after a restart.
pub async fn plan_outlives_a_restart<F: StoreFixture>(fixture: &F) -> Outcome {
    let bytes = content("plan", 100);
    let plans = [
        IngestPlan::of(sha256(b"something else")),
        IngestPlan::new(Algorithm::Sha256).with_size(101),
    ];
    for plan in plans {
        let key = key("plan")?;
        let store = fixture.open().await?;
        let mut ingest = mine(store.ingest(plan.with_key(key.clone())).await?, "an ingest")?;
        ingest.append(Blob::from(bytes.clone())).await?;
        drop(ingest);
        drop(store);
        let store = fixture.open().await?;
        let mut ingest = mine(
            take_up(fixture, &*store, &key).await?,
            "an ingest after a restart",
        )?;
        let result = ingest.commit(Expected::anything()).await;
        refused(
            result,
            ErrorKind::Mismatch,
            "bytes that are not as planned before a restart",
        )?;
        gone(fixture, &*store, &sha256(&bytes)).await?;
    }
    Ok(())
}

/// Who goes on with what is staged may plan anew: its algorithm, digest and size count from then on.
pub async fn another_plan_goes_on<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("replanned", 500);
    let key = key("replanned")?;
    let plan = IngestPlan::new(Algorithm::Sha256)
        .with_size(7)
        .with_key(key.clone());
    let mut ingest = mine(store.ingest(plan).await?, "an ingest")?;
    ingest.append(Blob::from(bytes.slice(..7))).await?;
    drop(ingest);
    fixture.settle().await;
    fixture.advance(fixture.idle_after()).await;
    let plan = IngestPlan::new(Algorithm::Sha512).with_size(500).with_key(key);
    let mut ingest = mine(store.ingest(plan).await?, "an ingest under an idle key")?;
    ingest.append(Blob::from(bytes.slice(7..))).await?;
    let info = ingest.commit(Expected::anything()).await?;
    equal(
        &info.digest,
        &Algorithm::Sha512.digest(&bytes),
        "the digest by the later plan",
    )?;
    whole(&*store, &info.digest, &bytes).await?;
    Ok(())
}

/// A second instance sees what the first one stages and publishes, and who holds it.
pub async fn two_instances<F: StoreFixture>(fixture: &F) -> Outcome {
    if !fixture.side_by_side() {
        return Ok(());
    }
    let (one, other) = (fixture.open().await?, fixture.open().await?);
    let bytes = content("instances", 1000);
    let digest = sha256(&bytes);
    let key = key("instances")?;
    let plan = IngestPlan::of(digest).with_key(key.clone());
    let mut first = mine(one.ingest(plan.clone()).await?, "an ingest")?;
    first.append(Blob::from(bytes.slice(..100))).await?;
    busy(&other.ingest(plan).await?, "a key that the other instance holds")?;
    busy(
        &other.resume(&key, Takeover::IfIdle).await?,
        "a key that the other instance holds",
    )?;
    let mut second = mine(
        other.resume(&key, Takeover::Force).await?,
        "a takeover from the other instance",
    )?;
    equal(&second.offset().await?, &100, "the offset of a takeover")?;
    let result = first.append(Blob::from("lost")).await;
    refused(
        result,
        ErrorKind::Conflict,
        "a call on an ingest that the other instance took over",
    )?;
    second.append(Blob::from(bytes.slice(100..))).await?;
    let info = second.commit(Expected::digest(digest)).await?;
    equal(
        &whole(&*one, &digest, &bytes).await?,
        &info,
        "what the other instance says of a blob",
    )?;
    holds(
        one.delete(&info).await?,
        "one instance deletes what the other published",
    )?;
    gone(fixture, &*other, &digest).await
}
