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
