//! `tag`: further names for an image where it is.

use serde::Serialize;
use stevedore_core::{ErrorKind, RefName, Role};

use crate::access::Reach;
use crate::args::Tag;
use crate::exit::Failure;
use crate::output;
use crate::settings::Settings;

#[derive(Serialize)]
struct Report {
    digest: String,
    names: Vec<String>,
}

pub(crate) async fn run(args: Tag, settings: &Settings) -> Result<(), Failure> {
    let names: Vec<RefName> = args
        .names
        .iter()
        .map(|name| {
            name.parse()
                .map_err(|error| Failure::usage(format!("{name:?} cannot be a name: {error}")))
        })
        .collect::<Result<_, _>>()?;
    let reach = Reach::new(args.access.into(), settings, &[&args.image]).await?;
    let place = reach.existing(&args.image)?;
    let document = place.source.root(&args.image.selector()).await?;
    let role = Role::Root {
        names,
        replace: !args.no_clobber,
    };
    place.sink.put_document(&document, role).await.map_err(|error| {
        let taken = error.kind() == ErrorKind::Conflict && args.no_clobber;
        let failure = Failure::new(error.into());
        if taken {
            failure.with_hint("another name, or no --no-clobber to replace what is there")
        } else {
            failure
        }
    })?;
    place.sink.finish().await?;
    let digest = document.digest().to_string();
    if settings.json {
        let names = args.names;
        output::json(&Report { digest, names })
    } else {
        output::line(&digest)
    }
}
