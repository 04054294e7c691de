//! The stores over the file system.

#![expect(clippy::unwrap_used, reason = "the functions that tests share are tests, too")]

mod crash;
mod layout;
mod names;
mod rivals;
mod staged;
#[cfg(feature = "suite")]
mod suite;
mod tools;
