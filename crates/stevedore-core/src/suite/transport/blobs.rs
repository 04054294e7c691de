//! Putting and reading blobs.

use bytes::Bytes;

use super::{no_blob, read};
use crate::samples::{Sample, describe};
use crate::suite::body::{content, sha256};
use crate::suite::failure::{Failure, Outcome, equal, holds, refused};
use crate::suite::fixture::{Ability, TransportFixture};
use crate::suite::supplies::{Sealed, Tape};
use crate::{ByteRange, Descriptor, ErrorKind, MediaType, Put, Sink, Source};

/// Content, with the descriptor that it has.
pub(super) fn blob(text: &str, size: usize) -> (Descriptor, Bytes) {
    let bytes = content(text, size);
    (describe(MediaType::OCI_LAYER, &bytes), bytes)
}

/// Finishes an image over blobs, so that an archive holds them, and gives the place as a source.
async fn finish<F: TransportFixture>(
    fixture: &F,
    sink: &dyn Sink,
    blobs: &[&Bytes],
) -> Outcome<std::sync::Arc<dyn Source>> {
    let layers = blobs.iter().map(|&bytes| bytes.clone());
    let image = Sample::image_of(layers, &crate::Platform::new("linux", "amd64"));
    image.put(sink, super::names_for(fixture, &["blobs"])).await?;
    sink.finish().await?;
    fixture.settle().await;
    Ok(fixture.source().await?)
}

/// A blob is not there, then put, then there; a second put finds it and opens nothing.
pub async fn blob_is_put<F: TransportFixture>(fixture: &F) -> Outcome {
    let sink = fixture.sink().await?;
    let blobs = [blob("small", 1), blob("one chunk", 1000), blob("many", 200_123)];
    for (descriptor, bytes) in &blobs {
        for _ in 0..2 {
            holds(!sink.has(descriptor).await?, "a sink has only what was put")?;
        }
        let tape = Tape::new(bytes);
        let put = sink.put_blob(descriptor, &[], &tape).await?;
        equal(&put, &Put::Written, "how a new blob came")?;
        equal(&tape.opened(), &vec![0], "from where the supply was opened")?;
        holds(sink.has(descriptor).await?, "a sink has what was put")?;
        let sealed = Sealed::default();
        let put = sink.put_blob(descriptor, &[], &sealed).await?;
        equal(&put, &Put::Present, "how a blob came that was there")?;
        holds(!sealed.was_opened(), "the supply of what is there is not opened")?;
    }
    let all: Vec<&Bytes> = blobs.iter().map(|(_, bytes)| bytes).collect();
    let source = finish(fixture, &*sink, &all).await?;
    for (descriptor, bytes) in &blobs {
        let found = read(&*source, descriptor, ByteRange::FULL).await?;
        holds(found == *bytes, "a blob gives the bytes that were put")?;
        let found = source.find_blob(&sha256(bytes)).await?;
        equal(
            &(found.digest, found.size),
            &(descriptor.digest.clone(), descriptor.size),
            "what is found by a digest",
        )?;
    }
    if fixture.can(Ability::Rewrite) {
        let sink = fixture.sink().await?;
        for (descriptor, _) in &blobs {
            holds(sink.has(descriptor).await?, "a later instance has what was put")?;
            let put = sink.put_blob(descriptor, &[], &Sealed::default()).await?;
            equal(&put, &Put::Present, "how a blob came that was there")?;
        }
        sink.finish().await?;
    }
    Ok(())
}

/// The empty blob is a blob.
pub async fn blob_is_empty<F: TransportFixture>(fixture: &F) -> Outcome {
    let sink = fixture.sink().await?;
    let (descriptor, bytes) = blob("", 0);
    holds(!sink.has(&descriptor).await?, "a sink has only what was put")?;
    let put = sink.put_blob(&descriptor, &[], &Tape::new(&bytes)).await?;
    equal(&put, &Put::Written, "how the empty blob came")?;
    holds(sink.has(&descriptor).await?, "a sink has what was put")?;
    let source = finish(fixture, &*sink, &[&bytes]).await?;
    for range in [ByteRange::FULL, ByteRange::of(0..0)] {
        equal(
            &read(&*source, &descriptor, range).await?,
            &Bytes::new(),
            "the empty blob",
        )?;
    }
    refused(
        read(&*source, &descriptor, ByteRange::of(0..1)).await,
        ErrorKind::OutOfRange,
        "a range behind the end of the empty blob",
    )
}

/// Each range gives its bytes and says how many they are; one outside of the blob is refused.
pub async fn blob_ranges<F: TransportFixture>(fixture: &F) -> Outcome {
    let sink = fixture.sink().await?;
    let (descriptor, bytes) = blob("ranges", 150_000);
    sink.put_blob(&descriptor, &[], &bytes).await?;
    let source = finish(fixture, &*sink, &[&bytes]).await?;
    let size = bytes.len();
    for (start, end) in [
        (0, size),
        (0, 1),
        (0, 0),
        (1, 2),
        (777, 777),
        (1, size - 1),
        (65_536, 131_072),
        (65_535, 131_073),
        (size - 1, size),
        (size, size),
    ] {
        let range = ByteRange::of(start as u64..end as u64);
        let blob = source.blob(&descriptor, range).await?;
        holds(
            blob.size.is_none_or(|size| size == (end - start) as u64),
            "a range claims the size that it has",
        )?;
        let found = blob.into_bytes(super::ENOUGH).await?;
        holds(found == bytes[start..end], &format!("{range:?} gives its bytes"))?;
    }
    for start in [0, 1, 65_536, size - 1, size] {
        let found = read(&*source, &descriptor, ByteRange::from(start as u64)).await?;
        holds(found == bytes[start..], "a range without an end goes to the end")?;
    }
    let size = size as u64;
    let outside = [
        ByteRange::of(0..size + 1),
        ByteRange::of(size..size + 1),
        ByteRange::of(size + 1..size + 1),
        ByteRange::of(0..u64::MAX),
        ByteRange::from(size + 1),
        ByteRange::from(u64::MAX),
        #[allow(clippy::reversed_empty_ranges, reason = "it is to be refused")]
        ByteRange::of(5..4),
    ];
    for range in outside {
        refused(
            read(&*source, &descriptor, range).await,
            ErrorKind::OutOfRange,
            &format!("{range:?} of a blob of {size} bytes"),
        )?;
    }
    Ok(())
}

/// A blob that is not there is not found, whatever range of it is wanted.
pub async fn blob_is_absent<F: TransportFixture>(fixture: &F) -> Outcome {
    let sink = fixture.sink().await?;
    let (there, bytes) = blob("there", 100);
    sink.put_blob(&there, &[], &bytes).await?;
    let source = finish(fixture, &*sink, &[&bytes]).await?;
    let (absent, missing) = blob("absent", 100);
    for range in [ByteRange::FULL, ByteRange::of(0..10), ByteRange::from(1000)] {
        refused(
            read(&*source, &absent, range).await,
            ErrorKind::NotFound,
            "a blob that is not there",
        )?;
    }
    let found = source.find_blob(&sha256(&missing)).await;
    refused(
        found,
        ErrorKind::NotFound,
        "what is found by the digest of a blob that is not there",
    )
}

/// Bytes that are not those of the descriptor are not published: others of the same size, too few, too many.
pub async fn blob_is_not_as_promised<F: TransportFixture>(fixture: &F) -> Outcome {
    let sink = fixture.sink().await?;
    let (_, bytes) = blob("delivered", 5000);
    let (other, _) = blob("promised", 5000);
    let sized = |size| Descriptor::new(MediaType::OCI_LAYER, sha256(&bytes), size);
    let empty = Bytes::new();
    let lies = [
        (other.clone(), &bytes, "other bytes of the same size"),
        (sized(5001), &bytes, "a byte too few"),
        (sized(4999), &bytes, "a byte too many"),
        (sized(50_000), &bytes, "far too few bytes"),
        (sized(1), &bytes, "far too many bytes"),
        (sized(0), &bytes, "bytes where there should be none"),
        (other, &empty, "no bytes at all"),
    ];
    for (promised, delivered, what) in &lies {
        for _ in 0..2 {
            let put = sink.put_blob(promised, &[], &Tape::new(delivered)).await;
            refused(put, ErrorKind::Mismatch, what)?;
            holds(!sink.has(promised).await?, "what was refused is not there")?;
        }
        if fixture.can(Ability::Rewrite) {
            no_blob(&*sink, &*fixture.source().await?, promised).await?;
        }
    }
    // And none of it stands in the way of the right ones.
    for (text, bytes) in [("delivered", &bytes), ("promised", &content("promised", 5000))] {
        let (descriptor, _) = blob(text, 5000);
        let put = sink.put_blob(&descriptor, &[], &Tape::new(bytes)).await?;
        equal(&put, &Put::Written, "how a blob came after one was refused")?;
    }
    let promised = content("promised", 5000);
    let source = finish(fixture, &*sink, &[&bytes, &promised]).await?;
    for bytes in [&bytes, &promised] {
        let descriptor = describe(MediaType::OCI_LAYER, bytes);
        let found = read(&*source, &descriptor, ByteRange::FULL).await?;
        holds(found == *bytes, "a blob gives the bytes of its digest")?;
    }
    Ok(())
}

/// A descriptor that has the size of a published blob wrong is refused, and the blob stays.
pub async fn blob_of_another_size_is_there<F: TransportFixture>(fixture: &F) -> Outcome {
    let sink = fixture.sink().await?;
    let (descriptor, bytes) = blob("there", 5000);
    sink.put_blob(&descriptor, &[], &bytes).await?;
    for size in [0, 4999, 5001] {
        let wrong = Descriptor::new(MediaType::OCI_LAYER, descriptor.digest.clone(), size);
        let put = sink.put_blob(&wrong, &[], &Tape::new(&bytes)).await;
        refused(
            put,
            ErrorKind::Mismatch,
            "a put of a blob that is there, under another size",
        )?;
    }
    holds(
        sink.has(&descriptor).await?,
        "a blob stays when a wrong one is refused",
    )?;
    let source = finish(fixture, &*sink, &[&bytes]).await?;
    let found = read(&*source, &descriptor, ByteRange::FULL).await?;
    holds(found == bytes, "a blob stays when a wrong one is refused")
}

/// Asking what is there changes nothing.
pub async fn has_changes_nothing<F: TransportFixture>(fixture: &F) -> Outcome {
    let sink = fixture.sink().await?;
    let (descriptor, bytes) = blob("asked for", 3000);
    for _ in 0..3 {
        holds(
            !sink.has(&descriptor).await?,
            "asking for a blob does not make it",
        )?;
    }
    let tape = Tape::cut(&bytes, &[2000]);
    if let Err(error) = sink.put_blob(&descriptor, &[], &tape).await {
        holds(error.is_retryable(), "a body that breaks gives a retryable error")?;
        for _ in 0..3 {
            holds(
                !sink.has(&descriptor).await?,
                "asking for a half-written blob does not make it",
            )?;
        }
        sink.put_blob(&descriptor, &[], &tape).await?;
    }
    for _ in 0..3 {
        holds(sink.has(&descriptor).await?, "asking for a blob does not end it")?;
    }
    let source = finish(fixture, &*sink, &[&bytes]).await?;
    let found = read(&*source, &descriptor, ByteRange::FULL).await?;
    holds(found == bytes, "a blob gives the bytes that were put")
}

/// A blob that lies at a place from which the sink mounts is taken over without its bytes; from any other place, and
/// where the place has it no more, it is written.
pub async fn blob_is_mounted<F: TransportFixture>(fixture: &F) -> Outcome {
    if !fixture.can(Ability::Mount) {
        return Ok(());
    }
    let Some(neighbour) = fixture.neighbour().await? else {
        return Err(Failure::new("a fixture that mounts has no neighbour"));
    };
    let (held, bytes) = blob("held", 5000);
    let (absent, missing) = blob("not held", 5000);
    neighbour.sink.put_blob(&held, &[], &bytes).await?;
    let place = |descriptor: &Descriptor| -> Outcome<_> {
        let digest = descriptor.known_digest().map_err(crate::Error::from)?;
        let place = neighbour.source.place(&digest);
        place.ok_or_else(|| Failure::new("the neighbour has no place for a blob"))
    };
    let sink = fixture.sink().await?;
    holds(
        !sink.has(&held).await?,
        "what the neighbour has is not there before it is mounted",
    )?;
    let elsewhere = crate::Place::Repository {
        registry: "registry.invalid".to_owned(),
        repository: "nowhere".to_owned(),
    };
    let places = [elsewhere, place(&held)?];
    let sealed = Sealed::default();
    let put = sink.put_blob(&held, &places, &sealed).await?;
    equal(&put, &Put::Mounted, "how a blob came that the neighbour has")?;
    holds(!sealed.was_opened(), "the supply of a mounted blob is not opened")?;
    holds(sink.has(&held).await?, "a sink has what was mounted")?;
    let tape = Tape::new(&missing);
    let put = sink.put_blob(&absent, &[place(&absent)?], &tape).await?;
    equal(
        &put,
        &Put::Written,
        "how a blob came that the neighbour does not have",
    )?;
    let source = finish(fixture, &*sink, &[&bytes, &missing]).await?;
    for (descriptor, bytes) in [(&held, &bytes), (&absent, &missing)] {
        let found = read(&*source, descriptor, ByteRange::FULL).await?;
        holds(found == *bytes, "a blob gives the bytes of its digest")?;
    }
    Ok(())
}
