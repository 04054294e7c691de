//! How errors are acted upon: their kinds, and the way into the error of the seams.

use std::time::Duration;

use stevedore_core::ErrorKind;

use super::{Error, Refused};
use crate::http::{DialError, ProxyFailure};

impl Error {
    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Refused(refused) => refused.kind(),
            Self::Unauthorized { .. } | Self::Realm { .. } | Self::Credentials { .. } => {
                ErrorKind::Unauthorized
            }
            Self::Connect { .. } => ErrorKind::Network,
            Self::Proxy { status, source, .. } => match (status, source.downcast_ref()) {
                (Some(401 | 403 | 407), _) => ErrorKind::Unauthorized,
                (Some(400..500), _) => ErrorKind::Unsupported,
                (None, Some(ProxyFailure::Unreachable { source })) if source.is_permanent() => {
                    ErrorKind::Untrusted
                }
                _ => ErrorKind::Network,
            },
            Self::Untrusted { source, .. } => match source.downcast_ref() {
                Some(DialError::OutOfReach { .. } | DialError::Disguised { .. }) => ErrorKind::Denied,
                _ => ErrorKind::Untrusted,
            },
            Self::Registries(error) => error.kind(),
            Self::Interrupted { .. } => ErrorKind::Interrupted,
            Self::TimedOut { .. } => ErrorKind::TimedOut,
            Self::Redirect { .. } | Self::Protocol { .. } | Self::Setting { .. } => ErrorKind::Invalid,
            Self::TooLarge { .. } => ErrorKind::TooLarge,
            Self::Supply { source, .. } => source.kind(),
        }
    }

    /// Whether what was asked for is not there.
    pub fn is_not_found(&self) -> bool {
        self.kind() == ErrorKind::NotFound
    }

    /// Whether credentials are missing, wrong or not sufficient.
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

    /// How long the registry asked to wait before the next try.
    pub fn retry_after(&self) -> Option<Duration> {
        self.refused()?.retry_after
    }

    /// The error of the seams, with a sentence that says what was being done; this error becomes its cause.
    pub fn while_doing(self, what: impl Into<String>) -> stevedore_core::Error {
        let error = stevedore_core::Error::new(self.kind(), what);
        let error = match self.retry_after() {
            Some(wait) => error.with_retry_after(wait),
            None => error,
        };
        error.with_source(self)
    }
}

impl Refused {
    /// What kind of failure this is: by the status, and by the code where that says more.
    pub fn kind(&self) -> ErrorKind {
        match self.status {
            _ if self.has_code("TOOMANYREQUESTS") => ErrorKind::RateLimited,
            401 | 403 | 407 => ErrorKind::Unauthorized,
            404 | 410 => ErrorKind::NotFound,
            400 | 422 if self.has_code("DIGEST_INVALID") || self.has_code("SIZE_INVALID") => {
                ErrorKind::Mismatch
            }
            405 | 501 => ErrorKind::Unsupported,
            _ if self.has_code("UNSUPPORTED") => ErrorKind::Unsupported,
            408 | 504 => ErrorKind::TimedOut,
            409 | 412 => ErrorKind::Conflict,
            413 => ErrorKind::TooLarge,
            416 => ErrorKind::OutOfRange,
            429 => ErrorKind::RateLimited,
            400..500 => ErrorKind::Invalid,
            500..600 => ErrorKind::Network,
            _ => ErrorKind::Other,
        }
    }
}

impl From<Error> for stevedore_core::Error {
    fn from(error: Error) -> Self {
        error.while_doing("the registry did not do what was asked")
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn the_seams_keep_kind_wait_and_cause() {
        let refused =
            Refused::new("GET", "https://h/v2/".to_owned(), 429).with_retry_after(Duration::from_secs(7));
        let error = Error::from(refused).while_doing("cannot list the tags of h/a");
        assert_eq!(error.kind(), ErrorKind::RateLimited);
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
        assert_eq!(error.to_string(), "cannot list the tags of h/a");
        let cause = error
            .source()
            .and_then(|cause| cause.downcast_ref::<Error>())
            .expect("the cause");
        assert_eq!(cause.status(), Some(429));
    }

    #[test]
    fn statuses_and_codes_have_kinds() {
        let kind = |status, body: &[u8]| Refused::new("GET", String::new(), status).with_body(body).kind();
        assert_eq!(kind(404, b""), ErrorKind::NotFound);
        assert_eq!(kind(403, b""), ErrorKind::Unauthorized);
        assert_eq!(kind(503, b""), ErrorKind::Network);
        assert_eq!(
            kind(400, br#"{"errors":[{"code":"DIGEST_INVALID"}]}"#),
            ErrorKind::Mismatch
        );
        assert_eq!(
            kind(400, br#"{"errors":[{"code":"UNSUPPORTED"}]}"#),
            ErrorKind::Unsupported
        );
        assert_eq!(
            kind(403, br#"{"errors":[{"code":"TOOMANYREQUESTS"}]}"#),
            ErrorKind::RateLimited
        );
        assert_eq!(kind(418, b""), ErrorKind::Invalid);
    }
}
