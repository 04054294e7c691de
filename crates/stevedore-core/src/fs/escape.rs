//! File names that survive any file system.
//!
//! Some fold case, some refuse `:` or `*`, some drop a dot at the end. So a text becomes lower-case letters,
//! digits and a few signs: an upper-case letter is written as `^` and the lower-case one, any other byte as `=`
//! and two hexadecimal digits. No two texts have names that are equal without regard to case, and the text can
//! be read back. A name never ends in a lone `^` or `=`, so these two can mark kinds of files.

/// The longest name made here, in bytes: file systems allow 255, and the marks need some.
pub(super) const MAX_NAME: usize = 240;

/// Writes a text as the name of a file. The text may have any length, and so may the name.
pub(super) fn escape(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut name = String::with_capacity(text.len() + 8);
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'%' | b'@' | b'+' => name.push(char::from(byte)),
            // Not at the end (it may be dropped) and not at the start (that would hide the file).
            b'.' if index > 0 && index + 1 < text.len() => name.push('.'),
            b'A'..=b'Z' => {
                name.push('^');
                name.push(char::from(byte.to_ascii_lowercase()));
            }
            _ => {
                name.push('=');
                name.push(char::from(DIGITS[usize::from(byte >> 4)]));
                name.push(char::from(DIGITS[usize::from(byte & 15)]));
            }
        }
    }
    name
}

/// Cuts a name into pieces of at most [`MAX_NAME`] bytes, none of which ends within an escape.
pub(super) fn pieces(name: &str) -> Vec<&str> {
    let mut pieces = Vec::with_capacity(1);
    let mut rest = name;
    while rest.len() > MAX_NAME {
        // Not within the three bytes of an escape that begins right before the cut.
        let tail = &rest[MAX_NAME - 2..MAX_NAME];
        let cut = tail.find(['=', '^']).map_or(MAX_NAME, |at| MAX_NAME - 2 + at);
        let (piece, next) = rest.split_at(cut);
        pieces.push(piece);
        rest = next;
    }
    pieces.push(rest);
    pieces
}

/// Reads a text back out of its name, or `None` where [`escape`] makes no such name.
pub(super) fn unescape(name: &str) -> Option<String> {
    let mut text = String::with_capacity(name.len());
    let mut rest = name.chars();
    while let Some(sign) = rest.next() {
        match sign {
            '^' => text.push(rest.next()?.to_ascii_uppercase()),
            '=' => {
                let byte = rest.next()?.to_digit(16)? * 16 + rest.next()?.to_digit(16)?;
                text.push(char::from(u8::try_from(byte).ok().filter(u8::is_ascii)?));
            }
            plain => text.push(plain),
        }
    }
    // One text has one name.
    (escape(&text) == name).then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keeps_usual_names_readable() {
        assert_eq!(escape("v1.2.3-rc_1"), "v1.2.3-rc_1");
        assert_eq!(escape("library%2Fdebian"), "library%2^fdebian");
        assert_eq!(escape("sha256:00ff"), "sha256=3a00ff");
        assert_eq!(escape(".hidden."), "=2ehidden=2e");
    }

    #[test]
    fn refuses_names_that_it_does_not_make() {
        for name in [
            "A", "=", "^", "a=", "=2E", "=61", "^1", "^", "=3", "a.", "=ff", "=c3=a9", "é",
        ] {
            assert_eq!(unescape(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn texts_come_back(text in "[!-~]{1,255}") {
            let name = escape(&text);
            prop_assert!(!name.bytes().any(|byte| byte.is_ascii_uppercase() || br#"<>:"/\|?* "#.contains(&byte)));
            prop_assert!(!name.ends_with(['=', '^', '.']));
            prop_assert_eq!(unescape(&name), Some(text));
        }

        #[test]
        fn no_two_texts_meet_without_case(one in "[aAbB:=^.%-]{1,6}", other in "[aAbB:=^.%-]{1,6}") {
            prop_assume!(one != other);
            prop_assert_ne!(escape(&one).to_ascii_lowercase(), escape(&other).to_ascii_lowercase());
        }

        #[test]
        fn pieces_join_and_keep_escapes_whole(text in "[A-C:a]{1,255}") {
            let name = escape(&text);
            let pieces = pieces(&name);
            prop_assert!(pieces.iter().all(|piece| (1..=MAX_NAME).contains(&piece.len())));
            prop_assert!(pieces[..pieces.len() - 1].iter().all(|piece| !piece.ends_with(['=', '^'])));
            prop_assert_eq!(pieces.concat(), name);
        }

        #[test]
        fn any_name_is_read_or_refused(name in any::<String>()) {
            if let Some(text) = unescape(&name) {
                prop_assert_eq!(escape(&text), name);
            }
        }
    }
}
