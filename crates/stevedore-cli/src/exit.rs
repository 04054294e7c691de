//! How the program ends: exit codes, and what is said on stderr.

use std::error::Error as StdError;
use std::process::ExitCode;
use std::{fmt, io, iter};

use serde::Serialize;
use stevedore_core::{Error, ErrorKind};
use stevedore_transport::layout::Ambiguous;

use crate::output::{self, escape, escape_line, say};

/// Why a verb did not do what it was asked for.
#[derive(Debug)]
pub(crate) struct Failure {
    error: anyhow::Error,
    code: u8,
    hint: Option<String>,
}

/// The exit codes, which are stable.
pub(crate) mod code {
    pub(crate) const DONE: u8 = 0;
    pub(crate) const ERROR: u8 = 1;
    pub(crate) const NOT_FOUND: u8 = 2;
    pub(crate) const USAGE: u8 = 3;
    pub(crate) const UNAUTHORIZED: u8 = 4;
    pub(crate) const REFUSED: u8 = 5;
    pub(crate) const NETWORK: u8 = 6;
    /// What is added to the number of a signal.
    pub(crate) const SIGNAL: u8 = 128;
}

impl Failure {
    /// A failure whose code and hint follow from the kind of the first error of the seams among its causes.
    pub(crate) fn new(error: anyhow::Error) -> Self {
        if error.chain().any(<dyn StdError>::is::<Ambiguous>) {
            let hint = "a name or a place behind the directory, as oci:DIR:NAME or oci:DIR:@0";
            return Self::usage_because(error).with_hint(hint);
        }
        let first = error.chain().find_map(|cause| cause.downcast_ref::<Error>());
        let code = first.map_or(code::ERROR, |error| of_kind(error.kind()));
        let hint = first.and_then(|first| hint(first, &error));
        Self { error, code, hint }
    }

    /// A wrong use of the program.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            error: anyhow::Error::msg(message.into()),
            code: code::USAGE,
            hint: None,
        }
    }

    /// A wrong use of the program that something else found out: what was named cannot be used.
    pub(crate) fn usage_because(error: anyhow::Error) -> Self {
        Self {
            error,
            code: code::USAGE,
            hint: None,
        }
    }

    /// A signal ended the program: 128 and its number.
    pub(crate) fn signal(number: u8, name: &str) -> Self {
        Self {
            error: anyhow::anyhow!("stopped by {name}"),
            code: code::SIGNAL + number,
            hint: Some("the same command again: a copy goes on where this one was".to_owned()),
        }
    }

    /// The result could not be printed. Whoever read it may have gone away, which is no failure.
    pub(crate) fn output(error: io::Error) -> Self {
        let closed = error.kind() == io::ErrorKind::BrokenPipe;
        Self {
            error: anyhow::Error::new(error).context("cannot write to stdout"),
            code: if closed { code::DONE } else { code::ERROR },
            hint: None,
        }
    }

    /// The same failure, with a line on what to try.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same failure, as a wrong use of the program.
    pub(crate) fn into_usage(mut self) -> Self {
        self.code = code::USAGE;
        self
    }

    /// Whether a registry gave this code (distribution-spec, "Error Codes") as its reason.
    pub(crate) fn is_of_registry(&self, code: &str) -> bool {
        let mut answers = self.error.chain().filter_map(|cause| {
            cause
                .downcast_ref::<stevedore_registry_client::Error>()?
                .refused()
        });
        answers.any(|refused| refused.has_code(code))
    }

    /// The first cause of a type, if there is one.
    pub(crate) fn cause<T: StdError + 'static>(&self) -> Option<&T> {
        self.error.chain().find_map(|cause| cause.downcast_ref::<T>())
    }

    /// Whether a signal ended the program.
    pub(crate) fn is_signal(&self) -> bool {
        self.code > code::SIGNAL
    }
}

/// What failed, without its causes.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
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
        ErrorKind::Network
        | ErrorKind::Untrusted
        | ErrorKind::TimedOut
        | ErrorKind::RateLimited
        | ErrorKind::Interrupted => code::NETWORK,
        _ => code::ERROR,
    }
}

/// What to try, where that follows from the kind of the failure alone.
fn hint(first: &Error, error: &anyhow::Error) -> Option<String> {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>());
    let hint = match (first.kind(), io.map(io::Error::kind)) {
        (ErrorKind::Mismatch, _) if first.mismatch_details().is_some() => {
            "the content is damaged where it was read from, and nothing of it was written; get it from another place"
        }
        (ErrorKind::Untrusted, _) => {
            "--ca-file FILE with the authority that vouches for it, or --tls-verify=false to take any certificate or none"
        }
        (ErrorKind::Storage, Some(io::ErrorKind::PermissionDenied)) => {
            "the rights that are missing there, or another place"
        }
        (ErrorKind::Storage, Some(io::ErrorKind::ReadOnlyFilesystem)) => "a place where you may write",
        (ErrorKind::Storage, Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)) => {
            "make room, then the same command again: a copy goes on where this one was"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Help and version go to stdout and are no failure; anything else is a wrong use.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        // Without colours, for what was typed is in it and may have what a terminal acts upon.
        say(&escape(&error.render().to_string()));
        ExitCode::from(code::USAGE)
    } else {
        // Nothing is left to be done where even this cannot be printed.
        drop(error.print());
        ExitCode::SUCCESS
    }
}

/// What failed and why, as it is said.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    event: &'static str,
    message: String,
    because: Vec<String>,
    #[serde(rename = "try", skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    exit_code: u8,
}

impl Told {
    fn of(failure: &Failure) -> Self {
        let causes = failure.error.chain().skip(1);
        Self {
            event: "error",
            message: escape_line(&failure.error.to_string()),
            because: causes.map(|cause| escape_line(&cause.to_string())).collect(),
            hint: failure.hint.as_deref().map(escape_line),
            exit_code: failure.code,
        }
    }

    /// One cause a line.
    fn lines(&self) -> String {
        let because = self.because.iter().map(|cause| format!("  because: {cause}\n"));
        let hint = self.hint.iter().map(|hint| format!("  try: {hint}\n"));
        let first = format!("error: {}\n", self.message);
        iter::once(first).chain(because).chain(hint).collect()
    }
}

/// Says on stderr what failed and why, and gives the exit code.
pub(crate) fn report(failure: &Failure) -> ExitCode {
    if failure.code == code::DONE {
        return ExitCode::SUCCESS;
    }
    let told = Told::of(failure);
    if output::is_in_events() {
        output::event(&told);
    } else {
        say(&told.lines());
    }
    ExitCode::from(failure.code)
}
