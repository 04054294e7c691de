//! Files of a layout that a power cut may have broken.

use std::fmt;
use std::path::PathBuf;

use stevedore_core::raw::ParseError;

/// The `index.json` of a layout cannot be parsed, as after a power cut: the cause within an error of
/// [`ErrorKind::Invalid`](stevedore_core::ErrorKind::Invalid).
///
/// It may name images all the same, so it is never thrown away; a layout that is opened to
/// [`mend`](crate::WriteOptions::mend) it sets it aside.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BrokenIndex {
    /// Its path.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: ParseError,
}

impl fmt::Display for BrokenIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.why, f)
    }
}

impl std::error::Error for BrokenIndex {}

/// The `oci-layout` of a layout says nothing, as after a power cut: the cause within an error of
/// [`ErrorKind::Invalid`](stevedore_core::ErrorKind::Invalid).
///
/// A layout that is opened to [`mend`](crate::WriteOptions::mend) it writes it anew.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlankHeader {
    /// Its path.
    pub path: PathBuf,
}

impl fmt::Display for BlankHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is empty, or has nothing but zeros and blanks")
    }
}

impl std::error::Error for BlankHeader {}
