//! What goes wrong with an archive.

use std::fmt;
use std::io;

/// A result whose error is the [`Error`] of tar archives.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What goes wrong with reading or writing a tar archive.
///
/// `Display` prints this level only; the causes are behind [`source`](std::error::Error::source). Names of entries are
/// escaped, for they are the archive's own bytes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input of the archive gave an error.
    #[error("cannot read the archive at byte {offset}")]
    #[non_exhaustive]
    Read {
        /// Where in the archive.
        offset: u64,
        /// Why.
        source: io::Error,
    },
    /// The archive stops before something that it announced.
    #[error("{place}: the archive ends at byte {end}, before {missing}")]
    #[non_exhaustive]
    Truncated {
        /// What was being read.
        place: Place,
        /// Bytes that the archive has.
        end: u64,
        /// What is not there.
        missing: &'static str,
    },
    /// A header is wrong, contradicts itself, or means different things to different readers.
    #[error("{place}: {reason}")]
    #[non_exhaustive]
    Malformed {
        /// Which header.
        place: Place,
        /// What is wrong with it.
        reason: String,
    },
    /// Something is larger than the [`Limits`](super::Limits) allow.
    #[error("{place}: {what}: more than the {limit} that are allowed")]
    #[non_exhaustive]
    Limit {
        /// Which header.
        place: Place,
        /// What there is too much of, and its unit.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// The archive was gone on with after an error, or after its rest was read: nobody knows where its next header begins,
    /// or how much of the last one was written.
    #[error("the archive cannot be gone on with: an error came before, or its rest was read")]
    Spent,
    /// An entry cannot be put into an archive.
    #[error("cannot write the entry {entry}: {reason}")]
    #[non_exhaustive]
    Unwritable {
        /// Its escaped path.
        entry: String,
        /// Why.
        reason: String,
    },
    /// The next entry was begun, or the archive ended, before all data of an entry was there.
    #[error("the entry {entry} lacks {missing} of its {size} bytes")]
    #[non_exhaustive]
    Incomplete {
        /// Its escaped path.
        entry: String,
        /// Bytes that it was to have.
        size: u64,
        /// Bytes of them that were not written.
        missing: u64,
    },
    /// The output of the archive gave an error.
    #[error("cannot write the archive")]
    #[non_exhaustive]
    Write {
        /// Why.
        source: io::Error,
    },
}

impl From<Error> for io::Error {
    /// Keeps the error as the cause; its kind says whether the archive was cut off or is wrong.
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Read { source, .. } | Error::Write { source } => source.kind(),
            Error::Truncated { .. } => io::ErrorKind::UnexpectedEof,
            Error::Malformed { .. } | Error::Limit { .. } => io::ErrorKind::InvalidData,
            Error::Unwritable { .. } | Error::Incomplete { .. } => io::ErrorKind::InvalidInput,
            Error::Spent => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

/// Where in an archive something is: the offset of a header in bytes, and the name in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The path of the entry as far as it is known, empty if the header is not one that can be read.
    pub path: Vec<u8>,
    /// Where the header begins, from the beginning of the archive.
    pub offset: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            return write!(f, "header at byte {}", self.offset);
        }
        write!(f, "entry {} at byte {}", escaped(&self.path), self.offset)
    }
}

/// What is wrong with a part of a header; whoever knows where that is makes an [`Error`] of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Malformed(String),
    Limit { what: &'static str, limit: u64 },
}

impl Fault {
    pub(crate) fn limit(what: &'static str, limit: usize) -> Self {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        Self::Limit { what, limit }
    }

    pub(crate) fn at(self, place: Place) -> Error {
        match self {
            Self::Malformed(reason) => Error::Malformed { place, reason },
            Self::Limit { what, limit } => Error::Limit { place, what, limit },
        }
    }
}

impl From<String> for Fault {
    fn from(reason: String) -> Self {
        Self::Malformed(reason)
    }
}

impl From<&str> for Fault {
    fn from(reason: &str) -> Self {
        Self::Malformed(reason.to_owned())
    }
}

/// Bytes of an archive in quotes, as they can be shown: nothing in them reaches a terminal as a control sequence.
pub(crate) fn escaped(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        for shown in chunk.valid().chars() {
            text.extend(shown.escape_debug());
            if text.len() > SHOWN {
                return text + "…\"";
            }
        }
        for byte in chunk.invalid() {
            // The letters behind the backslash are hexadecimal.
            text.push_str("\\x");
            text.extend(
                [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16).unwrap_or('?')),
            );
        }
        if text.len() > SHOWN {
            return text + "…\"";
        }
    }
    text + "\""
}

/// Bytes of a name that a message shows: longer ones hide the rest of it.
const SHOWN: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_without_control_characters() {
        assert_eq!(escaped(b"a/b.txt"), r#""a/b.txt""#);
        assert_eq!(
            escaped("ä\u{1b}[2J\n\"\u{202e}".as_bytes()),
            r#""ä\u{1b}[2J\n\"\u{202e}""#
        );
        assert_eq!(escaped(b"\xff\xfea"), r#""\xff\xfea""#);
    }

    #[test]
    fn long_names_are_cut() {
        let shown = escaped(&[b'a'; 5000]);
        assert!(shown.len() < 270 && shown.ends_with("…\""), "{shown}");
        let shown = escaped(&[0xff; 5000]);
        assert!(shown.len() < 270 && shown.ends_with("…\""), "{shown}");
    }

    #[test]
    fn a_place_without_a_name_is_a_header() {
        let mut place = Place {
            path: Vec::new(),
            offset: 512,
        };
        assert_eq!(place.to_string(), "header at byte 512");
        place.path.push(b'x');
        assert_eq!(place.to_string(), "entry \"x\" at byte 512");
    }

    #[test]
    fn fits_a_cache_line_and_a_half() {
        assert!(size_of::<Error>() <= 96, "{}", size_of::<Error>());
    }
}
