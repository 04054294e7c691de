//! `list-tags` and `ls`: the names of a repository or layout.

use futures_util::TryStreamExt as _;
use serde::Serialize;
use stevedore_core::Named;
use stevedore_transport::Location;

use crate::args::List;
use crate::exit::Failure;
use crate::output::escape;
use crate::settings::Settings;
use crate::{output, places};

/// skopeo's keys.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tags {
    repository: String,
    tags: Vec<String>,
}

pub(crate) async fn tags(args: List) -> Result<(), Failure> {
    let tags = names(&args.repository).await?;
    let repository = match &args.repository {
        Location::Registry(reference) => reference.name(),
        Location::Layout { path, .. } => path.display().to_string(),
        other => other.to_string(),
    };
    output::json(&Tags { repository, tags })
}

pub(crate) async fn lines(args: List, settings: &Settings) -> Result<(), Failure> {
    let names = names(&args.repository).await?;
    if settings.json {
        return output::json(&names);
    }
    let lines: String = names.iter().map(|name| escape(name) + "\n").collect();
    output::bytes(lines.as_bytes())
}

async fn names(repository: &Location) -> Result<Vec<String>, Failure> {
    let source = places::source(repository)?;
    let names: Vec<Named> = source.names().try_collect().await?;
    Ok(names.into_iter().map(|named| named.name.to_string()).collect())
}
