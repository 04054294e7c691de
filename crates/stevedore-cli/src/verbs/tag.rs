//! `tag`: further names for an image where it is.

use serde::Serialize;
use stevedore_core::reference::Tag as RegistryTag;
use stevedore_core::{ErrorKind, RefName, Role};
use stevedore_transport::Location;

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
    let names = args.names.iter().map(|name| parse(name, &args.image));
    let names = names.collect::<Result<Vec<_>, _>>()?;
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

/// A name as there can be one where the image is: a registry has tags, a layout more than those.
fn parse(name: &str, image: &Location) -> Result<RefName, Failure> {
    match image {
        Location::Registry(_) => {
            let tag: RegistryTag = name.parse().map_err(|error| wrong(&error))?;
            Ok(RefName::verbatim(tag.as_str()))
        }
        _ => name.parse().map_err(|error| wrong(&error)),
    }
}

/// Both kinds of names are quoted by what refuses them.
fn wrong(error: &dyn std::error::Error) -> Failure {
    Failure::usage(error.to_string())
}
