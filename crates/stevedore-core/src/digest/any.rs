//! Digests as documents carry them: of known algorithms, or of others.

use std::fmt;
use std::str::FromStr;

use super::{Algorithm, Digest, ParseError, nibble};
use crate::text::{quote, serde_as_text};

/// A digest as a document may carry it: one that can be verified here, or one of an algorithm unknown here.
///
/// Text with the name of a known algorithm never becomes `Other`: a `sha256:` with a bad body is an error.
///
/// ```
/// use stevedore_core::digest::AnyDigest;
///
/// let carried: AnyDigest = "multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8".parse()?;
/// assert!(carried.known().is_err()); // it can be kept and printed, not opened
/// assert!("sha256:abc".parse::<AnyDigest>().is_err());
/// # Ok::<(), stevedore_core::digest::ParseError>(())
/// ```
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum AnyDigest {
    /// A digest that can be computed, so bytes can be verified against it.
    Known(Digest),
    /// A digest that can only be carried.
    Other(OtherDigest),
}

impl AnyDigest {
    /// The digest, if it is of an algorithm that can be computed here.
    ///
    /// # Errors
    ///
    /// [`UnknownAlgorithm`], which names the algorithm.
    pub fn known(&self) -> Result<Digest, UnknownAlgorithm> {
        match self {
            Self::Known(digest) => Ok(*digest),
            Self::Other(other) => Err(UnknownAlgorithm {
                algorithm: quote(other.algorithm()),
            }),
        }
    }

    /// The name of the algorithm, the part before the colon.
    pub fn algorithm(&self) -> &str {
        match self {
            Self::Known(digest) => digest.algorithm().as_str(),
            Self::Other(other) => other.algorithm(),
        }
    }
}

impl fmt::Display for AnyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(digest) => digest.fmt(f),
            Self::Other(other) => other.fmt(f),
        }
    }
}

impl fmt::Debug for AnyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for AnyDigest {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (algorithm, encoded) = split(text).ok_or_else(|| ParseError::Malformed { text: quote(text) })?;
        if let Some(algorithm) = Algorithm::named(algorithm) {
            return Digest::decode(algorithm, encoded).map(Self::Known);
        }
        if algorithm == BLAKE3 && !(encoded.len() == 64 && encoded.bytes().all(|b| nibble(b).is_some())) {
            return Err(ParseError::Malformed { text: quote(text) });
        }
        Ok(Self::Other(OtherDigest {
            text: text.into(),
            colon: algorithm.len(),
        }))
    }
}

impl From<Digest> for AnyDigest {
    fn from(digest: Digest) -> Self {
        Self::Known(digest)
    }
}

impl PartialEq<Digest> for AnyDigest {
    fn eq(&self, other: &Digest) -> bool {
        matches!(self, Self::Known(digest) if digest == other)
    }
}

impl PartialEq<AnyDigest> for Digest {
    fn eq(&self, other: &AnyDigest) -> bool {
        other == self
    }
}

serde_as_text!(AnyDigest, "a digest such as sha256:<hex>");

/// A well-formed digest of an algorithm that cannot be computed here. It is carried as it stood.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct OtherDigest {
    text: Box<str>,
    colon: usize,
}

impl OtherDigest {
    /// The whole digest, as it stood.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The part before the colon.
    pub fn algorithm(&self) -> &str {
        &self.text[..self.colon]
    }

    /// The part after the colon.
    pub fn encoded(&self) -> &str {
        &self.text[self.colon + 1..]
    }
}

impl fmt::Display for OtherDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for OtherDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The error of asking for a computation with an algorithm that is unknown here.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("digest algorithm {algorithm:?} is not supported")]
#[non_exhaustive]
pub struct UnknownAlgorithm {
    /// The algorithm as it was named.
    pub algorithm: String,
}

/// Registered by the image-spec, with a fixed length, but not computed here: so its body can be held to its form.
const BLAKE3: &str = "blake3";

/// Splits a text of the image-spec's digest grammar at its colon.
fn split(text: &str) -> Option<(&str, &str)> {
    let (algorithm, encoded) = text.split_once(':')?;
    let component =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let well_formed = algorithm.split(['+', '.', '_', '-']).all(component)
        && !encoded.is_empty()
        && encoded
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'=' | b'_' | b'-'));
    well_formed.then_some((algorithm, encoded))
}
