//! What a check has to say about one place in the tree.

use std::fmt;
use std::path::{Path, PathBuf};

/// Whether a finding turns the task red.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Severity {
    /// The task exits with 1.
    Error,
    /// Printed, and the task stays green.
    Warning,
}

/// One finding; its file is relative to the workspace's root, its line counts from 1.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    /// The check's name, as the table of tasks has it.
    pub(crate) check: &'static str,
    pub(crate) file: PathBuf,
    pub(crate) line: usize,
    pub(crate) message: String,
}

impl Finding {
    pub(crate) fn error(check: &'static str, file: &Path, line: usize, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            check,
            file: file.to_owned(),
            line,
            message: message.into(),
        }
    }

    pub(crate) fn warning(check: &'static str, file: &Path, line: usize, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(check, file, line, message)
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let Self {
            check,
            file,
            line,
            message,
            ..
        } = self;
        write!(f, "{severity}[{check}]: {}:{line}: {message}", file.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_severity_check_file_and_line() {
        let finding = Finding::warning("lengths", Path::new("crates/x/src/lib.rs"), 401, "too long");
        assert_eq!(
            finding.to_string(),
            "warning[lengths]: crates/x/src/lib.rs:401: too long"
        );
    }
}
