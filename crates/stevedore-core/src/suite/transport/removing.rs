//! Removing names and documents.

use super::referrers::lists;
use super::{comes_back, leads_nowhere, leads_to, list, named, read, write};
use crate::samples::Sample;
use crate::suite::body::sha256;
use crate::suite::failure::{Outcome, equal, holds, refused};
use crate::suite::fixture::{Ability, TransportFixture};
use crate::{ByteRange, ErrorKind, ReferrerFilter, Selector};

/// Whether a fixture removes what it wrote before.
pub(super) async fn removes<F: TransportFixture>(fixture: &F) -> Outcome<bool> {
    let all = [Ability::Rewrite, Ability::Several];
    if !all.into_iter().all(|ability| fixture.can(ability)) {
        return Ok(false);
    }
    let sink = fixture.sink().await?;
    let removes = sink.traits().remove;
    sink.finish().await?;
    Ok(removes)
}

/// Removes what a selector names, with a sink of its own.
async fn remove<F: TransportFixture>(fixture: &F, selector: &Selector) -> Outcome {
    let sink = fixture.sink().await?;
    sink.remove(selector).await?;
    sink.finish().await?;
    fixture.settle().await;
    Ok(())
}

/// Removing a name keeps the document, by its digest and by its other names, with its blobs and referrers.
pub async fn name_is_removed<F: TransportFixture>(fixture: &F) -> Outcome {
    if !removes(fixture).await? || !fixture.can(Ability::Names) {
        return Ok(());
    }
    let image = Sample::image(&["named"]).with_referrer("application/vnd.example.note", "note");
    let other = Sample::image(&["other"]);
    write(fixture, &[(&image, &["gone", "kept"]), (&other, &["other"])]).await?;
    remove(fixture, &named("gone")?).await?;
    let source = fixture.source().await?;
    leads_nowhere(&*source, &named("gone")?).await?;
    leads_to(&*source, &named("kept")?, image.document()).await?;
    leads_to(&*source, &named("other")?, other.document()).await?;
    comes_back(&*source, &image).await?;
    let names = ["kept", "other"].map(str::to_owned).to_vec();
    equal(&list(&*source).await?, &names, "the names after one was removed")?;
    if fixture.can(Ability::Referrers) {
        let referrer = &image.referrers()[0];
        lists(&*source, &image.descriptor(), ReferrerFilter::all(), &[referrer]).await?;
    }
    remove(fixture, &named("kept")?).await?;
    let source = fixture.source().await?;
    let digest = Selector::Digest(image.document().digest());
    leads_to(&*source, &digest, image.document()).await?;
    leads_nowhere(&*source, &named("kept")?).await
}

/// Removing a document removes its names; others, and the blobs that they share, stay.
pub async fn document_is_removed<F: TransportFixture>(fixture: &F) -> Outcome {
    if !removes(fixture).await? {
        return Ok(());
    }
    let (image, other) = (
        Sample::image(&["shared", "gone"]),
        Sample::image(&["shared", "kept"]),
    );
    write(fixture, &[(&image, &["one", "two"]), (&other, &["three"])]).await?;
    let digest = Selector::Digest(image.document().digest());
    remove(fixture, &digest).await?;
    let source = fixture.source().await?;
    if fixture.can(Ability::Forget) {
        leads_nowhere(&*source, &digest).await?;
        refused(
            source.document(&image.descriptor()).await,
            ErrorKind::NotFound,
            "a document that was removed",
        )?;
    }
    if fixture.can(Ability::Names) {
        leads_nowhere(&*source, &named("one")?).await?;
        leads_nowhere(&*source, &named("two")?).await?;
        leads_to(&*source, &named("three")?, other.document()).await?;
        equal(
            &list(&*source).await?,
            &vec!["three".to_owned()],
            "the names after their document was removed",
        )?;
    }
    comes_back(&*source, &other).await?;
    let sink = fixture.sink().await?;
    if fixture.can(Ability::Forget) {
        holds(
            !sink.has(&image.descriptor()).await?,
            "a sink has no document that was removed",
        )?;
    }
    sink.finish().await?;
    Ok(())
}

/// What was removed can be put again, as if for the first time.
pub async fn removed_comes_again<F: TransportFixture>(fixture: &F) -> Outcome {
    if !removes(fixture).await? {
        return Ok(());
    }
    let image = Sample::image(&["again"]).with_referrer("application/vnd.example.note", "note");
    write(fixture, &[(&image, &["v1"])]).await?;
    let digest = Selector::Digest(image.document().digest());
    let note = Selector::Digest(image.referrers()[0].document().digest());
    for _ in 0..2 {
        remove(fixture, &digest).await?;
        remove(fixture, &note).await?;
        if fixture.can(Ability::Forget) {
            leads_nowhere(&*fixture.source().await?, &digest).await?;
        }
        write(fixture, &[(&image, &["v1"])]).await?;
        let source = fixture.source().await?;
        comes_back(&*source, &image).await?;
        leads_to(&*source, &digest, image.document()).await?;
        if fixture.can(Ability::Names) {
            leads_to(&*source, &named("v1")?, image.document()).await?;
        }
        if fixture.can(Ability::Referrers) {
            let all = ReferrerFilter::all();
            lists(&*source, &image.descriptor(), all, &[&image.referrers()[0]]).await?;
        }
    }
    Ok(())
}

/// A referrer that is removed is not listed any more; its fellows are. A subject that is removed leaves its referrers.
pub async fn referrer_is_removed<F: TransportFixture>(fixture: &F) -> Outcome {
    if !removes(fixture).await? || !fixture.can(Ability::Referrers) {
        return Ok(());
    }
    let image = Sample::image(&["subject"])
        .with_referrer("application/vnd.example.note", "gone")
        .with_referrer("application/vnd.example.note", "kept");
    write(fixture, &[(&image, &["v1"])]).await?;
    let [gone, kept] = image.referrers() else {
        return Ok(());
    };
    remove(fixture, &Selector::Digest(gone.document().digest())).await?;
    let all = ReferrerFilter::all;
    let source = fixture.source().await?;
    lists(&*source, &image.descriptor(), all(), &[kept]).await?;
    comes_back(&*source, kept).await?;
    let digest = Selector::Digest(image.document().digest());
    leads_to(&*source, &digest, image.document()).await?;
    remove(fixture, &digest).await?;
    let source = fixture.source().await?;
    comes_back(&*source, kept).await?;
    lists(&*source, &image.descriptor(), all(), &[kept]).await
}

/// Removing what is not there is not found, and removes nothing.
pub async fn absent_is_removed<F: TransportFixture>(fixture: &F) -> Outcome {
    if !removes(fixture).await? {
        return Ok(());
    }
    let image = Sample::image(&["staying"]);
    write(fixture, &[(&image, &["v1"])]).await?;
    let sink = fixture.sink().await?;
    let mut absent = vec![Selector::Digest(sha256(b"absent"))];
    if fixture.can(Ability::Names) {
        absent.extend([named("v2")?, named("v")?, named("V1")?]);
    }
    for selector in absent {
        let what = format!("a removal of {selector:?}, which is not there");
        refused(sink.remove(&selector).await, ErrorKind::NotFound, &what)?;
    }
    sink.finish().await?;
    let source = fixture.source().await?;
    comes_back(&*source, &image).await?;
    for (descriptor, bytes) in image.blobs() {
        let found = read(&*source, descriptor, ByteRange::FULL).await?;
        holds(found == *bytes, "a blob stays when something else is removed")?;
    }
    Ok(())
}

/// What was removed once is not found the second time.
pub async fn removed_twice<F: TransportFixture>(fixture: &F) -> Outcome {
    if !removes(fixture).await? {
        return Ok(());
    }
    let image = Sample::image(&["twice"]);
    write(fixture, &[(&image, &["v1", "v2"])]).await?;
    let mut selectors = vec![Selector::Digest(image.document().digest())];
    if fixture.can(Ability::Names) {
        selectors.insert(0, named("v1")?);
    }
    let sink = fixture.sink().await?;
    for selector in selectors {
        sink.remove(&selector).await?;
        let what = format!("a second removal of {selector:?}");
        refused(sink.remove(&selector).await, ErrorKind::NotFound, &what)?;
    }
    Ok(sink.finish().await?)
}
