//! Rust source with its comments and literals told from its code, which is all that our checks need of a lexer.

/// A file's text, its code alone, and its plain comments.
#[derive(Debug)]
pub(crate) struct Source {
    /// The file as it is.
    pub(crate) text: Vec<char>,
    /// The same length; comments and the insides of literals are blanks, line ends stay.
    pub(crate) code: Vec<char>,
    /// Lines, counted from 0, with a non-empty `//` comment that is not documentation.
    pub(crate) commented: Vec<usize>,
}

impl Source {
    pub(crate) fn parse(text: &str) -> Self {
        let text: Vec<char> = text.chars().collect();
        let mut source = Self {
            code: text.clone(),
            text,
            commented: Vec::new(),
        };
        let mut at = 0;
        let mut line = 0;
        while at < source.text.len() {
            let end = match source.opaque_end(at) {
                Some(end) => {
                    if source.is_plain_comment(at, end) {
                        source.commented.push(line);
                    }
                    source.blank(at, end);
                    end
                }
                None => source.token_end(at),
            };
            line += source.text[at..end].iter().filter(|each| **each == '\n').count();
            at = end;
        }
        source
    }

    /// The line, counted from 0, that the character at `at` is on.
    pub(crate) fn line_at(&self, at: usize) -> usize {
        self.text[..at].iter().filter(|each| **each == '\n').count()
    }

    /// Whether the line, counted from 0, holds no code.
    pub(crate) fn is_without_code(&self, line: usize) -> bool {
        self.code
            .split(|each| *each == '\n')
            .nth(line)
            .is_some_and(|code| code.iter().all(|each| each.is_whitespace()))
    }

    fn blank(&mut self, from: usize, to: usize) {
        for each in &mut self.code[from..to] {
            if *each != '\n' {
                *each = ' ';
            }
        }
    }

    fn is_plain_comment(&self, from: usize, to: usize) -> bool {
        let [first, second, rest @ ..] = &self.text[from..to] else {
            return false;
        };
        let documentation = matches!(rest.first(), Some('/' | '!'));
        (*first, *second) == ('/', '/') && !documentation && rest.iter().any(|each| !each.is_whitespace())
    }

    /// Where the comment or literal that begins at `at` ends, if one does.
    fn opaque_end(&self, at: usize) -> Option<usize> {
        match (self.text[at], self.text.get(at + 1)) {
            ('/', Some('/')) => Some(self.position(at, |each| *each == '\n')),
            ('/', Some('*')) => Some(self.block_comment_end(at)),
            ('"', _) => Some(self.string_end(at)),
            ('r', Some('"' | '#')) => self.raw_string_end(at),
            ('\'', Some('\\')) => {
                // The character after the backslash may itself be a quote.
                let from = (at + 3).min(self.text.len());
                Some((self.position(from, |each| *each == '\'') + 1).min(self.text.len()))
            }
            // A quote two on closes a character; otherwise this is a lifetime.
            ('\'', Some(_)) if self.text.get(at + 2) == Some(&'\'') => Some(at + 3),
            _ => None,
        }
    }

    /// A word is one step, so that the `r` that ends `for"` or a raw identifier begins no raw string.
    fn token_end(&self, at: usize) -> usize {
        let is_word = |each: &char| each.is_alphanumeric() || *each == '_';
        // Prefixes of raw strings are left for the next step, which sees the `r`.
        let prefixed = matches!(self.text[at], 'b' | 'c') && self.text.get(at + 1) == Some(&'r');
        if prefixed && self.raw_string_end(at + 1).is_some() {
            return at + 1;
        }
        if is_word(&self.text[at]) {
            self.position(at, |each| !is_word(each))
        } else {
            at + 1
        }
    }

    fn string_end(&self, at: usize) -> usize {
        let mut end = at + 1;
        while end < self.text.len() {
            match self.text[end] {
                '\\' => end += 2,
                '"' => return end + 1,
                _ => end += 1,
            }
        }
        self.text.len()
    }

    fn raw_string_end(&self, at: usize) -> Option<usize> {
        let open = self.position(at + 1, |each| *each != '#');
        if self.text.get(open) != Some(&'"') {
            return None;
        }
        let mut close = vec!['"'];
        close.resize(open - at, '#');
        let inside = self.text[open + 1..]
            .windows(close.len())
            .position(|window| window == close);
        Some(inside.map_or(self.text.len(), |offset| open + 1 + offset + close.len()))
    }

    fn block_comment_end(&self, at: usize) -> usize {
        let mut depth = 0_usize;
        let mut end = at;
        while end < self.text.len() {
            match (self.text[end], self.text.get(end + 1)) {
                ('/', Some('*')) => (depth, end) = (depth + 1, end + 2),
                ('*', Some('/')) => (depth, end) = (depth - 1, end + 2),
                _ => end += 1,
            }
            if depth == 0 {
                break;
            }
        }
        end
    }

    /// The first position from `at` on whose character passes, else the end.
    fn position(&self, at: usize, passes: impl Fn(&char) -> bool) -> usize {
        self.text[at..]
            .iter()
            .position(passes)
            .map_or(self.text.len(), |offset| at + offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        Source::parse(text).code.into_iter().collect()
    }

    #[test]
    fn blanks_comments_and_literals_and_keeps_the_lines() {
        assert_eq!(code("a // b\nc"), "a     \nc");
        assert_eq!(code("a /* b /* c */\n d */ e"), "a             \n      e");
        assert_eq!(code(r#"f("x\"y", b)"#), "f(      , b)");
        assert_eq!(
            code("r#\"a\"b\"# + br\"c\" + r\"d\";"),
            "         + b     +     ;"
        );
    }

    #[test]
    fn tells_characters_from_lifetimes() {
        assert_eq!(code(r"x<'a>('\'', '\\', '/')"), "x<'a>(    ,     ,    )");
        assert_eq!(code("'\"' // x"), "        ");
    }

    #[test]
    fn takes_no_raw_identifier_for_a_string() {
        assert_eq!(code("r#type + for r in x"), "r#type + for r in x");
    }

    #[test]
    fn survives_what_is_never_closed() {
        for text in ["\"a", "r#\"a", "/* a", "'\\", "'", "'\\n", "\"\\", "r", "br", "/"] {
            assert_eq!(Source::parse(text).code.len(), text.chars().count(), "{text}");
        }
    }

    #[test]
    fn knows_plain_comments_from_documentation() {
        let source = Source::parse("//! a\n// b\n/// c\nlet d; // e\n//\n\"// f\"\n");
        assert_eq!(source.commented, [1, 3]);
        assert!(source.is_without_code(1) && !source.is_without_code(3));
    }
}
