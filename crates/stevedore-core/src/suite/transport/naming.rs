//! Names: what they lead to, how they move, and how they are listed.

use super::{leads_nowhere, leads_to, list, name, named, put_below, root, write};
use crate::samples::Sample;
use crate::suite::failure::{Outcome, equal, refused};
use crate::suite::fixture::{Ability, TransportFixture};
use crate::{ErrorKind, Role, Selector, annotations};

/// Whether a fixture has names, and place for two images one after the other.
fn moves<F: TransportFixture>(fixture: &F) -> bool {
    let all = [Ability::Names, Ability::Several, Ability::Rewrite];
    all.into_iter().all(|ability| fixture.can(ability))
}

/// A name that is put again leads to the new document; the old one is still there by its digest.
pub async fn name_moves<F: TransportFixture>(fixture: &F) -> Outcome {
    if !moves(fixture) {
        return Ok(());
    }
    let (old, new) = (Sample::image(&["old"]), Sample::image(&["new"]));
    write(fixture, &[(&old, &["moved", "kept"])]).await?;
    leads_to(&*fixture.source().await?, &named("moved")?, old.document()).await?;
    write(fixture, &[(&new, &["moved"])]).await?;
    let source = fixture.source().await?;
    leads_to(&*source, &named("moved")?, new.document()).await?;
    leads_to(&*source, &named("kept")?, old.document()).await?;
    let digest = Selector::Digest(old.document().digest());
    leads_to(&*source, &digest, old.document()).await?;
    let names = ["kept", "moved"].map(str::to_owned).to_vec();
    equal(&list(&*source).await?, &names, "the names after one moved")
}

/// Who does not want to replace is refused where a name leads elsewhere, and nothing changes.
pub async fn name_is_kept<F: TransportFixture>(fixture: &F) -> Outcome {
    if !moves(fixture) {
        return Ok(());
    }
    let (old, new) = (Sample::image(&["old"]), Sample::image(&["new"]));
    write(fixture, &[(&old, &["kept"])]).await?;
    let sink = fixture.sink().await?;
    put_below(&*sink, &new).await?;
    let put = sink.put_document(new.document(), root("kept", false)?).await;
    refused(
        put,
        ErrorKind::Conflict,
        "a name that leads elsewhere, not to be replaced",
    )?;
    sink.finish().await?;
    fixture.settle().await;
    let source = fixture.source().await?;
    leads_to(&*source, &named("kept")?, old.document()).await?;
    equal(
        &list(&*source).await?,
        &vec!["kept".to_owned()],
        "the names after a refusal",
    )
}

/// Where one of several names leads elsewhere, none of them is put.
pub async fn names_are_kept_together<F: TransportFixture>(fixture: &F) -> Outcome {
    if !moves(fixture) {
        return Ok(());
    }
    let (old, new) = (Sample::image(&["old"]), Sample::image(&["new"]));
    write(fixture, &[(&old, &["kept"])]).await?;
    let sink = fixture.sink().await?;
    put_below(&*sink, &new).await?;
    let names = vec![name("free")?, name("kept")?, name("open")?];
    let role = Role::Root {
        names,
        replace: false,
    };
    refused(
        sink.put_document(new.document(), role).await,
        ErrorKind::Conflict,
        "three names of which one leads elsewhere, not to be replaced",
    )?;
    sink.finish().await?;
    fixture.settle().await;
    let source = fixture.source().await?;
    leads_nowhere(&*source, &named("free")?).await?;
    leads_nowhere(&*source, &named("open")?).await?;
    leads_to(&*source, &named("kept")?, old.document()).await
}

/// Who does not want to replace may put what is there already, and a name that is free.
pub async fn same_name_is_no_conflict<F: TransportFixture>(fixture: &F) -> Outcome {
    if !moves(fixture) {
        return Ok(());
    }
    let image = Sample::image(&["same"]);
    write(fixture, &[(&image, &["there"])]).await?;
    let sink = fixture.sink().await?;
    put_below(&*sink, &image).await?;
    sink.put_document(image.document(), root("there", false)?).await?;
    sink.put_document(image.document(), root("free", false)?).await?;
    sink.finish().await?;
    fixture.settle().await;
    let source = fixture.source().await?;
    leads_to(&*source, &named("there")?, image.document()).await?;
    leads_to(&*source, &named("free")?, image.document()).await
}

/// Names are listed once each, in the order of their bytes, however they were put.
pub async fn names_are_in_order<F: TransportFixture>(fixture: &F) -> Outcome {
    if !fixture.can(Ability::Names) || !fixture.can(Ability::Several) {
        return Ok(());
    }
    let mut texts = vec![
        "v1", "v10", "v1.0", "v1-0", "v1_0", "V1", "1.0", "0", "latest", "a", "B",
    ];
    if fixture.can(Ability::RefNames) {
        texts.extend([
            "v1/0",
            "v1:0",
            "v1+0",
            "v1@0",
            "docker.io/library/x:1.2",
            "v1/0.0",
            "v1--0",
        ]);
    }
    let (one, other) = (Sample::image(&["one"]), Sample::image(&["other"]));
    let (first, second) = texts.split_at(texts.len() / 2);
    write(fixture, &[(&one, first), (&other, second)]).await?;
    let source = fixture.source().await?;
    let mut expected: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
    expected.sort_unstable();
    equal(&list(&*source).await?, &expected, "the names")?;
    for text in second {
        leads_to(&*source, &named(text)?, other.document()).await?;
    }
    Ok(())
}

/// More names than any listing gives at once.
pub async fn hundreds_of_names<F: TransportFixture>(fixture: &F) -> Outcome {
    if !fixture.can(Ability::Names) {
        return Ok(());
    }
    let image = Sample::image(&["many"]);
    let sink = fixture.sink().await?;
    put_below(&*sink, &image).await?;
    let texts: Vec<String> = (0..600).map(|number| format!("n{number:04}")).collect();
    let names = texts.iter().map(|text| name(text)).collect::<Outcome<_>>()?;
    let role = Role::Root { names, replace: true };
    sink.put_document(image.document(), role).await?;
    sink.finish().await?;
    fixture.settle().await;
    equal(
        &list(&*fixture.source().await?).await?,
        &texts,
        "hundreds of names",
    )
}

/// What a document says of its own name in its annotations is not a name.
pub async fn annotation_is_no_name<F: TransportFixture>(fixture: &F) -> Outcome {
    if !fixture.can(Ability::Names) {
        return Ok(());
    }
    let image = Sample::image(&["called"]).with_annotation(annotations::REF_NAME, "annotated");
    let image = image.map_err(crate::Error::from)?;
    let referrer = Sample::artifact(&image.descriptor(), "application/vnd.example.note", "note")
        .with_annotation(annotations::REF_NAME, "referring")
        .map_err(crate::Error::from)?;
    let image = image.with_referring(referrer);
    write(fixture, &[(&image, &["real"])]).await?;
    let source = fixture.source().await?;
    leads_to(&*source, &named("real")?, image.document()).await?;
    for annotated in ["annotated", "referring"] {
        leads_nowhere(&*source, &named(annotated)?).await?;
    }
    equal(&list(&*source).await?, &vec!["real".to_owned()], "the names")
}
