//! The compressed side of a decoder.

use std::io::{self, BufRead, Read};

use crate::codec::Compression;

/// A reader whose first bytes can be looked at before they are used, and that counts what was.
pub(super) struct Input<R> {
    inner: R,
    /// What was read to be looked at: `head[used..seen]` has not been used yet.
    head: [u8; Compression::SNIFFED],
    used: usize,
    seen: usize,
    offset: u64,
}

impl<R> Input<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            head: [0; Compression::SNIFFED],
            used: 0,
            seen: 0,
            offset: 0,
        }
    }

    /// How many bytes were used.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    pub(super) fn into_inner(self) -> R {
        self.inner
    }

    fn has_head(&self) -> bool {
        self.used < self.seen
    }
}

impl<R: BufRead> Input<R> {
    /// How the stream is compressed, before any of it is used.
    pub(super) fn sniff(&mut self) -> io::Result<Compression> {
        // After an error this goes on where it was.
        while self.seen < self.head.len() {
            let lent = self.inner.fill_buf()?;
            // The usual case needs no copy.
            if self.seen == 0 && lent.len() >= self.head.len() {
                return Ok(Compression::sniff(lent));
            }
            let room = &mut self.head[self.seen..];
            let taken = lent.len().min(room.len());
            if taken == 0 {
                break;
            }
            room[..taken].copy_from_slice(&lent[..taken]);
            self.inner.consume(taken);
            self.seen += taken;
        }
        Ok(Compression::sniff(&self.head[..self.seen]))
    }

    /// The next bytes; none at the end only.
    pub(super) fn fill(&mut self) -> io::Result<&[u8]> {
        if self.has_head() {
            return Ok(&self.head[self.used..self.seen]);
        }
        self.inner.fill_buf()
    }

    /// Marks bytes that [`fill`](Self::fill) gave as used.
    pub(super) fn consume(&mut self, amount: usize) {
        self.offset += amount as u64;
        if self.has_head() {
            self.used += amount;
        } else {
            self.inner.consume(amount);
        }
    }

    pub(super) fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let read = if self.has_head() {
            let read = (&self.head[self.used..self.seen]).read(output)?;
            self.used += read;
            read
        } else {
            self.inner.read(output)?
        };
        self.offset += read as u64;
        Ok(read)
    }
}
