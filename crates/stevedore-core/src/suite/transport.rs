//! The cases for a [`Source`] and a [`Sink`] over the same place.

mod abilities;
mod blobs;
mod documents;
mod naming;
mod referrers;
mod removing;
mod rivals;
mod selecting;
mod staging;

pub use abilities::*;
pub use blobs::*;
pub use documents::*;
pub use naming::*;
pub use referrers::*;
pub use removing::*;
pub use rivals::*;
pub use selecting::*;
pub use staging::*;

use bytes::Bytes;

use super::failure::{Failure, Outcome, equal, holds, refused};
use super::fixture::{Ability, TransportFixture};
use super::yielding::collect;
use crate::samples::Sample;
use crate::{
    ByteRange, Descriptor, Digest, Document, ErrorKind, Named, RefName, ReferrerFilter, Role, Selector, Sink,
    Source,
};

/// More than any blob of the cases has.
const ENOUGH: u64 = 16 * 1024 * 1024;

/// The names that a case gives to its image, where the transport has names.
pub(super) fn names_for<'a, F: TransportFixture>(fixture: &F, names: &'a [&'a str]) -> &'a [&'a str] {
    if fixture.can(Ability::Names) { names } else { &[] }
}

/// Writes samples under names with one sink, and finishes it.
pub(super) async fn write<F: TransportFixture>(fixture: &F, samples: &[(&Sample, &[&str])]) -> Outcome {
    let sink = fixture.sink().await?;
    for (sample, names) in samples {
        sample.put(&*sink, names_for(fixture, names)).await?;
    }
    sink.finish().await?;
    fixture.settle().await;
    Ok(())
}

/// Puts the blobs and children of a sample, but not its own document.
pub(super) async fn put_below(sink: &dyn Sink, sample: &Sample) -> Outcome {
    for (descriptor, bytes) in sample.blobs() {
        sink.put_blob(descriptor, &[], bytes).await?;
    }
    for child in sample.children() {
        child.put(sink, &[]).await?;
    }
    Ok(())
}

/// The name of a text.
pub(super) fn name(text: &str) -> Outcome<RefName> {
    text.parse()
        .map_err(|error| Failure::new(format!("a case uses a name that is none: {error}")))
}

/// The selector of a name.
pub(super) fn named(text: &str) -> Outcome<Selector> {
    Ok(Selector::Name(name(text)?))
}

/// The role of a root with one name.
pub(super) fn root(text: &str, replace: bool) -> Outcome<Role> {
    let names = vec![name(text)?];
    Ok(Role::Root { names, replace })
}

/// The bytes of a blob.
pub(super) async fn read(
    source: &dyn Source,
    descriptor: &Descriptor,
    range: ByteRange,
) -> crate::Result<Bytes> {
    source.blob(descriptor, range).await?.into_bytes(ENOUGH).await
}

/// Fails unless a document is the one that was written: bytes, type and digest.
#[track_caller]
pub(super) fn same(found: &Document, written: &Document, how: &str) -> Outcome {
    let what = |part: &str| format!("the {part} of a document read {how}");
    holds(
        found.bytes() == written.bytes(),
        &what("bytes are the ones written"),
    )?;
    equal(found.media_type(), written.media_type(), &what("media type"))?;
    equal(&found.digest(), &written.digest(), &what("digest"))
}

/// Fails unless a sample can be read, with all below and beside it, by the descriptors that name its parts.
pub(super) async fn comes_back(source: &dyn Source, sample: &Sample) -> Outcome {
    for part in sample.all() {
        let document = source.document(&part.descriptor()).await?;
        same(&document, part.document(), "by its descriptor")?;
        for (descriptor, bytes) in part.blobs() {
            let found = read(source, descriptor, ByteRange::FULL).await?;
            holds(found == *bytes, "a blob gives the bytes that were written")?;
        }
    }
    Ok(())
}

/// Fails unless a selector leads to a document.
pub(super) async fn leads_to(source: &dyn Source, selector: &Selector, written: &Document) -> Outcome {
    let how = format!("by {selector:?}");
    same(&source.root(selector).await?, written, &how)?;
    let resolved = source.resolve(selector).await?;
    let descriptor = written.descriptor();
    equal(
        &resolved.digest,
        &descriptor.digest,
        &format!("the digest found {how}"),
    )?;
    equal(&resolved.size, &descriptor.size, &format!("the size found {how}"))?;
    equal(
        &resolved.media_type,
        &descriptor.media_type,
        &format!("the media type found {how}"),
    )
}

/// Fails unless a selector leads nowhere.
pub(super) async fn leads_nowhere(source: &dyn Source, selector: &Selector) -> Outcome {
    let what = format!("a look for {selector:?}, which is not there");
    refused(source.resolve(selector).await, ErrorKind::NotFound, &what)?;
    refused(source.root(selector).await, ErrorKind::NotFound, &what)
}

/// Fails if anything of a blob is visible.
pub(super) async fn no_blob(sink: &dyn Sink, source: &dyn Source, descriptor: &Descriptor) -> Outcome {
    holds(!sink.has(descriptor).await?, "a sink has only what was put")?;
    refused(
        read(source, descriptor, ByteRange::FULL).await,
        ErrorKind::NotFound,
        "a read of a blob that is not there",
    )
}

/// The names that a source lists, and fails where one is listed twice or out of order, or said to be what it is not.
pub(super) async fn list(source: &dyn Source) -> Outcome<Vec<String>> {
    let mut names = Vec::new();
    for Named { name, descriptor } in collect(source.names()).await? {
        if let Some(descriptor) = descriptor {
            let resolved = source.resolve(&Selector::Name(name.clone())).await?;
            equal(
                &descriptor.digest,
                &resolved.digest,
                &format!("what {name} names in a listing"),
            )?;
        }
        names.push(name.as_str().to_owned());
    }
    let ordered = names.windows(2).all(|pair| pair[0] < pair[1]);
    let promise = format!("names are listed once each, in the order of their bytes, not as {names:?}");
    holds(ordered, &promise)?;
    Ok(names)
}

/// The referrers of a digest, ordered by their digests.
pub(super) async fn referring(
    source: &dyn Source,
    subject: &Digest,
    filter: ReferrerFilter,
) -> Outcome<Vec<Descriptor>> {
    let mut referrers = collect(source.referrers(subject, filter)).await?;
    referrers.sort_by_key(|referrer| referrer.digest.to_string());
    Ok(referrers)
}
