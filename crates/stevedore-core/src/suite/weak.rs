//! Stores that guarantee no more than the weakest that are wanted: an object store, and a file system.
//!
//! [`Bucket`] is an object store in memory, weakened to what such services promise: objects read and written whole, put
//! on a condition (or on none), deleted on no condition at all, and listed late. [`WeakStore`] and [`WeakNames`] are a
//! [`Store`](crate::Store) and a [`Names`](crate::Names) over it; several of them over one bucket are so many
//! processes. [`FsLike`] keeps to what a file system gives to one process, and can lose power.
//!
//! Each effect has a point before and one after it at which the future suspends, so that a test can schedule, stall
//! and drop its tasks at all of them. What goes wrong comes from [`Weather`].
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use stevedore_core::suite::weak::{Bucket, Weather, WeakNames, WeakStore};
//! use stevedore_core::Clock;
//!
//! let (clock, weather) = (Clock::manual(), Arc::new(Weather::stormy(7)));
//! let bucket = Arc::new(Bucket::new(clock, weather, Duration::from_secs(10)));
//! let (store, names) = (WeakStore::new(bucket.clone(), Duration::from_secs(60), 1), WeakNames::new(bucket, 2));
//! # let _ = (store, names);
//! ```

mod bucket;
mod fs;
mod names;
mod record;
mod session;
mod store;
mod weather;

pub use bucket::{Bucket, Object};
pub use fs::FsLike;
pub use names::WeakNames;
pub use store::{Fault, WeakStore};
pub use weather::Weather;
