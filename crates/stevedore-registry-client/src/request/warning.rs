//! `Warning` headers: what a registry wants to be told to its users.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use ::http::{HeaderMap, header};

use crate::error::shown;

/// What a registry wants to be told to its users (distribution-spec, "Warnings").
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Warning {
    /// The registry that says so.
    pub registry: String,
    /// What it says, on one line, without control characters.
    pub text: String,
}

/// Shows each warning once.
pub(crate) struct Warnings {
    show: Option<Show>,
    shown: Mutex<BTreeSet<Warning>>,
}

pub(crate) type Show = Arc<dyn Fn(&Warning) + Send + Sync>;

/// More different warnings are not shown.
const MAX_WARNINGS: usize = 100;

impl Warnings {
    pub(crate) fn new(show: Option<Show>) -> Self {
        Self {
            show,
            shown: Mutex::default(),
        }
    }

    /// Shows the warnings of an answer that were not shown yet.
    pub(crate) fn take_from(&self, registry: &str, headers: &HeaderMap) {
        let Some(show) = &self.show else { return };
        for value in headers.get_all(header::WARNING) {
            let Some(text) = value.to_str().ok().and_then(parse) else {
                continue;
            };
            let warning = Warning {
                registry: registry.to_owned(),
                text,
            };
            let mut known = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
            let new = known.len() < MAX_WARNINGS && known.insert(warning.clone());
            drop(known);
            if new {
                show(&warning);
            }
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} warns: {}", self.registry, self.text)
    }
}

/// The text of a `299 - "text"`; the specification has clients ignore all others.
fn parse(value: &str) -> Option<String> {
    let quoted = value.trim().strip_prefix("299 - \"")?;
    let mut text = String::new();
    let mut characters = quoted.chars();
    loop {
        match characters.next()? {
            '"' => return Some(shown(&text)).filter(|text| !text.trim().is_empty()),
            '\\' => text.push(characters.next()?),
            character => text.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_specification_says() {
        assert_eq!(
            parse(r#"299 - "This \"tag\" goes away.""#).as_deref(),
            Some("This \"tag\" goes away.")
        );
        for other in [
            r#"199 - "x""#,
            r#"299 host "x""#,
            "299 - x",
            r#"299 - "open"#,
            r#"299 - """#,
        ] {
            assert_eq!(parse(other), None, "{other}");
        }
    }

    #[test]
    fn shows_each_warning_once() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let show: Show = {
            let seen = Arc::clone(&seen);
            Arc::new(move |warning: &Warning| seen.lock().expect("no panic").push(warning.to_string()))
        };
        let warnings = Warnings::new(Some(show));
        let mut headers = HeaderMap::new();
        headers.append(header::WARNING, "299 - \"a\"".parse().expect("a value"));
        headers.append(header::WARNING, "299 - \"b\"".parse().expect("a value"));
        warnings.take_from("h", &headers);
        warnings.take_from("h", &headers);
        assert_eq!(*seen.lock().expect("no panic"), ["h warns: a", "h warns: b"]);
    }
}
