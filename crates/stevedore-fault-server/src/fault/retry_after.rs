//! The two spellings of `Retry-After` (RFC 9110, section 10.2.3).

use std::time::{Duration, SystemTime};

use crate::date::http_date;

/// When a client may come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryAfter {
    /// In so many seconds.
    Seconds(u64),
    /// At a date that lies so many seconds after the answer (HTTP dates have no fractions, so a client sees up
    /// to a second less).
    DateIn(u64),
    /// The header is not sent.
    Unsaid,
}

impl RetryAfter {
    pub(crate) fn value(self) -> Option<String> {
        match self {
            Self::Seconds(seconds) => Some(seconds.to_string()),
            Self::DateIn(seconds) => Some(http_date(SystemTime::now() + Duration::from_secs(seconds))),
            Self::Unsaid => None,
        }
    }
}
