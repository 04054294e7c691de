//! What is staged: after a body broke, and for bytes whose digest is not known beforehand.

use super::blobs::blob;
use super::{no_blob, read};
use crate::samples::describe;
use crate::suite::body::{chunked, content, sha256};
use crate::suite::failure::{Failure, Outcome, equal, holds, refused};
use crate::suite::fixture::{Ability, TransportFixture};
use crate::suite::supplies::Tape;
use crate::suite::tools::{mine, there};
use crate::{
    Algorithm, Blob, ByteRange, Descriptor, ErrorKind, Expected, Ingest, IngestPlan, MediaType, Put, Sink,
};

/// After a body broke nothing is visible, and a later put goes on from what it has.
pub async fn broken_supply<F: TransportFixture>(fixture: &F) -> Outcome {
    let sink = fixture.sink().await?;
    let (descriptor, bytes) = blob("broken", 300_000);
    let cuts = [0, 150_000, 200_000, 299_000, 300_000];
    let tape = Tape::cut(&bytes, &cuts);
    resumes(fixture, &*sink, &descriptor, &tape, &cuts).await?;
    holds(sink.has(&descriptor).await?, "a sink has what was put in the end")?;
    sink.finish().await?;
    if fixture.can(Ability::Rewrite) {
        let found = read(&*fixture.source().await?, &descriptor, ByteRange::FULL).await?;
        holds(
            found == bytes,
            "a blob whose bodies broke is the one that was promised",
        )?;
    }
    Ok(())
}

async fn resumes<F: TransportFixture>(
    fixture: &F,
    sink: &dyn Sink,
    descriptor: &Descriptor,
    tape: &Tape,
    cuts: &[usize],
) -> Outcome {
    for _ in 0..=cuts.len() {
        match sink.put_blob(descriptor, &[], tape).await {
            // The sink may itself have opened the supply again.
            Ok(_) => break,
            Err(error) if error.is_retryable() => {
                holds(!sink.has(descriptor).await?, "half a blob is not there")?;
                if fixture.can(Ability::Rewrite) {
                    no_blob(sink, &*fixture.source().await?, descriptor).await?;
                }
            }
            Err(error) => {
                let kind = error.kind();
                return Err(Failure::new(format!(
                    "a body that breaks gave an error of kind {kind:?}, which nobody tries again: {error}"
                )));
            }
        }
    }
    let opened = tape.opened();
    holds(
        opened.len() >= cuts.len(),
        "a supply whose bodies break is opened again and again",
    )?;
    for (from, cut) in opened.iter().skip(1).zip(cuts) {
        holds(
            *from <= *cut as u64,
            "a supply is not opened behind what it has given",
        )?;
        if fixture.can(Ability::Resume) && *cut >= 150_000 {
            holds(
                *from > 0,
                &format!("what came before a body broke is not fetched again (opened from {opened:?})"),
            )?;
        }
    }
    Ok(())
}

/// What one instance staged, the next one goes on with.
pub async fn another_instance_goes_on<F: TransportFixture>(fixture: &F) -> Outcome {
    if !fixture.can(Ability::Resume) || !fixture.can(Ability::Rewrite) {
        return Ok(());
    }
    let (descriptor, bytes) = blob("restarted", 300_000);
    let tape = Tape::cut(&bytes, &[200_000, 200_000, 200_000, 200_000]);
    let sink = fixture.sink().await?;
    if sink.put_blob(&descriptor, &[], &tape).await.is_ok() {
        return Err(Failure::new("a put whose bodies all break succeeded"));
    }
    drop(sink);
    fixture.settle().await;
    let sink = fixture.sink().await?;
    let tape = Tape::new(&bytes);
    let put = sink.put_blob(&descriptor, &[], &tape).await?;
    equal(&put, &Put::Written, "how a blob came that another instance began")?;
    holds(
        tape.opened().iter().all(|from| *from > 0),
        "what another instance staged is not fetched again",
    )?;
    sink.finish().await?;
    let found = read(&*fixture.source().await?, &descriptor, ByteRange::FULL).await?;
    holds(
        found == bytes,
        "a blob that two instances wrote is the one that was promised",
    )
}

/// What was staged of wrong bytes does not stand in the way of the right ones for long: one put may find them wrong,
/// the next one succeeds.
pub async fn wrong_beginning<F: TransportFixture>(fixture: &F) -> Outcome {
    let sink = fixture.sink().await?;
    let (descriptor, bytes) = blob("right", 300_000);
    let wrong = content("wrong", 300_000);
    let put = sink
        .put_blob(&descriptor, &[], &Tape::cut(&wrong, &[200_000]))
        .await;
    holds(put.is_err(), "bytes that are not the blob's are refused")?;
    let tape = Tape::new(&bytes);
    if let Err(error) = sink.put_blob(&descriptor, &[], &tape).await {
        equal(
            &error.kind(),
            &ErrorKind::Mismatch,
            "the kind of a put that goes on behind wrong bytes",
        )?;
        sink.put_blob(&descriptor, &[], &tape).await?;
    }
    holds(sink.has(&descriptor).await?, "a sink has what was put in the end")?;
    sink.finish().await?;
    if fixture.can(Ability::Rewrite) {
        let found = read(&*fixture.source().await?, &descriptor, ByteRange::FULL).await?;
        holds(found == bytes, "a blob gives the bytes of its digest")?;
    }
    Ok(())
}

async fn begin(sink: &dyn Sink, plan: IngestPlan) -> Outcome<Box<dyn Ingest>> {
    match sink.ingest(plan).await? {
        Some(staging) => mine(staging, "an ingest of a sink"),
        None => Err(Failure::new("a sink with the trait does not ingest")),
    }
}

/// Bytes whose digest is not known beforehand are the sink's own once they are committed, and not before.
pub async fn ingest_of_anything<F: TransportFixture>(fixture: &F) -> Outcome {
    let sink = fixture.sink().await?;
    if !sink.traits().ingest {
        return Ok(sink.finish().await?);
    }
    let (descriptor, bytes) = blob("ingested", 200_000);
    let mut ingest = begin(&*sink, IngestPlan::new(Algorithm::Sha256)).await?;
    equal(&ingest.offset().await?, &0, "the offset of a new ingest")?;
    for piece in [0..1, 1..150_000, 150_000..200_000] {
        let end = piece.end as u64;
        ingest.append(chunked(&bytes.slice(piece), 7000)).await?;
        equal(&ingest.offset().await?, &end, "the offset behind an append")?;
        holds(
            !sink.has(&descriptor).await?,
            "what is staged is not there before the commit",
        )?;
    }
    let info = ingest.commit(Expected::anything()).await?;
    equal(&info.digest, &sha256(&bytes), "the digest of what was ingested")?;
    equal(&info.size, &200_000, "the size of what was ingested")?;
    holds(sink.has(&descriptor).await?, "a sink has what it committed")?;
    let put = sink
        .put_blob(&descriptor, &[], &crate::suite::supplies::Sealed::default())
        .await?;
    equal(&put, &Put::Present, "how a blob came that was ingested")?;
    sink.finish().await?;
    if fixture.can(Ability::Rewrite) {
        let found = read(&*fixture.source().await?, &descriptor, ByteRange::FULL).await?;
        holds(found == bytes, "a blob gives the bytes that were ingested")?;
    }
    Ok(())
}

/// An ingest that is dropped, aborted, or found to be other than expected leaves nothing.
pub async fn ingest_of_nothing<F: TransportFixture>(fixture: &F) -> Outcome {
    let sink = fixture.sink().await?;
    if !sink.traits().ingest {
        return Ok(sink.finish().await?);
    }
    let (descriptor, bytes) = blob("unwanted", 5000);
    for ending in ["dropped", "aborted", "another digest", "another size"] {
        let mut ingest = begin(&*sink, IngestPlan::new(Algorithm::Sha256)).await?;
        ingest.append(Blob::from(bytes.clone())).await?;
        let expected = match ending {
            "dropped" => {
                drop(ingest);
                None
            }
            "aborted" => {
                ingest.abort().await?;
                None
            }
            "another digest" => Some((ingest, Expected::digest(sha256(b"another")))),
            _ => Some((ingest, Expected::digest(sha256(&bytes)).with_size(4999))),
        };
        if let Some((mut ingest, expected)) = expected {
            refused(ingest.commit(expected).await, ErrorKind::Mismatch, ending)?;
        }
        fixture.settle().await;
        holds(
            !sink.has(&descriptor).await?,
            &format!("nothing is left of an ingest ({ending})"),
        )?;
        if fixture.can(Ability::Rewrite) {
            no_blob(&*sink, &*fixture.source().await?, &descriptor).await?;
        }
    }
    Ok(sink.finish().await?)
}

/// A plan that names a digest is held to it; what is there already is said to be.
pub async fn ingest_of_a_digest<F: TransportFixture>(fixture: &F) -> Outcome {
    let sink = fixture.sink().await?;
    if !sink.traits().ingest {
        return Ok(sink.finish().await?);
    }
    let (descriptor, bytes) = blob("planned", 5000);
    let plan = IngestPlan::of(sha256(&bytes)).with_size(5000);
    let mut ingest = begin(&*sink, plan.clone()).await?;
    ingest.append(Blob::from(content("delivered", 5000))).await?;
    let commit = ingest.commit(Expected::anything()).await;
    refused(commit, ErrorKind::Mismatch, "other bytes than planned")?;
    holds(!sink.has(&descriptor).await?, "what was refused is not there")?;
    let delivered = describe(MediaType::OCI_LAYER, &content("delivered", 5000));
    holds(!sink.has(&delivered).await?, "what was refused is not there")?;
    let mut ingest = begin(&*sink, plan.clone()).await?;
    ingest.append(Blob::from(bytes.clone())).await?;
    ingest.commit(Expected::anything()).await?;
    holds(sink.has(&descriptor).await?, "a sink has what it committed")?;
    let Some(staging) = sink.ingest(plan).await? else {
        return Err(Failure::new("a sink with the trait does not ingest"));
    };
    let info = there(staging, "an ingest of what is there")?;
    equal(&info.digest, &sha256(&bytes), "the digest of what is there")?;
    Ok(sink.finish().await?)
}

/// What a neighbour has is not there for who only knows its digest: it has to be brought, or mounted.
pub async fn ingest_of_what_the_neighbour_has<F: TransportFixture>(fixture: &F) -> Outcome {
    let sink = fixture.sink().await?;
    let Some(neighbour) = fixture.neighbour().await?.filter(|_| sink.traits().ingest) else {
        return Ok(sink.finish().await?);
    };
    let (descriptor, bytes) = blob("elsewhere", 5000);
    neighbour.sink.put_blob(&descriptor, &[], &bytes).await?;
    holds(
        !sink.has(&descriptor).await?,
        "what the neighbour has is not there",
    )?;
    let mut ingest = begin(&*sink, IngestPlan::of(sha256(&bytes))).await?;
    ingest.append(Blob::from(content("pretended", 5000))).await?;
    refused(
        ingest.commit(Expected::anything()).await,
        ErrorKind::Mismatch,
        "other bytes than those that the neighbour has",
    )?;
    holds(
        !sink.has(&descriptor).await?,
        "what the neighbour has is not there",
    )?;
    let mut ingest = begin(&*sink, IngestPlan::of(sha256(&bytes))).await?;
    ingest.append(Blob::from(bytes.clone())).await?;
    ingest.commit(Expected::digest(sha256(&bytes))).await?;
    holds(sink.has(&descriptor).await?, "a sink has what it committed")?;
    Ok(sink.finish().await?)
}
