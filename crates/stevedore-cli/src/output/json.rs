//! JSON for people: indented by four blanks, as skopeo does.

use std::fmt::Write as _;

use super::is_active;

/// How much a level is indented.
const INDENT: &str = "    ";

/// The same JSON on several lines, with a line's end behind it.
///
/// Nothing is read and written again: order of keys, spelling of numbers and strings stay. Only characters that a
/// terminal acts upon are spelt `\u…`, which is the same string. The text has to be JSON.
pub(crate) fn indented(text: &str) -> String {
    let mut writer = Writer::default();
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '"' => {
                writer.out.push('"');
                copy_string(&mut rest, &mut writer.out);
            }
            '{' | '[' => {
                writer.out.push(character);
                while rest.next_if(char::is_ascii_whitespace).is_some() {}
                // What is empty stays on its line.
                if let Some(end) = rest.next_if(|next| matches!(next, '}' | ']')) {
                    writer.out.push(end);
                } else {
                    writer.depth += 1;
                    writer.new_line();
                }
            }
            '}' | ']' => {
                writer.depth = writer.depth.saturating_sub(1);
                writer.new_line();
                writer.out.push(character);
            }
            ',' => {
                writer.out.push(',');
                writer.new_line();
            }
            ':' => writer.out.push_str(": "),
            blank if blank.is_ascii_whitespace() => {}
            other => writer.out.push(other),
        }
    }
    writer.out.push('\n');
    writer.out
}

#[derive(Default)]
struct Writer {
    out: String,
    depth: usize,
}

impl Writer {
    fn new_line(&mut self) {
        self.out.push('\n');
        for _ in 0..self.depth {
            self.out.push_str(INDENT);
        }
    }
}

/// Copies what is left of a string, with the quote behind it.
fn copy_string(rest: &mut impl Iterator<Item = char>, out: &mut String) {
    while let Some(character) = rest.next() {
        if is_active(character) {
            // All of them are below U+FFFF.
            write!(out, "\\u{:04x}", u32::from(character)).expect("because a String takes any text");
            continue;
        }
        out.push(character);
        match character {
            '\\' => out.extend(rest.next()),
            '"' => return,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_and_order_stay() {
        let text = r#"{"b":1E5,"a":[1.0,{}, []],"c":{"x":"q\"}{,:\\"}}"#;
        let expected = r#"{
    "b": 1E5,
    "a": [
        1.0,
        {},
        []
    ],
    "c": {
        "x": "q\"}{,:\\"
    }
}
"#;
        assert_eq!(indented(text), expected);
        assert_eq!(indented(expected), expected);
    }

    #[test]
    fn what_a_terminal_acts_upon_is_spelt_out() {
        let text = "\"a\u{7f}b\u{9b}c\u{202e}d\"";
        let shown = indented(text);
        assert_eq!(shown, "\"a\\u007fb\\u009bc\\u202ed\"\n");
        let (before, after): (String, String) = (
            serde_json::from_str(text).unwrap(),
            serde_json::from_str(&shown).unwrap(),
        );
        assert_eq!(before, after);
    }
}
