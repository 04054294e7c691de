//! Compression of layers: gzip, zstd and xz are read, gzip and zstd are written.
//!
//! A [`Decoder`] finds out by looking what it was given, and reads it to the last byte: a stream that is cut off, bytes
//! after its end or a wrong checksum are errors that say where. An [`Encoder`] compresses chunks on several threads,
//! and what it writes follows from its input and its [`Profile`] alone.
//!
//! ```
//! use std::io::{Read, Write};
//! use std::num::NonZero;
//! use stevedore_archive::codec::{Compression, Decoder, Encoder, Limits, Profile};
//!
//! let two = NonZero::new(2).expect("because two is not zero");
//! let mut encoder = Encoder::new(Vec::new(), Profile::ZSTD, two);
//! encoder.write_all(b"a layer's tar")?;
//! let compressed = encoder.finish()?;
//!
//! let mut decoder = Decoder::new(&compressed[..], Limits::default());
//! assert_eq!(decoder.compression()?, Compression::Zstd);
//! let mut tar = String::new();
//! decoder.read_to_string(&mut tar)?;
//! assert_eq!(tar, "a layer's tar");
//! # Ok::<(), std::io::Error>(())
//! ```

mod compression;
mod decoder;
mod encoder;
mod error;
mod limits;
mod profile;

pub use compression::Compression;
pub use decoder::Decoder;
pub use encoder::Encoder;
pub use error::DecodeError;
pub use limits::Limits;
pub use profile::{LevelError, Profile};
