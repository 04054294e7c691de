//! Strict JSON over borrowed bytes, for documents whose bytes must stay as they are.
//!
//! [`Value::parse`] checks a whole document (RFC 8259, UTF-8, no byte order mark, no lone surrogate, no duplicate
//! key, bounded nesting) without building a tree: a [`Value`] is two offsets into the text, and members and
//! elements are found by walking it. So memory does not grow with what a document claims, white space and the
//! spelling of numbers are still there to be copied, and every refusal knows its byte offset and path.

mod check;
mod de;
mod path;
mod string;

use std::borrow::Cow;

pub(crate) use self::de::typed;
pub use self::path::{Path, Step};

/// How deep arrays and objects may be nested; real manifests and configs stay below ten.
pub(crate) const MAX_DEPTH: usize = 64;

/// One value of a checked document: where it stands in the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<'a> {
    text: &'a str,
    start: usize,
    end: usize,
}

/// What a value is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Null,
    Bool,
    Number,
    String,
    Array,
    Object,
}

/// One member of an object.
#[derive(Clone, Debug)]
pub(crate) struct Member<'a> {
    /// The key, unescaped.
    pub(crate) key: Cow<'a, str>,
    /// Where the key stands, with its quotes.
    pub(crate) name: Value<'a>,
    pub(crate) value: Value<'a>,
}

/// Why a document, or a value in it, is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct Error {
    /// The value it is about, as in `layers[0].size`; empty for the document itself.
    pub(crate) path: String,
    /// In bytes from the start of the document.
    pub(crate) offset: usize,
    pub(crate) reason: Reason,
}

#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum Reason {
    #[error("{0}")]
    Syntax(&'static str),
    #[error("the key is there twice")]
    Duplicate,
    #[error("{0}")]
    Value(String),
}

impl<'a> Value<'a> {
    /// Checks a whole document and gives its root.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        Self::parse_within(bytes, MAX_DEPTH)
    }

    /// [`parse`](Self::parse) for a value that will stand inside another, where `depth` levels are left.
    pub(crate) fn parse_within(bytes: &'a [u8], depth: usize) -> Result<Self, Error> {
        check::check(bytes, depth).map(Self::of_checked)
    }

    /// The root of a text that was checked before.
    pub(crate) fn of_checked(text: &'a str) -> Self {
        let start = skip_space(text, 0);
        Self {
            text,
            start,
            end: skip_value(text, start),
        }
    }

    pub(crate) fn start(self) -> usize {
        self.start
    }

    pub(crate) fn end(self) -> usize {
        self.end
    }

    /// The whole document's text.
    pub(crate) fn document(self) -> &'a str {
        self.text
    }

    /// The value as the document spells it.
    pub(crate) fn as_written(self) -> &'a str {
        &self.text[self.start..self.end]
    }

    pub(crate) fn kind(self) -> Kind {
        match self.text.as_bytes().get(self.start) {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'n') => Kind::Null,
            _ => Kind::Number,
        }
    }

    pub(crate) fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The unescaped string, if it is one.
    pub(crate) fn to_str(self) -> Option<Cow<'a, str>> {
        (self.kind() == Kind::String).then(|| string::unescape(&self.text[self.start + 1..self.end - 1]))
    }

    /// The members of an object, in order; of anything else, none.
    pub(crate) fn members(self) -> impl Iterator<Item = Member<'a>> {
        let mut values = self.inside(Kind::Object);
        std::iter::from_fn(move || {
            let name = values.next()?;
            let value = values.next()?;
            Some(Member {
                key: name.to_str()?,
                name,
                value,
            })
        })
    }

    /// The elements of an array, in order; of anything else, none.
    pub(crate) fn elements(self) -> impl Iterator<Item = Value<'a>> {
        self.inside(Kind::Array)
    }

    /// The member of that (unescaped) key.
    pub(crate) fn member(self, key: &str) -> Option<Member<'a>> {
        self.members().find(|member| member.key == key)
    }

    /// The values between the brackets, keys included: commas and colons part them alike in a checked text.
    fn inside(self, kind: Kind) -> impl Iterator<Item = Value<'a>> {
        let text = self.text;
        let mut at = self.start + 1;
        let mut open = self.kind() == kind;
        std::iter::from_fn(move || {
            let start = skip_space(text, at);
            if !open || start + 1 >= self.end {
                open = false;
                return None;
            }
            let end = skip_value(text, start);
            at = skip_space(text, end) + 1;
            Some(Value { text, start, end })
        })
    }

    /// The path from the document's root to the value that starts at `offset`.
    fn path_of(self, offset: usize) -> Path<'a> {
        let mut path = Path::root();
        let mut here = Self::of_checked(self.text);
        let holds = |value: Value<'_>| (value.start..value.end).contains(&offset);
        while here.start != offset {
            let within = match here.kind() {
                Kind::Object => here
                    .members()
                    .find(|member| holds(member.value))
                    .map(|member| (Step::Key(member.key), member.value)),
                _ => here
                    .elements()
                    .enumerate()
                    .find(|(_, value)| holds(*value))
                    .map(|(index, value)| (Step::Index(index), value)),
            };
            let Some((step, value)) = within else { break };
            path.push(step);
            here = value;
        }
        path
    }
}

impl Kind {
    /// Its name with an article, for a sentence.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

/// Whether two values hold the same: the same keys in the same order, strings compared unescaped, numbers as spelled.
pub(crate) fn same(a: Value<'_>, b: Value<'_>) -> bool {
    match (a.kind(), b.kind()) {
        (Kind::Object, Kind::Object) => {
            let (mut a, mut b) = (a.members(), b.members());
            loop {
                match (a.next(), b.next()) {
                    (None, None) => return true,
                    (Some(a), Some(b)) if a.key == b.key && same(a.value, b.value) => {}
                    _ => return false,
                }
            }
        }
        (Kind::Array, Kind::Array) => {
            let (mut a, mut b) = (a.elements(), b.elements());
            loop {
                match (a.next(), b.next()) {
                    (None, None) => return true,
                    (Some(a), Some(b)) if same(a, b) => {}
                    _ => return false,
                }
            }
        }
        (Kind::String, Kind::String) => a.to_str() == b.to_str(),
        _ => a.as_written() == b.as_written(),
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn skip_space(text: &str, from: usize) -> usize {
    let rest = text.as_bytes().get(from..).unwrap_or_default();
    from + rest.iter().take_while(|&&byte| is_space(byte)).count()
}

/// The end of the value that starts at `from` in a checked text.
fn skip_value(text: &str, from: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = from;
    let mut depth = 0_usize;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => at = skip_string(bytes, at),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ if depth == 0 => {
                let scalar = |&&byte: &&u8| !is_space(byte) && !matches!(byte, b',' | b':' | b']' | b'}');
                at += bytes
                    .get(at..)
                    .unwrap_or_default()
                    .iter()
                    .take_while(scalar)
                    .count();
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The offset after the closing quote of a string whose opening quote ends at `from`.
fn skip_string(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => break,
            b'\\' => at += 1,
            _ => {}
        }
    }
    at
}
