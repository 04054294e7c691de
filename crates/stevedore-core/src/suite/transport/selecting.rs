//! What a selector leads to, and what it does not.

use super::{leads_nowhere, leads_to, list, name, named, put_below, write};
use crate::samples::Sample;
use crate::suite::body::sha256;
use crate::suite::failure::{Outcome, equal, refused};
use crate::suite::fixture::{Ability, TransportFixture};
use crate::{ErrorKind, Role, Selector};

/// A name or a digest that is not there is not found, also where it is that of a blob's neighbour or nearly a name.
pub async fn absent_document<F: TransportFixture>(fixture: &F) -> Outcome {
    let image = Sample::image(&["present"]);
    write(fixture, &[(&image, &["v1.0"])]).await?;
    let source = fixture.source().await?;
    leads_nowhere(&*source, &Selector::Digest(sha256(b"absent"))).await?;
    if fixture.can(Ability::Names) {
        for absent in ["v1", "v1.00", "V1.0", "v1-0", "absent"] {
            leads_nowhere(&*source, &named(absent)?).await?;
        }
        leads_to(&*source, &named("v1.0")?, image.document()).await?;
    }
    if fixture.can(Ability::Nth) {
        for place in [1, 1000, usize::MAX] {
            leads_nowhere(&*source, &Selector::Nth(place)).await?;
        }
    }
    Ok(())
}

/// The only one of several is none, and who asks for it is told to choose.
pub async fn only_of_several<F: TransportFixture>(fixture: &F) -> Outcome {
    let all = [Ability::Only, Ability::Several, Ability::Names];
    if !all.into_iter().all(|ability| fixture.can(ability)) {
        return Ok(());
    }
    let (one, other) = (Sample::image(&["one"]), Sample::image(&["other"]));
    write(fixture, &[(&one, &["one"]), (&other, &["other"])]).await?;
    let source = fixture.source().await?;
    let what = "the only one of two";
    refused(source.resolve(&Selector::Only).await, ErrorKind::Invalid, what)?;
    refused(source.root(&Selector::Only).await, ErrorKind::Invalid, what)
}

/// Each place leads to one of the images, and together they lead to all.
pub async fn nth_of_several<F: TransportFixture>(fixture: &F) -> Outcome {
    let all = [Ability::Nth, Ability::Several, Ability::Names];
    if !all.into_iter().all(|ability| fixture.can(ability)) {
        return Ok(());
    }
    let images = [
        Sample::image(&["0"]),
        Sample::image(&["1"]),
        Sample::image(&["2"]),
    ];
    write(
        fixture,
        &[(&images[0], &["c"]), (&images[1], &["a"]), (&images[2], &["b"])],
    )
    .await?;
    let source = fixture.source().await?;
    let mut found = Vec::new();
    for place in 0..images.len() {
        let selector = Selector::Nth(place);
        let document = source.root(&selector).await?;
        leads_to(&*source, &selector, &document).await?;
        found.push(document.digest());
    }
    found.sort();
    let mut written: Vec<_> = images.iter().map(|image| image.document().digest()).collect();
    written.sort();
    equal(&found, &written, "the images at all places")
}

/// A root without a name is found by its digest, and no name appears.
pub async fn root_without_a_name<F: TransportFixture>(fixture: &F) -> Outcome {
    let image = Sample::image(&["nameless"]);
    let sink = fixture.sink().await?;
    put_below(&*sink, &image).await?;
    let role = Role::Root {
        names: Vec::new(),
        replace: false,
    };
    sink.put_document(image.document(), role).await?;
    sink.finish().await?;
    fixture.settle().await;
    let source = fixture.source().await?;
    let selector = Selector::Digest(image.document().digest());
    leads_to(&*source, &selector, image.document()).await?;
    equal(
        &list(&*source).await?,
        &Vec::new(),
        "the names of what has no name",
    )
}

/// A child of an index is found by its digest, under its own type.
pub async fn child_by_its_digest<F: TransportFixture>(fixture: &F) -> Outcome {
    let index = Sample::index(vec![Sample::image(&["child"]), Sample::docker_image(&["child"])]);
    write(fixture, &[(&index, &["v1"])]).await?;
    let source = fixture.source().await?;
    for child in index.children() {
        let selector = Selector::Digest(child.document().digest());
        leads_to(&*source, &selector, child.document()).await?;
    }
    Ok(())
}

/// One document under many names is the same by each.
pub async fn many_names<F: TransportFixture>(fixture: &F) -> Outcome {
    if !fixture.can(Ability::Names) {
        return Ok(());
    }
    let image = Sample::image(&["named"]);
    let sink = fixture.sink().await?;
    put_below(&*sink, &image).await?;
    let texts = ["v1", "v1.0", "latest", "V1", "1"];
    let names = texts.into_iter().map(name).collect::<Outcome<Vec<_>>>()?;
    let role = Role::Root { names, replace: true };
    sink.put_document(image.document(), role).await?;
    sink.finish().await?;
    fixture.settle().await;
    let source = fixture.source().await?;
    for text in texts {
        leads_to(&*source, &named(text)?, image.document()).await?;
    }
    equal(
        &list(&*source).await?,
        &["1", "V1", "latest", "v1", "v1.0"].map(str::to_owned).to_vec(),
        "the names of one document",
    )
}
