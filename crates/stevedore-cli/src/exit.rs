//! How the program ends: exit codes, and what is said on stderr.

use std::error::Error as StdError;
use std::io::Write as _;
use std::process::ExitCode;

use stevedore_core::{Error, ErrorKind};

use crate::output::escape;

/// Why a verb did not do what it was asked for.
#[derive(Debug)]
pub(crate) struct Failure {
    error: anyhow::Error,
    code: u8,
    hint: Option<String>,
}

/// The exit codes, which are stable.
pub(crate) mod code {
    pub(crate) const ERROR: u8 = 1;
    pub(crate) const NOT_FOUND: u8 = 2;
    pub(crate) const USAGE: u8 = 3;
    pub(crate) const UNAUTHORIZED: u8 = 4;
    pub(crate) const REFUSED: u8 = 5;
    pub(crate) const NETWORK: u8 = 6;
}

impl Failure {
    /// A failure whose code follows from the kind of the first error of the seams among its causes.
    pub(crate) fn new(error: anyhow::Error) -> Self {
        let kind = error
            .chain()
            .find_map(|cause| cause.downcast_ref::<Error>())
            .map(Error::kind);
        let code = if error.is::<stevedore_transport::location::ParseError>() {
            code::USAGE
        } else {
            kind.map_or(code::ERROR, of_kind)
        };
        Self {
            error,
            code,
            hint: None,
        }
    }

    /// A wrong use of the program.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            error: anyhow::Error::msg(message.into()),
            code: code::USAGE,
            hint: None,
        }
    }

    /// A signal ended the program: 128 and its number.
    pub(crate) fn signal(number: u8, name: &str) -> Self {
        let error = anyhow::anyhow!("stopped by {name}; the same command goes on where this one was");
        Self {
            error,
            code: 128 + number,
            hint: None,
        }
    }

    /// The same failure, with a line on what to try.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Whether whoever read our output went away: nothing to complain about.
    fn is_broken_pipe(&self) -> bool {
        self.error.chain().any(|cause| {
            let io = cause.downcast_ref::<std::io::Error>();
            io.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
        })
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(error.into())
    }
}

fn of_kind(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::NotFound => code::NOT_FOUND,
        ErrorKind::Unauthorized => code::UNAUTHORIZED,
        ErrorKind::Mismatch | ErrorKind::Denied => code::REFUSED,
        ErrorKind::Network | ErrorKind::TimedOut | ErrorKind::RateLimited | ErrorKind::Interrupted => {
            code::NETWORK
        }
        _ => code::ERROR,
    }
}

/// Help and version go to stdout and are no failure; anything else is a wrong use.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    // Nothing is left to be done where even this cannot be printed.
    drop(error.print());
    if error.use_stderr() {
        ExitCode::from(code::USAGE)
    } else {
        ExitCode::SUCCESS
    }
}

/// Says on stderr what failed and why, one cause a line, and gives the exit code.
pub(crate) fn report(failure: &Failure) -> ExitCode {
    if failure.is_broken_pipe() {
        return ExitCode::SUCCESS;
    }
    let mut text = format!("error: {}\n", escape(&failure.error.to_string()));
    let mut cause: Option<&dyn StdError> = failure.error.source();
    while let Some(error) = cause {
        text.push_str("  because: ");
        text.push_str(&escape(&error.to_string()));
        text.push('\n');
        cause = error.source();
    }
    if let Some(hint) = &failure.hint {
        text.push_str("  try: ");
        text.push_str(hint);
        text.push('\n');
    }
    // As above.
    drop(std::io::stderr().write_all(text.as_bytes()));
    ExitCode::from(failure.code)
}
