//! `tag`: further names for an image where it is.

use anyhow::Context as _;
use stevedore_core::{RefName, Role};

use crate::args::Tag;
use crate::exit::Failure;
use crate::{output, places};

pub(crate) async fn run(args: Tag) -> Result<(), Failure> {
    let names: Vec<RefName> = args
        .names
        .iter()
        .map(|name| name.parse().with_context(|| format!("{name:?} cannot be a name")))
        .collect::<Result<_, _>>()
        .map_err(|error| Failure::usage(format!("{error:#}")))?;
    let document = places::source(&args.image)?.root(&args.image.selector()).await?;
    let sink = places::existing_sink(&args.image)?;
    sink.put_document(
        &document,
        Role::Root {
            names,
            replace: !args.no_clobber,
        },
    )
    .await?;
    sink.finish().await?;
    output::line(&document.digest().to_string())
}
