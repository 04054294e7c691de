#![doc = include_str!("../README.md")]

mod blob;
mod clock;
pub mod digest;
mod error;
#[cfg(feature = "fs")]
pub mod fs;
mod key;
pub mod media_type;
mod names;
mod store;
pub mod stream;
mod sys;
mod text;

pub use blob::{Blob, Body, ByteRange, CHUNK_SIZE, Meter};
pub use clock::Clock;
pub use digest::{Algorithm, AnyDigest, Digest, Hasher};
pub use error::{BoxError, Context, Error, ErrorKind, Mismatch, Result};
pub use key::Key;
pub use media_type::{Compression, MediaType};
pub use names::{Entry, Listed, Names, RECORD_LIMIT, When};
pub use store::{BlobInfo, Expected, Ingest, IngestKey, IngestPlan, Life, Staging, Store, Takeover, Version};
