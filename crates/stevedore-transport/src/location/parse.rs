//! From the strings that people type to locations.

use std::path::PathBuf;
use std::str::FromStr;

use stevedore_core::{Algorithm, RefName, Reference};

use super::{Entry, Location, ParseError};
use crate::ArchiveForm;

/// Transports of others whose names must not be taken for a registry's host.
const OTHER_TRANSPORTS: [&str; 5] = ["static", "sif", "tarball", "atomic", "ostree"];

impl FromStr for Location {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if let Some(rest) = text.strip_prefix("docker://") {
            return registry(rest);
        }
        if let Some(rest) = text
            .strip_prefix("ocidir://")
            .or_else(|| text.strip_prefix("oci:"))
        {
            let (path, entry) = split(text, rest, "directory")?;
            return Ok(Self::Layout {
                path: PathBuf::from(path),
                entry,
            });
        }
        if let Some(rest) = text.strip_prefix("oci-archive:") {
            let (path, entry) = split(text, rest, "file")?;
            return Ok(Self::Archive {
                form: ArchiveForm::Oci,
                path: PathBuf::from(path),
                entry,
            });
        }
        if let Some(rest) = text.strip_prefix("docker-archive:") {
            return docker_archive(text, rest);
        }
        if let Some(rest) = text.strip_prefix("dir:") {
            return directory(text, rest);
        }
        if let Some(rest) = text.strip_prefix("memory:") {
            let (shelf, entry) = split(text, rest, "shelf")?;
            return Ok(Self::Memory {
                shelf: shelf.to_owned(),
                entry,
            });
        }
        match text.split_once(':') {
            Some((transport @ "docker-daemon", _)) => Err(foreign(
                transport,
                "`docker save -o image.tar NAME`, or `docker load -i image.tar`",
            )),
            Some((transport @ "containers-storage", _)) => Err(foreign(
                transport,
                "`podman save -o image.tar NAME`, or `podman load -i image.tar`",
            )),
            Some((transport, rest)) if rest.starts_with("//") || OTHER_TRANSPORTS.contains(&transport) => {
                Err(ParseError::UnknownTransport {
                    transport: transport.to_owned(),
                })
            }
            _ => registry(text),
        }
    }
}

fn registry(text: &str) -> Result<Location, ParseError> {
    let reference = text.parse().map_err(|source| ParseError::Reference {
        text: text.to_owned(),
        source,
    })?;
    Ok(Location::Registry(reference))
}

/// As a layout, but a name is a reference, and is written out: `app` is `docker.io/library/app:latest`.
fn docker_archive(text: &str, rest: &str) -> Result<Location, ParseError> {
    let (path, entry) = split(text, rest, "file")?;
    let entry = match entry {
        Entry::Name(name) => {
            let reference: Reference = name.as_str().parse().map_err(|source| ParseError::Reference {
                text: name.to_string(),
                source,
            })?;
            let canonical = reference.without_digest().with_default_tag().canonical();
            Entry::Name(RefName::verbatim(&canonical))
        }
        entry => entry,
    };
    Ok(Location::Archive {
        form: ArchiveForm::Docker,
        path: PathBuf::from(path),
        entry,
    })
}

/// All of it is the path, also a colon, unless a digest is behind the last `@`.
fn directory(text: &str, rest: &str) -> Result<Location, ParseError> {
    let by_digest = rest
        .rsplit_once('@')
        .and_then(|(path, digest)| Some((path, digest.parse().ok()?)));
    let (path, digest) = by_digest.map_or((rest, None), |(path, digest)| (path, Some(digest)));
    if path.is_empty() {
        return Err(ParseError::Empty {
            text: text.to_owned(),
            what: "directory",
        });
    }
    Ok(Location::Directory {
        path: PathBuf::from(path),
        digest,
    })
}

fn foreign(transport: &str, instead: &'static str) -> ParseError {
    ParseError::Foreign {
        transport: transport.to_owned(),
        instead,
    }
}

/// Takes a path and an entry apart. As skopeo has it, the path ends at the first colon; a digest is behind the last
/// `@`, so that a directory may have an `@` in its name.
fn split<'a>(text: &str, rest: &'a str, what: &'static str) -> Result<(&'a str, Entry), ParseError> {
    let no_entry = |entry: &str| ParseError::Entry {
        text: text.to_owned(),
        entry: entry.to_owned(),
    };
    let behind_at = rest.rsplit_once('@');
    let by_digest = behind_at.and_then(|(path, digest)| Some((path, digest.parse().ok()?)));
    if let (None, Some((path, digest))) = (&by_digest, behind_at)
        && (!path.contains(':') || path.ends_with(':'))
    {
        // Cut short or misspelt; the part before the colon is no directory that anybody has.
        let algorithm = digest.split_once(':').map(|(algorithm, _)| algorithm);
        if algorithm.is_some_and(|algorithm| algorithm.parse::<Algorithm>().is_ok()) {
            return Err(no_entry(digest));
        }
    }
    let (path, entry) = match (by_digest, rest.split_once(':')) {
        (Some((path, digest)), _) if !path.contains(':') => (path, Entry::Digest(digest)),
        (Some((path, digest)), _) if path.ends_with(':') && path.matches(':').count() == 1 => {
            (path.trim_end_matches(':'), Entry::Digest(digest))
        }
        (_, None) => (rest, Entry::Only),
        (_, Some((path, entry))) => {
            let entry = match entry.strip_prefix('@') {
                Some(place) if place.bytes().all(|digit| digit.is_ascii_digit()) => {
                    place.parse().map(Entry::Nth).map_err(|_| no_entry(entry))?
                }
                Some(_) => return Err(no_entry(entry)),
                None => entry.parse().map(Entry::Name).map_err(|_| no_entry(entry))?,
            };
            (path, entry)
        }
    };
    if path.is_empty() {
        return Err(ParseError::Empty {
            text: text.to_owned(),
            what,
        });
    }
    Ok((path, entry))
}
