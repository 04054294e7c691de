//! Files stay short enough to be about one thing.

use std::ffi::OsStr;
use std::path::{Component, Path};

use crate::finding::Finding;

const CHECK: &str = "lengths";

/// Lines beyond which a file is asked why.
const ASKED: usize = 400;
/// Lines beyond which a file is split.
const LIMIT: usize = 600;

/// Counts the lines of a file below a crate's `src`; others may be as long as they need.
pub(crate) fn check(file: &Path, text: &str) -> Option<Finding> {
    let lines = text.lines().count();
    if !file
        .components()
        .any(|part| part == Component::Normal(OsStr::new("src")))
        || lines <= ASKED
    {
        return None;
    }
    if lines <= LIMIT {
        let message = format!("has {lines} lines; past {ASKED}, is it still about one thing?");
        return Some(Finding::warning(CHECK, file, ASKED + 1, message));
    }
    Some(Finding::error(
        CHECK,
        file,
        LIMIT + 1,
        format!("has {lines} lines, more than {LIMIT}: split it"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Severity;

    fn severity(file: &str, lines: usize) -> Option<Severity> {
        check(Path::new(file), &"\n".repeat(lines)).map(|finding| finding.severity)
    }

    #[test]
    fn warns_past_400_lines_and_refuses_past_600() {
        let file = "crates/a/src/b/c.rs";
        assert_eq!(severity(file, 400), None);
        assert_eq!(severity(file, 401), Some(Severity::Warning));
        assert_eq!(severity(file, 600), Some(Severity::Warning));
        assert_eq!(severity(file, 601), Some(Severity::Error));
    }

    #[test]
    fn leaves_tests_outside_src_alone() {
        assert_eq!(severity("crates/a/tests/it/b.rs", 601), None);
    }
}
