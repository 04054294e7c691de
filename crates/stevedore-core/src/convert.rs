//! How the errors of this crate's parsers become the error of the seams.

use crate::{Error, ErrorKind, digest};

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
    Invalid: digest::ParseError;
    Unsupported: digest::UnknownAlgorithm;
}
