//! Integration tests of `stevedore-transport`, one binary.

mod counting;
mod hello;
mod layout;
mod location;
mod places;
mod tar;
mod walks;
