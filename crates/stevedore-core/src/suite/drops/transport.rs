//! Dropping what changes a place for images.

use super::{MOST_AWAITS, never_ends};
use crate::samples::{Sample, describe};
use crate::suite::body::{chunked, content, sha256};
use crate::suite::failure::{Failure, Outcome, equal, holds, refused};
use crate::suite::fixture::{Ability, TransportFixture};
use crate::suite::run::drop_after;
use crate::suite::supplies::Tape;
use crate::suite::transport::{
    comes_back, leads_nowhere, leads_to, list, named, names_for, no_blob, put_below, read, referring, root,
};
use crate::{
    ByteRange, Document, ErrorKind, Expected, IngestPlan, MediaType, ReferrerFilter, Role, Selector, Source,
    Staging,
};

/// Whether what is dropped can be looked at afterwards.
fn looks<F: TransportFixture>(fixture: &F, more: &[Ability]) -> bool {
    let all = [Ability::Rewrite, Ability::Several];
    all.iter().chain(more).all(|ability| fixture.can(*ability))
}

/// A blob of which a put was dropped is there whole or not at all, and a repeat completes it.
pub async fn dropped_put_blob<F: TransportFixture>(fixture: &F) -> Outcome {
    if !looks(fixture, &[]) {
        return Ok(());
    }
    let (slow, sink) = (fixture.slow_sink().await?, fixture.sink().await?);
    for polls in 0..MOST_AWAITS {
        let bytes = content("put", 5000 + polls);
        let descriptor = describe(MediaType::OCI_LAYER, &bytes);
        let tape = Tape::new(&bytes);
        let done = drop_after(polls, slow.put_blob(&descriptor, &[], &tape)).await;
        let done = done.transpose()?.is_some();
        fixture.settle().await;
        let source = fixture.source().await?;
        let there = sink.has(&descriptor).await?;
        if there {
            let found = read(&*source, &descriptor, ByteRange::FULL).await?;
            holds(found == bytes, "a blob is there whole or not at all")?;
        } else {
            holds(!done, "a blob is there once its put has answered")?;
            no_blob(&*sink, &*source, &descriptor).await?;
        }
        sink.put_blob(&descriptor, &[], &tape).await?;
        let found = read(&*source, &descriptor, ByteRange::FULL).await?;
        holds(found == bytes, "a repeat completes a put that was dropped")?;
        if done {
            return Ok(());
        }
    }
    never_ends()
}

/// A document of which the first put was dropped is there under its name or not under it, and a repeat completes it.
pub async fn dropped_put_document<F: TransportFixture>(fixture: &F) -> Outcome {
    if !looks(fixture, &[Ability::Names]) {
        return Ok(());
    }
    let (slow, sink) = (fixture.slow_sink().await?, fixture.sink().await?);
    for polls in 0..MOST_AWAITS {
        let image = Sample::image(&["base", &format!("put {polls}")]);
        let text = format!("put{polls}");
        put_below(&*sink, &image).await?;
        let done = drop_after(polls, slow.put_document(image.document(), root(&text, true)?)).await;
        let done = done.transpose()?.is_some();
        fixture.settle().await;
        let source = fixture.source().await?;
        let listed = list(&*source).await?.contains(&text);
        if listed {
            leads_to(&*source, &named(&text)?, image.document()).await?;
            comes_back(&*source, &image).await?;
        } else {
            holds(!done, "a name is there once its put has answered")?;
            leads_nowhere(&*source, &named(&text)?).await?;
        }
        sink.put_document(image.document(), root(&text, true)?).await?;
        let source = fixture.source().await?;
        leads_to(&*source, &named(&text)?, image.document()).await?;
        comes_back(&*source, &image).await?;
        if done {
            return Ok(());
        }
    }
    never_ends()
}

/// A name whose move was dropped leads to the old document or to the new one.
pub async fn dropped_move_of_a_name<F: TransportFixture>(fixture: &F) -> Outcome {
    if !looks(fixture, &[Ability::Names]) {
        return Ok(());
    }
    let (slow, sink) = (fixture.slow_sink().await?, fixture.sink().await?);
    let old = Sample::image(&["old"]);
    for polls in 0..MOST_AWAITS {
        old.put(&*sink, &["moved"]).await?;
        let new = Sample::image(&["new", &format!("{polls}")]);
        put_below(&*sink, &new).await?;
        let done = drop_after(polls, slow.put_document(new.document(), root("moved", true)?)).await;
        let done = done.transpose()?.is_some();
        fixture.settle().await;
        let source = fixture.source().await?;
        let found = source.root(&named("moved")?).await?;
        let new_already = found == *new.document();
        holds(
            new_already || found == *old.document(),
            "a name leads to the old document or to the new one",
        )?;
        holds(
            new_already || !done,
            "a name leads to the new document once its put has answered",
        )?;
        sink.put_document(new.document(), root("moved", true)?).await?;
        let source = fixture.source().await?;
        leads_to(&*source, &named("moved")?, new.document()).await?;
        equal(
            &list(&*source).await?,
            &vec!["moved".to_owned()],
            "the names after a move that was dropped",
        )?;
        if done {
            return Ok(());
        }
    }
    never_ends()
}

/// A referrer of which the put was dropped is listed and there, or not listed, and a repeat completes it.
pub async fn dropped_put_of_a_referrer<F: TransportFixture>(fixture: &F) -> Outcome {
    if !looks(fixture, &[Ability::Referrers]) {
        return Ok(());
    }
    let (slow, sink) = (fixture.slow_sink().await?, fixture.sink().await?);
    for polls in 0..MOST_AWAITS {
        let image = Sample::image(&[&format!("subject {polls}")]);
        image.put(&*sink, &[]).await?;
        let note = Sample::artifact(&image.descriptor(), "application/vnd.example.note", "note");
        put_below(&*sink, &note).await?;
        let done = drop_after(polls, slow.put_document(note.document(), Role::Child)).await;
        let done = done.transpose()?.is_some();
        fixture.settle().await;
        let source = fixture.source().await?;
        let listed = is_listed(&*source, image.document(), &note).await?;
        holds(listed || !done, "a referrer is listed once its put has answered")?;
        sink.put_document(note.document(), Role::Child).await?;
        let listed = is_listed(&*fixture.source().await?, image.document(), &note).await?;
        holds(listed, "a repeat completes a put of a referrer that was dropped")?;
        if done {
            return Ok(());
        }
    }
    never_ends()
}

/// Whether a referrer is listed; then just it, as it should be, and it is there.
async fn is_listed(source: &dyn Source, subject: &Document, referrer: &Sample) -> Outcome<bool> {
    let found = referring(source, &subject.digest(), ReferrerFilter::all()).await?;
    if found.is_empty() {
        return Ok(false);
    }
    let expected = vec![referrer.document().referrer_descriptor()];
    equal(&found, &expected, "the referrers of a subject")?;
    comes_back(source, referrer).await?;
    Ok(true)
}

/// A name of which a removal was dropped leads where it led or is gone; the document stays.
pub async fn dropped_remove_of_a_name<F: TransportFixture>(fixture: &F) -> Outcome {
    let (slow, sink) = (fixture.slow_sink().await?, fixture.sink().await?);
    if !looks(fixture, &[Ability::Names]) || !sink.traits().remove {
        return Ok(());
    }
    let image = Sample::image(&["named"]);
    for polls in 0..MOST_AWAITS {
        image.put(&*sink, names_for(fixture, &["gone", "kept"])).await?;
        let done = drop_after(polls, slow.remove(&named("gone")?)).await;
        let done = done.transpose()?.is_some();
        fixture.settle().await;
        let source = fixture.source().await?;
        let listed = list(&*source).await?.iter().any(|name| name == "gone");
        let repeat = sink.remove(&named("gone")?).await;
        if listed {
            holds(!done, "a name is gone once its removal has answered")?;
            repeat?;
        } else {
            refused(repeat, ErrorKind::NotFound, "a repeat of a removal that was done")?;
        }
        let source = fixture.source().await?;
        leads_nowhere(&*source, &named("gone")?).await?;
        leads_to(&*source, &named("kept")?, image.document()).await?;
        if done {
            return Ok(());
        }
    }
    never_ends()
}

/// After a removal of a document was dropped each name still leads to it or is gone, none leads to nothing, and a
/// repeat removes what is left.
pub async fn dropped_remove_of_a_document<F: TransportFixture>(fixture: &F) -> Outcome {
    let (slow, sink) = (fixture.slow_sink().await?, fixture.sink().await?);
    if !looks(fixture, &[Ability::Names]) || !sink.traits().remove {
        return Ok(());
    }
    let subject = Sample::image(&["subject"]);
    for polls in 0..MOST_AWAITS {
        let text = format!("note {polls}");
        let note = Sample::artifact(&subject.descriptor(), "application/vnd.example.note", &text);
        note.put(&*sink, &["one", "two"]).await?;
        let selector = Selector::Digest(note.document().digest());
        let done = drop_after(polls, slow.remove(&selector))
            .await
            .transpose()?
            .is_some();
        fixture.settle().await;
        let source = fixture.source().await?;
        for name in list(&*source).await? {
            leads_to(&*source, &named(&name)?, note.document()).await?;
        }
        if fixture.can(Ability::Referrers) {
            is_listed(&*source, subject.document(), &note).await?;
        }
        let left = if fixture.can(Ability::Forget) {
            sink.has(&note.descriptor()).await?
        } else {
            !list(&*source).await?.is_empty()
        };
        holds(!left || !done, "a document is gone once its removal has answered")?;
        let repeat = sink.remove(&selector).await;
        if left {
            repeat?;
        } else {
            refused(repeat, ErrorKind::NotFound, "a repeat of a removal that was done")?;
        }
        let source = fixture.source().await?;
        if fixture.can(Ability::Forget) {
            leads_nowhere(&*source, &selector).await?;
        }
        equal(
            &list(&*source).await?,
            &Vec::new(),
            "the names of a document that was removed",
        )?;
        if fixture.can(Ability::Referrers) {
            let listed = is_listed(&*source, subject.document(), &note).await?;
            holds(!listed, "a referrer that was removed is not listed")?;
        }
        if done {
            return Ok(());
        }
    }
    never_ends()
}

/// A blob of which the commit was dropped is there whole or not at all, and can be put.
pub async fn dropped_commit_of_a_sink<F: TransportFixture>(fixture: &F) -> Outcome {
    let (slow, sink) = (fixture.slow_sink().await?, fixture.sink().await?);
    if !looks(fixture, &[]) || !sink.traits().ingest {
        return Ok(());
    }
    for polls in 0..MOST_AWAITS {
        let bytes = content("committed", 5000 + polls);
        let descriptor = describe(MediaType::OCI_LAYER, &bytes);
        let plan = IngestPlan::new(sha256(&bytes).algorithm());
        let Some(Staging::Mine(mut ingest)) = slow.ingest(plan).await? else {
            return Err(Failure::new("a sink with the trait does not ingest"));
        };
        ingest.append(chunked(&bytes, 900)).await?;
        let done = drop_after(polls, ingest.commit(Expected::anything())).await;
        let done = done.transpose()?.is_some();
        drop(ingest);
        fixture.settle().await;
        let source = fixture.source().await?;
        if sink.has(&descriptor).await? {
            let found = read(&*source, &descriptor, ByteRange::FULL).await?;
            holds(found == bytes, "a blob is there whole or not at all")?;
        } else {
            holds(!done, "a blob is there once its commit has answered")?;
            no_blob(&*sink, &*source, &descriptor).await?;
        }
        sink.put_blob(&descriptor, &[], &Tape::new(&bytes)).await?;
        let found = read(&*source, &descriptor, ByteRange::FULL).await?;
        holds(found == bytes, "a put completes a commit that was dropped")?;
        if done {
            return Ok(());
        }
    }
    never_ends()
}
