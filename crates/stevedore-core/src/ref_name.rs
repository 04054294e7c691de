//! The names of entries in a layout's `index.json`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::reference::Reference;
use crate::text::quote;

/// The value of the annotation `org.opencontainers.image.ref.name`: the name of an entry in a layout's `index.json`.
///
/// The image-spec gives it a grammar of its own ("Annotations: Pre-Defined Annotation Keys"): components separated by
/// `/`; each of letters and digits, separated by one of `-._:@+`, or by `--`. So it can be a tag such as `1.2`, or a
/// whole reference such as `docker.io/library/x:1.2`; what the writer meant is not said.
///
/// - **What we write anew** is held to the grammar: [`FromStr`] and `TryFrom<&Reference>` refuse what is not of it.
///   Not every reference and not every tag is: `a__b` is a repository's name and `_` a tag, and neither fits.
/// - **What we read** is carried as it stood, whatever it is: [`verbatim`](Self::verbatim) and serde take any text.
///   Other tools put names there unchecked, an entry is not lost for its name, and when entries are copied from
///   layout to layout the name stays. Names are compared byte by byte.
///
/// ```
/// use stevedore_core::{RefName, Reference};
///
/// let name: RefName = "v1.2".parse()?;
/// assert_eq!(name, "v1.2");
/// assert!("two words".parse::<RefName>().is_err());
/// assert!(!RefName::verbatim("two words").is_well_formed());
///
/// let reference: Reference = "ubuntu:24.04".parse().unwrap();
/// assert_eq!(RefName::try_from(&reference)?, "docker.io/library/ubuntu:24.04");
/// # Ok::<(), stevedore_core::ref_name::ParseError>(())
/// ```
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RefName(Arc<str>);

impl RefName {
    /// A name as somebody wrote it, whatever it is.
    pub fn verbatim(text: &str) -> Self {
        Self(text.into())
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is of the image-spec's grammar. What was read need not be.
    pub fn is_well_formed(&self) -> bool {
        self.0.split('/').all(is_component)
    }
}

impl PartialEq<str> for RefName {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for RefName {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl AsRef<str> for RefName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RefName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for RefName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl FromStr for RefName {
    type Err = ParseError;

    /// Parses a name that is to be written. What is read is not parsed; see [`RefName::verbatim`].
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Some(Self::verbatim(text))
            .filter(Self::is_well_formed)
            .ok_or_else(|| ParseError::Malformed { text: quote(text) })
    }
}

impl TryFrom<&Reference> for RefName {
    type Error = ParseError;

    /// The full form of a reference, as other tools write it, if the grammar has room for it.
    fn try_from(reference: &Reference) -> Result<Self, Self::Error> {
        reference.canonical().parse()
    }
}

impl Serialize for RefName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Takes any string.
impl<'de> Deserialize<'de> for RefName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.into()))
    }
}

/// Why a text is not a name that could be written.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The text is not of the image-spec's grammar.
    #[error("{text:?} is not a name for an entry of a layout")]
    #[non_exhaustive]
    Malformed {
        /// The beginning of the refused text.
        text: String,
    },
}

/// Runs of letters and digits, separated by one of `-._:@+` or by `--`.
fn is_component(component: &str) -> bool {
    let mut rest = component;
    loop {
        let run = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
        if run.len() == rest.len() {
            return false;
        }
        if run.is_empty() {
            return true;
        }
        match run
            .strip_prefix("--")
            .or_else(|| run.strip_prefix(['-', '.', '_', ':', '@', '+']))
        {
            Some(after) => rest = after,
            None => return false,
        }
    }
}
