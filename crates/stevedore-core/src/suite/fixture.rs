//! What a case needs from whoever brings an implementation.

mod transport;

pub use transport::{Ability, Neighbour, TransportFixture};

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use crate::{Names, Result, Store};

/// One set of blobs, empty at first, and the means to open it.
///
/// What a fixture owns (a directory, a server) goes when it is dropped.
#[async_trait]
pub trait StoreFixture: Send + Sync {
    /// A store over this fixture's data. Each call gives another instance, as another process would open it, or
    /// this one after a restart.
    async fn open(&self) -> Result<Arc<dyn Store>>;

    /// The time by which the stores go.
    fn now(&self) -> SystemTime;

    /// Moves that time forward for all instances; waits where it cannot be moved.
    async fn advance(&self, by: Duration);

    /// The grace that the stores are opened with: how long a blob that was touched is left alone. Not zero.
    fn grace(&self) -> Duration;

    /// How long something staged must have been left alone until a store takes it to be idle: zero where it sees
    /// whether a holder is alive.
    fn idle_after(&self) -> Duration {
        Duration::ZERO
    }

    /// Whether two instances may be open at once. Without it each case has dropped one before it opens the next.
    fn side_by_side(&self) -> bool {
        true
    }

    /// Whether what an ingest without a key staged goes when it is dropped. Over an object store it may stay until
    /// it expires, for dropping sends no requests.
    fn drops_clean(&self) -> bool {
        true
    }

    /// Waits until what goes on behind dropped futures has ended and listings have caught up.
    async fn settle(&self) {}
}

/// One set of records, empty at first, and the means to open it.
#[async_trait]
pub trait NamesFixture: Send + Sync {
    /// The records of this fixture. Each call gives another instance, as another process would open it, or this
    /// one after a restart.
    async fn open(&self) -> Result<Arc<dyn Names>>;

    /// Whether two instances may be open at once. Without it each case has dropped one before it opens the next.
    fn side_by_side(&self) -> bool {
        true
    }

    /// Waits until what goes on behind dropped futures has ended and listings have caught up.
    async fn settle(&self) {}
}
