//! What a case finds wrong.

use std::error::Error as StdError;
use std::fmt;
use std::panic::Location;

use crate::{Error, ErrorKind};

/// What is wrong with an implementation.
///
/// `Debug` prints as `Display` does, so that a test which returns or unwraps it stays readable.
pub struct Failure(String);

/// What a case answers.
pub type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// Something that is wrong, at the place of the caller.
    #[track_caller]
    pub fn new(problem: impl fmt::Display) -> Self {
        let place = Location::caller();
        Self(format!("{problem} ({}:{})", place.file(), place.line()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Failure {}

/// An error where a case expects none.
impl From<Error> for Failure {
    #[track_caller]
    fn from(error: Error) -> Self {
        let mut text = format!("unexpected error of kind {:?}: {error}", error.kind());
        let mut cause = error.source();
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        Self::new(text)
    }
}

/// Fails unless something holds.
#[track_caller]
pub(super) fn holds(condition: bool, promise: &str) -> Outcome {
    if condition {
        Ok(())
    } else {
        Err(Failure::new(format!("broken: {promise}")))
    }
}

/// Fails unless two values are equal.
#[track_caller]
pub(super) fn equal<T: PartialEq + fmt::Debug>(actual: &T, expected: &T, what: &str) -> Outcome {
    if actual == expected {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{what}: expected {expected:?}, found {actual:?}"
    )))
}

/// Fails unless an operation was refused by an error of a kind.
#[track_caller]
pub(super) fn refused<T>(result: crate::Result<T>, kind: ErrorKind, what: &str) -> Outcome {
    match result {
        Err(error) if error.kind() == kind => Ok(()),
        Err(error) => Err(Failure::new(format!(
            "{what}: expected an error of kind {kind:?}, found {:?}: {error}",
            error.kind()
        ))),
        Ok(_) => Err(Failure::new(format!(
            "{what}: expected an error of kind {kind:?}, but it succeeded"
        ))),
    }
}
