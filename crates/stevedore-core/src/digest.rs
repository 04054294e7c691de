//! Content digests: what they are, how they are computed, and how they are written.
//!
//! A [`Digest`] is of an algorithm this crate can compute, so whoever holds one can verify bytes against it. What a
//! document may *carry* is wider: [`AnyDigest`] also holds digests of algorithms nobody here knows. Those are kept
//! and printed, and never opened. The grammar is that of the image-spec's "Descriptor: Digests".
//!
//! ```
//! use stevedore_core::digest::{Algorithm, Digest};
//!
//! let digest = Algorithm::Sha256.digest(b"hello");
//! assert_eq!(
//!     digest.to_string(),
//!     "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
//! );
//! assert_eq!(digest.to_string().parse::<Digest>()?, digest);
//!
//! let mut hasher = Algorithm::Sha256.hasher();
//! hasher.update(b"hel");
//! hasher.update(b"lo");
//! assert_eq!(hasher.finish(), digest);
//! # Ok::<(), stevedore_core::digest::ParseError>(())
//! ```

mod any;
mod hasher;

use std::fmt;
use std::str::FromStr;

pub use any::{AnyDigest, OtherDigest, UnknownAlgorithm};
pub use hasher::{Hasher, RestoreError};

use crate::text::{quote, serde_as_text};

/// The length of the longest digest, in bytes.
const MAX_SIZE: usize = 64;

/// A digest algorithm that this crate can compute.
///
/// SHA-256 and SHA-512 are registered by the image-spec; SHA-384 is accepted by the reference implementation.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Algorithm {
    /// SHA-256, the algorithm of nearly every image.
    #[default]
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// All algorithms, the usual one first.
    pub const ALL: &[Self] = &[Self::Sha256, Self::Sha384, Self::Sha512];

    /// The name before the colon, as in `sha256`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// The length of a digest in bytes. It has twice as many hexadecimal digits.
    pub const fn size(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// A new hasher for this algorithm.
    pub fn hasher(self) -> Hasher {
        Hasher::new(self)
    }

    /// The digest of `bytes`.
    pub fn digest(self, bytes: &[u8]) -> Digest {
        let mut hasher = self.hasher();
        hasher.update(bytes);
        hasher.finish()
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|algorithm| algorithm.as_str() == name)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::named(name).ok_or_else(|| UnknownAlgorithm {
            algorithm: quote(name),
        })
    }
}

serde_as_text!(Algorithm, "the name of a digest algorithm");

/// A content digest of an algorithm that this crate can compute.
///
/// It is a small `Copy` value, not a string. Its text is `<algorithm>:<hex>` with lower-case hexadecimal digits of
/// exactly the algorithm's length; nothing else parses, so equal digests have equal text. Digests are ordered by
/// algorithm, then by bytes.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Digest {
    algorithm: Algorithm,
    /// The digest, then zeros: so that the derived comparisons are right.
    bytes: [u8; MAX_SIZE],
}

impl Digest {
    /// A digest that was computed elsewhere, from its bytes.
    ///
    /// # Errors
    ///
    /// [`ParseError::Length`] if `bytes` is not as long as the algorithm's digests are.
    pub fn from_bytes(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, ParseError> {
        if bytes.len() != algorithm.size() {
            return Err(ParseError::Length {
                algorithm,
                expected: algorithm.size() * 2,
                actual: bytes.len() * 2,
            });
        }
        Ok(Self::filled(algorithm, bytes))
    }

    /// The algorithm it was computed with.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Its bytes, [`Algorithm::size`] of them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.algorithm.size()]
    }

    /// Its bytes as lower-case hexadecimal digits, without the algorithm: the file name of the blob in a layout.
    pub fn hex(&self) -> String {
        let mut hex = [0; MAX_SIZE * 2];
        self.encode(&mut hex).to_owned()
    }

    /// The caller has seen that `bytes` is no longer than the longest digest.
    fn filled(algorithm: Algorithm, bytes: &[u8]) -> Self {
        let mut padded = [0; MAX_SIZE];
        padded[..bytes.len()].copy_from_slice(bytes);
        Self {
            algorithm,
            bytes: padded,
        }
    }

    fn decode(algorithm: Algorithm, hex: &str) -> Result<Self, ParseError> {
        let expected = algorithm.size() * 2;
        if hex.len() != expected {
            return Err(ParseError::Length {
                algorithm,
                expected,
                actual: hex.len(),
            });
        }
        let mut bytes = [0; MAX_SIZE];
        for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            let (Some(high), Some(low)) = (nibble(pair[0]), nibble(pair[1])) else {
                return Err(ParseError::NotLowerHex { algorithm });
            };
            *byte = high << 4 | low;
        }
        Ok(Self { algorithm, bytes })
    }

    fn encode<'a>(&self, buffer: &'a mut [u8; MAX_SIZE * 2]) -> &'a str {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        for (pair, byte) in buffer.chunks_exact_mut(2).zip(self.as_bytes()) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        std::str::from_utf8(&buffer[..self.algorithm.size() * 2])
            .expect("because hexadecimal digits are ASCII")
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut hex = [0; MAX_SIZE * 2];
        write!(f, "{}:{}", self.algorithm, self.encode(&mut hex))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = ParseError;

    /// Parses `<algorithm>:<hex>`. A well-formed digest of an unknown algorithm is
    /// [`ParseError::UnknownAlgorithm`]; use [`AnyDigest`] to carry it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse()? {
            AnyDigest::Known(digest) => Ok(digest),
            AnyDigest::Other(other) => Err(ParseError::UnknownAlgorithm {
                algorithm: quote(other.algorithm()),
            }),
        }
    }
}

serde_as_text!(Digest, "a digest such as sha256:<hex>");

/// Why a text is not a digest.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The text is not of the digest grammar at all.
    #[error("{text:?} is not a digest of the form <algorithm>:<encoded>")]
    #[non_exhaustive]
    Malformed {
        /// The beginning of the refused text.
        text: String,
    },
    /// The text is a digest, of an algorithm that cannot be computed here.
    #[error("digest algorithm {algorithm:?} is not supported")]
    #[non_exhaustive]
    UnknownAlgorithm {
        /// The algorithm as it was named.
        algorithm: String,
    },
    /// The encoded part has the wrong number of hexadecimal digits.
    #[error("a {algorithm} digest has {expected} hexadecimal digits, not {actual}")]
    #[non_exhaustive]
    Length {
        /// The algorithm before the colon.
        algorithm: Algorithm,
        /// How many digits it asks for.
        expected: usize,
        /// How many bytes of text came.
        actual: usize,
    },
    /// The encoded part has a character that is not a lower-case hexadecimal digit.
    #[error("a {algorithm} digest is written in lower-case hexadecimal digits only")]
    #[non_exhaustive]
    NotLowerHex {
        /// The algorithm before the colon.
        algorithm: Algorithm,
    },
}

/// The value of a lower-case hexadecimal digit.
fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}
