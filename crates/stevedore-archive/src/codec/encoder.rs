//! Compression on several threads, of which the output does not tell.

mod chunk;
mod crew;

use std::fmt;
use std::io::{self, Write};
use std::num::NonZero;

use self::chunk::Chunker;
pub(super) use self::chunk::room;
use self::crew::Crew;
pub(super) use self::crew::IN_FLIGHT;
use super::{Compression, Profile};

/// Compresses what is written to it, chunk by chunk, into an inner writer.
///
/// Each chunk of the content becomes a gzip member or zstd frame of its own, so that chunks are compressed side by side;
/// they are written in their order, by the thread that writes to the encoder. **The bytes that come out follow from the
/// content and the [`Profile`] alone**: not from the number of threads, the sizes of the writes or chance. Nothing
/// written gives a valid stream of nothing.
///
/// Threads are begun as chunks come, up to the number given; with one, the work is done within `write`, and no thread is
/// begun. [`Profile::memory`] says how much memory that may take.
///
/// [`flush`](Write::flush) hands on what is compressed and flushes the inner writer, but never cuts a chunk short.
/// After an error nothing more is written, and every call is an error. A panic of a thread comes out of the call that
/// waits for it. Dropping the encoder ends its threads and waits for them, at most for a chunk; what was written by then
/// may look like a whole stream, for any number of members is one. Only [`finish`](Self::finish) says that it is.
pub struct Encoder<W> {
    inner: W,
    profile: Profile,
    /// Nothing where nothing is to be compressed.
    crew: Option<Crew>,
    /// The chunk under way.
    filling: Vec<u8>,
    /// Whether a chunk was taken on.
    begun: bool,
    failed: bool,
}

impl<W: Write> Encoder<W> {
    /// An encoder that compresses on up to so many threads.
    pub fn new(inner: W, profile: Profile, threads: NonZero<usize>) -> Self {
        let crew = match profile.compression() {
            Compression::None => None,
            _ => Some(Crew::new(threads, move || Chunker::boxed(profile))),
        };
        Self {
            inner,
            profile,
            crew,
            filling: Vec::new(),
            begun: false,
            failed: false,
        }
    }

    /// Compresses what is left, waits for the threads, writes all and gives back the inner writer, which is not flushed.
    pub fn finish(mut self) -> io::Result<W> {
        self.check()?;
        if let Some(crew) = &mut self.crew {
            // The only chunk needs no thread.
            if !self.begun {
                crew.run(&self.filling, &mut self.inner)?;
            } else if !self.filling.is_empty() {
                crew.submit(&mut self.filling, &mut self.inner)?;
            }
            crew.drain(&mut self.inner)?;
        }
        Ok(self.inner)
    }

    fn check(&self) -> io::Result<()> {
        if self.failed {
            return Err(io::Error::other(
                "the compressed stream broke off at an earlier error",
            ));
        }
        Ok(())
    }

    /// Takes some of the bytes, and hands a chunk on where they fill it: how many were taken.
    fn accept(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(crew) = &mut self.crew else {
            return self.inner.write(bytes);
        };
        let size = self.profile.chunk_size();
        if self.filling.is_empty() && bytes.len() >= size && crew.is_inline() {
            self.begun = true;
            crew.run(&bytes[..size], &mut self.inner)?;
            return Ok(size);
        }
        if self.filling.capacity() == 0 {
            self.filling.reserve_exact(size);
        }
        let taken = bytes.len().min(size - self.filling.len());
        self.filling.extend_from_slice(&bytes[..taken]);
        if self.filling.len() == size {
            self.begun = true;
            crew.submit(&mut self.filling, &mut self.inner)?;
        }
        Ok(taken)
    }
}

impl<W> Encoder<W> {
    /// How it compresses.
    pub fn profile(&self) -> Profile {
        self.profile
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.check()?;
        // Stays so after an error or a panic. What passes through may be tried again.
        self.failed = self.crew.is_some();
        let taken = self.accept(bytes)?;
        self.failed = false;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.check()?;
        if let Some(crew) = &mut self.crew {
            self.failed = true;
            crew.drain(&mut self.inner)?;
            self.failed = false;
        }
        self.inner.flush()
    }
}

impl<W> fmt::Debug for Encoder<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder")
            .field("profile", &self.profile)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}
