//! The parts of a table: prefixes, and locations that take their place.

use std::fmt;

use stevedore_core::Reference;
use stevedore_core::reference::{Registry, Repository};

use super::RegistriesError;
use super::file::Table;

/// What the names begin with that a table is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Prefix {
    /// `host[:port][/path]`.
    Name(Place),
    /// `*.example.com`, without the star.
    Under(String),
}

/// A registry, and perhaps a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    registry: Registry,
    /// With its leading slash, or empty.
    path: String,
}

/// Which images are read from a mirror.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    All,
    /// Those that are asked for by digest.
    Digest,
    /// Those that are not.
    Tag,
}

impl Prefix {
    /// Reads a prefix, or says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let Some(suffix) = text.strip_prefix('*') else {
            return Place::parse(text).map(Self::Name);
        };
        let domain = suffix
            .strip_prefix('.')
            .filter(|domain| !domain.contains(['/', ':', '@']));
        // A domain alone is no registry if it is a single word; behind a star it may be one.
        match domain.map(|domain| format!("a.{domain}").parse::<Registry>()) {
            Some(Ok(_)) => Ok(Self::Under(suffix.to_owned())),
            _ => Err(format!("{text:?} is no prefix of the form *.example.com")),
        }
    }

    /// What of a name is behind the prefix, if it begins with it.
    pub(super) fn rest_of<'n>(&self, registry: &Registry, name: &'n str) -> Option<&'n str> {
        match self {
            Self::Name(place) => {
                let rest = name
                    .strip_prefix(place.registry.as_str())?
                    .strip_prefix(place.path.as_str())?;
                (rest.is_empty() || rest.starts_with('/')).then_some(rest)
            }
            Self::Under(suffix) => {
                let host = registry.host();
                (host.len() > suffix.len() && host.ends_with(suffix.as_str())).then(|| &name[host.len()..])
            }
        }
    }

    /// The length by which the longest one is found, in bytes.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Name(place) => place.registry.as_str().len() + place.path.len(),
            Self::Under(suffix) => suffix.len() + 1,
        }
    }
}

impl Place {
    /// Reads `host[:port][/path]`, or says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let trimmed = text.trim_end_matches('/');
        if trimmed.contains("://") {
            return Err(format!(
                "{text:?} has a scheme; insecure = true says that a registry has no TLS"
            ));
        }
        let (host, path) = trimmed.split_at(trimmed.find('/').unwrap_or(trimmed.len()));
        let registry = host
            .parse()
            .map_err(|error| format!("{text:?} names no registry: {error}"))?;
        if let Some(path) = path.strip_prefix('/') {
            let parsed = path.parse::<Repository>();
            parsed.map_err(|error| format!("{text:?} is no part of a registry: {error}"))?;
        }
        Ok(Self {
            registry,
            path: path.to_owned(),
        })
    }

    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The image at this place of which a part of the name is behind the prefix. Tag and digest stay.
    pub(super) fn rewrite(
        &self,
        reference: &Reference,
        rest: &str,
        table: &Table,
    ) -> Result<Reference, RegistriesError> {
        let name = format!("{self}{rest}");
        let parse = || {
            let (registry, repository) = name.split_once('/')?;
            let moved = Reference::new(registry.parse().ok()?, repository.parse().ok()?).ok()?;
            let moved = match reference.tag() {
                Some(tag) => moved.with_tag(tag.clone()),
                None => moved,
            };
            Some(match reference.digest() {
                Some(digest) => moved.with_digest(digest),
                None => moved,
            })
        };
        parse().ok_or_else(|| RegistriesError::Location {
            reference: reference.to_string(),
            name: name.clone(),
            table: table.to_string(),
        })
    }
}

impl Takes {
    /// Reads `pull-from-mirror`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "all" | "" => Some(Self::All),
            "digest-only" => Some(Self::Digest),
            "tag-only" => Some(Self::Tag),
            _ => None,
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(place) => fmt::Display::fmt(place, f),
            Self::Under(suffix) => write!(f, "*{suffix}"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.registry, self.path)
    }
}
