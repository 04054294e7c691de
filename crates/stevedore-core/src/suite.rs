//! Tests for implementations of the seams, and stores on which to try whoever uses them.

mod body;
mod cases;
pub mod drops;
mod failure;
mod fixture;
pub mod names;
mod run;
pub mod store;
mod tools;
pub mod weak;
mod yielding;

pub use cases::{names_failures, store_failures};
pub use failure::{Failure, Outcome};
pub use fixture::{NamesFixture, StoreFixture};
pub use run::{block_on, drop_after};
pub use yielding::Yielding;
