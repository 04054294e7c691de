#![doc = include_str!("../README.md")]

pub mod copy;
mod fallback;
pub mod layout;
pub mod location;
mod places;

pub use copy::{Copied, Engine, Job, Platforms};
pub use layout::{Layout, LayoutOptions};
pub use location::{Entry, Location};
pub use places::{Destination, Places};
