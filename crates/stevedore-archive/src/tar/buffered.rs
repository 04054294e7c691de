//! An input with a buffer that knows where in the archive it is.

use std::io::{self, ErrorKind};

use super::input::Input;

/// Bytes that are read at once: many headers and small files.
const BUFFER: usize = 64 * 1024;
/// Bytes that are read at first behind a seek, where perhaps only a header is wanted. They double with each read.
const FIRST: usize = 4096;
/// Bytes from which on a seek, and the reads around it, cost less than reading on.
const SEEK_FROM: u64 = 32 * 1024;

pub(super) struct Buffered<I> {
    input: I,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// Bytes of the archive before the start of what is buffered.
    position: u64,
    /// Bytes to read next.
    fill: usize,
}

impl<I: Input> Buffered<I> {
    pub(super) fn new(input: I) -> Self {
        Self {
            input,
            buffer: vec![0; BUFFER].into_boxed_slice(),
            start: 0,
            end: 0,
            position: 0,
            fill: BUFFER,
        }
    }

    /// Bytes of the archive that were taken.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// What is buffered, after reading if that was nothing; empty at the end of the input.
    pub(super) fn fill(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            self.end = read(&mut self.input, &mut self.buffer[..self.fill])?;
            self.fill = (self.fill * 2).min(BUFFER);
        }
        Ok(&self.buffer[self.start..self.end])
    }

    /// Takes bytes that are buffered.
    pub(super) fn consume(&mut self, bytes: usize) {
        debug_assert!(bytes <= self.end - self.start, "only what is buffered is taken");
        self.start += bytes;
        self.position += bytes as u64;
    }

    /// Reads into a buffer of the caller's, past our own if that is empty and the other one no smaller.
    pub(super) fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.start == self.end && out.len() >= BUFFER {
            let read = read(&mut self.input, out)?;
            self.position += read as u64;
            return Ok(read);
        }
        let available = self.fill()?;
        let bytes = available.len().min(out.len());
        out[..bytes].copy_from_slice(&available[..bytes]);
        self.consume(bytes);
        Ok(bytes)
    }

    /// Fills a buffer of the caller's as far as the input goes.
    pub(super) fn read_full(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < out.len() {
            match self.read(&mut out[filled..])? {
                0 => break,
                bytes => filled += bytes,
            }
        }
        Ok(filled)
    }

    /// Passes over bytes, and says over how many: fewer only at the end of the input.
    ///
    /// The last one is read in any case, for a seek goes beyond the end of a file without a word.
    pub(super) fn skip(&mut self, bytes: u64) -> io::Result<u64> {
        let mut left = bytes;
        left -= self.consume_up_to(left);
        if left > SEEK_FROM {
            let skipped = self.input.skip(left - 1)?;
            if skipped > left - 1 {
                return Err(io::Error::other("the input passed over more than it was told to"));
            }
            if skipped > 0 {
                self.position += skipped;
                self.fill = FIRST;
                left -= skipped;
            }
        }
        while left > 0 && !self.fill()?.is_empty() {
            left -= self.consume_up_to(left);
        }
        Ok(bytes - left)
    }

    fn consume_up_to(&mut self, bytes: u64) -> u64 {
        let available = self.end - self.start;
        let taken = usize::try_from(bytes).map_or(available, |bytes| bytes.min(available));
        self.consume(taken);
        taken as u64
    }

    /// The input, without what is buffered.
    pub(super) fn into_inner(self) -> I {
        self.input
    }
}

/// Reads once, not counting what signals interrupt.
fn read(input: &mut impl Input, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Believing more would show bytes of earlier reads as if they were the archive's.
            Ok(bytes) if bytes > buffer.len() => {
                return Err(io::Error::other("the input read more than it was asked for"));
            }
            read => return read,
        }
    }
}
