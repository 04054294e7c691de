//! What an archive is read from.

use std::io::{self, Read, Seek, SeekFrom};

/// Bytes of an archive in order, some of which can perhaps be passed over without reading them.
pub trait Input: Read {
    /// Passes over at most so many bytes, and says over how many.
    ///
    /// It need not know whether they are there: the reader of the archive reads at least one byte behind them before it
    /// believes it. 0 is always right, and what inputs do that can only be read.
    ///
    /// # Errors
    /// Only where bytes were lost; what cannot be passed over is answered with 0.
    fn skip(&mut self, bytes: u64) -> io::Result<u64> {
        let _ = bytes;
        Ok(0)
    }
}

/// An input that can only be read: what is passed over is read too, so a hash over it covers all bytes.
#[derive(Clone, Debug)]
pub struct Stream<R>(pub(super) R);

impl<R: Read> Stream<R> {
    /// An input from its current position on, which counts as the beginning of the archive.
    pub fn new(read: R) -> Self {
        Self(read)
    }

    /// What is read from.
    pub fn into_inner(self) -> R {
        self.0
    }
}

impl<R: Read> Read for Stream<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<R: Read> Input for Stream<R> {}

/// An input in which the content of files is passed over by seeking.
#[derive(Clone, Debug)]
pub struct Seekable<R>(R);

impl<R: Read + Seek> Seekable<R> {
    /// An input from its current position on, which counts as the beginning of the archive.
    pub fn new(read: R) -> Self {
        Self(read)
    }

    /// What is read from.
    pub fn into_inner(self) -> R {
        self.0
    }
}

impl<R: Read> Read for Seekable<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<R: Read + Seek> Input for Seekable<R> {
    fn skip(&mut self, bytes: u64) -> io::Result<u64> {
        let Ok(distance) = i64::try_from(bytes) else {
            return Ok(0);
        };
        // A failed seek moves nothing: a pipe, or a distance beyond what the file system has. Then it is read.
        match self.0.seek(SeekFrom::Current(distance)) {
            Ok(_) => Ok(bytes),
            Err(_) => Ok(0),
        }
    }
}
