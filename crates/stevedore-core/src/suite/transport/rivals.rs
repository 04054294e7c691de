//! Several at once.

use std::sync::Arc;

use super::blobs::blob;
use super::removing::removes;
use super::{comes_back, leads_to, list, named, put_below, read, root};
use crate::samples::Sample;
use crate::stream::yield_now;
use crate::suite::failure::{Failure, Outcome, equal, holds};
use crate::suite::fixture::{Ability, TransportFixture};
use crate::suite::run::{BoxFuture, interleave};
use crate::suite::supplies::Tape;
use crate::{ByteRange, ErrorKind, Result, Selector};

/// One blob that several put at once is there, and whole, for each of them.
pub async fn one_blob_at_once<F: TransportFixture>(fixture: &F) -> Outcome {
    let sink = fixture.slow_sink().await?;
    if sink.traits().sequential || !fixture.can(Ability::Rewrite) {
        return Ok(sink.finish().await?);
    }
    for seed in 0..8 {
        let (descriptor, bytes) = blob(&format!("at once {seed}"), 20_000);
        let mut sinks = vec![Arc::clone(&sink), Arc::clone(&sink)];
        if fixture.can(Ability::SideBySide) {
            sinks.push(fixture.slow_sink().await?);
        }
        let tape = &Tape::new(&bytes);
        let descriptor = &descriptor;
        let puts: Vec<BoxFuture<'_, Result<bool>>> = sinks
            .iter()
            .map(|sink| -> BoxFuture<'_, _> {
                Box::pin(async move {
                    sink.put_blob(descriptor, &[], tape).await?;
                    sink.has(descriptor).await
                })
            })
            .collect();
        for there in interleave(seed, puts).await {
            holds(there?, "a blob is there for each who put it")?;
        }
        let found = read(&*fixture.source().await?, descriptor, ByteRange::FULL).await?;
        holds(found == bytes, "a blob that several put is whole")?;
    }
    Ok(sink.finish().await?)
}

/// Several instances that write images under names of their own lose nothing of each other.
pub async fn images_side_by_side<F: TransportFixture>(fixture: &F) -> Outcome {
    let all = [
        Ability::SideBySide,
        Ability::Rewrite,
        Ability::Several,
        Ability::Names,
    ];
    if !all.into_iter().all(|ability| fixture.can(ability)) {
        return Ok(());
    }
    let subject = Sample::image(&["subject"]);
    let writers: Vec<(String, Sample)> = (0..8)
        .map(|number| {
            let image = Sample::image(&["shared", &format!("own {number}")]);
            let note = format!("note {number}");
            let about = Sample::artifact(&subject.descriptor(), "application/vnd.example.note", &note);
            (format!("writer{number}"), image.with_referring(about))
        })
        .collect();
    let mut sinks = Vec::new();
    for _ in &writers {
        sinks.push(fixture.slow_sink().await?);
    }
    let puts: Vec<BoxFuture<'_, Result<()>>> = writers
        .iter()
        .zip(&sinks)
        .map(|((name, image), sink)| -> BoxFuture<'_, _> {
            Box::pin(async move {
                image.put(&**sink, &[name]).await?;
                sink.finish().await
            })
        })
        .collect();
    for put in interleave(5, puts).await {
        put?;
    }
    fixture.settle().await;
    let source = fixture.source().await?;
    for (name, image) in &writers {
        leads_to(&*source, &named(name)?, image.document()).await?;
        comes_back(&*source, image).await?;
    }
    let names: Vec<String> = writers.iter().map(|(name, _)| name.clone()).collect();
    equal(&list(&*source).await?, &names, "the names that eight writers put")?;
    if fixture.can(Ability::Referrers) {
        let digest = subject.document().digest();
        let found = super::referring(&*source, &digest, crate::ReferrerFilter::all()).await?;
        equal(
            &found.len(),
            &writers.len(),
            "how many referrers eight writers filed",
        )?;
    }
    Ok(())
}

/// Of several who put one free name at once and replace nothing, one succeeds.
pub async fn one_name_at_once<F: TransportFixture>(fixture: &F) -> Outcome {
    let all = [
        Ability::Isolation,
        Ability::Rewrite,
        Ability::Several,
        Ability::Names,
    ];
    if !all.into_iter().all(|ability| fixture.can(ability)) {
        return Ok(());
    }
    for seed in 0..8 {
        let text = format!("contested{seed}");
        let sink = fixture.slow_sink().await?;
        let images = [0, 1, 2].map(|number| Sample::image(&[&text, &format!("{number}")]));
        for image in &images {
            put_below(&*sink, image).await?;
        }
        let mut puts: Vec<BoxFuture<'_, Result<()>>> = Vec::new();
        for image in &images {
            let role = root(&text, false)?;
            puts.push(sink.put_document(image.document(), role));
        }
        let outcomes = interleave(seed, puts).await;
        let source = fixture.source().await?;
        let mut won = 0;
        for (image, outcome) in images.iter().zip(outcomes) {
            match outcome {
                Ok(()) => {
                    won += 1;
                    leads_to(&*source, &named(&text)?, image.document()).await?;
                }
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                Err(error) => return Err(error.into()),
            }
        }
        equal(&won, &1, "how many of three put one name")?;
        sink.finish().await?;
    }
    Ok(())
}

/// A document that is put under a name while it is removed is there with its name or gone with it.
pub async fn put_while_removing<F: TransportFixture>(fixture: &F) -> Outcome {
    let all = [Ability::Isolation, Ability::Names];
    if !all.into_iter().all(|ability| fixture.can(ability)) || !removes(fixture).await? {
        return Ok(());
    }
    for seed in 0..80 {
        let image = Sample::image(&[&format!("contested {seed}")]);
        let (old, new) = (format!("old{seed}"), format!("new{seed}"));
        let sink = fixture.slow_sink().await?;
        image.put(&*sink, &[&old]).await?;
        let digest = Selector::Digest(image.document().digest());
        let role = root(&new, true)?;
        // The removals begin ever later, so that each of their steps meets each of the put's.
        let rivals: Vec<BoxFuture<'_, Result<()>>> = vec![
            sink.put_document(image.document(), role),
            late(seed, sink.remove(&digest)),
            late(seed / 2, sink.remove(&digest)),
        ];
        for outcome in interleave(seed, rivals).await {
            match outcome {
                Err(error) if !error.is_not_found() => return Err(error.into()),
                _ => {}
            }
        }
        fixture.settle().await;
        let source = fixture.source().await?;
        let by_digest = there(source.root(&digest).await)?;
        let by_name = there(source.root(&named(&new)?).await)?;
        equal(
            &by_name,
            &by_digest,
            "whether a name is there that was put while its document was removed, and whether that is",
        )?;
        let listed = list(&*source).await?;
        equal(&listed.contains(&new), &by_name, "whether that name is listed")?;
        holds(
            !listed.contains(&old),
            "a removal removes the names that were there before it",
        )?;
        sink.finish().await?;
    }
    Ok(())
}

/// A future that waits so many polls before it begins.
fn late<'a, T>(polls: u64, future: impl Future<Output = T> + Send + 'a) -> BoxFuture<'a, T> {
    Box::pin(async move {
        for _ in 0..polls {
            yield_now().await;
        }
        future.await
    })
}

fn there<T>(found: Result<T>) -> Outcome<bool> {
    match found {
        Ok(_) => Ok(true),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(Failure::from(error)),
    }
}
