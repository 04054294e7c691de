//! How many calls go to one host at once, and when none does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

use crate::url::Origin;

/// The lanes to all hosts.
pub(crate) struct Limiter {
    lanes: Mutex<HashMap<Origin, Arc<Lane>>>,
    width: usize,
}

/// The calls to one host.
///
/// Reads and writes have places of their own: a write holds its place while it opens what it sends, which may be a
/// read from the same host. Reads wait for no write, so nothing waits in a circle.
pub(crate) struct Lane {
    reads: Arc<Semaphore>,
    writes: Arc<Semaphore>,
    paused_until: Mutex<Option<Instant>>,
}

/// A place in a lane; kept until an answer's body has ended.
pub(crate) type Place = OwnedSemaphorePermit;

/// Lanes that are kept while nobody is in them.
const MAX_LANES: usize = 1024;

impl Limiter {
    /// At most so many reads and so many writes to one host at once.
    pub(crate) fn new(width: usize) -> Self {
        Self {
            lanes: Mutex::default(),
            width: width.max(1),
        }
    }

    pub(crate) fn lane(&self, origin: &Origin) -> Arc<Lane> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if lanes.len() >= MAX_LANES {
            lanes.retain(|_, lane| Arc::strong_count(lane) > 1 || lane.pause_left().is_some());
        }
        let lane = lanes
            .entry(origin.clone())
            .or_insert_with(|| Arc::new(Lane::new(self.width)));
        Arc::clone(lane)
    }
}

impl Lane {
    fn new(width: usize) -> Self {
        Self {
            reads: Arc::new(Semaphore::new(width)),
            writes: Arc::new(Semaphore::new(width)),
            paused_until: Mutex::new(None),
        }
    }

    /// Waits for a place, and for the end of a pause.
    pub(crate) async fn enter(&self, reads: bool) -> Place {
        let places = Arc::clone(if reads { &self.reads } else { &self.writes });
        let place = places
            .acquire_owned()
            .await
            .expect("because no lane is ever closed");
        // Whoever waits here keeps its place: after a pause not all shall come at once.
        while let Some(end) = self.pause_left() {
            sleep_until(end).await;
        }
        place
    }

    /// Lets nobody in for a while.
    pub(crate) fn pause(&self, wait: Duration) {
        let end = Instant::now() + wait;
        let mut paused = self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        *paused = Some(paused.map_or(end, |known| known.max(end)));
    }

    fn pause_left(&self) -> Option<Instant> {
        let paused = self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        paused.filter(|end| *end > Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    fn lane(limiter: &Limiter, host: &str) -> Arc<Lane> {
        limiter.lane(&Origin::parse(true, host).expect("an origin"))
    }

    #[tokio::test]
    async fn a_host_has_so_many_places() {
        let limiter = Limiter::new(2);
        let lane_one = lane(&limiter, "one");
        let first = lane_one.enter(true).await;
        let _second = lane(&limiter, "one").enter(true).await;
        let soon = Duration::from_millis(50);
        assert!(
            timeout(soon, lane_one.enter(true)).await.is_err(),
            "both places are taken"
        );
        drop(
            timeout(soon, lane_one.enter(false))
                .await
                .expect("writes have their own"),
        );
        drop(
            timeout(soon, lane(&limiter, "two").enter(true))
                .await
                .expect("so has another host"),
        );
        drop(first);
        drop(
            timeout(soon, lane_one.enter(true))
                .await
                .expect("a place became free"),
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_everybody() {
        let limiter = Limiter::new(8);
        lane(&limiter, "one").pause(Duration::from_secs(7));
        lane(&limiter, "one").pause(Duration::from_secs(3));
        let start = Instant::now();
        drop(lane(&limiter, "two").enter(true).await);
        assert_eq!(start.elapsed().as_secs(), 0);
        drop(lane(&limiter, "one").enter(false).await);
        assert_eq!(start.elapsed().as_secs(), 7);
    }
}
