//! What goes to stdout, and how text of others is shown.

mod json;

use std::error::Error;
use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use crate::exit::Failure;

pub(crate) use json::indented;

/// Text from an image or a registry, fit for a terminal: control characters, which could move the cursor or change
/// colours and titles, and invisible characters that turn the direction of text are shown as `\u{…}`.
pub(crate) fn escape(text: &str) -> String {
    escape_but(text, |character| matches!(character, '\n' | '\t'))
}

/// The same for bytes that need not be text: those that are none are shown as `\x…`.
fn escape_bytes(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        shown.push_str(&escape(chunk.valid()));
        for byte in chunk.invalid() {
            write!(shown, "\\x{byte:02x}").expect("because a String takes any text");
        }
    }
    shown
}

/// The same for what is to be one line: the end of a line is shown as `\n`, so that nothing can pose as the next one.
pub(crate) fn escape_line(text: &str) -> String {
    escape_but(text, |character| character == '\t').replace("\\u{a}", "\\n")
}

fn escape_but(text: &str, passes: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if passes(character) || !is_active(character) {
            shown.push(character);
        } else {
            write!(shown, "\\u{{{:x}}}", u32::from(character)).expect("because a String takes any text");
        }
    }
    shown
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line
}

/// Control characters, and the marks, embeddings, overrides and isolates of the Unicode bidirectional algorithm.
fn is_active(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a person looks at stdout.
pub(crate) fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Writes the exact bytes, without a line's end; to a terminal, what it can show of them.
pub(crate) fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    if !is_terminal() {
        return unchanged(bytes);
    }
    let mut shown = escape_bytes(bytes);
    if !shown.ends_with('\n') {
        shown.push('\n');
    }
    unchanged(shown.as_bytes())
}

/// Writes bytes as they are.
pub(crate) fn unchanged(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    stdout
        .write_all(bytes)
        .and_then(|()| stdout.flush())
        .map_err(Failure::output)
}

/// Writes a line.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    bytes(format!("{text}\n").as_bytes())
}

/// Writes a value as indented JSON, as skopeo does.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value)?;
    unchanged(indented(&text).as_bytes())
}

/// Says something on stderr, if there is somebody to hear it.
pub(crate) fn say(text: &str) {
    // What cannot be said is no reason to fail, and nobody could be told.
    drop(std::io::stderr().write_all(text.as_bytes()));
}

/// Whether stderr is for a program, which reads an event a line. Known once settings are, and then the same for all
/// who have something to say, however far they are from the settings.
static IN_EVENTS: AtomicBool = AtomicBool::new(false);

/// From now on notes and errors are events, as progress is.
pub(crate) fn speak_in_events() {
    IN_EVENTS.store(true, Ordering::Relaxed);
}

/// Whether notes and errors are events.
pub(crate) fn is_in_events() -> bool {
    IN_EVENTS.load(Ordering::Relaxed)
}

/// Says an event, as JSON on a line.
pub(crate) fn event(event: &impl Serialize) {
    if let Ok(text) = serde_json::to_string(event) {
        // In one call, so that lines of several threads do not mix.
        say(&(text + "\n"));
    }
}

/// Says a line on stderr.
pub(crate) fn note(text: &str) {
    #[derive(Serialize)]
    struct Note {
        event: &'static str,
        message: String,
    }
    let message = escape_line(text);
    if is_in_events() {
        event(&Note {
            event: "note",
            message,
        });
    } else {
        say(&(message + "\n"));
    }
}

/// A size for people: `1.5 MB`, in powers of 1,000.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    // In tenths of the unit.
    let tenths = |divisor: u64| bytes / divisor + u64::from(bytes % divisor >= divisor / 2);
    let mut divisor = 100;
    let mut unit = 0;
    // What is rounded up to 1000 of a unit is 1 of the next.
    while tenths(divisor) >= 10_000 && unit + 1 < UNITS.len() {
        divisor *= 1000;
        unit += 1;
    }
    let tenths = tenths(divisor);
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_others_reaches_the_terminal_as_a_command() {
        assert_eq!(escape("\u{1b}[31mred\u{7}"), "\\u{1b}[31mred\\u{7}");
        assert_eq!(escape("a\u{202e}b\u{9b}c"), "a\\u{202e}b\\u{9b}c");
        assert_eq!(escape("plain, ümlaut\tand\nlines"), "plain, ümlaut\tand\nlines");
        assert_eq!(escape("back\rto the start"), "back\\u{d}to the start");
    }

    #[test]
    fn bytes_that_are_no_text_are_spelt_out() {
        assert_eq!(escape_bytes(b"a\x9bb\xc3\xbc\xff\xc3"), "a\\x9bbü\\xff\\xc3");
    }

    #[test]
    fn nothing_of_others_can_pose_as_a_line_of_ours() {
        assert_eq!(escape_line("x\nerror: y"), "x\\nerror: y");
    }

    #[test]
    fn sizes_are_rounded_to_tenths() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(999), "999 B");
        assert_eq!(size(1_000), "1.0 kB");
        assert_eq!(size(1_049), "1.0 kB");
        assert_eq!(size(1_050), "1.1 kB");
        assert_eq!(size(999_949), "999.9 kB");
        assert_eq!(size(999_950), "1.0 MB");
        assert_eq!(size(1_073_741_824), "1.1 GB");
        assert_eq!(size(u64::MAX), "18446744.1 TB");
    }
}
