//! Where stores take the time from.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// A source of the time of day: the system's, or one that a test moves by hand.
///
/// Clones of one clock show the same time.
///
/// ```
/// use std::time::Duration;
/// use stevedore_core::Clock;
///
/// let clock = Clock::manual();
/// let before = clock.now();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now().duration_since(before).ok(), Some(Duration::from_secs(60)));
/// ```
#[derive(Clone)]
pub struct Clock(Kind);

#[derive(Clone)]
enum Kind {
    System,
    /// Nanoseconds since the epoch.
    Manual(Arc<AtomicU64>),
}

/// Where a manual clock begins: 2001-09-09T01:46:40Z, so that a test can also look back.
const MANUAL_START: Duration = Duration::from_secs(1_000_000_000);

impl Clock {
    /// The clock of the operating system.
    pub fn system() -> Self {
        Self(Kind::System)
    }

    /// A clock that stands still until [`advance`](Self::advance) moves it.
    pub fn manual() -> Self {
        let start = u64::try_from(MANUAL_START.as_nanos()).expect("because the constant fits 64 bits");
        Self(Kind::Manual(Arc::new(AtomicU64::new(start))))
    }

    /// The time now.
    pub fn now(&self) -> SystemTime {
        match &self.0 {
            Kind::System => SystemTime::now(),
            Kind::Manual(nanos) => {
                SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos.load(Ordering::SeqCst))
            }
        }
    }

    /// Moves a manual clock forward; the system's clock is left alone.
    pub fn advance(&self, by: Duration) {
        if let Kind::Manual(nanos) = &self.0 {
            nanos.fetch_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX), Ordering::SeqCst);
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::System => "Clock::system",
            Kind::Manual(_) => "Clock::manual",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_of_a_manual_clock_show_one_time() {
        let clock = Clock::manual();
        let twin = clock.clone();
        let before = twin.now();
        assert_eq!(clock.now(), before);
        clock.advance(Duration::from_millis(1500));
        twin.advance(Duration::from_nanos(1));
        let passed = Duration::from_nanos(1_500_000_001);
        assert_eq!(clock.now().duration_since(before).ok(), Some(passed));
        assert_eq!(twin.now(), clock.now());
    }

    #[test]
    fn a_manual_clock_has_room_before_it() {
        assert!(Clock::manual().now() > SystemTime::UNIX_EPOCH + Duration::from_secs(900_000_000));
    }

    #[test]
    fn manual_clocks_are_apart() {
        let (one, other) = (Clock::manual(), Clock::manual());
        one.advance(Duration::from_secs(1));
        assert_ne!(one.now(), other.now());
    }

    #[test]
    fn nobody_moves_the_clock_of_the_system() {
        let clock = Clock::default();
        clock.advance(Duration::from_secs(1_000_000));
        let ahead = clock.now().duration_since(SystemTime::now());
        assert!(ahead.is_err() || ahead.is_ok_and(|ahead| ahead < Duration::from_secs(1000)));
    }
}
