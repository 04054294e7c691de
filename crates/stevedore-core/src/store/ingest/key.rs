//! The names of what is staged.

use std::fmt;

use crate::{Digest, Error, ErrorKind, Result};

/// The name of something staged: an upload session, or the digest that a copy fetches. 1 to 255 bytes of printable
/// ASCII without `/`, and neither `.` nor `..`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IngestKey(Box<str>);

impl IngestKey {
    /// A key that is the text.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a text that breaks the grammar.
    pub fn parse(text: &str) -> Result<Self> {
        if crate::key::is_segment(text) {
            Ok(Self(text.into()))
        } else {
            Err(Error::new(
                ErrorKind::Invalid,
                format!("{text:?} cannot be the key of something staged"),
            ))
        }
    }

    /// The key under which copies stage a blob, so that a later copy of the same blob goes on.
    pub fn of_digest(digest: &Digest) -> Self {
        Self(digest.to_string().into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IngestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Algorithm;

    #[test]
    fn the_grammar_of_ingest_keys() {
        let longest = "k".repeat(255);
        for text in ["k", "...", "sha256:ab", "%2F", "\\", &longest] {
            assert_eq!(IngestKey::parse(text).unwrap().as_str(), text);
        }
        for text in [
            "",
            ".",
            "..",
            "a/b",
            "/",
            "a b",
            "\0",
            "ä",
            &format!("{longest}k"),
        ] {
            let error = IngestKey::parse(text).expect_err(text);
            assert_eq!(error.kind(), ErrorKind::Invalid, "{text:?}");
        }
    }

    #[test]
    fn a_digest_makes_a_key() {
        for algorithm in Algorithm::ALL {
            let digest = algorithm.digest(b"content");
            let key = IngestKey::of_digest(&digest);
            assert_eq!(IngestKey::parse(key.as_str()).unwrap(), key);
            assert_eq!(key.to_string(), digest.to_string());
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_parser(text in any::<String>()) {
            if let Ok(key) = IngestKey::parse(&text) {
                prop_assert_eq!(key.as_str(), text);
            }
        }
    }
}
