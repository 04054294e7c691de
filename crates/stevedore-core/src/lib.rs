#![doc = include_str!("../README.md")]

pub mod annotations;
mod blob;
mod clock;
pub mod descriptor;
pub mod digest;
mod convert;
mod error;
mod gate;
mod key;
pub mod media_type;
mod names;
mod observer;
pub mod platform;
mod sink;
mod source;
mod store;
pub mod stream;
mod sys;
mod text;

pub use annotations::Annotations;
pub use blob::{Blob, Body, ByteRange, CHUNK_SIZE, Meter};
pub use clock::Clock;
pub use descriptor::Descriptor;
pub use digest::{Algorithm, AnyDigest, Digest, Hasher};
pub use error::{BoxError, Context, Error, ErrorKind, Mismatch, Result};
pub use gate::{Admission, Gate, Opener};
pub use key::Key;
pub use media_type::{Compression, MediaType};
pub use names::{Entry, Listed, Names, RECORD_LIMIT, When};
pub use observer::{Event, Observer};
pub use platform::Platform;
pub use sink::{Put, Role, Sink, SinkTraits, Supply};
pub use source::{Named, Place, ReferrerFilter, Selector, Source};
pub use store::{BlobInfo, Expected, Ingest, IngestKey, IngestPlan, Life, Staging, Store, Takeover, Version};
