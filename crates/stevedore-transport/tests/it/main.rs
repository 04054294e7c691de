//! Integration tests of `stevedore-transport`, one binary.

mod counting;
mod hello;
mod layout;
mod location;
mod tar;
mod walks;
