//! Referrers: which are listed, and as what.

use super::{comes_back, leads_to, named, referring, write};
use crate::samples::Sample;
use crate::suite::failure::{Outcome, equal};
use crate::suite::fixture::{Ability, TransportFixture};
use crate::{Descriptor, MediaType, ReferrerFilter, Sink, Source};

const SIGNATURE: &str = "application/vnd.example.signature";
const SBOM: &str = "application/vnd.example.sbom";

/// Referrers that came before their subject, with it, and after it are all listed, each once.
pub async fn referrers_are_listed<F: TransportFixture>(fixture: &F) -> Outcome {
    if !fixture.can(Ability::Referrers) {
        return Ok(());
    }
    let image = Sample::image(&["subject"]);
    let subject = image.descriptor();
    let early = Sample::artifact(&subject, SIGNATURE, "early");
    let late = Sample::artifact(&subject, SIGNATURE, "late");
    let image = image.with_referrer(SBOM, "beside");
    let sink = fixture.sink().await?;
    put_referrer(&*sink, &early).await?;
    let texts = super::names_for(fixture, &["v1"]);
    image.put(&*sink, texts).await?;
    put_referrer(&*sink, &late).await?;
    // A repeat changes nothing.
    put_referrer(&*sink, &late).await?;
    sink.finish().await?;
    fixture.settle().await;
    let source = fixture.source().await?;
    comes_back(&*source, &image).await?;
    let written = [&early, &late, &image.referrers()[0]];
    lists(&*source, &subject, ReferrerFilter::all(), &written).await?;
    for referrer in written {
        comes_back(&*source, referrer).await?;
    }
    if fixture.can(Ability::Names) {
        leads_to(&*source, &named("v1")?, image.document()).await?;
    }
    Ok(())
}

/// Only those of an artifact type are listed where only those are wanted.
pub async fn referrers_of_a_type<F: TransportFixture>(fixture: &F) -> Outcome {
    if !fixture.can(Ability::Referrers) {
        return Ok(());
    }
    let image = Sample::image(&["subject"])
        .with_referrer(SIGNATURE, "one")
        .with_referrer(SBOM, "other")
        .with_referrer(SIGNATURE, "third");
    write(fixture, &[(&image, &["v1"])]).await?;
    let source = fixture.source().await?;
    let subject = image.descriptor();
    let [one, other, third] = image.referrers() else {
        return Ok(());
    };
    let wanted = |text| ReferrerFilter::artifact_type(MediaType::from_static(text));
    lists(&*source, &subject, wanted(SIGNATURE), &[one, third]).await?;
    lists(&*source, &subject, wanted(SBOM), &[other]).await?;
    lists(&*source, &subject, wanted("application/vnd.example.none"), &[]).await?;
    lists(&*source, &subject, ReferrerFilter::all(), &[one, other, third]).await
}

/// The descriptor of a referrer carries its annotations; its kind, where it names none, is the type of its config.
pub async fn referrers_are_described<F: TransportFixture>(fixture: &F) -> Outcome {
    if !fixture.can(Ability::Referrers) {
        return Ok(());
    }
    let image = Sample::image(&["subject"]);
    let subject = image.descriptor();
    let annotated = Sample::artifact(&subject, SIGNATURE, "annotated")
        .with_annotation("org.example.\"quoted\" / key", "v\u{e4}lue\n")
        .map_err(crate::Error::from)?;
    let plain = referring_image(&subject)?;
    let index = referring_index(&subject)?;
    let written = [annotated.clone(), plain.clone(), index.clone()];
    let image = written.into_iter().fold(image, Sample::with_referring);
    write(fixture, &[(&image, &["v1"])]).await?;
    let source = fixture.source().await?;
    lists(
        &*source,
        &subject,
        ReferrerFilter::all(),
        &[&annotated, &plain, &index],
    )
    .await?;
    let config = ReferrerFilter::artifact_type(MediaType::OCI_CONFIG);
    lists(&*source, &subject, config, &[&plain]).await
}

/// What nothing refers to has no referrers: an image beside the subject, a referrer itself, what is not there.
pub async fn others_have_no_referrers<F: TransportFixture>(fixture: &F) -> Outcome {
    if !fixture.can(Ability::Referrers) || !fixture.can(Ability::Several) {
        return Ok(());
    }
    let image = Sample::image(&["subject"]).with_referrer(SIGNATURE, "one");
    let other = Sample::image(&["beside"]);
    write(fixture, &[(&image, &["v1"]), (&other, &["v2"])]).await?;
    let source = fixture.source().await?;
    let referrer = &image.referrers()[0];
    let absent = Sample::image(&["absent"]);
    for sample in [&other, referrer, &absent] {
        lists(&*source, &sample.descriptor(), ReferrerFilter::all(), &[]).await?;
    }
    Ok(())
}

/// A referrer of a referrer, and of an index and its child, each is filed under its own subject.
pub async fn referrers_in_a_chain<F: TransportFixture>(fixture: &F) -> Outcome {
    if !fixture.can(Ability::Referrers) {
        return Ok(());
    }
    let child = Sample::image(&["child"]).with_referrer(SIGNATURE, "of the child");
    let index = Sample::index(vec![child.clone()]);
    let note = Sample::artifact(&index.descriptor(), SBOM, "of the index").with_referrer(SIGNATURE, "of it");
    let index = index.with_referring(note.clone());
    write(fixture, &[(&index, &["v1"])]).await?;
    let source = fixture.source().await?;
    comes_back(&*source, &index).await?;
    for sample in [&child, &note, &index] {
        let referrers: Vec<&Sample> = sample.referrers().iter().collect();
        lists(&*source, &sample.descriptor(), ReferrerFilter::all(), &referrers).await?;
    }
    Ok(())
}

/// More referrers than any listing gives at once.
pub async fn hundreds_of_referrers<F: TransportFixture>(fixture: &F) -> Outcome {
    if !fixture.can(Ability::Referrers) {
        return Ok(());
    }
    let image = Sample::image(&["subject"]);
    let subject = image.descriptor();
    let referrers: Vec<Sample> = (0..300)
        .map(|number| Sample::artifact(&subject, SIGNATURE, &format!("number {number}")))
        .collect();
    let sink = fixture.sink().await?;
    for referrer in &referrers {
        put_referrer(&*sink, referrer).await?;
    }
    image.put(&*sink, super::names_for(fixture, &["v1"])).await?;
    sink.finish().await?;
    fixture.settle().await;
    let source = fixture.source().await?;
    let referrers: Vec<&Sample> = referrers.iter().collect();
    lists(&*source, &subject, ReferrerFilter::all(), &referrers).await
}

/// Puts a referrer as a copy does: as no root.
pub(super) async fn put_referrer(sink: &dyn Sink, referrer: &Sample) -> Outcome {
    super::put_below(sink, referrer).await?;
    Ok(sink.put_document(referrer.document(), crate::Role::Child).await?)
}

/// Fails unless just these referrers are listed, each as the specification describes it.
pub(super) async fn lists(
    source: &dyn Source,
    subject: &Descriptor,
    filter: ReferrerFilter,
    written: &[&Sample],
) -> Outcome {
    let digest = subject.known_digest().map_err(crate::Error::from)?;
    let what = format!("the referrers of {digest} for {filter:?}");
    let found = referring(source, &digest, filter).await?;
    let mut expected: Vec<Descriptor> = written
        .iter()
        .map(|sample| sample.document().referrer_descriptor())
        .collect();
    expected.sort_by_key(|referrer| referrer.digest.to_string());
    equal(&found, &expected, &what)
}

/// An image that names a subject and no kind of artifact.
fn referring_image(subject: &Descriptor) -> Outcome<Sample> {
    referring_as(Sample::image(&["referring"]), subject)
}

/// An index that does.
fn referring_index(subject: &Descriptor) -> Outcome<Sample> {
    referring_as(Sample::index(vec![Sample::image(&["in an index"])]), subject)
}

fn referring_as(sample: Sample, subject: &Descriptor) -> Outcome<Sample> {
    Ok(sample.with_subject(subject).map_err(crate::Error::from)?)
}
