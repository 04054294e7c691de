//! References: the names people type for images.
//!
//! `ubuntu`, `ghcr.io/org/app:1.2`, `localhost:5000/app@sha256:…` and the like are read as Docker reads them: by the
//! rules of the Go package `distribution/reference`, with the traditions of Docker Hub. Its published test cases are
//! tests here.
//!
//! ```
//! use stevedore_core::Reference;
//!
//! let reference: Reference = "ubuntu:24.04".parse()?;
//! assert_eq!(reference.registry().as_str(), "docker.io");
//! assert_eq!(reference.registry().api_host(), "registry-1.docker.io");
//! assert_eq!(reference.repository().as_str(), "library/ubuntu");
//! assert_eq!(reference.tag().map(|tag| tag.as_str()), Some("24.04"));
//! assert_eq!(reference.to_string(), "docker.io/library/ubuntu:24.04");
//! assert_eq!(reference.familiar(), "ubuntu:24.04");
//! # Ok::<(), stevedore_core::reference::ParseError>(())
//! ```

mod any;
mod grammar;
mod parts;

use std::fmt;
use std::str::FromStr;

pub use any::AnyReference;
pub use parts::{Registry, Repository, Tag};

use crate::digest::{self, Digest};
use crate::text::{quote, serde_as_text};

/// The name of an image: a registry, a repository in it, and perhaps a tag, a digest, or both.
///
/// It is always complete: `ubuntu` has become `docker.io/library/ubuntu`. Its text is this full form, which reads
/// back as the same reference.
///
/// Reading follows `ParseNormalizedNamed` of `distribution/reference`:
///
/// - What stands before the first `/` is the registry if it contains a `.` or a `:`, is `localhost`, or has an
///   upper-case letter; else the registry is `docker.io`. `index.docker.io` is another name for that.
/// - On `docker.io`, a repository of one component gets `library/` before it.
/// - A name of 64 hexadecimal digits alone is refused, for it is taken for the ID of an image.
///
/// It differs in what that package lets through and nothing could be done with:
///
/// - A registry with a `_`, as in `foo_bar.example/app`, is refused. There the registry comes out empty.
/// - A port above 65535, and brackets that hold no IPv6 address, are refused. There they fail when they are dialled.
/// - All algorithms of this crate are known, where a Go program knows those that it was linked with.
/// - [`familiar`](Self::familiar) only shortens to what reads back as the same reference. There
///   `docker.io/localhost/app` becomes `localhost/app`, which is another image.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Reference {
    registry: Registry,
    repository: Repository,
    tag: Option<Tag>,
    digest: Option<Digest>,
}

impl Reference {
    /// A reference to a repository as a whole.
    ///
    /// On Docker Hub a repository of one component gets `library/` before it.
    ///
    /// # Errors
    ///
    /// [`ParseError::TooLong`] if the repository's name is too long with that.
    pub fn new(registry: Registry, repository: Repository) -> Result<Self, ParseError> {
        let official = registry.is_docker_hub() && !repository.as_str().contains('/');
        let repository = if official {
            format!("{OFFICIAL_PREFIX}{repository}").parse()?
        } else {
            repository
        };
        Ok(Self {
            registry,
            repository,
            tag: None,
            digest: None,
        })
    }

    /// Parses a reference that is in its full form already, where nothing may be guessed.
    ///
    /// # Errors
    ///
    /// [`ParseError::NotCanonical`] if the full form is another one, and what [`FromStr`] refuses.
    pub fn parse_canonical(text: &str) -> Result<Self, ParseError> {
        let reference: Self = text.parse()?;
        let canonical = reference.canonical();
        if canonical == text {
            Ok(reference)
        } else {
            Err(ParseError::NotCanonical {
                text: quote(text),
                canonical,
            })
        }
    }

    /// Parses a reference to exactly one thing, as Docker and the kubelet do (`ParseDockerRef`): without a tag and a
    /// digest it is of the tag `latest`, and beside a digest a tag is dropped.
    ///
    /// # Errors
    ///
    /// What [`FromStr`] refuses.
    pub fn parse_docker(text: &str) -> Result<Self, ParseError> {
        let reference: Self = text.parse()?;
        Ok(if reference.digest.is_some() {
            reference.without_tag()
        } else {
            reference.with_default_tag()
        })
    }

    /// The registry.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The repository in the registry.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The tag, if one was given.
    pub fn tag(&self) -> Option<&Tag> {
        self.tag.as_ref()
    }

    /// The digest, if one was given. It decides what is meant; a tag beside it is a remark.
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// Whether there is neither a tag nor a digest: the reference names a repository only.
    pub fn is_name_only(&self) -> bool {
        self.tag.is_none() && self.digest.is_none()
    }

    /// The registry and the repository, as in `docker.io/library/ubuntu`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// The full form, which is also what is displayed: `docker.io/library/ubuntu:24.04`.
    pub fn canonical(&self) -> String {
        self.to_string()
    }

    /// The shortest form that reads back as this reference: `ubuntu:24.04`.
    pub fn familiar(&self) -> String {
        if !self.registry.is_docker_hub() {
            return self.canonical();
        }
        let path = self.repository.as_str();
        let path = path
            .strip_prefix(OFFICIAL_PREFIX)
            .filter(|name| !name.contains('/'))
            .unwrap_or(path);
        let short = format!("{path}{}", Suffix(self));
        if short.parse::<Self>().is_ok_and(|read| read == *self) {
            short
        } else {
            self.canonical()
        }
    }

    /// Sets the tag and leaves a digest.
    #[must_use]
    pub fn with_tag(mut self, tag: Tag) -> Self {
        self.tag = Some(tag);
        self
    }

    /// Sets the digest and leaves a tag.
    #[must_use]
    pub fn with_digest(mut self, digest: Digest) -> Self {
        self.digest = Some(digest);
        self
    }

    /// Drops the tag.
    #[must_use]
    pub fn without_tag(mut self) -> Self {
        self.tag = None;
        self
    }

    /// Drops the digest.
    #[must_use]
    pub fn without_digest(mut self) -> Self {
        self.digest = None;
        self
    }

    /// Sets the tag `latest` if there is neither a tag nor a digest.
    #[must_use]
    pub fn with_default_tag(self) -> Self {
        if self.is_name_only() {
            self.with_tag(Tag::latest())
        } else {
            self
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{}", self.registry, self.repository, Suffix(self))
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Reference {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(ParseError::Empty);
        }
        if grammar::is_identifier(text) {
            return Err(ParseError::Identifier {
                text: text.to_owned(),
            });
        }
        let (registry, rest) = grammar::split_registry(text);
        let remote = rest.split_once(':').map_or(rest, |(remote, _)| remote);
        if remote.to_lowercase() != remote {
            return Err(ParseError::Uppercase { text: quote(text) });
        }
        let official = registry == parts::DOCKER_HUB && !rest.contains('/');
        let full = format!("{registry}/{}{rest}", if official { OFFICIAL_PREFIX } else { "" });
        let read = grammar::parse(&full).map_err(|error| match error {
            // The full form is not what was typed.
            ParseError::Malformed { .. } => ParseError::Malformed { text: quote(text) },
            ParseError::Uppercase { .. } => ParseError::Uppercase { text: quote(text) },
            other => other,
        })?;
        Ok(Self {
            registry: read.domain.unwrap_or(registry).parse()?,
            repository: read.path.parse()?,
            tag: read.tag.map(str::parse).transpose()?,
            digest: read.digest,
        })
    }
}

serde_as_text!(Reference, "a reference such as docker.io/library/ubuntu:24.04");

/// Why a text is not a reference, or not a part of one.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// There is no text.
    #[error("an empty text names no repository")]
    Empty,
    /// The text is not of the grammar of references.
    #[error("{text:?} is not a reference of the form [<registry>/]<repository>[:<tag>][@<digest>]")]
    #[non_exhaustive]
    Malformed {
        /// The beginning of the refused text.
        text: String,
    },
    /// The repository's name has an upper-case letter.
    #[error("repository name in {text:?} must be lower-case")]
    #[non_exhaustive]
    Uppercase {
        /// The beginning of the refused text.
        text: String,
    },
    /// The repository's name is too long.
    #[error("repository name has {length} bytes, more than {}", Repository::MAX_LEN)]
    #[non_exhaustive]
    TooLong {
        /// The length of the name in bytes, with `library/` where that belongs to it.
        length: usize,
    },
    /// The text could be the ID of an image as well.
    #[error("{text:?} is the form of an image ID, and so not of a repository name")]
    #[non_exhaustive]
    Identifier {
        /// The refused text.
        text: String,
    },
    /// The digest is not one.
    #[error("reference has an invalid digest")]
    #[non_exhaustive]
    Digest {
        /// What is wrong with it.
        source: digest::ParseError,
    },
    /// The registry is not a host with an optional port.
    #[error("{text:?} is not a registry: {problem}")]
    #[non_exhaustive]
    Registry {
        /// The beginning of the refused text.
        text: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The text is not the name of a repository.
    #[error("{text:?} is not a repository name")]
    #[non_exhaustive]
    Repository {
        /// The beginning of the refused text.
        text: String,
    },
    /// The text is not a tag.
    #[error(
        "{text:?} is not a tag of 1 to 128 letters, digits, '_', '.' and '-', beginning with none of the last two"
    )]
    #[non_exhaustive]
    Tag {
        /// The beginning of the refused text.
        text: String,
    },
    /// The text is a reference, in a form that leaves something to be guessed.
    #[error("{text:?} is not the full form of a reference, which is {canonical:?}")]
    #[non_exhaustive]
    NotCanonical {
        /// The beginning of the refused text.
        text: String,
        /// The full form.
        canonical: String,
    },
}

/// What stands before the repositories of Docker Hub's official images.
const OFFICIAL_PREFIX: &str = "library/";

/// The tag and the digest of a reference, as they follow its name.
struct Suffix<'a>(&'a Reference);

impl fmt::Display for Suffix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(tag) = &self.0.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.0.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}
