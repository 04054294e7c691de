//! What is in an archive, by path.

use std::collections::HashMap;
use std::io::{Read, Seek};

use super::entry::{Kind, Segment};
use super::error::{Fault, Place, Result};
use super::input::{Input, Seekable};
use super::limits::Limits;
use super::path::{PathError, names, normalize};
use super::reader::Reader;

/// The entries of an archive that is not compressed, by their [normal](normalize) paths, so that their content can be read from
/// the file later, in any order.
///
/// Of several entries with one path the last one counts. Links lead within the archive only: those of `docker save`'s old
/// archives stand for layers.
#[derive(Debug, Default)]
pub struct Index {
    entries: HashMap<Vec<u8>, Indexed>,
}

/// An entry in an [`Index`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Indexed {
    /// What kind of file it is.
    pub kind: Kind,
    /// What a link points to, else empty.
    pub link: Vec<u8>,
    /// Where its data begins, in bytes from the beginning of the archive.
    pub offset: u64,
    /// Bytes of content.
    pub size: u64,
    /// For a sparse file the parts of it that are stored from `offset` on, one behind the other; `None` where all `size` bytes
    /// are.
    pub sparse: Option<Vec<Segment>>,
}

impl Index {
    /// Reads a whole archive from a file, from its position on, with the default limits.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn of_file(file: impl Read + Seek) -> Result<Self> {
        Self::read(Seekable::new(file), Limits::default())
    }

    /// Reads a whole archive.
    ///
    /// # Errors
    /// As [`Reader::next_entry`]; and [`Error::Malformed`](super::Error::Malformed) for a path with `..` in it.
    pub fn read(input: impl Input, limits: Limits) -> Result<Self> {
        let (mut bytes, mut segments) = (limits.index, limits.segments);
        let (all_bytes, all_segments) = (bytes, segments);
        let mut reader = Reader::with_limits(input, limits);
        let mut entries = HashMap::new();
        while let Some(member) = reader.next_entry()? {
            let fault = |fault: Fault| {
                fault.at(Place {
                    path: member.path.clone(),
                    offset: member.offset,
                })
            };
            let path = normalize(&member.path).map_err(|error| fault(error.reason_of_entry()))?;
            let kept = path.len() + member.link.len() + size_of::<(Vec<u8>, Indexed)>();
            let mapped = member.sparse.as_ref().map_or(0, Vec::len);
            bytes = bytes
                .checked_sub(kept)
                .ok_or_else(|| fault(Fault::limit("bytes of an index of the archive", all_bytes)))?;
            segments = segments
                .checked_sub(mapped)
                .ok_or_else(|| fault(Fault::limit("segments of sparse files", all_segments)))?;
            let indexed = Indexed {
                kind: member.kind,
                link: member.link.clone(),
                offset: member.data_offset,
                size: member.size,
                sparse: member.sparse.clone(),
            };
            entries.insert(path, indexed);
        }
        Ok(Self { entries })
    }

    /// The entry with this path, where it is a link that one itself.
    pub fn entry(&self, path: &[u8]) -> Option<&Indexed> {
        self.entries.get(&normalize(path).ok()?)
    }

    /// All entries with their normal paths, in no order.
    pub fn entries(&self) -> impl Iterator<Item = (&[u8], &Indexed)> {
        self.entries.iter().map(|(path, entry)| (path.as_slice(), entry))
    }

    /// The entry to which this path leads over symbolic links, also those of directories on the way, and hard links; `None`
    /// where nothing is there.
    ///
    /// # Errors
    /// [`LookupError`].
    pub fn resolve(&self, path: &[u8]) -> Result<Option<&Indexed>, LookupError> {
        let mut walk = Walk::new(&normalize(path)?);
        while let Some(name) = walk.ahead.pop() {
            walk.step(&name)?;
            let Some(entry) = self.entries.get(&walk.at) else {
                continue;
            };
            match entry.kind {
                Kind::SymbolicLink => walk.follow(&entry.link)?,
                Kind::HardLink => walk.jump(&normalize(&entry.link)?)?,
                _ => {}
            }
        }
        Ok(self.entries.get(&walk.at))
    }
}

/// A path on the way through links.
struct Walk {
    at: Vec<u8>,
    /// Names still to go, the next one last.
    ahead: Vec<Vec<u8>>,
    hops: u32,
}

impl Walk {
    fn new(path: &[u8]) -> Self {
        let mut walk = Self {
            at: Vec::new(),
            ahead: Vec::new(),
            hops: 0,
        };
        walk.prepend(path);
        walk
    }

    fn prepend(&mut self, path: &[u8]) {
        self.ahead.extend(names(path).rev().map(<[u8]>::to_vec));
    }

    fn step(&mut self, name: &[u8]) -> Result<(), LookupError> {
        if name == b".." {
            if self.at.is_empty() {
                return Err(LookupError::Outside);
            }
            self.leave();
            return Ok(());
        }
        if !self.at.is_empty() {
            self.at.push(b'/');
        }
        self.at.extend_from_slice(name);
        Ok(())
    }

    /// Goes on from the directory that the link is in, or from the root.
    fn follow(&mut self, target: &[u8]) -> Result<(), LookupError> {
        self.hop()?;
        if target.starts_with(b"/") {
            self.at.clear();
        } else {
            self.leave();
        }
        self.prepend(target);
        Ok(())
    }

    fn jump(&mut self, path: &[u8]) -> Result<(), LookupError> {
        self.hop()?;
        self.at.clear();
        self.prepend(path);
        Ok(())
    }

    fn leave(&mut self) {
        let slash = self.at.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        self.at.truncate(slash);
    }

    fn hop(&mut self) -> Result<(), LookupError> {
        self.hops += 1;
        if self.hops > HOPS {
            return Err(LookupError::TooManyLinks { limit: HOPS });
        }
        Ok(())
    }
}

/// Links on the way to an entry, as many as Linux follows.
const HOPS: u32 = 40;

/// A path that leads to no entry, and never can.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// The path, or that of a hard link on the way, cannot be looked up.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A symbolic link leads out of the archive.
    #[error("a symbolic link leads out of the archive")]
    Outside,
    /// There are more links on the way than are followed; perhaps they lead in a circle.
    #[error("there are more than {limit} links on the way")]
    #[non_exhaustive]
    TooManyLinks {
        /// Links that are followed.
        limit: u32,
    },
}

impl PathError {
    fn reason_of_entry(&self) -> Fault {
        Fault::Malformed(format!("its path {}", self.reason))
    }
}
