#![doc = include_str!("../README.md")]

pub mod archive;
pub mod copy;
pub mod dir;
mod fallback;
mod files;
pub mod layout;
mod lists;
pub mod location;
mod places;
mod stored;
mod view;

pub use archive::{Archive, ArchiveForm, ArchiveSink};
pub use copy::{Copied, Engine, Job, Platforms};
pub use dir::Directory;
pub use layout::Layout;
pub use location::{Entry, Location};
pub use places::{Destination, Places};
pub use stored::WriteOptions;
