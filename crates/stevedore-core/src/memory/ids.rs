//! Ids that never repeat.

use std::hash::{BuildHasher as _, RandomState};

/// A counter behind a random number, so that neither this store nor one of an earlier process gave the same id:
/// lives and versions may be on record elsewhere for longer than a store in memory lasts.
pub(super) struct Ids {
    nonce: u64,
    last: u64,
}

impl Ids {
    pub(super) fn new() -> Self {
        Self {
            // The keys of the standard library's maps are random.
            nonce: RandomState::new().hash_one(()),
            last: 0,
        }
    }

    pub(super) fn next(&mut self) -> u128 {
        self.last += 1;
        u128::from(self.nonce) << 64 | u128::from(self.last)
    }
}
