//! Why a compressed stream cannot be read.

use std::io;

use super::Compression;

/// Why a compressed stream cannot be read, and where: `offset` counts the bytes of the compressed stream.
///
/// [`Decoder`](super::Decoder) hands it out within an [`io::Error`]; [`of`](Self::of) finds it there.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The stream ends before it is complete.
    #[error("the {format} stream is cut off: it ends at byte {offset}, in {part}")]
    #[non_exhaustive]
    Truncated {
        /// The format of the stream.
        format: Compression,
        /// How long the stream is.
        offset: u64,
        /// What it ends in the middle of.
        part: &'static str,
    },
    /// Something that is no part of the format follows the end of the stream.
    #[error("the {format} stream is followed by something else, from byte {offset} on")]
    #[non_exhaustive]
    Trailing {
        /// The format of the stream.
        format: Compression,
        /// Where the first byte is that does not belong there.
        offset: u64,
    },
    /// The stream breaks its format, or its content does not fit its checksum.
    #[error("the {format} stream is damaged at byte {offset}, or not long before: {reason}")]
    #[non_exhaustive]
    Corrupt {
        /// The format of the stream.
        format: Compression,
        /// Where that was noticed.
        offset: u64,
        /// What does not fit.
        reason: String,
    },
    /// The stream is made in a way that cannot be read here.
    #[error("the {format} stream cannot be read from byte {offset} on: {reason}")]
    #[non_exhaustive]
    Unsupported {
        /// The format of the stream.
        format: Compression,
        /// Where that was noticed.
        offset: u64,
        /// What cannot be read.
        reason: String,
    },
    /// Reading on would cost more than one of the [`Limits`](super::Limits).
    #[error("the {format} stream goes over the limit `{limit}` of {bound}, at byte {offset}")]
    #[non_exhaustive]
    Limit {
        /// The format of the stream.
        format: Compression,
        /// How far it was read.
        offset: u64,
        /// The name of the limit: that of the field.
        limit: &'static str,
        /// The limit.
        bound: u64,
    },
}

impl DecodeError {
    /// The error of this kind within an error of a reader, if that is what it is.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// Where in the compressed stream it is, in bytes from its beginning.
    pub fn offset(&self) -> u64 {
        match self {
            Self::Truncated { offset, .. }
            | Self::Trailing { offset, .. }
            | Self::Corrupt { offset, .. }
            | Self::Unsupported { offset, .. }
            | Self::Limit { offset, .. } => *offset,
        }
    }
}

impl From<DecodeError> for io::Error {
    fn from(error: DecodeError) -> Self {
        let kind = match error {
            DecodeError::Truncated { .. } => io::ErrorKind::UnexpectedEof,
            DecodeError::Trailing { .. } | DecodeError::Corrupt { .. } => io::ErrorKind::InvalidData,
            DecodeError::Unsupported { .. } => io::ErrorKind::Unsupported,
            DecodeError::Limit { .. } => io::ErrorKind::FileTooLarge,
        };
        Self::new(kind, error)
    }
}
