//! What people type where the ID of an image is as good as a reference.

use std::fmt;
use std::str::FromStr;

use super::{ParseError, Reference, grammar};
use crate::digest::{Algorithm, Digest};
use crate::text::serde_as_text;

/// A reference, or the digest of something whose place is known from elsewhere (`ParseAnyReference`).
///
/// A digest can also come as 64 hexadecimal digits, the form of an image ID.
///
/// ```
/// use stevedore_core::reference::AnyReference;
///
/// let hex = "dbcc1c35ac38df41fd2f5e4130b32ffdb93ebae8b3dbe638c23575912276fc9c";
/// assert_eq!(hex.parse::<AnyReference>()?.to_string(), format!("sha256:{hex}"));
/// assert_eq!("redis".parse::<AnyReference>()?.to_string(), "docker.io/library/redis");
/// # Ok::<(), stevedore_core::reference::ParseError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum AnyReference {
    /// A digest alone.
    Digest(Digest),
    /// A reference.
    Name(Reference),
}

impl fmt::Display for AnyReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digest(digest) => digest.fmt(f),
            Self::Name(reference) => reference.fmt(f),
        }
    }
}

impl FromStr for AnyReference {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if grammar::is_identifier(text) {
            let full = format!("{}:{text}", Algorithm::Sha256);
            return full
                .parse()
                .map(Self::Digest)
                .map_err(|source| ParseError::Digest { source });
        }
        match text.parse() {
            Ok(digest) => Ok(Self::Digest(digest)),
            Err(_) => text.parse().map(Self::Name),
        }
    }
}

serde_as_text!(
    AnyReference,
    "a reference such as docker.io/library/ubuntu:24.04, or a digest"
);
