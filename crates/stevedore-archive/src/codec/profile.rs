//! What decides the bytes of a compressed stream, beside its content.

use std::fmt;
use std::num::NonZero;

use super::Compression;
use super::encoder::{IN_FLIGHT, room};

/// How an [`Encoder`](super::Encoder) compresses: the format, the level, and the version of everything else that
/// decides its bytes (libraries, sizes of chunks, headers).
///
/// It is the compressor's part of a recipe's key: the same content under the same profile is the same bytes, on every
/// machine and in every run. Hence **whoever changes a byte of the output, for any input, raises the version**. Tests
/// hold the bytes by their digests. [`Display`](fmt::Display) gives the form for keys, such as `gzip-5-v1`; that of
/// zstd ends in the version of the library, for another one may be linked than was tested. libdeflate cannot say what
/// it is, so its exact version is held in the manifest of this crate.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Profile {
    compression: Compression,
    level: u8,
}

/// A level that a format does not have.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{format} has levels from 1 to {highest}, and not {level}")]
#[non_exhaustive]
pub struct LevelError {
    /// The format.
    pub format: Compression,
    /// The level that was asked for.
    pub level: u8,
    /// The highest level of the format.
    pub highest: u8,
}

impl Profile {
    /// Not compressed: what is written comes out.
    pub const NONE: Self = Self {
        compression: Compression::None,
        level: 0,
    };

    /// gzip at its default level.
    pub const GZIP: Self = Self {
        compression: Compression::Gzip,
        level: 5,
    };

    /// zstd at its default level.
    pub const ZSTD: Self = Self {
        compression: Compression::Zstd,
        level: 3,
    };

    /// gzip at a level from 1, the fastest, to 9, the smallest.
    ///
    /// The levels are those of libdeflate: at the same number it is faster than zlib, and smaller from 4 on.
    pub fn gzip(level: u8) -> Result<Self, LevelError> {
        Self::leveled(Compression::Gzip, level, 9)
    }

    /// zstd at a level from 1, the fastest, to 19, the smallest. Those above, which cost their readers memory, are left
    /// out.
    pub fn zstd(level: u8) -> Result<Self, LevelError> {
        Self::leveled(Compression::Zstd, level, 19)
    }

    fn leveled(compression: Compression, level: u8, highest: u8) -> Result<Self, LevelError> {
        if (1..=highest).contains(&level) {
            return Ok(Self { compression, level });
        }
        Err(LevelError {
            format: compression,
            level,
            highest,
        })
    }

    /// The format.
    pub const fn compression(self) -> Compression {
        self.compression
    }

    /// The level, in the scale of the format; zero where nothing is compressed.
    pub const fn level(self) -> u8 {
        self.level
    }

    /// The version of what else decides the bytes.
    pub const fn version(self) -> u32 {
        match self.compression {
            Compression::None | Compression::Xz => 0,
            Compression::Gzip => GZIP_VERSION,
            Compression::Zstd => ZSTD_VERSION,
        }
    }

    /// How many bytes of the content go into one member or frame; the last one may be smaller.
    pub(super) const fn chunk_size(self) -> usize {
        match self.compression {
            Compression::Zstd => ZSTD_CHUNK,
            _ => GZIP_CHUNK,
        }
    }

    /// What the library takes for itself, for each thread.
    pub(super) const fn tables(self) -> Option<usize> {
        match (self.compression, self.level) {
            (Compression::None | Compression::Xz, _) => None,
            (Compression::Gzip, _) => Some(1 << 20),
            (Compression::Zstd, ..=3) => Some(2 << 20),
            (Compression::Zstd, ..=9) => Some(12 << 20),
            (Compression::Zstd, _) => Some(72 << 20),
        }
    }

    /// The most memory, in bytes, that an [`Encoder`](super::Encoder) on so many threads takes.
    pub fn memory(self, threads: NonZero<usize>) -> usize {
        let Some(tables) = self.tables() else { return 0 };
        let (chunk, room) = (self.chunk_size(), room(self));
        match threads.get() {
            1 => chunk + room + tables,
            threads => chunk + threads * (IN_FLIGHT * (chunk + room) + tables),
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.compression {
            Compression::None => f.write_str("none"),
            compression => {
                write!(f, "{compression}-{}-v{}", self.level, self.version())?;
                match compression {
                    Compression::Zstd => write!(f, "-{}", zstd::zstd_safe::version_string()),
                    _ => Ok(()),
                }
            }
        }
    }
}

// Raised with every change of a byte of the output. Each stands for the libraries that the workspace pins, the size of
// chunk below, and the framing in the encoder.
const GZIP_VERSION: u32 = 1;
const ZSTD_VERSION: u32 = 1;

/// The content of one gzip member. Smaller ones cost size, larger ones memory and threads that wait: at this size the
/// cuts cost a thousandth.
const GZIP_CHUNK: usize = 1 << 20;

/// The content of one zstd frame: matches reach further than gzip's, and do not reach over a cut.
const ZSTD_CHUNK: usize = 4 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_of_memory_counts_what_is_held() {
        const MIB: usize = 1 << 20;
        let memory = |profile: Profile, threads| profile.memory(NonZero::new(threads).unwrap());
        assert_eq!(memory(Profile::NONE, 2), 0);
        // A chunk, its output, and the tables.
        assert_eq!(memory(Profile::GZIP, 1), MIB + (MIB + 2048 + 18) + MIB);
        // Beside one that is filled, two for each of the threads.
        assert_eq!(
            memory(Profile::GZIP, 4),
            MIB + 8 * (2 * MIB + 2048 + 18) + 4 * MIB
        );
        assert_eq!(memory(Profile::ZSTD, 2) / MIB, 40);
    }
}
