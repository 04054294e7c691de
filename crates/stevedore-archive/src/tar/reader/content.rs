//! The content of an entry, holes included.

use std::io::{self, BufRead, Read};

use super::{Member, Reader};
use crate::tar::entry::Entry;
use crate::tar::error::{Error, Fault};
use crate::tar::input::Input;

/// How far the content of an entry was read.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// Bytes of content, holes included.
    size: u64,
    position: u64,
    /// Bytes of data that were not taken from the input yet.
    stored: u64,
    /// The segment in or before which the position is.
    segment: usize,
}

/// What comes next, and how many bytes of it.
#[derive(Debug)]
enum Piece {
    Data(u64),
    Hole(u64),
}

impl Content {
    pub(super) fn of(entry: &Entry) -> Self {
        Self {
            size: entry.size,
            position: 0,
            stored: entry.stored,
            segment: 0,
        }
    }

    pub(super) fn stored_left(&self) -> u64 {
        self.stored
    }

    fn piece(&self, entry: &Entry) -> Piece {
        let Some(segments) = &entry.sparse else {
            return Piece::Data(self.stored);
        };
        match segments.get(self.segment) {
            None => Piece::Hole(self.size - self.position),
            Some(segment) if self.position < segment.offset => Piece::Hole(segment.offset - self.position),
            Some(segment) => Piece::Data(segment.offset + segment.length - self.position),
        }
    }

    fn take_data(&mut self, bytes: u64, entry: &Entry) {
        self.position += bytes;
        self.stored -= bytes;
        let segment = entry
            .sparse
            .as_ref()
            .and_then(|segments| segments.get(self.segment));
        if segment.is_some_and(|segment| segment.offset + segment.length == self.position) {
            self.segment += 1;
        }
    }
}

impl<I> Member<'_, I> {
    /// Passes over the hole at which the content stands, and says how many bytes it had; 0 where data comes next, or the
    /// end. Whoever unpacks sparse files seeks as far.
    pub fn skip_hole(&mut self) -> u64 {
        let reader = &mut *self.reader;
        match reader.content.piece(&reader.entry) {
            Piece::Data(_) => 0,
            Piece::Hole(bytes) => {
                reader.content.position += bytes;
                bytes
            }
        }
    }
}

impl<I: Input> Reader<I> {
    /// Zeros of a hole, as far as holes are made up.
    fn zeros(&mut self, wanted: u64) -> Result<&'static [u8], Error> {
        let zeros = usize::try_from(wanted).map_or(&ZEROS[..], |wanted| &ZEROS[..wanted.min(ZEROS.len())]);
        let limit = self.limits.holes;
        if limit - self.holes < zeros.len() as u64 {
            let what = "bytes of holes that were read";
            return Err(Fault::Limit { what, limit }.at(self.place_of_entry()));
        }
        Ok(zeros)
    }

    fn take_hole(&mut self, bytes: u64) {
        self.holes += bytes;
        self.content.position += bytes;
    }

    fn cut_off(&self) -> io::Error {
        self.truncated(self.place_of_entry(), "the end of its data")
            .into()
    }
}

impl<I: Input> Read for Member<'_, I> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let reader = &mut *self.reader;
        let (Piece::Data(left) | Piece::Hole(left)) = reader.content.piece(&reader.entry);
        let wanted = usize::try_from(left).map_or(out.len(), |left| left.min(out.len()));
        if wanted == 0 {
            return Ok(0);
        }
        if let Piece::Hole(_) = reader.content.piece(&reader.entry) {
            let zeros = reader.zeros(wanted as u64)?;
            out[..zeros.len()].copy_from_slice(zeros);
            reader.take_hole(zeros.len() as u64);
            return Ok(zeros.len());
        }
        let read = reader.input.read(&mut out[..wanted])?;
        if read == 0 {
            return Err(reader.cut_off());
        }
        reader.content.take_data(read as u64, &reader.entry);
        Ok(read)
    }
}

impl<I: Input> BufRead for Member<'_, I> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let reader = &mut *self.reader;
        match reader.content.piece(&reader.entry) {
            Piece::Data(0) | Piece::Hole(0) => Ok(&[]),
            Piece::Hole(left) => Ok(reader.zeros(left)?),
            Piece::Data(left) => {
                if reader.input.fill()?.is_empty() {
                    return Err(reader.cut_off());
                }
                let buffered = reader.input.fill()?;
                let bytes = usize::try_from(left).map_or(buffered.len(), |left| left.min(buffered.len()));
                Ok(&buffered[..bytes])
            }
        }
    }

    fn consume(&mut self, bytes: usize) {
        let reader = &mut *self.reader;
        match reader.content.piece(&reader.entry) {
            Piece::Hole(_) => reader.take_hole(bytes as u64),
            Piece::Data(_) => {
                reader.input.consume(bytes);
                reader.content.take_data(bytes as u64, &reader.entry);
            }
        }
    }
}

/// What holes are made of.
static ZEROS: [u8; 8192] = [0; 8192];
