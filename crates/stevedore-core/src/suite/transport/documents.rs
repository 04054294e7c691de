//! Documents come back as they were written, and only those.

use super::{comes_back, leads_to, name, named, names_for, put_below, write};
use crate::samples::{Sample, describe};
use crate::suite::body::{content, sha256};
use crate::suite::failure::{Failure, Outcome, holds, refused};
use crate::suite::fixture::{Ability, TransportFixture};
use crate::suite::supplies::Sealed;
use crate::{Algorithm, ByteRange, Descriptor, Error, ErrorKind, MediaType, Role, Selector};

/// An image comes back byte for byte, by each way that leads to it.
pub async fn image_comes_back<F: TransportFixture>(fixture: &F) -> Outcome {
    let image = Sample::image(&["base", "", "app"]);
    write(fixture, &[(&image, &["v1"])]).await?;
    let source = fixture.source().await?;
    comes_back(&*source, &image).await?;
    let digest = image.document().digest();
    leads_to(&*source, &Selector::Digest(digest), image.document()).await?;
    if fixture.can(Ability::Names) {
        leads_to(&*source, &named("v1")?, image.document()).await?;
    }
    if fixture.can(Ability::Only) {
        leads_to(&*source, &Selector::Only, image.document()).await?;
    }
    Ok(())
}

/// An index comes back with its images and an index within it; its name leads to itself, not to one of its images.
pub async fn index_comes_back<F: TransportFixture>(fixture: &F) -> Outcome {
    let shared = Sample::image(&["base", "app"]);
    let inner = Sample::index(vec![Sample::image(&["base", "inner"]), shared.clone()]);
    let index = Sample::index(vec![shared, Sample::image(&["base", "other"]), inner]);
    write(fixture, &[(&index, &["v1"])]).await?;
    let source = fixture.source().await?;
    comes_back(&*source, &index).await?;
    let digest = index.document().digest();
    leads_to(&*source, &Selector::Digest(digest), index.document()).await?;
    if fixture.can(Ability::Names) {
        leads_to(&*source, &named("v1")?, index.document()).await?;
    }
    if fixture.can(Ability::Only) {
        leads_to(&*source, &Selector::Only, index.document()).await?;
    }
    Ok(())
}

/// White space, the order of keys, unknown keys, escapes and the spelling of numbers stay as they were.
pub async fn odd_bytes_stay<F: TransportFixture>(fixture: &F) -> Outcome {
    let plain = Sample::image(&["odd"]);
    let text = String::from_utf8_lossy(plain.document().bytes()).into_owned();
    let without_type = text.replacen(
        r#""mediaType":"application/vnd.oci.image.manifest.v1+json","#,
        "",
        1,
    );
    let spellings = [
        text.replace("\":", "\" :\t")
            .replacen('{', "{\r\n \"x-n\": 1.50E+2,\"x-\\u006b\": [ ],", 1)
            + "  \n\n",
        text.replacen("\"config\"", "\"c\\u006fnfig\"", 1),
        without_type,
    ];
    let mut odd = Vec::new();
    for spelling in spellings {
        holds(spelling != text, "the case has bytes of another spelling")?;
        odd.push(
            plain
                .clone()
                .with_bytes(spelling, Algorithm::Sha256)
                .map_err(Error::from)?,
        );
    }
    if !fixture.can(Ability::Several) {
        odd.truncate(1);
    }
    let sink = fixture.sink().await?;
    for (number, sample) in odd.iter().enumerate() {
        sample
            .put(&*sink, names_for(fixture, &[&format!("odd{number}")]))
            .await?;
    }
    sink.finish().await?;
    fixture.settle().await;
    let source = fixture.source().await?;
    for sample in &odd {
        comes_back(&*source, sample).await?;
        leads_to(
            &*source,
            &Selector::Digest(sample.document().digest()),
            sample.document(),
        )
        .await?;
    }
    Ok(())
}

/// An image in Docker's types stays one.
pub async fn docker_types_stay<F: TransportFixture>(fixture: &F) -> Outcome {
    let image = Sample::docker_image(&["base", "app"]);
    write(fixture, &[(&image, &["v1"])]).await?;
    let source = fixture.source().await?;
    comes_back(&*source, &image).await?;
    let digest = image.document().digest();
    leads_to(&*source, &Selector::Digest(digest), image.document()).await
}

/// A document of a type that nobody knows, JSON or not, is carried whole under that type.
pub async fn other_documents_stay<F: TransportFixture>(fixture: &F) -> Outcome {
    if !fixture.can(Ability::OtherDocuments) || !fixture.can(Ability::Several) {
        return Ok(());
    }
    let documents = [
        ("json", &b"{ \"a\" : 1,\n\"config\":[] }"[..]),
        ("text", &b"not JSON \xff\x00 at all"[..]),
        ("none", &b""[..]),
    ];
    let sink = fixture.sink().await?;
    let mut written = Vec::new();
    for (text, bytes) in documents {
        let media_type = MediaType::verbatim(&format!("application/vnd.example.{text}"));
        let sample = Sample::document_of(bytes, media_type).map_err(Error::from)?;
        sample.put(&*sink, names_for(fixture, &[text])).await?;
        written.push((text, sample));
    }
    sink.finish().await?;
    fixture.settle().await;
    let source = fixture.source().await?;
    for (text, sample) in written {
        comes_back(&*source, &sample).await?;
        if fixture.can(Ability::Names) {
            leads_to(&*source, &named(text)?, sample.document()).await?;
        }
    }
    Ok(())
}

/// Documents and blobs may go by each algorithm.
pub async fn every_algorithm_of_digest<F: TransportFixture>(fixture: &F) -> Outcome {
    if !fixture.can(Ability::Algorithms) || !fixture.can(Ability::Several) {
        return Ok(());
    }
    let sink = fixture.sink().await?;
    let plain = Sample::image(&["by each algorithm"]);
    let bytes = content("by each algorithm", 3000);
    let mut written = Vec::new();
    for algorithm in Algorithm::ALL {
        let blob = Descriptor::new(MediaType::OCI_LAYER, algorithm.digest(&bytes), 3000);
        sink.put_blob(&blob, &[], &bytes).await?;
        holds(sink.has(&blob).await?, "a sink has a blob that was put")?;
        let sample = plain
            .clone()
            .with_bytes(plain.document().bytes().clone(), *algorithm);
        let sample = sample.map_err(Error::from)?;
        sample
            .put(&*sink, names_for(fixture, &[algorithm.as_str()]))
            .await?;
        written.push((blob, sample));
    }
    sink.finish().await?;
    fixture.settle().await;
    let source = fixture.source().await?;
    for (blob, sample) in written {
        comes_back(&*source, &sample).await?;
        leads_to(
            &*source,
            &Selector::Digest(sample.document().digest()),
            sample.document(),
        )
        .await?;
        let found = super::read(&*source, &blob, ByteRange::FULL).await?;
        holds(found == bytes, "a blob gives the bytes that were written")?;
    }
    Ok(())
}

/// A document is refused by a descriptor with another size, digest or type.
pub async fn document_by_a_wrong_descriptor<F: TransportFixture>(fixture: &F) -> Outcome {
    let image = Sample::image(&["right"]);
    write(fixture, &[(&image, &["v1"])]).await?;
    let source = fixture.source().await?;
    let right = image.descriptor();
    for size in [0, right.size - 1, right.size + 1, u64::MAX >> 1] {
        let wrong = Descriptor::new(right.media_type.clone(), right.digest.clone(), size);
        let what = format!(
            "a document of {} bytes by a descriptor that says {size}",
            right.size
        );
        refused(source.document(&wrong).await, ErrorKind::Mismatch, &what)?;
    }
    let absent = Descriptor::new(right.media_type.clone(), sha256(b"absent"), right.size);
    refused(
        source.document(&absent).await,
        ErrorKind::NotFound,
        "a document by a digest that is not there",
    )?;
    for media_type in [MediaType::OCI_INDEX, MediaType::DOCKER_MANIFEST] {
        let wrong = Descriptor::new(media_type, right.digest.clone(), right.size);
        let refusal = source.document(&wrong).await.map_err(|error| error.kind());
        // By a type on record, or by the type that the document declares inside.
        if !matches!(refusal, Err(ErrorKind::Mismatch | ErrorKind::Invalid)) {
            let problem = format!(
                "a document by a descriptor of type {}: expected an error of kind Mismatch or Invalid, found \
                 {refusal:?}",
                wrong.media_type
            );
            return Err(Failure::new(problem));
        }
    }
    source.document(&right).await?;
    Ok(())
}

/// A document whose bytes were changed where they lie is refused.
pub async fn damaged_document<F: TransportFixture>(fixture: &F) -> Outcome {
    let image = Sample::image(&["damaged"]);
    write(fixture, &[(&image, &["v1"])]).await?;
    let digest = image.document().digest();
    if !fixture.damage(&digest).await? {
        return Ok(());
    }
    let source = fixture.source().await?;
    let what = "a document whose bytes were changed where they lie";
    refused(
        source.document(&image.descriptor()).await,
        ErrorKind::Mismatch,
        what,
    )?;
    refused(
        source.root(&Selector::Digest(digest)).await,
        ErrorKind::Mismatch,
        what,
    )?;
    if fixture.can(Ability::Names) {
        refused(source.root(&named("v1")?).await, ErrorKind::Mismatch, what)?;
    }
    Ok(())
}

/// What goes by a digest of an algorithm that nobody knows here is never opened.
pub async fn unknown_algorithm<F: TransportFixture>(fixture: &F) -> Outcome {
    let sink = fixture.sink().await?;
    let digest =
        "multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8".parse::<crate::AnyDigest>();
    let digest =
        digest.map_err(|error| Failure::new(format!("a case uses a digest that is none: {error}")))?;
    let unknown = Descriptor::new(MediaType::OCI_MANIFEST, digest, 2);
    let supply = Sealed::default();
    refused(
        sink.put_blob(&unknown, &[], &supply).await,
        ErrorKind::Unsupported,
        "a blob by an unknown algorithm, to be put",
    )?;
    holds(
        !supply.was_opened(),
        "the supply of a blob that cannot be checked is not opened",
    )?;
    let image = Sample::image(&["known"]);
    image.put(&*sink, names_for(fixture, &["v1"])).await?;
    sink.finish().await?;
    fixture.settle().await;
    let source = fixture.source().await?;
    refused(
        source.document(&unknown).await,
        ErrorKind::Unsupported,
        "a document by an unknown algorithm",
    )?;
    refused(
        source.blob(&unknown, ByteRange::FULL).await,
        ErrorKind::Unsupported,
        "a blob by an unknown algorithm",
    )
}

/// A document that is put twice, also as a child and then as a root, is there once, under its name.
pub async fn document_put_twice<F: TransportFixture>(fixture: &F) -> Outcome {
    let sink = fixture.sink().await?;
    let image = Sample::image(&["twice"]);
    put_below(&*sink, &image).await?;
    sink.put_document(image.document(), Role::Child).await?;
    let names = match names_for(fixture, &["v1"]) {
        [] => Vec::new(),
        _ => vec![name("v1")?],
    };
    for _ in 0..2 {
        let role = Role::Root {
            names: names.clone(),
            replace: true,
        };
        sink.put_document(image.document(), role).await?;
    }
    sink.finish().await?;
    fixture.settle().await;
    let source = fixture.source().await?;
    comes_back(&*source, &image).await?;
    if fixture.can(Ability::Only) {
        leads_to(&*source, &Selector::Only, image.document()).await?;
    }
    Ok(())
}

/// Whether a document is there is said before it is put and after.
pub async fn has_of_a_document<F: TransportFixture>(fixture: &F) -> Outcome {
    let sink = fixture.sink().await?;
    let image = Sample::image(&["had"]);
    put_below(&*sink, &image).await?;
    holds(
        !sink.has(&image.descriptor()).await?,
        "a sink has no document whose blobs alone were put",
    )?;
    sink.put_document(image.document(), Role::Child).await?;
    holds(
        sink.has(&image.descriptor()).await?,
        "a sink has a document that was put",
    )?;
    let other = describe(MediaType::OCI_MANIFEST, b"{}");
    holds(
        !sink.has(&other).await?,
        "a sink has no document that was never put",
    )?;
    sink.put_document(
        image.document(),
        Role::Root {
            names: Vec::new(),
            replace: true,
        },
    )
    .await?;
    sink.finish().await?;
    Ok(())
}
