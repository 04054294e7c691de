#![doc = include_str!("../README.md")]

pub mod annotations;
pub mod descriptor;
pub mod digest;
pub mod media_type;
pub mod platform;
pub mod ref_name;
pub mod reference;
mod text;

pub use annotations::Annotations;
pub use descriptor::Descriptor;
pub use digest::{Algorithm, AnyDigest, Digest, Hasher};
pub use media_type::{Compression, MediaType};
pub use platform::Platform;
pub use ref_name::RefName;
pub use reference::{Reference, Registry, Repository, Tag};
