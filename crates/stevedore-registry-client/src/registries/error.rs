//! What goes wrong with `registries.conf`.

use std::io;
use std::path::PathBuf;

use stevedore_core::ErrorKind;

/// A `registries.conf` that cannot be used, or what it forbids.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistriesError {
    /// A file or directory could not be read.
    #[error("cannot read {}", path.display())]
    #[non_exhaustive]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is larger than any of its kind.
    #[error("{} is larger than {limit} bytes", path.display())]
    #[non_exhaustive]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit in bytes.
        limit: u64,
    },
    /// A file is not TOML of the right shape.
    #[error("{}, line {line}: {reason}", path.display())]
    #[non_exhaustive]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// A file is of version 1 of the format.
    #[error(
        "{} is of version 1 of its format ([registries.search], [registries.insecure], [registries.block]), which is no \
         longer read; in version 2 there are unqualified-search-registries and [[registry]] tables",
        path.display()
    )]
    #[non_exhaustive]
    OldFormat {
        /// The file.
        path: PathBuf,
    },
    /// A value makes no sense.
    #[error("{}: {reason}", path.display())]
    #[non_exhaustive]
    Value {
        /// The file.
        path: PathBuf,
        /// What makes no sense, and why.
        reason: String,
    },
    /// An image is blocked.
    #[error("{reference} is blocked by {table}")]
    #[non_exhaustive]
    Blocked {
        /// The image.
        reference: String,
        /// The table and its file.
        table: String,
    },
    /// With a location in front of it a name is none.
    #[error("{reference} would be {name} by {table}, which is no name of an image")]
    #[non_exhaustive]
    Location {
        /// The image.
        reference: String,
        /// What its name would be.
        name: String,
        /// The table and its file.
        table: String,
    },
    /// A short name stands for several images.
    #[error(
        "{name} may be any of {} by unqualified-search-registries in {}; write the one that is meant, or docker://{name} \
         for Docker Hub",
        candidates.join(", "), path.display()
    )]
    #[non_exhaustive]
    Ambiguous {
        /// The short name.
        name: String,
        /// What it may stand for.
        candidates: Vec<String>,
        /// The file.
        path: PathBuf,
    },
}

impl RegistriesError {
    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Blocked { .. } => ErrorKind::Denied,
            _ => ErrorKind::Invalid,
        }
    }
}
