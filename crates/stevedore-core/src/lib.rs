#![doc = include_str!("../README.md")]

pub mod annotations;
pub mod config;
#[cfg(feature = "oci-spec")]
pub mod convert;
pub mod descriptor;
pub mod digest;
pub mod document;
pub mod edit;
pub mod index;
mod json;
pub mod manifest;
pub mod media_type;
pub mod platform;
pub mod raw;
mod text;

pub use annotations::Annotations;
pub use config::ImageConfig;
pub use descriptor::Descriptor;
pub use digest::{Algorithm, AnyDigest, Digest, Hasher};
pub use document::Document;
pub use index::ImageIndex;
pub use manifest::ImageManifest;
pub use media_type::{Compression, MediaType};
pub use platform::Platform;
pub use raw::Raw;
