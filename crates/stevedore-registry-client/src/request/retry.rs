//! Whether and when a call is sent again.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::http::{HeaderMap, header};
use stevedore_core::ErrorKind;
use tokio::time::Instant;

use crate::date::parse_http_date;
use crate::error::{Error, Refused};
use crate::settings::RetryPolicy;

/// What follows from a failure.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Fail,
    /// Try again after this time.
    Again(Duration),
}

/// Told of each failure that is followed by another try, and after which wait.
pub(crate) type ShowRetry = Arc<dyn Fn(&Error, Duration) + Send + Sync>;

/// For how long a call was waited for in vain, over all its tries.
#[derive(Default)]
pub(super) struct Silence(Duration);

impl Silence {
    /// Counts a try that began then and ended in this error. Gives whether it is enough.
    pub(super) fn is_enough(&mut self, error: &Error, began: Instant, policy: &RetryPolicy) -> bool {
        if matches!(error, Error::TimedOut { .. } | Error::Connect { .. }) {
            self.0 += began.elapsed();
        }
        self.0 >= policy.longest_silence
    }
}

/// Judges a call that got no answer, after so many tries.
pub(super) fn judge_failure(error: &Error, idempotent: bool, tries: u32, policy: &RetryPolicy) -> Verdict {
    let passing = match error {
        // Nothing was sent: this may be repeated whatever it is.
        Error::Connect { .. } => true,
        Error::Proxy { .. } => error.is_retryable(),
        Error::Interrupted { .. } | Error::TimedOut { .. } => idempotent,
        _ => false,
    };
    if passing && tries < policy.attempts {
        Verdict::Again(pause_before(tries, policy))
    } else {
        Verdict::Fail
    }
}

/// Judges an answer that is no success.
pub(super) fn judge_status(refused: &Refused, idempotent: bool, tries: u32, policy: &RetryPolicy) -> Verdict {
    let passing = match refused.status {
        // The registry did nothing.
        429 => true,
        408 | 500 | 502 | 503 | 504 => idempotent,
        _ => refused.kind() == ErrorKind::RateLimited,
    };
    if !passing || tries >= policy.attempts {
        return Verdict::Fail;
    }
    match refused.retry_after {
        Some(asked) if asked > policy.longest_asked_wait => Verdict::Fail,
        Some(asked) => Verdict::Again(asked.max(pause_before(tries, policy))),
        None => Verdict::Again(pause_before(tries, policy)),
    }
}

/// A random time up to a bound that doubles with each try: clients that failed together do not come back together.
pub(crate) fn pause_before(tries: u32, policy: &RetryPolicy) -> Duration {
    let doubled = policy
        .first_wait
        .saturating_mul(1 << tries.saturating_sub(1).min(20));
    let bound = doubled.min(policy.longest_wait);
    random_up_to(bound)
}

/// A random time below a bound.
pub(crate) fn random_up_to(bound: Duration) -> Duration {
    // The keys of a hasher are random; no better randomness is needed here.
    let random = RandomState::new().hash_one(()) >> 32;
    let nanos = (bound.as_nanos() * u128::from(random)) >> 32;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// What `Retry-After` asks for (RFC 9110, section 10.2.3): seconds, or a date, which is compared with the server's
/// own clock where it shows it.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::trim)
    };
    let asked = text(header::RETRY_AFTER)?;
    if let Ok(seconds) = asked.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = parse_http_date(asked)?;
    let now = text(header::DATE).and_then(parse_http_date).or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        i64::try_from(now.as_secs()).ok()
    })?;
    Some(Duration::from_secs(
        u64::try_from(until.saturating_sub(now)).unwrap_or(0),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, wait: Option<u64>) -> Refused {
        let refused = Refused::new("GET", String::new(), status);
        match wait {
            Some(wait) => refused.with_retry_after(Duration::from_secs(wait)),
            None => refused,
        }
    }

    #[test]
    fn waits_grow_and_stay_bounded() {
        let policy = RetryPolicy::default().with_waits(Duration::from_millis(100), Duration::from_secs(1));
        for tries in [1, 2, 3, 4, 5, 100] {
            let bound = Duration::from_millis(100 * (1 << (tries - 1).min(10))).min(policy.longest_wait);
            let waits: Vec<_> = (0..50).map(|_| pause_before(tries, &policy)).collect();
            assert!(waits.iter().all(|wait| *wait <= bound), "{tries}: {waits:?}");
            assert!(waits.iter().any(|wait| *wait > bound / 2), "{tries}: {waits:?}");
            assert!(waits.iter().any(|wait| *wait < bound / 2), "{tries}: {waits:?}");
        }
    }

    #[test]
    fn only_what_may_pass_is_repeated() {
        let policy = RetryPolicy::default().with_attempts(3);
        let again = |status, idempotent, tries| {
            judge_status(&refused(status, None), idempotent, tries, &policy) != Verdict::Fail
        };
        for status in [408, 429, 500, 502, 503, 504] {
            assert!(again(status, true, 1), "{status}");
            assert!(again(status, true, 2), "{status}");
            assert!(!again(status, true, 3), "{status}");
            assert_eq!(again(status, false, 1), status == 429, "{status}");
        }
        for status in [400, 401, 403, 404, 409, 416, 501, 505] {
            assert!(!again(status, true, 1), "{status}");
        }
    }

    #[test]
    fn a_registry_is_obeyed_within_reason() {
        let policy = RetryPolicy::default();
        let judge = |wait| judge_status(&refused(429, Some(wait)), true, 1, &policy);
        assert!(matches!(judge(7), Verdict::Again(wait) if wait >= Duration::from_secs(7)));
        assert_eq!(judge(3600), Verdict::Fail);
    }

    #[test]
    fn reads_both_forms_of_retry_after() {
        let headers = |pairs: &[(header::HeaderName, &str)]| {
            let pairs = pairs
                .iter()
                .map(|(name, value)| (name.clone(), value.parse().expect("a value")));
            retry_after(&pairs.collect())
        };
        assert_eq!(
            headers(&[(header::RETRY_AFTER, "120")]),
            Some(Duration::from_secs(120))
        );
        let date = (header::DATE, "Sun, 06 Nov 1994 08:49:00 GMT");
        let later = (header::RETRY_AFTER, "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(headers(&[date, later.clone()]), Some(Duration::from_secs(37)));
        assert_eq!(headers(&[later]), Some(Duration::ZERO));
        assert_eq!(headers(&[(header::RETRY_AFTER, "soon")]), None);
        assert_eq!(headers(&[]), None);
    }
}
