//! The strict scanner: says whether bytes are one JSON document, and if not, where and why.

use std::cmp::Ordering;

use super::{Error, Path, Reason, Step, is_space, skip_space, string};

/// Checks one document: RFC 8259 in UTF-8, without a byte order mark, a lone surrogate or a duplicate key, and with
/// at most `depth` containers around a value.
pub(super) fn check(bytes: &[u8], depth: usize) -> Result<&str, Error> {
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        let reason = Reason::Syntax("a byte order mark is not JSON");
        return Err(Error {
            path: String::new(),
            offset: 0,
            reason,
        });
    }
    let text = str::from_utf8(bytes).map_err(|error| Error {
        path: String::new(),
        offset: error.valid_up_to(),
        reason: Reason::Syntax("not UTF-8"),
    })?;
    let mut checker = Checker {
        text,
        bytes,
        at: skip_space(text, 0),
        path: Vec::new(),
        keys: Vec::new(),
        depth,
    };
    checker.value()?;
    checker.space();
    if checker.at < bytes.len() {
        return Err(checker.error("something follows the document"));
    }
    Ok(text)
}

/// Where a key's characters are, without its quotes.
type Key = (usize, usize);

enum Crumb {
    Key(Key),
    Index(usize),
}

struct Checker<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// The way to the value under way; as long as it is deep.
    path: Vec<Crumb>,
    /// The keys so far of every object that is still open, outer ones first.
    keys: Vec<Key>,
    depth: usize,
}

impl Checker<'_> {
    fn value(&mut self) -> Result<(), Error> {
        match self.peek() {
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'"') => self.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            None => Err(self.error("the document ends where a value is expected")),
            Some(_) => Err(self.error("expected a value")),
        }
    }

    fn object(&mut self) -> Result<(), Error> {
        self.enter()?;
        let first = self.keys.len();
        if !self.closes(b'}') {
            loop {
                if self.peek() != Some(b'"') {
                    return Err(self.error("expected a key in double quotes"));
                }
                let key = self.string()?;
                self.keys.push(key);
                self.space();
                self.expect(b':', "expected a colon after the key")?;
                self.space();
                self.path.push(Crumb::Key(key));
                self.value()?;
                self.path.pop();
                if self.closes(b'}') {
                    break;
                }
                self.expect(b',', "expected a comma or a closing brace")?;
                self.space();
            }
        }
        self.unique(first)?;
        self.keys.truncate(first);
        Ok(())
    }

    fn array(&mut self) -> Result<(), Error> {
        self.enter()?;
        if self.closes(b']') {
            return Ok(());
        }
        for index in 0.. {
            self.path.push(Crumb::Index(index));
            self.value()?;
            self.path.pop();
            if self.closes(b']') {
                break;
            }
            self.expect(b',', "expected a comma or a closing bracket")?;
            self.space();
        }
        Ok(())
    }

    /// Passes an opening bracket.
    fn enter(&mut self) -> Result<(), Error> {
        if self.path.len() >= self.depth {
            return Err(self.error("nested too deep"));
        }
        self.at += 1;
        Ok(())
    }

    /// Passes white space and, if it is there, the closing bracket.
    fn closes(&mut self, bracket: u8) -> bool {
        self.space();
        let closes = self.peek() == Some(bracket);
        self.at += usize::from(closes);
        closes
    }

    /// Refuses an object two of whose keys are equal when unescaped.
    ///
    /// Sorting offsets takes no copy of a key and no hash that a hostile document could collide.
    fn unique(&mut self, first: usize) -> Result<(), Error> {
        let text = self.text;
        let compare = |a: Key, b: Key| compare_keys(&text[a.0..a.1], &text[b.0..b.1]);
        let keys = &mut self.keys[first..];
        keys.sort_unstable_by(|&a, &b| compare(a, b).then(a.0.cmp(&b.0)));
        let again = keys
            .windows(2)
            .filter(|pair| compare(pair[0], pair[1]).is_eq())
            .map(|pair| pair[1])
            .min();
        let Some(key) = again else { return Ok(()) };
        self.path.push(Crumb::Key(key));
        Err(Error {
            path: self.path(),
            offset: key.0 - 1,
            reason: Reason::Duplicate,
        })
    }

    /// Passes a string and says where it is, without its quotes.
    fn string(&mut self) -> Result<Key, Error> {
        let start = self.at + 1;
        self.at = start;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(0..=0x1F) => return Err(self.error("a control character in a string has to be escaped")),
                Some(_) => self.at += 1,
                None => return Err(self.error("the document ends in a string")),
            }
        }
        self.at += 1;
        Ok((start, self.at - 1))
    }

    fn escape(&mut self) -> Result<(), Error> {
        let start = self.at;
        match self.bytes.get(start + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let high = self.unicode()?;
                let fits = match high {
                    0xD800..0xDC00 => {
                        self.bytes[self.at..].starts_with(b"\\u") && matches!(self.unicode()?, 0xDC00..0xE000)
                    }
                    0xDC00..0xE000 => false,
                    _ => true,
                };
                if !fits {
                    self.at = start;
                    return Err(self.error("half a surrogate pair"));
                }
            }
            _ => return Err(self.error("unknown escape in a string")),
        }
        Ok(())
    }

    /// Passes a `\u` escape and gives its number.
    fn unicode(&mut self) -> Result<u32, Error> {
        let mut code = 0;
        for index in 2..6 {
            let digit = self
                .bytes
                .get(self.at + index)
                .and_then(|&byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return Err(self.error("expected four hexadecimal digits"));
            };
            code = code << 4 | digit;
        }
        self.at += 6;
        Ok(code)
    }

    fn number(&mut self) -> Result<(), Error> {
        self.at += usize::from(self.peek() == Some(b'-'));
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        self.ends("not a number")
    }

    fn digits(&mut self) -> Result<(), Error> {
        let digits = self.bytes[self.at..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        self.at += digits;
        if digits == 0 {
            Err(self.error("expected a digit"))
        } else {
            Ok(())
        }
    }

    fn literal(&mut self, word: &str) -> Result<(), Error> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(self.error("expected a value"));
        }
        self.at += word.len();
        self.ends("expected a value")
    }

    /// Refuses `01`, `1x` and `truex` where they stand, not at what would follow the document.
    fn ends(&self, reason: &'static str) -> Result<(), Error> {
        match self.peek() {
            Some(byte) if !is_space(byte) && !matches!(byte, b',' | b':' | b']' | b'}') => {
                Err(self.error(reason))
            }
            _ => Ok(()),
        }
    }

    fn space(&mut self) {
        self.at = skip_space(self.text, self.at);
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn expect(&mut self, byte: u8, reason: &'static str) -> Result<(), Error> {
        if self.peek() != Some(byte) {
            return Err(self.error(reason));
        }
        self.at += 1;
        Ok(())
    }

    fn error(&self, reason: &'static str) -> Error {
        Error {
            path: self.path(),
            offset: self.at,
            reason: Reason::Syntax(reason),
        }
    }

    fn path(&self) -> String {
        let step = |crumb: &Crumb| match *crumb {
            Crumb::Key((start, end)) => Step::Key(string::unescape(&self.text[start..end])),
            Crumb::Index(index) => Step::Index(index),
        };
        self.path.iter().map(step).collect::<Path<'_>>().to_string()
    }
}

fn compare_keys(a: &str, b: &str) -> Ordering {
    string::Unescaped::new(a).cmp(string::Unescaped::new(b))
}
