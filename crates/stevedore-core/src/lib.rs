#![doc = include_str!("../README.md")]

pub mod digest;
pub mod media_type;
mod text;

pub use digest::{Algorithm, AnyDigest, Digest, Hasher};
pub use media_type::{Compression, MediaType};
