//! Reading what is published.

use bytes::Bytes;

use crate::stream::next;
use crate::suite::body::{chunked, content, sha256};
use crate::suite::failure::{Outcome, equal, holds, refused};
use crate::suite::fixture::StoreFixture;
use crate::suite::tools::{gone, list, mine, publish, read, whole};
use crate::{Algorithm, Blob, ByteRange, CHUNK_SIZE, ErrorKind, Expected, IngestPlan, Store};

/// A blob that never was is absent to every operation.
pub async fn absent_blob<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    publish(&*store, &content("another", 10)).await?;
    for algorithm in Algorithm::ALL {
        gone(fixture, &*store, &algorithm.digest(b"never written")).await?;
    }
    Ok(())
}

/// A small blob comes back as it was written.
pub async fn small_blob<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("small", 100);
    let committed = publish(&*store, &bytes).await?;
    let info = whole(&*store, &sha256(&bytes), &bytes).await?;
    equal(&info, &committed, "what stat says of what commit gave")
}

/// A blob of no bytes is a blob, with nothing appended or with an empty body.
pub async fn empty_blob<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    for (algorithm, append) in [(Algorithm::Sha256, true), (Algorithm::Sha512, false)] {
        let digest = algorithm.digest(b"");
        let mut ingest = mine(
            store.ingest(IngestPlan::of(digest).with_size(0)).await?,
            "an ingest",
        )?;
        if append {
            ingest.append(Blob::from("")).await?;
        }
        ingest.commit(Expected::digest(digest).with_size(0)).await?;
        whole(&*store, &digest, &Bytes::new()).await?;
    }
    Ok(())
}

/// Bodies of several chunks, appended one after another, make one blob.
pub async fn many_chunks<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("chunks", CHUNK_SIZE * 3 + 17);
    let digest = sha256(&bytes);
    let mut ingest = mine(store.ingest(IngestPlan::of(digest)).await?, "an ingest")?;
    let cuts = [0, 1, 5000, 5000, CHUNK_SIZE + 4999, bytes.len()];
    for pair in cuts.windows(2) {
        equal(&ingest.offset().await?, &(pair[0] as u64), "the offset")?;
        ingest
            .append(chunked(&bytes.slice(pair[0]..pair[1]), 1009))
            .await?;
    }
    equal(
        &ingest.offset().await?,
        &(bytes.len() as u64),
        "the offset at the end",
    )?;
    let size = bytes.len() as u64;
    let info = ingest.commit(Expected::digest(digest).with_size(size)).await?;
    equal(&info.size, &size, "the size of a blob of many chunks")?;
    whole(&*store, &digest, &bytes).await?;
    Ok(())
}

/// The same bytes are a blob of their own under each algorithm.
pub async fn every_algorithm<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("algorithms", 1000);
    for algorithm in Algorithm::ALL {
        let digest = algorithm.digest(&bytes);
        gone(fixture, &*store, &digest).await?;
        let mut ingest = mine(store.ingest(IngestPlan::of(digest)).await?, "an ingest")?;
        ingest.append(Blob::from(bytes.clone())).await?;
        ingest.commit(Expected::digest(digest)).await?;
        whole(&*store, &digest, &bytes).await?;
    }
    fixture.settle().await;
    equal(
        &list(&*store).await?.len(),
        &Algorithm::ALL.len(),
        "the number of blobs listed",
    )
}

/// Every range within a blob can be read, and none outside of it.
pub async fn byte_ranges<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    for size in [0_u64, 1, 10] {
        let bytes = content("ranges", usize::try_from(size).unwrap_or_default());
        let digest = sha256(&bytes);
        publish(&*store, &bytes).await?;
        let mut edges: Vec<_> = (0..=size + 1).collect();
        edges.extend([u64::MAX - 1, u64::MAX]);
        for &start in &edges {
            in_range(&*store, &bytes, ByteRange::from(start)).await?;
            for &end in &edges {
                in_range(
                    &*store,
                    &bytes,
                    ByteRange {
                        start,
                        end: Some(end),
                    },
                )
                .await?;
            }
        }
        equal(
            &read(&*store, &digest, ByteRange::FULL).await?,
            &bytes,
            "the full range",
        )?;
    }
    Ok(())
}

async fn in_range(store: &dyn Store, bytes: &Bytes, range: ByteRange) -> Outcome {
    let what = format!("range {range:?} of {} bytes", bytes.len());
    let found = read(store, &sha256(bytes), range).await;
    let end = range.end.unwrap_or(bytes.len() as u64);
    if range.start > end || end > bytes.len() as u64 {
        return refused(found, ErrorKind::OutOfRange, &what);
    }
    let narrow = |edge| usize::try_from(edge).unwrap_or(bytes.len());
    equal(&found?, &bytes.slice(narrow(range.start)..narrow(end)), &what)
}

/// An open blob tells its size where it tells one, and gives just that many bytes.
pub async fn open_tells_the_size<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("sizes", 1000);
    publish(&*store, &bytes).await?;
    for (range, size) in [
        (ByteRange::FULL, 1000),
        (ByteRange::of(10..30), 20),
        (ByteRange::from(1000), 0),
    ] {
        let blob = store.open(&sha256(&bytes), range).await?;
        if let Some(told) = blob.size {
            equal(&told, &size, "the size that an open blob tells")?;
        }
        equal(
            &(blob.into_bytes(1000).await?.len() as u64),
            &size,
            "how many bytes came",
        )?;
    }
    Ok(())
}

/// A listing shows all that is published, as stat does, and nothing that is staged.
pub async fn list_is_complete<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    equal(&list(&*store).await?.len(), &0, "how much an empty store lists")?;
    let staged = content("staged", 2000);
    let mut ingest = mine(store.ingest(IngestPlan::of(sha256(&staged))).await?, "an ingest")?;
    ingest.append(Blob::from(staged)).await?;
    for count in 1..=20 {
        publish(&*store, &content("listed", count)).await?;
    }
    fixture.settle().await;
    let listed = list(&*store).await?;
    equal(&listed.len(), &20, "the number of blobs listed")?;
    for (digest, info) in listed {
        equal(
            &Some(info),
            &store.stat(&digest).await?,
            "what a listing says of a blob",
        )?;
    }
    Ok(())
}

/// A listing that is under way while blobs come and go shows each that was there all the time, once.
pub async fn list_while_writing<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let mut stay = Vec::new();
    for count in 1..=10 {
        stay.push(publish(&*store, &content("stay", count)).await?.digest);
    }
    let goes = publish(&*store, &content("goes", 10)).await?;
    fixture.settle().await;
    let mut listing = store.list();
    let mut seen = Vec::new();
    while let Some(info) = next(&mut listing).await {
        seen.push(info?.digest);
        publish(&*store, &content("comes", seen.len())).await?;
        store.delete(&goes).await?;
        holds(seen.len() < 1000, "a listing comes to an end")?;
    }
    for digest in stay {
        let times = seen.iter().filter(|seen| **seen == digest).count();
        equal(&times, &1, "how often a blob that stays is listed")?;
    }
    Ok(())
}

/// What reads a blob while it is deleted gets its bytes or an error, and never other bytes.
pub async fn open_while_deleted<F: StoreFixture>(fixture: &F) -> Outcome {
    let store = fixture.open().await?;
    let bytes = content("deleted", CHUNK_SIZE * 3);
    let digest = sha256(&bytes);
    let seen = publish(&*store, &bytes).await?;
    let untouched = store.open(&digest, ByteRange::FULL).await?;
    let mut begun = store.open(&digest, ByteRange::FULL).await?.into_stream();
    let first = next(&mut begun).await;
    holds(
        store.delete(&seen).await?,
        "delete deletes what is as it was seen",
    )?;

    if let Ok(found) = untouched.into_bytes(bytes.len() as u64).await {
        equal(&found, &bytes, "what an open blob gives after its deletion")?;
    }
    let mut found = Vec::new();
    let mut item = first;
    while let Some(chunk) = item {
        match chunk {
            Ok(chunk) => found.extend_from_slice(&chunk),
            Err(_) => return Ok(()),
        }
        item = next(&mut begun).await;
    }
    holds(found == bytes, "an open blob gives its bytes or an error")
}
