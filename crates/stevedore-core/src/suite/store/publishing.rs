//! What may be published, and when.

use bytes::Bytes;

use crate::suite::body::{chunked, content, sha256};
use crate::suite::failure::{Failure, Outcome, equal, holds, refused};
use crate::suite::fixture::StoreFixture;
use crate::suite::tools::{gone, key, list, mine, nothing, nothing_left, publish, there, whole};
use crate::{
    Algorithm, Blob, BlobInfo, ErrorKind, Expected, Ingest, IngestKey, IngestPlan, Result, Store, Takeover,
};

/// What is staged is not visible until it is committed, also under the key of its digest.
pub async fn invisible_until_commit<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("invisible", 5000);
    let digest = sha256(&bytes);
    let plan = IngestPlan::of(digest).with_key(IngestKey::of_digest(&digest));
    let mut ingest = mine(store.ingest(plan).await?, "an ingest")?;
    for chunk in [0..10, 10..2500, 2500..5000] {
        gone(fixture, &*store, &digest).await?;
        ingest.append(Blob::from(bytes.slice(chunk))).await?;
    }
    gone(fixture, &*store, &digest).await?;
    let info = ingest.commit(Expected::digest(digest)).await?;
    equal(
        &whole(&*store, &digest, &bytes).await?,
        &info,
        "what stat says of what commit gave",
    )?;
    fixture.settle().await;
    equal(
        &list(&*store).await?.get(&digest),
        &Some(&info),
        "what a listing says of what commit gave",
    )?;
    nothing(
        &store
            .resume(&IngestKey::of_digest(&digest), Takeover::IfIdle)
            .await?,
        "a key whose ingest was committed",
    )
}

/// Whatever was written can be published under the digest that it has, of the planned algorithm.
pub async fn commit_of_anything<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    for algorithm in Algorithm::ALL {
        let bytes = content("anything", 3000);
        let mut ingest = mine(store.ingest(IngestPlan::new(*algorithm)).await?, "an ingest")?;
        ingest.append(chunked(&bytes, 100)).await?;
        let info = ingest.commit(Expected::anything()).await?;
        equal(
            &info.digest,
            &algorithm.digest(&bytes),
            "the digest of whatever was written",
        )?;
        whole(&*store, &info.digest, &bytes).await?;
    }
    Ok(())
}

/// A commit may name another algorithm than the planned one; then that digest counts.
pub async fn commit_by_another_algorithm<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let mut count = 100;
    for planned in Algorithm::ALL {
        for named in Algorithm::ALL {
            count += 1;
            let bytes = content("two algorithms", count);
            let digest = named.digest(&bytes);
            let mut ingest = mine(store.ingest(IngestPlan::new(*planned)).await?, "an ingest")?;
            ingest.append(chunked(&bytes, 64)).await?;
            let info = ingest.commit(Expected::digest(digest)).await?;
            equal(&info.digest, &digest, "the digest that the commit named")?;
            whole(&*store, &digest, &bytes).await?;

            let wrong = named.digest(b"something else");
            let mut ingest = mine(store.ingest(IngestPlan::new(*planned)).await?, "an ingest")?;
            ingest.append(chunked(&bytes, 64)).await?;
            let result = ingest.commit(Expected::digest(wrong)).await;
            refused(result, ErrorKind::Mismatch, "a wrong digest of another algorithm")?;
            gone(fixture, &*store, &wrong).await?;
        }
    }
    Ok(())
}

/// Bytes of another digest than the one expected are refused and discarded, and the ingest is spent.
pub async fn wrong_digest<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let wanted = sha256(b"what was wanted");
    let bytes = content("not what was wanted", 15);
    is_discarded(
        fixture,
        &*store,
        IngestPlan::new(Algorithm::Sha256),
        &bytes,
        Expected::digest(wanted),
    )
    .await
}

/// The same holds for a digest that only the plan named.
pub async fn wrong_digest_of_the_plan<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let wanted = sha256(b"what was wanted");
    let bytes = content("not what was wanted", 15);
    is_discarded(
        fixture,
        &*store,
        IngestPlan::of(wanted),
        &bytes,
        Expected::anything(),
    )
    .await?;
    is_discarded(
        fixture,
        &*store,
        IngestPlan::of(wanted),
        &bytes,
        Expected::digest(sha256(&bytes)),
    )
    .await?;
    let other = Expected::digest(Algorithm::Sha512.digest(&bytes));
    is_discarded(fixture, &*store, IngestPlan::of(wanted), &bytes, other).await
}

/// Fewer or more bytes than expected are refused and discarded, also when the digest fits.
pub async fn wrong_size<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("sized", 100);
    let digest = sha256(&bytes);
    for size in [0, 99, 101, u64::MAX] {
        let expected = Expected::digest(digest).with_size(size);
        is_discarded(fixture, &*store, IngestPlan::of(digest), &bytes, expected).await?;
        let expected = Expected::anything().with_size(size);
        is_discarded(
            fixture,
            &*store,
            IngestPlan::new(Algorithm::Sha384),
            &bytes,
            expected,
        )
        .await?;
    }
    Ok(())
}

/// Fewer bytes than the plan said are refused and discarded, and nothing is taken up from the planned size.
pub async fn short_of_the_plan<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("short", 100);
    for size in [101, 1 << 50, u64::MAX] {
        let plan = IngestPlan::of(sha256(&bytes)).with_size(size);
        is_discarded(fixture, &*store, plan, &bytes, Expected::digest(sha256(&bytes))).await?;
    }
    Ok(())
}

/// More bytes than the plan said are refused while they come; what fits stays.
pub async fn longer_than_the_plan<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("long", 100);
    let plan = IngestPlan::of(sha256(&bytes[..60])).with_size(60);
    let mut ingest = mine(store.ingest(plan).await?, "an ingest")?;
    ingest.append(Blob::from(bytes.slice(..50))).await?;
    // Long enough to be noticed, for a store that does not cut it.
    let zeros = std::iter::repeat_with(|| Ok(Bytes::from_static(&[0; 1000])));
    let endless = crate::stream::iter(zeros.take(1000));
    let result = ingest.append(Blob::from_stream(endless, None)).await;
    refused(result, ErrorKind::Mismatch, "more bytes than planned")?;
    let offset = ingest.offset().await?;
    holds(
        (50..=60).contains(&offset),
        "what came before an error stays staged",
    )?;
    let result = ingest.commit(Expected::anything()).await;
    refused(result, ErrorKind::Mismatch, "a commit of what is not as planned")?;
    gone(fixture, &*store, &sha256(&bytes)).await
}

/// Just as many bytes as planned are welcome, however many pieces they come in.
pub async fn as_planned<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("planned", 100);
    let digest = sha256(&bytes);
    let plan = IngestPlan::of(digest).with_size(100);
    let mut ingest = mine(store.ingest(plan).await?, "an ingest")?;
    ingest.append(chunked(&bytes, 30)).await?;
    ingest.append(Blob::from("")).await?;
    ingest.commit(Expected::digest(digest).with_size(100)).await?;
    whole(&*store, &digest, &bytes).await?;
    Ok(())
}

/// The size that a body claims decides nothing.
pub async fn body_that_lies<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    for (claim, count) in [(0, 101), (50, 102), (u64::MAX, 103)] {
        let bytes = content("claimed", count);
        let digest = sha256(&bytes);
        let mut ingest = mine(store.ingest(IngestPlan::of(digest)).await?, "an ingest")?;
        let mut blob = chunked(&bytes, 10);
        blob.size = Some(claim);
        // A store may notice that the body broke its promise, and what came stays.
        let appended = ingest.append(blob).await;
        let offset = usize::try_from(ingest.offset().await?).unwrap_or(usize::MAX);
        match appended {
            Ok(()) => equal(&offset, &count, "the offset after a body whose claim was wrong")?,
            Err(_) if offset <= count => ingest.append(Blob::from(bytes.slice(offset..))).await?,
            Err(_) => return Err(Failure::new("more is staged than came")),
        }
        ingest.commit(Expected::digest(digest)).await?;
        whole(&*store, &digest, &bytes).await?;
    }
    Ok(())
}

/// Wrong bytes do no harm to the blob that is published under the digest they were meant for.
pub async fn wrong_bytes_for_a_published_blob<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("right", 100);
    let digest = sha256(&bytes);
    // Began before the blob was there, so that it can be committed after.
    let mut ingest = mine(store.ingest(IngestPlan::of(digest)).await?, "an ingest")?;
    ingest.append(Blob::from(content("wrong", 100))).await?;
    let before = publish(&*store, &bytes).await?;
    let result = ingest.commit(Expected::digest(digest)).await;
    refused(result, ErrorKind::Mismatch, "wrong bytes for a published blob")?;
    let after = whole(&*store, &digest, &bytes).await?;
    equal(
        &after.life,
        &before.life,
        "the life of a blob for which wrong bytes came",
    )
}

/// Who wants to write what is published is told so, and the blob is touched.
pub async fn there_already<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("there", 100);
    let digest = sha256(&bytes);
    let before = publish(&*store, &bytes).await?;
    fixture.advance(fixture.grace()).await;
    let plans = [
        IngestPlan::of(digest),
        IngestPlan::of(digest).with_key(key("a-key")?),
        IngestPlan::of(digest)
            .with_key(IngestKey::of_digest(&digest))
            .with_size(100),
    ];
    for plan in plans {
        let info = there(store.ingest(plan).await?, "an ingest of what is published")?;
        touched_since(&info, &before)?;
        equal(
            &whole(&*store, &digest, &bytes).await?,
            &info,
            "what stat says of what is there",
        )?;
    }
    nothing_left(fixture, &*store).await
}

/// Committing the bytes of a published blob gives that blob, touched, in the same life.
pub async fn commit_of_published<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("published", 100);
    let digest = sha256(&bytes);
    let mut known = mine(store.ingest(IngestPlan::of(digest)).await?, "an ingest")?;
    let mut unknown = mine(
        store.ingest(IngestPlan::new(Algorithm::Sha256)).await?,
        "an ingest",
    )?;
    let mut before = publish(&*store, &bytes).await?;
    for ingest in [&mut known, &mut unknown] {
        fixture.advance(fixture.grace()).await;
        ingest.append(Blob::from(bytes.clone())).await?;
        let info = ingest.commit(Expected::anything()).await?;
        touched_since(&info, &before)?;
        before = whole(&*store, &digest, &bytes).await?;
        equal(&info, &before, "what stat says of what commit gave")?;
    }
    Ok(())
}

/// An ingest that was committed answers Conflict from then on, and the blob stays.
pub async fn spent_ingest<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("spent", 100);
    let digest = sha256(&bytes);
    for plan in [
        IngestPlan::new(Algorithm::Sha256),
        IngestPlan::new(Algorithm::Sha256).with_key(key("spent")?),
    ] {
        let mut ingest = mine(store.ingest(plan).await?, "an ingest")?;
        ingest.append(Blob::from(bytes.clone())).await?;
        ingest.commit(Expected::digest(digest)).await?;
        is_spent(&mut *ingest).await?;
        whole(&*store, &digest, &bytes).await?;
        drop(ingest);
        whole(&*store, &digest, &bytes).await?;
    }
    nothing_left(fixture, &*store).await
}

/// Nothing is kept of an ingest that was aborted.
pub async fn abort<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("aborted", 100);
    let key = key("aborted")?;
    let plan = IngestPlan::of(sha256(&bytes));
    for plan in [plan.clone(), plan.with_key(key.clone())] {
        let mut ingest = mine(store.ingest(plan).await?, "an ingest")?;
        ingest.append(Blob::from(bytes.clone())).await?;
        ingest.abort().await?;
        gone(fixture, &*store, &sha256(&bytes)).await?;
        nothing(
            &store.resume(&key, Takeover::IfIdle).await?,
            "a key that was aborted",
        )?;
    }
    nothing_left(fixture, &*store).await
}

/// Fails unless a commit of these bytes is a mismatch that leaves nothing behind.
async fn is_discarded<F: StoreFixture>(
    fixture: &F,
    store: &dyn Store,
    plan: IngestPlan,
    bytes: &Bytes,
    expected: Expected,
) -> Outcome {
    let key = key("mismatch")?;
    let promised = [plan.digest, expected.digest, Some(plan.algorithm.digest(bytes))];
    for plan in [plan.clone(), plan.with_key(key.clone())] {
        let mut ingest = mine(store.ingest(plan).await?, "an ingest")?;
        ingest.append(Blob::from(bytes.clone())).await?;
        let result = ingest.commit(expected).await;
        if let Err(error) = &result {
            let details = error.mismatch_details();
            holds(
                details.is_some(),
                "a mismatch says what was expected and what was found",
            )?;
        }
        refused(result, ErrorKind::Mismatch, "bytes that are not as promised")?;
        for digest in promised.iter().flatten() {
            gone(fixture, store, digest).await?;
        }
        is_spent(&mut *ingest).await?;
        nothing(
            &store.resume(&key, Takeover::IfIdle).await?,
            "a key whose bytes did not match",
        )?;
    }
    nothing_left(fixture, store).await
}

/// Fails unless an ingest answers Conflict to everything.
async fn is_spent(ingest: &mut dyn Ingest) -> Outcome {
    conflicts(ingest.append(Blob::from("more")).await)?;
    conflicts(ingest.commit(Expected::anything()).await)?;
    conflicts(ingest.offset().await)
}

#[track_caller]
fn conflicts<T>(result: Result<T>) -> Outcome {
    refused(result, ErrorKind::Conflict, "a call on a spent ingest")
}

/// Fails unless a blob was touched since it was seen, and is in the same life.
fn touched_since(info: &BlobInfo, seen: &BlobInfo) -> Outcome {
    equal(
        &info.life,
        &seen.life,
        "the life of a blob that was written again",
    )?;
    holds(
        info.version != seen.version,
        "writing a published blob again changes its version",
    )?;
    holds(
        info.touched > seen.touched,
        "writing a published blob again touches it",
    )
}
