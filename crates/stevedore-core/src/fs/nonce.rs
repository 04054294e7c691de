//! Names that are never made twice.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::process;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A text of 33 characters, digits from `0` to `f` and a `-`, that nobody made before.
///
/// It must be unique and need not be a secret. So the standard library's random state will do, which it takes
/// from the operating system: 64 bits of it for the process, mixed with its id and the time, then a counter
/// that begins at the time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nonce {
    process: u64,
    count: u64,
}

impl Nonce {
    pub(super) fn new() -> Self {
        static PROCESS: OnceLock<u64> = OnceLock::new();
        static COUNT: OnceLock<AtomicU64> = OnceLock::new();
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let process = PROCESS.get_or_init(|| RandomState::new().hash_one((process::id(), now())));
        let count = COUNT.get_or_init(|| {
            // The low 64 bits of the nanoseconds last until the year 2554.
            AtomicU64::new(u64::try_from(now().as_nanos()).unwrap_or_default())
        });
        Self {
            process: *process,
            count: count.fetch_add(1, Ordering::Relaxed),
        }
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{:016x}", self.process, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_repeats_and_has_one_length() {
        let (one, other) = (Nonce::new(), Nonce::new());
        assert_ne!(one, other);
        assert_eq!((one.to_string().len(), other.to_string().len()), (33, 33));
    }
}
