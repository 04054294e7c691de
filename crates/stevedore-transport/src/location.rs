//! Where an image is: the strings that people type.

mod parse;

use std::fmt;
use std::path::{Path, PathBuf};

use stevedore_core::{Digest, RefName, Reference, Selector};

use crate::ArchiveForm;

/// A place that images are copied from or to.
///
/// | string | meaning |
/// |---|---|
/// | `docker://debian:12`, `debian:12` | a registry; a bare name is one too |
/// | `oci:DIR` | the only entry of an OCI layout |
/// | `oci:DIR:NAME` | the entry with a name; the directory ends at the first colon |
/// | `oci:DIR:@N` | the entry at a place, counted from 0 |
/// | `oci:DIR@sha256:…` | a document of the layout by its digest |
/// | `ocidir://DIR…` | the same as `oci:DIR…` |
/// | `oci-archive:FILE`, and the same behind it as behind an `oci:DIR` | an OCI layout in a tar; `-` is stdin or stdout |
/// | `docker-archive:FILE` | the only image of an archive that `docker load` reads; `-` is stdin or stdout |
/// | `docker-archive:FILE:debian:12` | its image with a name |
/// | `docker-archive:FILE:@N`, `docker-archive:FILE@sha256:…` | the image at a place, a document by its digest |
/// | `dir:DIR` | the image in a directory of its own |
/// | `dir:DIR@sha256:…` | a document of it by its digest |
/// | `memory:SHELF[:NAME]`, `memory:SHELF@sha256:…` | a repository in the memory of this process |
///
/// A location prints as the string that parses to it.
///
/// ```
/// use stevedore_transport::Location;
///
/// let layout: Location = "ocidir://images/app:v1".parse()?;
/// assert_eq!(layout.to_string(), "oci:images/app:v1");
/// let hub: Location = "debian".parse()?;
/// assert_eq!(hub.to_string(), "docker://docker.io/library/debian");
/// # Ok::<(), stevedore_transport::location::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Location {
    /// A repository of a registry.
    Registry(Reference),
    /// An OCI layout directory.
    Layout {
        /// The directory.
        path: PathBuf,
        /// Which of its documents.
        entry: Entry,
    },
    /// A file that holds images.
    Archive {
        /// Which files it holds them in.
        form: ArchiveForm,
        /// The file; `-` for stdin or stdout.
        path: PathBuf,
        /// Which of its documents. Names in a docker-archive are references with all their parts.
        entry: Entry,
    },
    /// A directory that holds one image, as skopeo writes it.
    Directory {
        /// The directory.
        path: PathBuf,
        /// Which of its documents: the image, or one by its digest.
        digest: Option<Digest>,
    },
    /// A repository in the memory of this process.
    Memory {
        /// Its name.
        shelf: String,
        /// Which of its documents.
        entry: Entry,
    },
}

/// Which of the documents of a layout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Entry {
    /// The only one; as a destination, one without a name.
    #[default]
    Only,
    /// The one with a name.
    Name(RefName),
    /// The one at a place, counted from 0.
    Nth(usize),
    /// The one with a digest.
    Digest(Digest),
}

/// A string that is no location.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The part behind the transport is no reference to an image in a registry.
    #[error("{text:?} is not a reference to an image")]
    #[non_exhaustive]
    Reference {
        /// The part behind the transport.
        text: String,
        /// Why.
        source: stevedore_core::reference::ParseError,
    },
    /// The directory of a layout, or the name of a shelf, is empty.
    #[error("{text:?} names no {what}")]
    #[non_exhaustive]
    Empty {
        /// The whole string.
        text: String,
        /// What is missing.
        what: &'static str,
    },
    /// The part behind the colon names no entry.
    #[error("{entry:?} in {text:?} is not the name, place (@0, @1, …) or digest of an entry")]
    #[non_exhaustive]
    Entry {
        /// The whole string.
        text: String,
        /// The part that names the entry.
        entry: String,
    },
    /// The transport needs a program that Stevedore does not run.
    #[error("the transport {transport}: needs its daemon or its store; use an archive instead: {instead}")]
    #[non_exhaustive]
    Foreign {
        /// The transport.
        transport: String,
        /// The line to type instead.
        instead: &'static str,
    },
    /// The transport is none that this version knows.
    #[error(
        "{transport:?} is not a transport of this version, which has docker://, oci:, oci-archive:, docker-archive: and dir:"
    )]
    #[non_exhaustive]
    UnknownTransport {
        /// The transport.
        transport: String,
    },
}

impl Location {
    /// The transport, as in the string: `docker`, `oci`, `oci-archive` and so on.
    pub fn transport(&self) -> &'static str {
        match self {
            Self::Registry(_) => "docker",
            Self::Layout { .. } => "oci",
            Self::Archive { form, .. } => form.transport(),
            Self::Directory { .. } => "dir",
            Self::Memory { .. } => "memory",
        }
    }

    /// Which document is meant when images are read from here.
    pub fn selector(&self) -> Selector {
        match self {
            Self::Registry(reference) => registry_selector(reference),
            Self::Layout { entry, .. } | Self::Archive { entry, .. } | Self::Memory { entry, .. } => {
                entry.selector()
            }
            Self::Directory { digest, .. } => digest.map_or(Selector::Only, Selector::Digest),
        }
    }

    /// Whether images that are written here go to stdout.
    pub fn is_stdout(&self) -> bool {
        matches!(self, Self::Archive { path, .. } if path.as_os_str() == "-")
    }

    /// The same directory, file or repository, with none of its documents named.
    ///
    /// ```
    /// use stevedore_transport::Location;
    ///
    /// let image: Location = "oci:images:v1".parse()?;
    /// assert_eq!(image.whole().to_string(), "oci:images");
    /// assert_eq!(image.whole().whole(), image.whole());
    /// # Ok::<(), stevedore_transport::location::ParseError>(())
    /// ```
    #[must_use]
    pub fn whole(&self) -> Self {
        match self {
            Self::Registry(reference) => Self::Registry(reference.clone().without_tag().without_digest()),
            Self::Layout { path, .. } => Self::Layout {
                path: path.clone(),
                entry: Entry::Only,
            },
            Self::Archive { form, path, .. } => Self::Archive {
                form: *form,
                path: path.clone(),
                entry: Entry::Only,
            },
            Self::Directory { path, .. } => Self::Directory {
                path: path.clone(),
                digest: None,
            },
            Self::Memory { shelf, .. } => Self::Memory {
                shelf: shelf.clone(),
                entry: Entry::Only,
            },
        }
    }

    /// The same directory, file or repository, at another document.
    #[must_use]
    pub fn at_digest(&self, digest: Digest) -> Self {
        match self {
            Self::Registry(reference) => Self::Registry(reference.clone().without_tag().with_digest(digest)),
            Self::Layout { path, .. } => Self::Layout {
                path: path.clone(),
                entry: Entry::Digest(digest),
            },
            Self::Archive { form, path, .. } => Self::Archive {
                form: *form,
                path: path.clone(),
                entry: Entry::Digest(digest),
            },
            Self::Directory { path, .. } => Self::Directory {
                path: path.clone(),
                digest: Some(digest),
            },
            Self::Memory { shelf, .. } => Self::Memory {
                shelf: shelf.clone(),
                entry: Entry::Digest(digest),
            },
        }
    }
}

impl Entry {
    /// Which document is meant when images are read.
    pub fn selector(&self) -> Selector {
        match self {
            Self::Only => Selector::Only,
            Self::Name(name) => Selector::Name(name.clone()),
            Self::Nth(place) => Selector::Nth(*place),
            Self::Digest(digest) => Selector::Digest(*digest),
        }
    }

    /// The name that an image written here gets, if any.
    pub fn name(&self) -> Option<&RefName> {
        match self {
            Self::Name(name) => Some(name),
            _ => None,
        }
    }
}

/// The digest, else the tag, else `latest`.
fn registry_selector(reference: &Reference) -> Selector {
    match (reference.digest(), reference.tag()) {
        (Some(digest), _) => Selector::Digest(digest),
        (None, Some(tag)) => Selector::Name(RefName::verbatim(tag.as_str())),
        (None, None) => Selector::Name(RefName::verbatim("latest")),
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(reference) => write!(f, "docker://{reference}"),
            Self::Layout { path, entry } => write!(f, "oci:{}{entry}", Path::display(path)),
            Self::Archive { form, path, entry } => {
                write!(f, "{}:{}{entry}", form.transport(), Path::display(path))
            }
            Self::Directory { path, digest: None } => write!(f, "dir:{}", Path::display(path)),
            Self::Directory {
                path,
                digest: Some(digest),
            } => write!(f, "dir:{}@{digest}", Path::display(path)),
            Self::Memory { shelf, entry } => write!(f, "memory:{shelf}{entry}"),
        }
    }
}

/// As it follows a path: with the `:` or `@` before it.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Only => Ok(()),
            Self::Name(name) => write!(f, ":{name}"),
            Self::Nth(place) => write!(f, ":@{place}"),
            Self::Digest(digest) => write!(f, "@{digest}"),
        }
    }
}
