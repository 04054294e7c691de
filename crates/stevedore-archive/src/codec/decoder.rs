//! Decompression of a stream, whatever its format.

mod frames;
mod header;
mod input;
mod members;
mod streams;

use std::fmt;
use std::io::{self, BufRead, Read};

use self::frames::Frames;
use self::input::Input;
use self::members::Members;
use self::streams::Streams;
use super::{Compression, DecodeError, Limits};

/// The size of the buffer that small reads are served from. Large ones are decoded where they are wanted.
const BUFFER_SIZE: usize = 128 << 10;

/// Reads a stream that may be compressed, to its very end.
///
/// - gzip: any number of members, with any optional fields, and zeros after the last one.
/// - zstd: any number of frames, some of which may be skippable.
/// - xz: any number of streams, each followed by as many zeros as its format allows.
/// - Anything else passes through: [`BufRead`] then lends the buffers of the inner reader, and nothing is copied.
///
/// Checksums and lengths are checked. What follows the end of the stream and is no padding is an error, and so is a
/// stream that ends too early: the end of the content is told only after the end of the stream was seen. A stream
/// that is cut exactly between two members, frames or streams is a whole, shorter one; only its digest or size tells.
///
/// Errors of the inner reader pass as they are, and reading may go on after them. Others are a [`DecodeError`] within
/// the [`io::Error`], and final: each later read repeats it. Bytes that were handed out before an error have not been
/// held against a checksum yet.
pub struct Decoder<R> {
    input: Input<R>,
    /// Nothing before the first bytes were looked at.
    engine: Option<Engine>,
    limits: Limits,
    expanded: u64,
    ended: bool,
    failed: Option<DecodeError>,
    /// Content that was decoded for small reads: `buffer[taken..filled]`.
    buffer: Vec<u8>,
    taken: usize,
    filled: usize,
}

impl<R: BufRead> Decoder<R> {
    /// A decoder that finds out how the stream is compressed, at the first read.
    pub fn new(inner: R, limits: Limits) -> Self {
        Self {
            input: Input::new(inner),
            engine: None,
            limits,
            expanded: 0,
            ended: false,
            failed: None,
            buffer: Vec::new(),
            taken: 0,
            filled: 0,
        }
    }

    /// A decoder that is told how the stream is compressed: any other is then an error, also an empty one.
    pub fn with_compression(inner: R, compression: Compression, limits: Limits) -> Self {
        Self {
            engine: Some(Engine::new(compression, &limits)),
            ..Self::new(inner, limits)
        }
    }

    /// How the stream is compressed. The first call reads its first bytes, if nothing did so yet.
    pub fn compression(&mut self) -> io::Result<Compression> {
        Ok(self.engine()?.compression())
    }

    fn engine(&mut self) -> io::Result<&mut Engine> {
        if self.engine.is_none() {
            let compression = self.input.sniff()?;
            self.engine = Some(Engine::new(compression, &self.limits));
        }
        Ok(self.engine.as_mut().expect("because it was just set"))
    }

    fn is_stored(&mut self) -> io::Result<bool> {
        Ok(matches!(self.engine()?, Engine::Stored))
    }

    /// Decodes into `output`, which is not empty: how many bytes, none at the end.
    fn decode(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = &self.failed {
            return Err(error.clone().into());
        }
        if self.ended {
            return Ok(0);
        }
        self.advance(output).map_err(|stop| match stop {
            Stop::Read(error) => error,
            Stop::Decode(error) => self.failed.insert(error).clone().into(),
        })
    }

    fn advance(&mut self, output: &mut [u8]) -> Result<usize, Stop> {
        let engine = self
            .engine
            .as_mut()
            .expect("because reads look at the first bytes");
        loop {
            let at = self.input.offset();
            let step = engine.step(at, self.input.fill()?, output)?;
            self.input.consume(step.read);
            self.expanded += step.written as u64;
            if step.written > 0 {
                self.limits
                    .check(engine.compression(), self.input.offset(), self.expanded)?;
                return Ok(step.written);
            }
            if step.ended {
                self.ended = true;
                return Ok(0);
            }
        }
    }
}

impl<R> Decoder<R> {
    /// How many bytes of the compressed stream have been used.
    pub fn bytes_read(&self) -> u64 {
        self.input.offset()
    }

    /// How many bytes the stream has expanded to so far.
    pub fn bytes_expanded(&self) -> u64 {
        match self.engine {
            Some(Engine::Stored) => self.input.offset(),
            _ => self.expanded,
        }
    }

    /// Gives back the inner reader. It stands behind what was read for looking ahead: after the end of the content
    /// that is the end of the stream.
    pub fn into_inner(self) -> R {
        self.input.into_inner()
    }
}

impl<R: BufRead> Read for Decoder<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if output.is_empty() {
            return Ok(0);
        }
        if self.is_stored()? {
            return self.input.read(output);
        }
        if self.taken == self.filled && output.len() >= BUFFER_SIZE {
            return self.decode(output);
        }
        let read = self.fill_buf()?.read(output)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Decoder<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.is_stored()? {
            return self.input.fill();
        }
        if self.taken == self.filled {
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.resize(BUFFER_SIZE, 0);
            let decoded = self.decode(&mut buffer);
            self.buffer = buffer;
            (self.taken, self.filled) = (0, 0);
            self.filled = decoded?;
        }
        Ok(&self.buffer[self.taken..self.filled])
    }

    fn consume(&mut self, amount: usize) {
        if let Some(Engine::Stored) = self.engine {
            self.input.consume(amount);
        } else {
            self.taken = self.filled.min(self.taken + amount);
        }
    }
}

impl<R> fmt::Debug for Decoder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("compression", &self.engine.as_ref().map(Engine::compression))
            .field("bytes_read", &self.bytes_read())
            .field("bytes_expanded", &self.bytes_expanded())
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

/// What one step of an engine did.
struct Step {
    /// How many bytes of the input it used.
    read: usize,
    /// How many bytes of the output it filled.
    written: usize,
    /// The input is at its end, and the stream is complete.
    ended: bool,
}

/// Why a step was not made.
enum Stop {
    Read(io::Error),
    Decode(DecodeError),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

impl From<DecodeError> for Stop {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

/// A format of which a stream is a run of pieces, each with a part whose bytes are decoded; the other bytes frame it.
trait Format {
    /// Whether the next bytes are to be decoded.
    fn is_within(&self) -> bool;

    /// Decodes: how many bytes went in and came out. The input is empty at the end of the stream only.
    fn decode(&mut self, at: u64, input: &[u8], output: &mut [u8]) -> Result<(usize, usize), DecodeError>;

    /// Takes bytes of a frame, at least one of the input, which has some: how many.
    fn pass(&mut self, at: u64, input: &[u8]) -> Result<usize, DecodeError>;

    /// Whether the stream may end where it stands.
    fn end(&self, at: u64) -> Result<(), DecodeError>;
}

/// Goes on with a stream until something came out of it, or the input is used up.
fn step(format: &mut impl Format, at: u64, input: &[u8], output: &mut [u8]) -> Result<Step, DecodeError> {
    let mut read = 0;
    let done = |read, written, ended| Step { read, written, ended };
    loop {
        let rest = &input[read..];
        let here = at + read as u64;
        if rest.is_empty() && !input.is_empty() {
            return Ok(done(read, 0, false));
        }
        if format.is_within() {
            let (used, written) = format.decode(here, rest, output)?;
            read += used;
            if written > 0 || format.is_within() {
                return Ok(done(read, written, false));
            }
        } else if rest.is_empty() {
            format.end(here)?;
            return Ok(done(read, 0, true));
        } else {
            read += format.pass(here, rest)?;
        }
    }
}

/// The decoder of a format, without input and output.
enum Engine {
    Stored,
    Gzip(Box<Members>),
    Zstd(Box<Frames>),
    Xz(Box<Streams>),
}

impl Engine {
    fn new(compression: Compression, limits: &Limits) -> Self {
        match compression {
            Compression::None => Self::Stored,
            Compression::Gzip => Self::Gzip(Box::new(Members::new())),
            Compression::Zstd => Self::Zstd(Box::new(Frames::new(limits.zstd_window_log))),
            Compression::Xz => Self::Xz(Box::new(Streams::new(limits.xz_memory))),
        }
    }

    fn compression(&self) -> Compression {
        match self {
            Self::Stored => Compression::None,
            Self::Gzip(_) => Compression::Gzip,
            Self::Zstd(_) => Compression::Zstd,
            Self::Xz(_) => Compression::Xz,
        }
    }

    /// Goes on with `input`, which stands at the offset `at` of the stream and is empty at its end only.
    fn step(&mut self, at: u64, input: &[u8], output: &mut [u8]) -> Result<Step, DecodeError> {
        match self {
            Self::Stored => unreachable!("what is stored is not decoded"),
            Self::Gzip(members) => step(&mut **members, at, input, output),
            Self::Zstd(frames) => step(&mut **frames, at, input, output),
            Self::Xz(streams) => step(&mut **streams, at, input, output),
        }
    }
}
