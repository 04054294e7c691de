#![doc = include_str!("../README.md")]

pub mod annotations;
pub mod artifact;
mod blob;
mod clock;
pub mod collect;
pub mod config;
#[cfg(feature = "oci-spec")]
pub mod convert;
pub mod descriptor;
pub mod digest;
pub mod document;
pub mod edit;
mod error;
#[cfg(feature = "fs")]
pub mod fs;
mod gate;
pub mod index;
mod json;
mod key;
pub mod manifest;
pub mod media_type;
pub mod memory;
mod names;
mod observer;
pub mod platform;
pub mod raw;
pub mod ref_name;
pub mod reference;
pub mod repository;
#[cfg(any(test, feature = "samples"))]
pub mod samples;
mod sink;
mod source;
mod store;
pub mod stream;
#[cfg(feature = "suite")]
pub mod suite;
pub mod supply;
mod sys;
mod text;

pub use annotations::Annotations;
pub use artifact::ArtifactManifest;
pub use blob::{Blob, Body, ByteRange, CHUNK_SIZE, Meter};
pub use clock::Clock;
pub use config::ImageConfig;
pub use descriptor::Descriptor;
pub use digest::{Algorithm, AnyDigest, Digest, Hasher};
pub use document::Document;
pub use error::{BoxError, Context, Error, ErrorKind, Mismatch, Result};
pub use gate::{Admission, Gate, Opener};
pub use index::ImageIndex;
pub use key::Key;
pub use manifest::ImageManifest;
pub use media_type::{Compression, MediaType};
pub use names::{Entry, Listed, Names, RECORD_LIMIT, When};
pub use observer::{Event, Observer};
pub use platform::Platform;
pub use raw::Raw;
pub use ref_name::RefName;
pub use reference::Reference;
pub use repository::{Repositories, Repository};
pub use sink::{Put, Role, Sink, SinkTraits, Supply};
pub use source::{Named, Place, ReferrerFilter, Selector, Source};
pub use store::{BlobInfo, Expected, Ingest, IngestKey, IngestPlan, Life, Staging, Store, Takeover, Version};
