//! Strings of a checked document: their escapes.

use std::{borrow::Cow, str::Chars};

/// The string between the quotes, unescaped.
pub(super) fn unescape(inside: &str) -> Cow<'_, str> {
    if inside.contains('\\') {
        Cow::Owned(Unescaped::new(inside).collect())
    } else {
        Cow::Borrowed(inside)
    }
}

/// The characters of a string, escapes resolved, without a copy of it.
#[derive(Debug)]
pub(super) struct Unescaped<'a>(Chars<'a>);

impl<'a> Unescaped<'a> {
    pub(super) fn new(inside: &'a str) -> Self {
        Self(inside.chars())
    }

    fn hex(&mut self) -> u32 {
        let digits = self.0.by_ref().take(4);
        digits.fold(0, |code, digit| code << 4 | digit.to_digit(16).unwrap_or(0))
    }

    /// The code point of a `\u` escape, of which the second half is read when it is a pair.
    fn code_point(&mut self) -> char {
        let mut code = self.hex();
        if (0xD800..0xDC00).contains(&code) {
            // A checked string has the backslash, the `u` and the low surrogate here.
            self.0.nth(1);
            code = 0x1_0000 + ((code - 0xD800) << 10) + (self.hex() & 0x3FF);
        }
        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
    }
}

impl Iterator for Unescaped<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        Some(match self.0.next()? {
            '\\' => match self.0.next()? {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => self.code_point(),
                other => other,
            },
            other => other,
        })
    }
}
