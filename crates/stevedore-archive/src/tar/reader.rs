//! Reading an archive from front to back.

mod content;
mod describe;
mod extension;

use std::fmt;
use std::io::{Read, Seek};
use std::ops::Deref;

use self::content::Content;
use self::extension::Pending;
use super::block::{BLOCK, Block, padding_of};
use super::buffered::Buffered;
use super::entry::{Entry, Kind};
use super::error::{Error, Fault, Place, Result};
use super::input::{Input, Seekable, Stream};
use super::limits::Limits;
use super::overrides::{Overrides, Scope};

/// Reads the entries of an archive one by one.
///
/// It understands v7, ustar, GNU and PAX headers, mixed as well. Whatever is wrong, or read differently by other
/// programs, is an error with its place, and ends the reading: what an archive holds must not depend on who looks.
///
/// The archive ends at the first block of zeros, or where the input ends; what stands behind it is passed over by
/// [`drain`](Self::drain).
pub struct Reader<I> {
    input: Buffered<I>,
    limits: Limits,
    state: State,
    block: [u8; BLOCK],
    headers: u64,
    /// Bytes of holes that were made up so far.
    holes: u64,
    global: Overrides,
    pending: Pending,
    entry: Entry,
    content: Content,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before a header, but for what is left of an entry.
    Going,
    Ended,
    Failed,
}

impl<R: Read> Reader<Stream<R>> {
    /// Reads an archive from anything that can be read, with the default limits.
    pub fn new(read: R) -> Self {
        Self::with_limits(Stream::new(read), Limits::default())
    }
}

impl<R: Read + Seek> Reader<Seekable<R>> {
    /// Reads an archive from a file, seeking over what nobody reads, with the default limits.
    pub fn seekable(read: R) -> Self {
        Self::with_limits(Seekable::new(read), Limits::default())
    }
}

impl<I: Input> Reader<I> {
    /// Reads an archive with limits of one's own.
    pub fn with_limits(input: I, limits: Limits) -> Self {
        Self {
            input: Buffered::new(input),
            limits,
            state: State::Going,
            block: [0; BLOCK],
            headers: 0,
            holes: 0,
            global: Overrides::default(),
            pending: Pending::default(),
            entry: Entry::new(Kind::File, Vec::new()),
            content: Content::default(),
        }
    }

    /// Goes on to the next entry, past what was not read of the one before; `None` at the end of the archive.
    ///
    /// # Errors
    /// All but those of writing; after one it is [`Error::Spent`].
    pub fn next_entry(&mut self) -> Result<Option<Member<'_, I>>> {
        match self.state {
            State::Ended => return Ok(None),
            State::Failed => return Err(Error::Spent),
            State::Going => {}
        }
        // Until the header is understood.
        self.state = State::Failed;
        let there = self.advance()?;
        self.state = if there { State::Going } else { State::Ended };
        Ok(there.then_some(Member { reader: self }))
    }

    fn advance(&mut self) -> Result<bool> {
        self.leave_entry()?;
        loop {
            let offset = self.input.position();
            if !self.read_header(offset)? {
                self.check_nothing_pending(offset)?;
                return Ok(false);
            }
            let flag = Block(&self.block).type_flag();
            if !matches!(flag, b'x' | b'X' | b'g' | b'L' | b'K') {
                self.read_entry(offset)?;
                return Ok(true);
            }
            self.read_extension(flag, offset)?;
        }
    }

    /// Passes over the rest of the entry, up to the next block.
    fn leave_entry(&mut self) -> Result<()> {
        let left = self.content.stored_left();
        self.skip(left, "the end of its data")?;
        let padding = padding_of(self.entry.stored);
        self.content = Content::default();
        self.entry.stored = 0;
        self.skip(padding, "the end of the padding behind it")
    }

    fn skip(&mut self, bytes: u64, what: &'static str) -> Result<()> {
        match self.input.skip(bytes) {
            Ok(skipped) if skipped == bytes => Ok(()),
            Ok(_) => Err(self.truncated(self.place_of_entry(), what)),
            Err(source) => Err(self.read_error(source)),
        }
    }

    /// Reads a header, and checks that it is one; false at the end of the archive.
    fn read_header(&mut self, offset: u64) -> Result<bool> {
        match self.input.read_full(&mut self.block) {
            Ok(BLOCK) => {}
            Ok(0) => return Ok(false),
            Ok(_) => return Err(self.truncated(place_at(offset), "the end of a header")),
            Err(source) => return Err(self.read_error(source)),
        }
        let block = Block(&self.block);
        if block.is_zero() {
            return Ok(false);
        }
        block
            .check_sum()
            .map_err(|reason| Fault::Malformed(reason).at(place_at(offset)))?;
        self.headers += 1;
        if self.headers > self.limits.headers {
            let limit = self.limits.headers;
            let what = "headers";
            return Err(Fault::Limit { what, limit }.at(self.place_of_block(offset)));
        }
        Ok(true)
    }

    /// Reads one of the headers that say something about the entry behind it, and is no entry.
    fn read_extension(&mut self, flag: u8, offset: u64) -> Result<()> {
        let mut data = std::mem::take(&mut self.pending.data);
        let taken = self.read_extension_data(&mut data, offset).and_then(|()| {
            let fault = if flag == b'g' {
                self.global.take(&data, Scope::Global, &self.limits)
            } else {
                self.pending.take(flag, &data, offset, &self.limits)
            };
            fault.map_err(|fault| fault.at(self.place_of_block(offset)))
        });
        self.pending.data = data;
        taken
    }

    fn read_extension_data(&mut self, data: &mut Vec<u8>, offset: u64) -> Result<()> {
        // By its own header alone: what an earlier `x` header says is about the entry.
        let block = Block(&self.block);
        let size = block
            .size()
            .map_err(|reason| Fault::Malformed(reason).at(self.place_of_block(offset)))?;
        let limit = self.limits.extension;
        let Some(length) = usize::try_from(size).ok().filter(|length| *length <= limit) else {
            let what = "bytes of an extended header";
            return Err(Fault::limit(what, limit).at(self.place_of_block(offset)));
        };
        data.clear();
        data.resize(length, 0);
        match self.input.read_full(data) {
            Ok(read) if read == length => {}
            Ok(_) => return Err(self.truncated(self.place_of_block(offset), "the end of its data")),
            Err(source) => return Err(self.read_error(source)),
        }
        let padding = padding_of(size);
        match self.input.skip(padding) {
            Ok(skipped) if skipped == padding => Ok(()),
            Ok(_) => Err(self.truncated(self.place_of_block(offset), "the end of the padding behind it")),
            Err(source) => Err(self.read_error(source)),
        }
    }

    /// An extension of nothing is what is left of an archive that was cut, or hides an entry from other readers.
    fn check_nothing_pending(&self, end: u64) -> Result<()> {
        match self.pending.offset {
            Some(offset) => Err(Error::Truncated {
                place: place_at(offset),
                end,
                missing: "the entry that this header extends",
            }),
            None => Ok(()),
        }
    }

    /// Reads the input to its end, and says how many bytes there were: padding of records, or anything else.
    ///
    /// Digests over an archive are over these bytes too. What was not read of the entries is read as well.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn drain(&mut self) -> Result<u64> {
        let before = self.input.position();
        loop {
            match self.input.fill().map(<[u8]>::len) {
                Ok(0) => break,
                Ok(bytes) => self.input.consume(bytes),
                Err(source) => return Err(self.read_error(source)),
            }
        }
        if self.state == State::Going {
            self.state = State::Failed;
        }
        Ok(self.input.position() - before)
    }

    /// Bytes of the archive that were taken so far; at its end, those before what stands behind it.
    pub fn position(&self) -> u64 {
        self.input.position()
    }

    /// The input. Bytes that were read ahead are lost, but for after [`drain`](Self::drain), when there are none.
    pub fn into_inner(self) -> I {
        self.input.into_inner()
    }

    fn place_of_entry(&self) -> Place {
        Place {
            path: self.entry.path.clone(),
            offset: self.entry.offset,
        }
    }

    /// The place of the header that was read last, by its own name.
    fn place_of_block(&self, offset: u64) -> Place {
        let mut place = place_at(offset);
        Block(&self.block).path_into(&mut place.path);
        place
    }

    fn truncated(&self, place: Place, missing: &'static str) -> Error {
        Error::Truncated {
            place,
            end: self.input.position(),
            missing,
        }
    }

    fn read_error(&self, source: std::io::Error) -> Error {
        Error::Read {
            offset: self.input.position(),
            source,
        }
    }
}

fn place_at(offset: u64) -> Place {
    Place {
        path: Vec::new(),
        offset,
    }
}

/// The entry at which a [`Reader`] stands: its metadata, and its content by [`Read`] or [`BufRead`](std::io::BufRead).
///
/// The content of a sparse file has its holes, as zeros. Errors of the input come as they are, those of the archive are
/// [`Error`]s within errors of [`std::io`].
pub struct Member<'a, I> {
    reader: &'a mut Reader<I>,
}

impl<I> Member<'_, I> {
    /// The metadata, which also can be reached through the member itself.
    pub fn entry(&self) -> &Entry {
        &self.reader.entry
    }
}

impl<I> Deref for Member<'_, I> {
    type Target = Entry;

    fn deref(&self) -> &Entry {
        &self.reader.entry
    }
}

impl<I> fmt::Debug for Member<'_, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Member").field(&self.reader.entry).finish()
    }
}

impl<I> fmt::Debug for Reader<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("state", &self.state)
            .field("entry", &self.entry)
            .field("content", &self.content)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
