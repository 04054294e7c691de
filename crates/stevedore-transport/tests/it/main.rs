//! Integration tests of `stevedore-transport`, one binary.

mod archive;
mod counting;
mod dir;
mod hello;
mod layout;
mod location;
mod places;
#[cfg(feature = "docker")]
mod registries;
mod tar;
mod walks;
