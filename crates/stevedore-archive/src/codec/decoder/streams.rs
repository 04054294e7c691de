//! xz: version 1.2.1 of its file format.

use liblzma::stream::{Action, Error, Status, Stream, TELL_UNSUPPORTED_CHECK};

use super::Format;
use crate::codec::compression::XZ_MAGIC;
use crate::codec::{Compression, DecodeError};

/// Padding comes in pieces of so many zeros: section 2.2 of the format.
const PADDING_UNIT: u64 = 4;

/// A run of xz streams with padding between and after them.
pub(super) struct Streams {
    part: Part,
    /// Whether a whole stream came already.
    complete: bool,
    memory: u64,
}

enum Part {
    /// So many bytes of the magic number are there, after so much padding.
    Magic {
        filled: usize,
        padding: u64,
    },
    Stream(Stream),
}

const BEGIN: Part = Part::Magic {
    filled: 0,
    padding: 0,
};

impl Streams {
    /// A decoder that takes up to `memory` bytes of memory.
    pub(super) fn new(memory: u64) -> Self {
        Self {
            part: BEGIN,
            complete: false,
            memory,
        }
    }

    /// Begins the stream whose magic number ends at `at`.
    fn open(&mut self, at: u64) -> Result<(), DecodeError> {
        let stream = Stream::new_stream_decoder(self.memory, TELL_UNSUPPORTED_CHECK);
        self.part = Part::Stream(stream.map_err(|error| self.refuse(at, error))?);
        // The library wants to see it as well. It makes nothing of it alone.
        self.decode(at, &XZ_MAGIC, &mut [])?;
        Ok(())
    }

    /// What stands where a stream should begin.
    fn foreign(&self, offset: u64) -> DecodeError {
        let format = Compression::Xz;
        if self.complete {
            return DecodeError::Trailing { format, offset };
        }
        let reason = "it does not begin like one".into();
        DecodeError::Corrupt {
            format,
            offset,
            reason,
        }
    }

    fn refuse(&self, offset: u64, error: Error) -> DecodeError {
        let format = Compression::Xz;
        let reason = error.to_string();
        match error {
            Error::MemLimit => DecodeError::Limit {
                format,
                offset,
                limit: "xz_memory",
                bound: self.memory,
            },
            Error::Options | Error::UnsupportedCheck | Error::NoCheck => DecodeError::Unsupported {
                format,
                offset,
                reason,
            },
            _ => DecodeError::Corrupt {
                format,
                offset,
                reason,
            },
        }
    }
}

impl Format for Streams {
    fn is_within(&self) -> bool {
        matches!(self.part, Part::Stream(_))
    }

    fn decode(&mut self, at: u64, input: &[u8], output: &mut [u8]) -> Result<(usize, usize), DecodeError> {
        let Part::Stream(stream) = &mut self.part else {
            unreachable!("it is called within a stream")
        };
        let (total_in, total_out) = (stream.total_in(), stream.total_out());
        let status = stream.process(input, output, Action::Run);
        // Neither is larger than a buffer.
        let read = usize::try_from(stream.total_in() - total_in).expect("because a buffer held it");
        let written = usize::try_from(stream.total_out() - total_out).expect("because a buffer held it");
        match status {
            Ok(Status::StreamEnd) => {
                self.complete = true;
                self.part = BEGIN;
            }
            Ok(_) if input.is_empty() && written == 0 => self.end(at)?,
            Ok(_) => {}
            Err(error) => return Err(self.refuse(at + read as u64, error)),
        }
        Ok((read, written))
    }

    fn pass(&mut self, at: u64, input: &[u8]) -> Result<usize, DecodeError> {
        let byte = input[0];
        let Part::Magic { filled, padding } = &mut self.part else {
            unreachable!("streams are processed")
        };
        if self.complete && *filled == 0 && byte == 0 {
            *padding += 1;
            return Ok(1);
        }
        if byte != XZ_MAGIC[*filled] || !padding.is_multiple_of(PADDING_UNIT) {
            let offset = at - *filled as u64;
            return Err(self.foreign(offset));
        }
        *filled += 1;
        if *filled == XZ_MAGIC.len() {
            self.open(at)?;
        }
        Ok(1)
    }

    fn end(&self, at: u64) -> Result<(), DecodeError> {
        let part = match self.part {
            Part::Magic { filled: 0, padding } if self.complete && padding.is_multiple_of(PADDING_UNIT) => {
                return Ok(());
            }
            Part::Magic { filled: 0, .. } if self.complete => "padding, which comes in units of four",
            Part::Magic { .. } => "the header of a stream",
            Part::Stream(_) => "a stream",
        };
        Err(DecodeError::Truncated {
            format: Compression::Xz,
            offset: at,
            part,
        })
    }
}
