//! One chunk of the content as a gzip member or a zstd frame.

use std::io;

use libdeflater::{CompressionLvl, Compressor};
use zstd::zstd_safe::{self, CCtx, CParameter};

use super::crew::Work;
use crate::codec::{Compression, Profile};

/// What precedes the deflate stream: RFC 1952, section 2.3.1. No flags and so no name, no time, nothing said about the
/// level, and an unknown operating system: none of it may differ between two machines.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// CRC-32 and size of the content, which follow it.
const GZIP_TRAILER: usize = 8;

/// How much room a whole chunk may need when it is compressed.
pub(in crate::codec) fn room(profile: Profile) -> usize {
    let size = profile.chunk_size();
    match profile.compression() {
        Compression::Zstd => zstd_safe::compress_bound(size),
        // The worst case is stored blocks, of 5 bytes for at least 5,000 of content.
        _ => GZIP_HEADER.len() + size + size / 512 + GZIP_TRAILER,
    }
}

/// A compressor with its tables, for one thread.
pub(super) enum Chunker {
    Gzip(Compressor),
    Zstd(CCtx<'static>),
}

impl Chunker {
    pub(super) fn boxed(profile: Profile) -> io::Result<Box<dyn Work>> {
        Ok(Box::new(Self::new(profile)?))
    }

    fn new(profile: Profile) -> io::Result<Self> {
        let level = i32::from(profile.level());
        if profile.compression() != Compression::Zstd {
            let level = CompressionLvl::new(level).expect("because a profile has a level from 1 to 9");
            return Ok(Self::Gzip(Compressor::new(level)));
        }
        let mut context = CCtx::try_create().ok_or(io::ErrorKind::OutOfMemory)?;
        for parameter in [
            CParameter::CompressionLevel(level),
            CParameter::ChecksumFlag(true),
        ] {
            context.set_parameter(parameter).map_err(zstd_error)?;
        }
        Ok(Self::Zstd(context))
    }
}

impl Work for Chunker {
    fn run(&mut self, input: &[u8], output: &mut Vec<u8>) -> io::Result<usize> {
        match self {
            Self::Gzip(compressor) => {
                let room = GZIP_HEADER.len() + compressor.deflate_compress_bound(input.len()) + GZIP_TRAILER;
                // Filled with zeros once, and not again for each chunk.
                if output.len() < room {
                    output.resize(room, 0);
                }
                Ok(member(compressor, input, output))
            }
            Self::Zstd(context) => {
                output.clear();
                output.reserve_exact(zstd_safe::compress_bound(input.len()));
                context.compress2(output, input).map_err(zstd_error)
            }
        }
    }
}

/// Makes a gzip member: how long it is.
fn member(compressor: &mut Compressor, input: &[u8], output: &mut [u8]) -> usize {
    let (header, rest) = output.split_at_mut(GZIP_HEADER.len());
    header.copy_from_slice(&GZIP_HEADER);
    let deflated = compressor
        .deflate_compress(input, rest)
        .expect("because the output has room for the worst case");
    let size = u32::try_from(input.len()).expect("because chunks are smaller than 4 GiB");
    let (crc, after) = rest[deflated..].split_at_mut(4);
    crc.copy_from_slice(&libdeflater::crc32(input).to_le_bytes());
    after[..4].copy_from_slice(&size.to_le_bytes());
    GZIP_HEADER.len() + deflated + GZIP_TRAILER
}

fn zstd_error(code: usize) -> io::Error {
    io::Error::other(zstd_safe::get_error_name(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worst case and the largest tables, for every level of a format.
    fn largest(profile: Profile) -> (usize, usize) {
        let mut input = vec![0; profile.chunk_size()];
        let mut state = 1_u64;
        for byte in &mut input {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *byte = state.to_be_bytes()[0];
        }
        let (mut chunker, mut output) = (Chunker::new(profile).unwrap(), Vec::new());
        chunker.run(&input, &mut output).unwrap();
        let tables = match &chunker {
            Chunker::Zstd(context) => context.sizeof(),
            // What its source has: it does not tell.
            Chunker::Gzip(_) => 668_256,
        };
        (output.capacity(), tables)
    }

    #[test]
    fn no_level_takes_more_room_than_its_bound() {
        let gzip = (1..=9).map(|level| Profile::gzip(level).unwrap());
        let zstd = (1..=19).map(|level| Profile::zstd(level).unwrap());
        for profile in gzip.chain(zstd) {
            let (output, tables) = largest(profile);
            assert!(output <= room(profile), "{profile}: {output}");
            assert!(tables <= profile.tables().unwrap(), "{profile}: {tables}");
        }
    }
}
