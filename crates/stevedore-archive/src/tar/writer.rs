//! Writing an archive from front to back.

use std::io::{self, Read, Write};

use super::encode::{END, encode, padding};
use super::entry::Entry;
use super::error::{Error, Result, escaped};

/// Writes an archive, the same one for the same entries on any day and machine.
///
/// Entries are ustar, with PAX headers only where ustar cannot say everything; see [`encode`]. There is no padding behind
/// the two blocks of zeros at the end. Order, times and owners are those of the caller.
///
/// [`append`](Self::append) begins an entry; then exactly its [`size`](Entry::size) bytes are written with [`Write`]. A writer that is
/// dropped without [`finish`](Self::finish) leaves an archive without an end.
#[derive(Debug)]
pub struct Writer<W> {
    output: W,
    /// Bytes that the entry still lacks.
    missing: u64,
    size: u64,
    /// The path of the entry, for messages.
    path: Vec<u8>,
    headers: Vec<u8>,
    /// What content is copied through.
    buffer: Vec<u8>,
    /// Whether the output gave an error in the middle of what has to be written whole.
    broken: bool,
}

impl<W: Write> Writer<W> {
    /// Begins an archive.
    pub fn new(output: W) -> Self {
        Self {
            output,
            missing: 0,
            size: 0,
            path: Vec::new(),
            headers: Vec::new(),
            buffer: Vec::new(),
            broken: false,
        }
    }

    /// Begins an entry.
    ///
    /// # Errors
    /// [`Error::Incomplete`] where data of the entry before it is missing, [`Error::Unwritable`] as [`encode`], and
    /// [`Error::Write`], after which it is [`Error::Spent`].
    pub fn append(&mut self, entry: &Entry) -> Result<()> {
        self.close_entry()?;
        self.headers.clear();
        encode(entry, &mut self.headers)?;
        self.write_out(|writer| writer.output.write_all(&writer.headers))?;
        self.path.clear();
        self.path.extend_from_slice(&entry.path);
        (self.size, self.missing) = (entry.size, entry.size);
        Ok(())
    }

    /// Writes an entry with its content, which must have the entry's size.
    ///
    /// # Errors
    /// As [`append`](Self::append), and [`Error::Read`] where the content gives an error, with the offset in it. Where the
    /// content is the reason, the archive cannot be gone on with either.
    pub fn append_from(&mut self, entry: &Entry, content: &mut impl Read) -> Result<()> {
        self.append(entry)?;
        // One byte more than there should be, to see content that is too long.
        let mut content = content.take(entry.size.saturating_add(1));
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.resize(BUFFER, 0);
        let copied = self.copy(&mut content, &mut buffer);
        self.buffer = buffer;
        // What was written of it looks whole if only the last read failed, or found more.
        self.broken |= copied.is_err();
        copied?;
        self.close_entry()
    }

    fn copy(&mut self, content: &mut impl Read, buffer: &mut [u8]) -> Result<()> {
        loop {
            let bytes = match content.read(buffer) {
                Ok(0) => return Ok(()),
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => {
                    let offset = self.size - self.missing;
                    return Err(Error::Read { offset, source });
                }
            };
            if bytes as u64 > self.missing {
                return Err(Error::Unwritable {
                    entry: escaped(&self.path),
                    reason: self.too_long(),
                });
            }
            self.write_out(|writer| writer.output.write_all(&buffer[..bytes]))?;
            self.missing -= bytes as u64;
        }
    }

    /// Ends the archive, and gives the output back, flushed.
    ///
    /// # Errors
    /// [`Error::Incomplete`] where data of the last entry is missing, and [`Error::Write`].
    pub fn finish(mut self) -> Result<W> {
        self.close_entry()?;
        self.write_out(|writer| {
            writer.output.write_all(END)?;
            writer.output.flush()
        })?;
        Ok(self.output)
    }

    fn close_entry(&mut self) -> Result<()> {
        if self.missing > 0 {
            return Err(Error::Incomplete {
                entry: escaped(&self.path),
                size: self.size,
                missing: self.missing,
            });
        }
        let padding = padding(self.size);
        self.size = 0;
        self.write_out(|writer| writer.output.write_all(padding))
    }

    fn write_out(&mut self, write: impl FnOnce(&mut Self) -> io::Result<()>) -> Result<()> {
        if self.broken {
            return Err(Error::Spent);
        }
        write(self).map_err(|source| {
            self.broken = true;
            Error::Write { source }
        })
    }

    fn too_long(&self) -> String {
        format!("its content is longer than the {} bytes of its size", self.size)
    }
}

impl<W: Write> Write for Writer<W> {
    /// Writes content of the entry that was begun last. More than its size is an error, and nothing of it is written.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() as u64 > self.missing {
            let error = Error::Unwritable {
                entry: escaped(&self.path),
                reason: self.too_long(),
            };
            return Err(error.into());
        }
        let written = self.output.write(bytes)?.min(bytes.len());
        self.missing -= written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// Bytes of content that are copied at once.
const BUFFER: usize = 64 * 1024;
