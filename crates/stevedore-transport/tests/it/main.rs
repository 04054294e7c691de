//! Integration tests of `stevedore-transport`, one binary.

mod counting;
mod location;
mod tar;
mod walks;
