//! zstd: RFC 8878.

use zstd::zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, get_error_name};

use super::Format;
use crate::codec::compression::{ZSTD_MAGIC, is_skippable};
use crate::codec::{Compression, DecodeError};

/// A run of zstd frames and skippable ones.
///
/// No padding: the format has none, and no reader of layers would take it.
pub(super) struct Frames {
    part: Part,
    /// Whether a whole frame, or a skippable one, came already.
    complete: bool,
    context: DCtx<'static>,
    window_log: u32,
}

enum Part {
    /// So many bytes of the magic number are there.
    Magic([u8; 4], usize),
    Frame,
    /// So many bytes of the size of a skippable frame are there.
    SkipSize([u8; 4], usize),
    /// So many bytes of a skippable frame are still to come.
    Skip(u32),
}

impl Frames {
    /// A decoder that takes windows of up to `1 << window_log` bytes.
    pub(super) fn new(window_log: u32) -> Self {
        let mut context = DCtx::create();
        let window_log = window_log.clamp(WINDOW_LOG_MIN, WINDOW_LOG_MAX);
        context
            .set_parameter(DParameter::WindowLogMax(window_log))
            .expect("because every version of the library takes this range");
        Self {
            part: Part::Magic([0; 4], 0),
            complete: false,
            context,
            window_log,
        }
    }

    /// The end of one frame is where another may begin.
    fn begin(&mut self) {
        self.complete = true;
        self.part = Part::Magic([0; 4], 0);
    }

    /// Begins the frame whose magic number ends at `at`.
    fn open(&mut self, at: u64, magic: [u8; 4]) -> Result<(), DecodeError> {
        if is_skippable(magic) {
            self.part = Part::SkipSize([0; 4], 0);
            return Ok(());
        }
        self.part = Part::Frame;
        // The library wants to see it as well. It makes nothing of it alone.
        self.decode(at, &magic, &mut [0])?;
        Ok(())
    }

    /// What stands where a frame should begin.
    fn foreign(&self, offset: u64) -> DecodeError {
        let format = Compression::Zstd;
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

    fn refuse(&self, offset: u64, code: usize) -> DecodeError {
        let format = Compression::Zstd;
        let reason = get_error_name(code).to_owned();
        // The library hands out its numbers negated.
        match code.wrapping_neg() {
            WINDOW_TOO_LARGE => DecodeError::Limit {
                format,
                offset,
                limit: "zstd_window_log",
                bound: self.window_log.into(),
            },
            PARAMETER_UNSUPPORTED | DICTIONARY_WRONG => DecodeError::Unsupported {
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

impl Format for Frames {
    fn is_within(&self) -> bool {
        matches!(self.part, Part::Frame)
    }

    fn decode(&mut self, at: u64, input: &[u8], output: &mut [u8]) -> Result<(usize, usize), DecodeError> {
        let mut from = InBuffer::around(input);
        let mut to = OutBuffer::around(output);
        let hint = self.context.decompress_stream(&mut to, &mut from);
        let (read, written) = (from.pos(), to.pos());
        match hint {
            Ok(0) => self.begin(),
            Ok(_) if input.is_empty() && written == 0 => self.end(at)?,
            Ok(_) => {}
            Err(code) => return Err(self.refuse(at + read as u64, code)),
        }
        Ok((read, written))
    }

    fn pass(&mut self, at: u64, input: &[u8]) -> Result<usize, DecodeError> {
        match &mut self.part {
            Part::Magic(magic, filled) => {
                magic[*filled] = input[0];
                *filled += 1;
                let (magic, filled) = (*magic, *filled);
                if !may_begin(&magic[..filled]) {
                    let offset = at + 1 - filled as u64;
                    return Err(self.foreign(offset));
                }
                if filled == magic.len() {
                    self.open(at, magic)?;
                }
                Ok(1)
            }
            Part::SkipSize(size, filled) => {
                size[*filled] = input[0];
                *filled += 1;
                if *filled == size.len() {
                    match u32::from_le_bytes(*size) {
                        0 => self.begin(),
                        left => self.part = Part::Skip(left),
                    }
                }
                Ok(1)
            }
            Part::Skip(left) => {
                let passed = input.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                // It is no larger than what is left.
                *left -= u32::try_from(passed).unwrap_or(*left);
                if *left == 0 {
                    self.begin();
                }
                Ok(passed)
            }
            Part::Frame => unreachable!("frames are decompressed"),
        }
    }

    fn end(&self, at: u64) -> Result<(), DecodeError> {
        let part = match self.part {
            Part::Magic(_, 0) if self.complete => return Ok(()),
            Part::Magic(..) | Part::SkipSize(..) => "the header of a frame",
            Part::Frame => "a frame",
            Part::Skip(_) => "a skippable frame",
        };
        Err(DecodeError::Truncated {
            format: Compression::Zstd,
            offset: at,
            part,
        })
    }
}

/// Whether a frame, skippable or not, can begin like this.
fn may_begin(head: &[u8]) -> bool {
    const SKIPPABLE_TAIL: [u8; 3] = [0x2a, 0x4d, 0x18];
    match head {
        [0x50..=0x5f, tail @ ..] => SKIPPABLE_TAIL.starts_with(tail),
        _ => ZSTD_MAGIC.starts_with(head),
    }
}

// The range of the limit: the smallest and the largest window that the library knows, on 32 bits too.
const WINDOW_LOG_MIN: u32 = 10;
const WINDOW_LOG_MAX: u32 = 30;

// Error numbers of the library that its header calls stable.
const PARAMETER_UNSUPPORTED: usize = 14;
const WINDOW_TOO_LARGE: usize = 16;
const DICTIONARY_WRONG: usize = 32;
