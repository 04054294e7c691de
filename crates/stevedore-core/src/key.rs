//! The keys of [`Names`](crate::Names).

use std::borrow::Borrow;
use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;

use crate::{Error, ErrorKind, Result};

/// The longest key, in bytes: what object stores allow.
const MAX_KEY: usize = 1024;

/// The longest segment, in bytes.
const MAX_SEGMENT: usize = 255;

/// The key of a small record: segments joined by `/`.
///
/// A segment is 1 to 255 bytes of printable ASCII (`!` to `~`) without `/`, and neither `.` nor `..`; a key is at
/// most 1,024 bytes. Keys are ordered by their bytes, as object stores list them. Case counts; a store on a file
/// system that ignores it has to escape. One key may lie below another.
///
/// ```
/// use stevedore_core::Key;
///
/// let tag = Key::parse("r/library%2Fdebian/tags")?.join_escaped("v1/x")?;
/// assert_eq!(tag.as_str(), "r/library%2Fdebian/tags/v1%2Fx");
/// assert_eq!(tag.last_unescaped().as_deref(), Some("v1/x"));
/// # Ok::<(), stevedore_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(Box<str>);

impl Key {
    /// The key that is the text.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a text that breaks the grammar.
    pub fn parse(text: &str) -> Result<Self> {
        if text.len() <= MAX_KEY && text.split('/').all(is_segment) {
            Ok(Self(text.into()))
        } else {
            Err(Error::new(
                ErrorKind::Invalid,
                format!("{text:?} cannot be the key of a record"),
            ))
        }
    }

    /// The key below this one, by one segment.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] where the segment breaks the grammar or the key becomes too long.
    pub fn join(&self, segment: &str) -> Result<Self> {
        Self::parse(&format!("{self}/{segment}"))
    }

    /// The key below this one, by one segment that stands for any text: what a segment cannot hold is written as
    /// `%` and two hexadecimal digits. [`last_unescaped`](Self::last_unescaped) gives the text back.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] where the text is empty or too long.
    pub fn join_escaped(&self, text: &str) -> Result<Self> {
        let dots = text == "." || text == "..";
        let mut segment = String::with_capacity(text.len());
        for byte in text.bytes() {
            if dots || matches!(byte, b'/' | b'%') || !byte.is_ascii_graphic() {
                write!(segment, "%{byte:02X}").expect("because a String takes any text");
            } else {
                segment.push(char::from(byte));
            }
        }
        self.join(&segment)
    }

    /// The text whose escaped form is the last segment, or `None` where the segment is no such form.
    pub fn last_unescaped(&self) -> Option<String> {
        let mut bytes = Vec::new();
        let mut rest = self.last().bytes();
        while let Some(byte) = rest.next() {
            if byte == b'%' {
                let high = char::from(rest.next()?).to_digit(16)?;
                let low = char::from(rest.next()?).to_digit(16)?;
                bytes.push(u8::try_from(high * 16 + low).ok()?);
            } else {
                bytes.push(byte);
            }
        }
        String::from_utf8(bytes).ok()
    }

    /// The last segment.
    pub fn last(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The segments, first to last.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// Whether this key lies below another, at any depth.
    pub fn is_below(&self, other: &Self) -> bool {
        self.0
            .strip_prefix(&*other.0)
            .is_some_and(|rest| rest.starts_with('/'))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a text can be one segment of a key.
pub(crate) fn is_segment(text: &str) -> bool {
    let graphic = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/');
    (1..=MAX_SEGMENT).contains(&text.len()) && graphic && text != "." && text != ".."
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Keys compare and hash as their texts do, so a map of keys can be asked for a range of texts.
impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for Key {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_grammar() {
        let longest_segment = "s".repeat(MAX_SEGMENT);
        let longest_key = [&*longest_segment; 4].join("/");
        let good = [
            "a",
            "A/b",
            "!",
            "~",
            "...",
            ".a",
            "a.",
            "%",
            "a%2Fb",
            "\\",
            &longest_segment,
            &longest_key,
        ];
        for text in good {
            assert_eq!(Key::parse(text).as_ref().map(Key::as_str).ok(), Some(text));
            assert_eq!(text.parse::<Key>().ok(), Key::parse(text).ok());
        }
        let (long_segment, long_key) = (format!("{longest_segment}s"), format!("{longest_key}/s"));
        let bad = [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "./a",
            "a/.",
            "a/../b",
            " ",
            "a b",
            "\n",
            "a\0",
            "\u{7f}",
            "ä",
            &long_segment,
            &long_key,
        ];
        for text in bad {
            let error = Key::parse(text).expect_err(text);
            assert_eq!(error.kind(), ErrorKind::Invalid, "{text:?}");
        }
    }

    #[test]
    fn joining_keeps_to_the_grammar() {
        let key = Key::parse("r").unwrap();
        assert_eq!(key.join("tags").unwrap().as_str(), "r/tags");
        for segment in ["", ".", "..", "a b"] {
            assert!(key.join(segment).is_err(), "{segment:?}");
        }
        // The longest key that a segment still fits below, and one byte more.
        let longest = Key::parse(&format!(
            "{}/{}",
            [&*"s".repeat(250); 4].join("/"),
            "s".repeat(18)
        ))
        .unwrap();
        assert_eq!(longest.as_str().len(), MAX_KEY - 2);
        assert!(longest.join("s").is_ok());
        assert!(longest.join("ss").is_err());
    }

    #[test]
    fn escaping() {
        let key = Key::parse("r").unwrap();
        let table = [
            ("library/debian", "r/library%2Fdebian"),
            ("100%", "r/100%25"),
            ("%2F", "r/%252F"),
            (".", "r/%2E"),
            ("..", "r/%2E%2E"),
            ("...", "r/..."),
            ("a b", "r/a%20b"),
            ("é", "r/%C3%A9"),
            ("v1.2_3-x", "r/v1.2_3-x"),
        ];
        for (text, escaped) in table {
            let joined = key.join_escaped(text).unwrap();
            assert_eq!(joined.as_str(), escaped);
            assert_eq!(joined.last_unescaped().as_deref(), Some(text));
        }
        assert!(key.join_escaped("").is_err());
        assert!(key.join_escaped(&"/".repeat(85)).is_ok());
        assert!(key.join_escaped(&"/".repeat(86)).is_err());
        for broken in ["r/%", "r/a%2", "r/%G0", "r/%0G", "r/%FF", "r/%+1"] {
            assert_eq!(Key::parse(broken).unwrap().last_unescaped(), None, "{broken}");
        }
    }

    #[test]
    fn below_is_by_segments() {
        let key = |text| Key::parse(text).unwrap();
        assert!(key("a/b").is_below(&key("a")));
        assert!(key("a/b/c").is_below(&key("a")));
        for other in ["a", "ab", "a-b", "a.b/c", "A/b", "b/a"] {
            assert!(!key(other).is_below(&key("a")), "{other}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_found_again(text in any::<String>()) {
            let key = Key::parse("under/some").unwrap();
            if let Ok(joined) = key.join_escaped(&text) {
                prop_assert_eq!(joined.last_unescaped(), Some(text));
                prop_assert!(joined.is_below(&key));
                prop_assert_eq!(joined.segments().count(), 3);
            } else {
                prop_assert!(text.is_empty() || text.len() * 3 > MAX_SEGMENT);
            }
        }

        #[test]
        fn different_texts_are_different_keys(one in ".{1,20}", other in ".{1,20}") {
            let key = Key::parse("k").unwrap();
            let (a, b) = (key.join_escaped(&one), key.join_escaped(&other));
            prop_assert_eq!(a.unwrap() == b.unwrap(), one == other);
        }

        #[test]
        fn what_parses_is_made_of_segments(text in "[a./ %~\u{e4}]{0,12}") {
            let valid = text.split('/').all(|segment| {
                !segment.is_empty() && segment != "." && segment != ".." && !segment.contains([' ', '\u{e4}'])
            });
            prop_assert_eq!(Key::parse(&text).is_ok(), valid);
        }

        #[test]
        fn keys_are_ordered_by_bytes(one in "[!-~]{1,3}(/[!-.0-~]{1,3}){0,2}", other in "[!-~]{1,3}(/[!-.0-~]{1,3}){0,2}") {
            if let (Ok(a), Ok(b)) = (Key::parse(&one), Key::parse(&other)) {
                prop_assert_eq!(a.cmp(&b), one.as_bytes().cmp(other.as_bytes()));
            }
        }
    }
}
