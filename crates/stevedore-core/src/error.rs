//! The error that every seam shares.

mod kinds;

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

/// A boxed cause of any type.
pub type BoxError = Box<dyn StdError + Send + Sync + 'static>;

/// A result whose error is the [`Error`] of the seams.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong at a seam: a kind to act upon, a sentence to show and, where there is one, the cause.
///
/// Anyone who implements a seam can make one; nothing but [`ErrorKind`] decides about retries and exit codes.
/// `Display` prints this level only: follow [`source`](StdError::source) for the causes.
///
/// ```
/// use stevedore_core::{Error, ErrorKind};
///
/// let cause = std::io::Error::other("no space left on device");
/// let error = Error::new(ErrorKind::Storage, "cannot write blobs/sha256/ab").with_source(cause);
/// assert_eq!(error.kind(), ErrorKind::Storage);
/// assert_eq!(error.to_string(), "cannot write blobs/sha256/ab");
/// ```
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    /// `None` where the source speaks for this level too.
    message: Option<String>,
    retry_after: Option<Duration>,
    source: Option<BoxError>,
}

/// The kinds of failure that a caller can tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// What was asked for is not there.
    NotFound,
    /// Credentials are missing, wrong or not sufficient.
    Unauthorized,
    /// A policy said no.
    Denied,
    /// The bytes are not what their digest or size promised. See [`Error::mismatch_details`].
    Mismatch,
    /// The input breaks its format or grammar.
    Invalid,
    /// A named limit was exceeded.
    TooLarge,
    /// A range lies outside of the content.
    OutOfRange,
    /// The other side, or this build, cannot do that.
    Unsupported,
    /// A condition did not hold: somebody else was there first, or took over.
    Conflict,
    /// The disk, its rights or its free space.
    Storage,
    /// A body ended or broke before its end; what arrived before stays where it was put.
    Interrupted,
    /// A connection could not be made or broke.
    Network,
    /// The other side cannot be trusted to be the one that was meant: its certificate is not believed, or it does not
    /// speak TLS. Trying again does not help.
    Untrusted,
    /// Nothing came for the time allowed.
    TimedOut,
    /// Too many requests; see [`Error::retry_after`].
    RateLimited,
    /// Anything else.
    Other,
}

/// What a digest or size should have been, and what it was: the cause within an error of kind
/// [`ErrorKind::Mismatch`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mismatch {
    /// The digest, or the size in bytes, that was promised.
    pub expected: String,
    /// What the bytes turned out to be.
    pub actual: String,
}

impl Error {
    /// An error of a kind, with one sentence that says what failed and where.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: Some(message.into()),
            retry_after: None,
            source: None,
        }))
    }

    /// Another error with a kind given to it. It speaks for itself: no level is added.
    pub fn of(kind: ErrorKind, error: impl Into<BoxError>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: None,
            retry_after: None,
            source: Some(error.into()),
        }))
    }

    /// Bytes that are not what they were promised to be; `what` names them.
    pub fn mismatch(what: impl fmt::Display, expected: impl fmt::Display, actual: impl fmt::Display) -> Self {
        let details = Mismatch {
            expected: expected.to_string(),
            actual: actual.to_string(),
        };
        Self::new(ErrorKind::Mismatch, format!("{what} is not what was promised")).with_source(details)
    }

    /// A failure of the local file system; `what` says what was tried, with the path.
    pub fn storage(what: impl Into<String>, source: std::io::Error) -> Self {
        Self::new(ErrorKind::Storage, what).with_source(source)
    }

    /// The same error with its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The same error with the time that the other side asked to wait.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// An outer level of the same kind that says what was being done; this error becomes its cause.
    #[must_use]
    pub fn context(self, message: impl Into<String>) -> Self {
        let (kind, retry_after) = (self.0.kind, self.0.retry_after);
        let mut outer = Self::new(kind, message).with_source(self);
        outer.0.retry_after = retry_after;
        outer
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether something that was asked for is not there.
    pub fn is_not_found(&self) -> bool {
        self.kind() == ErrorKind::NotFound
    }

    /// Whether credentials are missing or not sufficient.
    pub fn is_unauthorized(&self) -> bool {
        self.kind() == ErrorKind::Unauthorized
    }

    /// Whether the same call may succeed later with nothing changed on this side.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.kind(),
            ErrorKind::Interrupted | ErrorKind::Network | ErrorKind::TimedOut | ErrorKind::RateLimited
        )
    }

    /// How long the other side asked to wait before the next try.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The digest or size that was promised and the one that came, at whatever depth of the causes.
    pub fn mismatch_details(&self) -> Option<&Mismatch> {
        let mut cause = self.cause();
        while let Some(error) = cause {
            if let Some(details) = error.downcast_ref() {
                return Some(details);
            }
            cause = match error.downcast_ref::<Self>() {
                Some(error) => error.cause(),
                None => error.source(),
            };
        }
        None
    }

    /// What this was made from, also where it speaks for this level.
    fn cause(&self) -> Option<&(dyn StdError + 'static)> {
        let source = self.0.source.as_deref();
        source.map(|source| source as &(dyn StdError + 'static))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shape = f.debug_struct("Error");
        shape
            .field("kind", &self.0.kind)
            .field("message", &self.0.message);
        if let Some(source) = &self.0.source {
            shape.field("source", source);
        }
        shape.finish_non_exhaustive()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0.message, &self.0.source) {
            (Some(message), _) => f.write_str(message),
            (None, Some(source)) => fmt::Display::fmt(source, f),
            (None, None) => fmt::Debug::fmt(&self.0.kind, f),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self.0.message {
            Some(_) => self.cause(),
            None => self.cause()?.source(),
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, found {}", self.expected, self.actual)
    }
}

impl StdError for Mismatch {}

/// Adds to the error of a [`Result`] what was being done.
pub trait Context {
    /// The same result; an error gets an outer level with this message, made only when there is one.
    #[must_use]
    fn context<M: Into<String>>(self, message: impl FnOnce() -> M) -> Self;
}

impl<T> Context for Result<T> {
    fn context<M: Into<String>>(self, message: impl FnOnce() -> M) -> Self {
        self.map_err(|error| error.context(message()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_one_word_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }

    #[test]
    fn who_is_not_trusted_is_not_tried_again() {
        assert!(Error::new(ErrorKind::Network, "no connection").is_retryable());
        assert!(!Error::new(ErrorKind::Untrusted, "a certificate has expired").is_retryable());
    }

    #[test]
    fn context_keeps_kind_wait_and_cause() {
        let wait = Duration::from_secs(7);
        let inner = Error::new(ErrorKind::RateLimited, "too many requests").with_retry_after(wait);
        let outer = inner.context("cannot read the tag list");
        assert_eq!(outer.kind(), ErrorKind::RateLimited);
        assert_eq!(outer.retry_after(), Some(wait));
        assert_eq!(outer.to_string(), "cannot read the tag list");
        assert_eq!(
            StdError::source(&outer).map(ToString::to_string).as_deref(),
            Some("too many requests")
        );
    }

    #[test]
    fn mismatch_is_found_below_context() {
        let error = Error::mismatch("layer 1", 3, 4).context("cannot copy");
        let details = error.mismatch_details().expect("a mismatch lies below");
        assert_eq!((details.expected.as_str(), details.actual.as_str()), ("3", "4"));
        assert!(Error::new(ErrorKind::Other, "x").mismatch_details().is_none());
        let details = details.clone();
        let error = Error::of(ErrorKind::Mismatch, details.clone()).context("cannot copy");
        assert_eq!(error.mismatch_details(), Some(&details));
    }

    #[test]
    fn of_adds_no_level() {
        let error = Error::of(ErrorKind::Storage, std::io::Error::other("disk gone"));
        assert_eq!(error.to_string(), "disk gone");
        assert!(StdError::source(&error).is_none());
    }

    #[test]
    fn only_transient_kinds_are_retried() {
        assert!(Error::new(ErrorKind::Interrupted, "cut").is_retryable());
        assert!(!Error::new(ErrorKind::Mismatch, "wrong").is_retryable());
        assert!(!Error::new(ErrorKind::Storage, "full").is_retryable());
    }
}
