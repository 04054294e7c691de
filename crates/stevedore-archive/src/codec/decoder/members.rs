//! gzip: RFC 1952.

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::Format;
use super::header::{Bad, Header};
use crate::codec::{Compression, DecodeError};

/// A run of gzip members, and zeros after the last one.
///
/// A member after the zeros is refused, as none of the programs that pad would write one, and what readers make of it
/// differs: gzip ignores it, Python reads it, Go fails.
pub(super) struct Members {
    part: Part,
    /// Whether a whole member came already.
    complete: bool,
    inflate: Decompress,
    /// Of the content of the member under way.
    crc: Crc,
}

enum Part {
    Header(Header),
    Content,
    /// CRC-32 and size of the content: so many bytes of them are there.
    Trailer([u8; 8], usize),
    Padding,
}

impl Members {
    pub(super) fn new() -> Self {
        Self {
            part: Part::Header(Header::new()),
            complete: false,
            inflate: Decompress::new(false),
            crc: Crc::new(),
        }
    }

    /// What a bad byte in a header means.
    fn refuse(&self, at: u64, bad: &Bad) -> DecodeError {
        let format = Compression::Gzip;
        match bad {
            Bad::Magic(index) if self.complete => trailing(at - u64::from(*index)),
            Bad::Magic(_) => corrupt(at, "it does not begin like one".into()),
            Bad::Method(method) => DecodeError::Unsupported {
                format,
                offset: at,
                reason: format!("compression method {method} is not deflate"),
            },
            Bad::Flags(flags) => DecodeError::Unsupported {
                format,
                offset: at,
                reason: format!("reserved flags are set: {flags:#04x}"),
            },
            Bad::Crc => corrupt(at, "the header of a member does not fit its checksum".into()),
        }
    }

    /// Holds the content of a member against its trailer, which ends at `at`.
    fn check(&self, at: u64, trailer: [u8; 8]) -> Result<(), DecodeError> {
        let [a, b, c, d, size @ ..] = trailer;
        if u32::from_le_bytes([a, b, c, d]) != self.crc.sum() {
            return Err(corrupt(
                at,
                "the content of a member does not fit its checksum".into(),
            ));
        }
        // Both are modulo 2^32.
        if u32::from_le_bytes(size) != self.crc.amount() {
            return Err(corrupt(
                at,
                "the content of a member does not have the size it claims".into(),
            ));
        }
        Ok(())
    }
}

impl Format for Members {
    fn is_within(&self) -> bool {
        matches!(self.part, Part::Content)
    }

    fn decode(&mut self, at: u64, input: &[u8], output: &mut [u8]) -> Result<(usize, usize), DecodeError> {
        let (total_in, total_out) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(input, output, FlushDecompress::None);
        // Neither is larger than a buffer.
        let read = usize::try_from(self.inflate.total_in() - total_in).expect("because a buffer held it");
        let written =
            usize::try_from(self.inflate.total_out() - total_out).expect("because a buffer held it");
        let status = status.map_err(|error| {
            corrupt(
                at + read as u64,
                error.message().unwrap_or("no valid deflate").to_owned(),
            )
        })?;
        self.crc.update(&output[..written]);
        if status == Status::StreamEnd {
            self.part = Part::Trailer([0; 8], 0);
        } else if input.is_empty() && written == 0 {
            self.end(at)?;
        }
        Ok((read, written))
    }

    fn pass(&mut self, at: u64, input: &[u8]) -> Result<usize, DecodeError> {
        let byte = input[0];
        match &mut self.part {
            Part::Header(header) if header.is_empty() && self.complete && byte == 0 => {
                self.part = Part::Padding;
            }
            Part::Header(header) => {
                if header.push(byte).map_err(|bad| self.refuse(at, &bad))? {
                    self.inflate.reset(false);
                    self.crc.reset();
                    self.part = Part::Content;
                }
            }
            Part::Trailer(trailer, filled) => {
                trailer[*filled] = byte;
                *filled += 1;
                if *filled == trailer.len() {
                    let trailer = *trailer;
                    self.check(at, trailer)?;
                    self.complete = true;
                    self.part = Part::Header(Header::new());
                }
            }
            Part::Padding if byte == 0 => {}
            Part::Padding => return Err(trailing(at)),
            Part::Content => unreachable!("content is inflated"),
        }
        Ok(1)
    }

    fn end(&self, at: u64) -> Result<(), DecodeError> {
        let part = match &self.part {
            Part::Header(header) if header.is_empty() && self.complete => return Ok(()),
            Part::Padding => return Ok(()),
            Part::Header(_) => "the header of a member",
            Part::Content => "the content of a member",
            Part::Trailer(..) => "the checksum of a member",
        };
        Err(DecodeError::Truncated {
            format: Compression::Gzip,
            offset: at,
            part,
        })
    }
}

fn corrupt(offset: u64, reason: String) -> DecodeError {
    DecodeError::Corrupt {
        format: Compression::Gzip,
        offset,
        reason,
    }
}

fn trailing(offset: u64) -> DecodeError {
    DecodeError::Trailing {
        format: Compression::Gzip,
        offset,
    }
}
