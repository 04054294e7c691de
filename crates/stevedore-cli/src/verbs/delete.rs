//! `delete`: a name, or a document with all its names.

use futures_util::TryStreamExt as _;
use serde::Serialize;
use stevedore_core::{AnyDigest, Named, Selector};

use crate::args::Delete;
use crate::exit::Failure;
use crate::output;
use crate::output::escape_line;
use crate::places::{self, Destination};
use crate::settings::Settings;

#[derive(Serialize)]
struct Report {
    digest: String,
    /// The names that are gone.
    names: Vec<String>,
}

pub(crate) async fn run(args: Delete, settings: &Settings) -> Result<(), Failure> {
    let place = places::existing(&args.image)?;
    let selector = args.image.selector();
    let digest = place.source.resolve(&selector).await?.digest;
    let names = match &selector {
        Selector::Name(name) if !args.manifest => vec![name.to_string()],
        _ => names_of(&place, &digest).await?,
    };
    let removed = match &selector {
        Selector::Name(_) if !args.manifest => selector,
        // What was named by its digest and has names would lose more than was typed.
        _ if !args.manifest && !names.is_empty() => {
            let failure = Failure::usage(format!("{digest} has names: {}", escape_line(&names.join(", "))));
            return Err(
                failure.with_hint("say which name, or --manifest to remove the document with all of them")
            );
        }
        _ => Selector::Digest(digest.known()?),
    };
    place.sink.remove(&removed).await?;
    place.sink.finish().await?;
    let digest = digest.to_string();
    if settings.json {
        output::json(&Report { digest, names })
    } else {
        output::line(&digest)
    }
}

async fn names_of(place: &Destination, digest: &AnyDigest) -> Result<Vec<String>, Failure> {
    let names: Vec<Named> = place.source.names().try_collect().await?;
    let is_named = |named: &&Named| named.descriptor.as_ref().is_some_and(|it| it.digest == *digest);
    Ok(names
        .iter()
        .filter(is_named)
        .map(|named| named.name.to_string())
        .collect())
}
