//! Integration tests of `stevedore-transport`, one binary.

mod counting;
mod hello;
mod location;
mod tar;
mod walks;
