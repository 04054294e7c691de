//! The header of a gzip member: RFC 1952, section 2.3.

use flate2::Crc;

use crate::codec::compression::GZIP_MAGIC;

const FHCRC: u8 = 1 << 1;
const FEXTRA: u8 = 1 << 2;
const FNAME: u8 = 1 << 3;
const FCOMMENT: u8 = 1 << 4;
/// Bits that must be zero: who set them means something that is not known here.
const RESERVED: u8 = 0b1110_0000;

/// The only compression method there is.
const DEFLATE: u8 = 8;

/// How many bytes a header has before the optional fields.
const FIXED: u8 = 10;

/// A header that comes byte by byte. Nothing of it is kept: no field changes the content.
pub(super) struct Header {
    field: Field,
    /// The flags of the optional fields that are still to come.
    flags: u8,
    crc: Crc,
}

#[derive(Clone, Copy)]
enum Field {
    /// So many bytes of the fixed part are there.
    Fixed(u8),
    ExtraLow,
    ExtraHigh(u8),
    Extra(u16),
    Name,
    Comment,
    CrcLow,
    CrcHigh(u8),
    End,
}

/// What a byte of a header cannot be.
#[derive(Debug)]
pub(super) enum Bad {
    /// This one of the bytes of the magic number.
    Magic(u8),
    Method(u8),
    Flags(u8),
    Crc,
}

impl Header {
    pub(super) fn new() -> Self {
        Self {
            field: Field::Fixed(0),
            flags: 0,
            crc: Crc::new(),
        }
    }

    /// Whether no byte of it is there yet.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self.field, Field::Fixed(0))
    }

    /// Takes the next byte: whether that was the last one.
    pub(super) fn push(&mut self, byte: u8) -> Result<bool, Bad> {
        if !matches!(self.field, Field::CrcLow | Field::CrcHigh(_)) {
            self.crc.update(&[byte]);
        }
        self.field = match self.field {
            Field::Fixed(at @ (0 | 1)) if byte != GZIP_MAGIC[usize::from(at)] => return Err(Bad::Magic(at)),
            Field::Fixed(2) if byte != DEFLATE => return Err(Bad::Method(byte)),
            Field::Fixed(3) if byte & RESERVED != 0 => return Err(Bad::Flags(byte)),
            Field::Fixed(at) => {
                if at == 3 {
                    self.flags = byte;
                }
                if at + 1 < FIXED {
                    Field::Fixed(at + 1)
                } else {
                    self.optional()
                }
            }
            Field::ExtraLow => Field::ExtraHigh(byte),
            Field::ExtraHigh(low) => match u16::from_le_bytes([low, byte]) {
                0 => self.optional(),
                length => Field::Extra(length),
            },
            Field::Extra(1) => self.optional(),
            Field::Extra(length) => Field::Extra(length - 1),
            Field::Name | Field::Comment if byte == 0 => self.optional(),
            text @ (Field::Name | Field::Comment) => text,
            Field::CrcLow => Field::CrcHigh(byte),
            // The two least significant bytes of the CRC-32 over all that came before.
            Field::CrcHigh(low) if self.crc.sum() & 0xffff != u32::from(u16::from_le_bytes([low, byte])) => {
                return Err(Bad::Crc);
            }
            Field::CrcHigh(_) | Field::End => Field::End,
        };
        Ok(matches!(self.field, Field::End))
    }

    /// The first of the optional fields that are still to come.
    fn optional(&mut self) -> Field {
        const ORDER: [(u8, Field); 4] = [
            (FEXTRA, Field::ExtraLow),
            (FNAME, Field::Name),
            (FCOMMENT, Field::Comment),
            (FHCRC, Field::CrcLow),
        ];
        for (flag, field) in ORDER {
            if self.flags & flag != 0 {
                self.flags &= !flag;
                return field;
            }
        }
        Field::End
    }
}
