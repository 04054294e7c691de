//! The cases of dropping: each future is dropped at each of its awaits, and what must hold then is looked at.
//!
//! The implementation is wrapped in [`Yielding`], so that there is an await before, behind and
//! between its own.

mod names;
mod staging;
mod store;
mod transport;

pub use names::*;
pub use staging::*;
pub use store::*;
pub use transport::*;

use std::sync::Arc;

use super::failure::{Failure, Outcome};
use super::fixture::StoreFixture;
use super::yielding::Yielding;
use crate::Store;

/// More awaits than any operation of the cases can have.
const MOST_AWAITS: usize = 5000;

#[track_caller]
fn never_ends() -> Outcome {
    Err(Failure::new(format!(
        "an operation did not end within {MOST_AWAITS} polls"
    )))
}

/// An instance, and the same one suspended at every await.
async fn slowed<F: StoreFixture>(fixture: &F) -> Outcome<(Arc<dyn Store>, Arc<dyn Store>)> {
    let inner = fixture.open().await?;
    let slow = Arc::new(Yielding::new(Arc::clone(&inner)));
    Ok((inner, slow))
}
