//! Several entries of a layout where one was meant.

use std::fmt;

use stevedore_core::RefName;

/// Several entries of a layout could be meant: the cause within an error of
/// [`ErrorKind::Invalid`](stevedore_core::ErrorKind::Invalid).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ambiguous {
    /// Their places in `index.json`, counted from 0, and their names; not empty.
    pub entries: Vec<(usize, Option<RefName>)>,
}

/// How many are shown.
const MOST: usize = 20;

impl fmt::Display for Ambiguous {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("each of these could be meant: ")?;
        for (number, (place, name)) in self.entries.iter().take(MOST).enumerate() {
            if number > 0 {
                f.write_str(", ")?;
            }
            match name {
                Some(name) => write!(f, "{name} (@{place})")?,
                None => write!(f, "@{place}")?,
            }
        }
        match self.entries.len().saturating_sub(MOST) {
            0 => Ok(()),
            more => write!(f, ", and {more} more"),
        }
    }
}

impl std::error::Error for Ambiguous {}
