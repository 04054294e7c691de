//! The stores over the file system.

#[cfg(feature = "suite")]
mod suite;
