//! `delete`: a name, or a document with all its names.

use futures_util::{StreamExt as _, TryStreamExt as _};
use serde::Serialize;
use stevedore_core::{Digest, Error, ErrorKind, RefName, Selector};
use stevedore_registry_client::Error as ClientError;
use stevedore_transport::{Destination, Location};

use crate::access::Reach;
use crate::args::Delete;
use crate::exit::Failure;
use crate::output;
use crate::output::escape_line;
use crate::settings::Settings;

/// How many names of a registry are looked up at once.
const LOOKUPS: usize = 8;

#[derive(Serialize)]
struct Report {
    digest: String,
    /// The names that are gone with it; of a registry that does not list its tags, only the one that was typed.
    names: Vec<String>,
}

pub(crate) async fn run(args: Delete, settings: &Settings) -> Result<(), Failure> {
    check_named_once(&args.image)?;
    let reach = Reach::new(args.access.into(), settings, &[&args.image]).await?;
    let place = reach.existing(&args.image)?;
    let selector = args.image.selector();
    let digest = place.source.resolve(&selector).await?.digest.known()?;
    let names = match selector {
        Selector::Name(name) if !args.manifest => remove_name(&place, &args.image, name, &digest).await?,
        _ if args.manifest => {
            let names = names_to_go(&place, &args.image, &digest, settings).await?;
            remove_document(&place, &digest).await?;
            names
        }
        _ => {
            let names = names_of(&place, &digest).await?;
            // What was named by its digest and has names would lose more than was typed.
            if !names.is_empty() {
                let failure = Failure::usage(format!("{digest} has names: {}", list(&names)));
                return Err(failure
                    .with_hint("say which name, or --manifest to remove the document with all of them"));
            }
            // What has no name may be a part of what has one.
            if matches!(selector, Selector::Digest(_)) {
                let failure = Failure::usage(format!("{digest} has no name that could be removed"));
                return Err(
                    failure.with_hint("--manifest to remove the document, also where an index names it")
                );
            }
            remove_document(&place, &digest).await?;
            names
        }
    };
    place.sink.finish().await?;
    let digest = digest.to_string();
    if settings.json {
        let names = names.iter().map(ToString::to_string).collect();
        output::json(&Report { digest, names })
    } else {
        output::line(&digest)
    }
}

/// With both a name and a digest it is not said whether the name goes or all that the digest has.
fn check_named_once(location: &Location) -> Result<(), Failure> {
    match location {
        Location::Registry(reference) if reference.tag().is_some() && reference.digest().is_some() => {
            let failure = Failure::usage(format!("{location} has both a name and a digest"));
            Err(failure.with_hint("the name alone, or the digest alone with --manifest"))
        }
        _ => Ok(()),
    }
}

/// Removes a name alone. Many registries cannot: there the document goes, if it has no other name.
async fn remove_name(
    place: &Destination,
    location: &Location,
    name: RefName,
    digest: &Digest,
) -> Result<Vec<RefName>, Failure> {
    let selector = Selector::Name(name.clone());
    let error = match place.sink.remove(&selector).await {
        Ok(()) => return Ok(vec![name]),
        Err(error) if matches!(location, Location::Registry(_)) && is_about_tags(&error) => error,
        Err(error) => return Err(error.into()),
    };
    let mut others = names_of(place, digest).await?;
    others.retain(|other| *other != name);
    if others.is_empty() {
        remove_document(place, digest).await?;
        return Ok(vec![name]);
    }
    let message = format!(
        "this registry cannot remove a tag alone, and {digest} has others: {}",
        list(&others)
    );
    // Its own kind: what the registry found wrong is told below, and says nothing about how this ended.
    let error = Error::new(ErrorKind::Unsupported, message).with_source(error);
    Err(Failure::new(error.into()).with_hint("--manifest, to remove the document with all of them"))
}

/// Whether a registry does not do this to tags. They were there just now, so those that do not find them look for a
/// digest. An answer that is no refusal, as the page of a proxy, says nothing about tags.
fn is_about_tags(error: &Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<ClientError>());
    let is_refusal = cause.is_some_and(|cause| cause.refused().is_some());
    is_refusal
        && matches!(
            error.kind(),
            ErrorKind::Unsupported | ErrorKind::Invalid | ErrorKind::NotFound | ErrorKind::Mismatch
        )
}

async fn remove_document(place: &Destination, digest: &Digest) -> Result<(), Failure> {
    place
        .sink
        .remove(&Selector::Digest(*digest))
        .await
        .map_err(|error| {
            let refused = error.kind() == ErrorKind::Unsupported;
            let failure = Failure::new(error.into());
            if refused {
                failure.with_hint(
                    "whoever runs the registry has to allow it (storage.delete.enabled for docker-registry)",
                )
            } else {
                failure
            }
        })
}

/// The names that a document is going to lose, for the report. A registry has to be asked about each of its tags: only
/// where somebody reads them, and what it does not tell is no reason to keep the document.
async fn names_to_go(
    place: &Destination,
    location: &Location,
    digest: &Digest,
    settings: &Settings,
) -> Result<Vec<RefName>, Failure> {
    if !matches!(location, Location::Registry(_)) {
        return names_of(place, digest).await;
    }
    let typed = match location.selector() {
        Selector::Name(name) => vec![name],
        _ => Vec::new(),
    };
    if !settings.json {
        return Ok(typed);
    }
    let names = names_of(place, digest).await;
    Ok(names.unwrap_or_else(|failure| {
        if !settings.quiet {
            output::note(&format!("its other names are not known: {failure}"));
        }
        typed
    }))
}

/// The names of a document.
async fn names_of(place: &Destination, digest: &Digest) -> Result<Vec<RefName>, Failure> {
    let names = place.source.names().map_ok(|named| async {
        let there = match named.descriptor {
            Some(descriptor) => descriptor.digest.known()?,
            None => match place.source.resolve(&Selector::Name(named.name.clone())).await {
                Ok(descriptor) => descriptor.digest.known()?,
                // Gone since it was listed.
                Err(error) if error.is_not_found() => return Ok(None),
                Err(error) => return Err(error),
            },
        };
        Ok((there == *digest).then_some(named.name))
    });
    let mut names: Vec<RefName> = names
        .try_buffer_unordered(LOOKUPS)
        .try_filter_map(async |name| Ok(name))
        .boxed()
        .try_collect()
        .await?;
    names.sort();
    Ok(names)
}

fn list(names: &[RefName]) -> String {
    let names: Vec<&str> = names.iter().map(RefName::as_str).collect();
    escape_line(&names.join(", "))
}
