//! Compression, read and written.

mod encoder;
mod garbage;
mod golden;
mod gzip;
mod limits;
mod oracle;
mod reader;
mod xz;
mod zstd;

use std::io::{self, BufRead, Read, Write};
use std::num::NonZero;

use stevedore_archive::codec::{Compression, DecodeError, Decoder, Encoder, Limits, Profile};

/// A reader that lends so many bytes at a time.
pub(crate) struct Drip<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) size: usize,
}

impl Read for Drip<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(output)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Drip<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(&self.bytes[..self.bytes.len().min(self.size)])
    }

    fn consume(&mut self, amount: usize) {
        self.bytes = &self.bytes[amount..];
    }
}

/// All of the content, or why there is none.
fn decode(bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    all(Decoder::new(bytes, Limits::default()))
}

/// All of the content of a stream that is known to be compressed like this.
fn decode_as(compression: Compression, bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    all(Decoder::with_compression(bytes, compression, Limits::default()))
}

fn all(mut decoder: impl Read) -> Result<Vec<u8>, DecodeError> {
    let mut content = Vec::new();
    match decoder.read_to_end(&mut content) {
        Ok(_) => Ok(content),
        Err(error) => Err(DecodeError::of(&error).expect("an error of the decoder").clone()),
    }
}

fn encode(profile: Profile, threads: usize, content: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new(), profile, NonZero::new(threads).unwrap());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// Numbers that follow from a seed (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    fn below(&mut self, end: u64) -> usize {
        usize::try_from(self.next() % end).unwrap()
    }
}

/// Bytes that follow from a seed and can be compressed about as well as a program: runs, repeats and noise.
fn sample(seed: u64, size: usize) -> Vec<u8> {
    let mut random = Random(seed + 1);
    let mut bytes: Vec<u8> = Vec::with_capacity(size + 256);
    while bytes.len() < size {
        match random.below(8) {
            0 => bytes.extend((0..random.below(64)).map(|_| random.byte())),
            1 => bytes.extend(std::iter::repeat_n(0, random.below(256))),
            2 => bytes.extend(format!("/usr/lib/{:x}.so\n", random.next() >> 48).bytes()),
            _ => {
                let from = random.below(bytes.len().max(1) as u64);
                let to = bytes.len().min(from + random.below(128));
                bytes.extend_from_within(from..to);
                bytes.push(random.byte());
            }
        }
    }
    bytes.truncate(size);
    bytes
}

/// What is wrong with every true beginning of a stream, read as what it is.
fn truncations(compression: Compression, stream: &[u8]) {
    for length in 0..stream.len() {
        let error = decode_as(compression, &stream[..length]).unwrap_err();
        assert!(
            matches!(error, DecodeError::Truncated { offset, format, .. } if offset == length as u64 && format == compression),
            "{length}: {error:?}"
        );
    }
}

/// Which streams with one bit flipped are read without an error, and give another content.
fn unnoticed(compression: Compression, stream: &[u8]) -> Vec<usize> {
    let content = decode(stream).unwrap();
    let mut bytes = stream.to_vec();
    let mut unnoticed = Vec::new();
    for bit in 0..stream.len() * 8 {
        bytes[bit / 8] ^= 1 << (bit % 8);
        if decode_as(compression, &bytes).is_ok_and(|read| read != content) {
            unnoticed.push(bit);
        }
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    unnoticed
}

/// Says that a test is not run on this machine, and what it needs.
fn not_run(test: &str, needs: &str) {
    // libtest does not capture what is written here directly. In one piece, for others write here too.
    let line = format!("NOT RUN (needs {needs}): {test}\n");
    io::stderr().write_all(line.as_bytes()).unwrap();
}
