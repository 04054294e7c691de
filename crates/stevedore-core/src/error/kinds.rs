//! How the errors of this crate's parsers become the error of the seams.

use crate::{Error, ErrorKind, digest, edit, media_type, platform, raw, ref_name, reference};

macro_rules! kinds {
    ($($kind:ident: $($error:ty),+;)+) => {$($(
        impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Self::of(ErrorKind::$kind, error)
            }
        }
    )+)+};
}

kinds! {
    Invalid: digest::ParseError, edit::EditError, media_type::ParseError, platform::ParseError,
        ref_name::ParseError, reference::ParseError;
    Unsupported: digest::UnknownAlgorithm;
}

impl From<raw::ParseError> for Error {
    fn from(error: raw::ParseError) -> Self {
        let kind = match &error {
            raw::ParseError::TooLarge { .. } => ErrorKind::TooLarge,
            raw::ParseError::SchemaOne => ErrorKind::Unsupported,
            _ => ErrorKind::Invalid,
        };
        Self::of(kind, error)
    }
}
