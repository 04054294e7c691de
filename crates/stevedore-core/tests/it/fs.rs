//! The stores over the file system.

mod crash;
mod layout;
mod names;
mod rivals;
mod staged;
#[cfg(feature = "suite")]
mod suite;
mod tools;
