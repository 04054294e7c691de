//! What tells one publication of a blob from another, and one state of its record from another.

use std::fmt;
use std::str::FromStr;

use crate::{Error, ErrorKind, Result};

/// The id of one publication of the bytes of a digest. A blob that was deleted and pushed again has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Life(u128);

/// A state of a record. Opaque, compared for equality only; one record never has the same version twice.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version(Box<str>);

impl Life {
    /// The life of everything that was published before its store was opened, from a store that cannot tell such
    /// lives apart (a file system that may have lost power). It begins for nothing while the store is open.
    pub const EARLIER: Self = Self(0);

    /// The life with an id that the store made and will never make again.
    pub fn new(id: u128) -> Self {
        Self(id)
    }

    /// The id.
    pub fn id(self) -> u128 {
        self.0
    }

    /// Whether a record that was made for the life `recorded` counts for bytes of this life: the two are the same,
    /// or nobody can tell any more because these bytes are [`EARLIER`](Self::EARLIER).
    pub fn admits(self, recorded: Self) -> bool {
        self == recorded || self == Self::EARLIER
    }
}

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for Life {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let digits = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let id = digits.then(|| u128::from_str_radix(text, 16).ok()).flatten();
        id.map(Self)
            .ok_or_else(|| Error::new(ErrorKind::Invalid, format!("{text:?} is not the id of a life")))
    }
}

impl Version {
    /// The version with a text that its store made.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_text_of_a_life() {
        let life = Life::new(0xab);
        assert_eq!(life.to_string(), "000000000000000000000000000000ab");
        for text in [
            "",
            "ab",
            "0x",
            &"0".repeat(31),
            &"0".repeat(33),
            &"A".repeat(32),
            &format!("+{}", "0".repeat(31)),
        ] {
            let error = text.parse::<Life>().expect_err(text);
            assert_eq!(error.kind(), ErrorKind::Invalid);
        }
    }

    proptest! {
        #[test]
        fn lives_survive_their_text(id in any::<u128>()) {
            let life = Life::new(id);
            prop_assert_eq!(life.to_string().parse::<Life>().unwrap(), life);
            prop_assert_eq!(life.id(), id);
        }

        #[test]
        fn no_text_breaks_the_parser(text in any::<String>()) {
            if let Ok(life) = text.parse::<Life>() {
                prop_assert_eq!(life.to_string(), text);
            }
        }
    }
}
