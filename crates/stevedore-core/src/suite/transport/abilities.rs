//! What a transport cannot do, it says.

use super::{named, write};
use crate::samples::Sample;
use crate::suite::failure::{Outcome, holds, refused};
use crate::suite::fixture::{Ability, TransportFixture};
use crate::suite::yielding::collect;
use crate::{Algorithm, ErrorKind, IngestPlan, ReferrerFilter, Selector};

/// A selector that a source cannot go by, and referrers that it cannot list, are unsupported, not absent.
pub async fn source_says_what_it_lacks<F: TransportFixture>(fixture: &F) -> Outcome {
    write(fixture, &[(&Sample::image(&["lacking"]), &["v1"])]).await?;
    let source = fixture.source().await?;
    let selectors = [
        (Ability::Names, named("v1")?),
        (Ability::Nth, Selector::Nth(0)),
        (Ability::Only, Selector::Only),
    ];
    for (ability, selector) in selectors {
        if !fixture.can(ability) {
            let what = format!("{selector:?} without the ability {ability:?}");
            refused(source.resolve(&selector).await, ErrorKind::Unsupported, &what)?;
            refused(source.root(&selector).await, ErrorKind::Unsupported, &what)?;
        }
    }
    if !fixture.can(Ability::Referrers) {
        let subject = Algorithm::Sha256.digest(b"subject");
        let listed = collect(source.referrers(&subject, ReferrerFilter::all())).await;
        refused(
            listed,
            ErrorKind::Unsupported,
            "referrers that a source cannot list",
        )?;
    }
    Ok(())
}

/// A sink does what its traits say, and refuses what they do not.
pub async fn sink_keeps_to_its_traits<F: TransportFixture>(fixture: &F) -> Outcome {
    let sink = fixture.sink().await?;
    let traits = sink.traits();
    let staging = sink.ingest(IngestPlan::new(Algorithm::Sha256)).await?;
    holds(
        staging.is_some() == traits.ingest,
        "a sink ingests where its traits say so",
    )?;
    drop(staging);
    if !traits.remove {
        let image = Sample::image(&["staying"]);
        image.put(&*sink, &[]).await?;
        let selector = Selector::Digest(image.document().digest());
        refused(
            sink.remove(&selector).await,
            ErrorKind::Unsupported,
            "a removal without the trait",
        )?;
    }
    Ok(sink.finish().await?)
}
