//! Tests for anybody's implementation of the seams, and [stores](weak) on which to try whoever uses them.
//!
//! A case is an `async fn` over a fixture that says what is wrong, so any executor can run it. A fixture is one set
//! of data; each case wants a fresh one. [`store_suite!`](crate::store_suite) and
//! [`names_suite!`](crate::names_suite) make a `#[test]` of every case. This is all that an implementation needs:
//!
//! ```
//! use std::sync::Arc;
//! use std::time::{Duration, SystemTime};
//!
//! use async_trait::async_trait;
//! use stevedore_core::memory::MemoryStore;
//! use stevedore_core::suite::StoreFixture;
//! use stevedore_core::{Clock, Result, Store};
//!
//! const GRACE: Duration = Duration::from_secs(3600);
//!
//! struct Fixture {
//!     store: MemoryStore,
//!     clock: Clock,
//! }
//!
//! impl Fixture {
//!     fn new() -> Self {
//!         let clock = Clock::manual();
//!         let store = MemoryStore::new().with_clock(clock.clone()).with_grace(GRACE);
//!         Self { store, clock }
//!     }
//! }
//!
//! #[async_trait]
//! impl StoreFixture for Fixture {
//!     async fn open(&self) -> Result<Arc<dyn Store>> {
//!         // A store on a disk opens its directory again.
//!         Ok(Arc::new(self.store.clone()))
//!     }
//!
//!     fn now(&self) -> SystemTime {
//!         self.clock.now()
//!     }
//!
//!     async fn advance(&self, by: Duration) {
//!         self.clock.advance(by);
//!     }
//!
//!     fn grace(&self) -> Duration {
//!         GRACE
//!     }
//! }
//!
//! stevedore_core::store_suite!(Fixture::new());
//!
//! # fn main() {
//! // The same without `#[test]`s: what fails, by name.
//! let failures = stevedore_core::suite::store_failures(Fixture::new);
//! assert!(stevedore_core::suite::block_on(failures).is_empty());
//! # }
//! ```
//!
//! Over a runtime, the macros take what runs a future to its end:
//! `store_suite!(Fixture::new(), |case| runtime().block_on(case))`.
//!
//! [`store`] and [`names`] hold the cases of what the traits promise, [`drops`] those of futures that are dropped
//! half-way. [`weak`] has stores on which to try whoever uses them.

mod body;
mod cases;
pub mod drops;
mod failure;
mod fixture;
pub mod names;
mod run;
pub mod store;
mod supplies;
mod tools;
pub mod transport;
pub mod weak;
mod yielding;

pub use cases::{names_failures, store_failures, transport_failures};
pub use failure::{Failure, Outcome};
pub use fixture::{Ability, NamesFixture, Neighbour, StoreFixture, TransportFixture};
pub use run::{block_on, drop_after};
pub use yielding::Yielding;
