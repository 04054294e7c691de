//! A layer with one file of noise: a tar archive in a Zstandard frame that compresses nothing.
//!
//! Compressed it has to be, or skopeo would do it on the way; a frame of this kind is made as fast as it is hashed.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::Failure;

/// Bytes of a block of a tar archive.
const TAR: usize = 512;
/// Bytes that one block of Zstandard holds at most.
const BLOCK: usize = 128 << 10;

/// A layer that was written.
pub(super) struct Layer {
    pub(super) digest: String,
    pub(super) size: u64,
    pub(super) diff_id: String,
}

/// A digest as it is written in documents.
pub(super) fn digest(hash: impl AsRef<[u8]>) -> String {
    let hex = hash.as_ref().iter().map(|byte| format!("{byte:02x}"));
    format!("sha256:{}", hex.collect::<String>())
}

/// Writes a layer into a folder of blobs, under its digest.
pub(super) fn write(blobs: &Path, seed: u64, bytes: u64) -> Result<Layer, Failure> {
    let part = blobs.join("part");
    let mut zstd = Zstd::new(&part)?;
    zstd.tar(&header(bytes))?;
    let mut noise = Noise(seed);
    let mut block = vec![0; BLOCK];
    let mut left = bytes;
    while left > 0 {
        let count = block.len().min(usize::try_from(left)?);
        noise.fill(&mut block);
        zstd.tar(&block[..count])?;
        left -= count as u64;
    }
    // What fills the file's last block, and two empty ones at the end.
    let padding = (TAR - usize::try_from(bytes % TAR as u64)?) % TAR;
    zstd.tar(&vec![0; padding + 2 * TAR])?;
    let layer = zstd.finish()?;
    fs::rename(&part, blobs.join(layer.digest.trim_start_matches("sha256:")))?;
    Ok(layer)
}

/// The header of a file `noise` in the form of POSIX 1003.1, ustar.
fn header(bytes: u64) -> [u8; TAR] {
    let mut header = [0; TAR];
    let mut put = |offset: usize, text: &str| header[offset..][..text.len()].copy_from_slice(text.as_bytes());
    put(0, "noise");
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{bytes:011o}"));
    put(136, "00000000000");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\x0000");
    let sum: u32 = header.iter().copied().map(u32::from).sum();
    header[148..][..8].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

/// A Zstandard frame of raw blocks (RFC 8878, section 3.1.1), hashed inside and outside. It asks for no checksum.
struct Zstd {
    file: BufWriter<File>,
    outside: Sha256,
    size: u64,
    inside: Sha256,
}

impl Zstd {
    fn new(path: &Path) -> Result<Self, Failure> {
        let mut zstd = Self {
            file: BufWriter::new(File::create(path)?),
            outside: Sha256::new(),
            size: 0,
            inside: Sha256::new(),
        };
        // Magic; neither content size, checksum nor dictionary; a window of 128 KiB, as large as a block gets.
        zstd.put(&[0x28, 0xb5, 0x2f, 0xfd, 0, 7 << 3])?;
        Ok(zstd)
    }

    /// Takes bytes of the archive.
    fn tar(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        for block in bytes.chunks(BLOCK) {
            self.block(0, block)?;
            self.inside.update(block);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Layer, Failure> {
        self.block(1, &[])?;
        self.file.flush()?;
        Ok(Layer {
            digest: digest(self.outside.finalize()),
            size: self.size,
            diff_id: digest(self.inside.finalize()),
        })
    }

    /// A raw block: one bit for the last, two for the kind, the rest for the size.
    fn block(&mut self, last: u32, bytes: &[u8]) -> Result<(), Failure> {
        let header = u32::try_from(bytes.len())? << 3 | last;
        self.put(&header.to_le_bytes()[..3])?;
        self.put(bytes)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.outside.update(bytes);
        self.size += bytes.len() as u64;
        Ok(self.file.write_all(bytes)?)
    }
}

/// `SplitMix64` (Steele, Lea and Flood, 2014): enough that no compressor gains by it.
struct Noise(u64);

impl Noise {
    fn fill(&mut self, block: &mut [u8]) {
        for word in block.chunks_exact_mut(8) {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.0;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            word.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes());
        }
    }
}
