//! `list-tags` and `ls`: the names of a repository or layout.

use futures_util::TryStreamExt as _;
use serde::Serialize;
use stevedore_core::{Descriptor, Named};
use stevedore_transport::Location;

use crate::access::Reach;
use crate::args::{AccessFlags, List};
use crate::exit::Failure;
use crate::output;
use crate::output::escape_line;
use crate::settings::Settings;

/// skopeo's keys.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tags {
    repository: String,
    tags: Vec<String>,
}

/// A name, and what it names where that is known without asking for each.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
}

pub(crate) async fn tags(args: List, settings: &Settings) -> Result<(), Failure> {
    let names = names(&args.repository, args.access, settings).await?;
    let repository = match &args.repository {
        Location::Registry(reference) => reference.name(),
        Location::Layout { path, .. } | Location::Archive { path, .. } | Location::Directory { path, .. } => {
            path.display().to_string()
        }
        other => other.to_string(),
    };
    let tags = names.into_iter().map(|named| named.name.to_string()).collect();
    output::json(&Tags { repository, tags })
}

pub(crate) async fn lines(args: List, settings: &Settings) -> Result<(), Failure> {
    let names = names(&args.repository, args.access, settings).await?;
    if settings.json {
        return output::json(&names.iter().map(entry).collect::<Vec<_>>());
    }
    let lines: String = names
        .iter()
        .map(|named| escape_line(named.name.as_str()) + "\n")
        .collect();
    output::unchanged(lines.as_bytes())
}

fn entry(named: &Named) -> Entry<'_> {
    let descriptor: Option<&Descriptor> = named.descriptor.as_ref();
    Entry {
        name: named.name.as_str(),
        media_type: descriptor.map(|it| it.media_type.as_str()),
        digest: descriptor.map(|it| it.digest.to_string()),
        size: descriptor.map(|it| it.size),
    }
}

async fn names(
    repository: &Location,
    access: AccessFlags,
    settings: &Settings,
) -> Result<Vec<Named>, Failure> {
    let whole = repository.whole();
    if *repository != whole {
        let message = format!("{repository} names an image, and a list is of all there are");
        return Err(Failure::usage(message).with_hint(whole.to_string()));
    }
    let reach = Reach::new(access.into(), settings, &[repository]).await?;
    let source = reach.source(repository)?;
    Ok(source.names().try_collect().await?)
}
