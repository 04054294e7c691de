//! From the headers of an entry to what it is.

use super::extension::{Pending, agreed};
use super::{Content, Reader};
use crate::tar::block::{BLOCK, BLOCK_SIZE, Block, Dialect};
use crate::tar::entry::{Entry, Kind, Timestamp};
use crate::tar::error::{Error, Fault, Result};
use crate::tar::input::Input;
use crate::tar::limits::Limits;
use crate::tar::overrides::Overrides;
use crate::tar::sparse::{Continuation, DataMap, Form, Map, OldGnu};

impl<I: Input> Reader<I> {
    /// Understands the header that was read, with what was said before it; and reads the map of a sparse file.
    pub(super) fn read_entry(&mut self, offset: u64) -> Result<()> {
        let mut pending = std::mem::take(&mut self.pending);
        self.pending.data = std::mem::take(&mut pending.data);
        let mut local = pending
            .local
            .take()
            .map_or_else(Overrides::default, |local| *local);
        self.entry.offset = pending.offset.unwrap_or(offset);
        self.entry.data_offset = offset + BLOCK_SIZE;
        let described = describe(
            &mut self.entry,
            Block(&self.block),
            pending,
            &mut local,
            &self.global,
            &self.limits,
        );
        described.map_err(|fault| self.fault(fault))?;
        // The padding is below a block.
        let end = self.entry.data_offset.checked_add(self.entry.stored);
        if end.and_then(|end| end.checked_add(BLOCK_SIZE)).is_none() {
            return Err(self.fault("its data would end beyond any file".into()));
        }
        self.read_sparse_map(local)?;
        self.content = Content::of(&self.entry);
        Ok(())
    }

    fn read_sparse_map(&mut self, local: Overrides) -> Result<()> {
        let form = local.sparse.finish().map_err(|fault| self.fault(fault))?;
        let old = Block(&self.block).type_flag() == b'S';
        let (size, map) = match form {
            None if !old => return Ok(()),
            None => self.read_old_map()?,
            Some(_) if old || self.entry.kind != Kind::File => {
                return Err(self.fault("a PAX header calls it sparse, and it is no regular file".into()));
            }
            Some(Form::Header { map, size }) => (size, map),
            Some(Form::Data { size }) => (size, self.read_data_map()?),
        };
        let segments = map.finish(size, self.entry.stored);
        self.entry.sparse = Some(segments.map_err(|fault| self.fault(fault))?);
        self.entry.size = size;
        Ok(())
    }

    fn read_old_map(&mut self) -> Result<(u64, Map)> {
        let limit = self.limits.segments;
        let begun = OldGnu::of_header(Block(&self.block), limit);
        let (mut map, mut more) = begun.map_err(|fault| self.fault(fault))?;
        let mut block = [0; BLOCK];
        while more == Continuation::Follows {
            self.read_map_block(&mut block)?;
            more = map.extend(&block, limit).map_err(|fault| self.fault(fault))?;
        }
        Ok(map.finish())
    }

    /// A map that is the beginning of the data.
    fn read_data_map(&mut self) -> Result<Map> {
        let mut map = DataMap::default();
        let mut block = [0; BLOCK];
        let mut ended = false;
        while !ended {
            if self.entry.stored < BLOCK_SIZE {
                return Err(self.fault("the map of a sparse file does not end in its data".into()));
            }
            self.read_map_block(&mut block)?;
            self.entry.stored -= BLOCK_SIZE;
            let taken = map.take(&block, self.limits.segments);
            ended = taken.map_err(|fault| self.fault(fault))?;
        }
        Ok(map.finish())
    }

    fn fault(&self, fault: Fault) -> Error {
        fault.at(self.place_of_entry())
    }

    /// Reads a block behind the header that belongs to a map, and not to the data.
    fn read_map_block(&mut self, block: &mut [u8; BLOCK]) -> Result<()> {
        match self.input.read_full(block) {
            Ok(BLOCK) => {}
            Ok(_) => return Err(self.truncated(self.place_of_entry(), "the end of its sparse map")),
            Err(source) => return Err(self.read_error(source)),
        }
        self.entry.data_offset += BLOCK_SIZE;
        Ok(())
    }
}

/// Puts together what the header says, what a PAX and GNU headers before it say, and what holds for all entries.
fn describe(
    entry: &mut Entry,
    block: Block<'_>,
    pending: Pending,
    local: &mut Overrides,
    global: &Overrides,
    limits: &Limits,
) -> Result<(), Fault> {
    let flag = block.type_flag();
    // First of all the name, for the messages about everything else.
    block.path_into(&mut entry.path);
    if local.sparse.name.is_some() && pending.long_path.is_some() {
        return Err("a PAX header and a GNU header give it different names".into());
    }
    let path = agreed(local.path.take(), pending.long_path)?;
    if let Some(path) = local.sparse.name.take().or(path) {
        entry.path = path;
    }
    check_path(&entry.path, limits)?;
    entry.kind = kind(flag, block.dialect(), &entry.path);
    let link = agreed(local.link.take(), pending.long_link)?;
    entry.link.clear();
    if matches!(entry.kind, Kind::HardLink | Kind::SymbolicLink) {
        entry
            .link
            .extend_from_slice(link.as_deref().unwrap_or(block.link()));
        if entry.link.len() > limits.path {
            return Err(Fault::limit("bytes of the target of a link", limits.path));
        }
    }
    if flag == b'S' && block.dialect() != Dialect::Gnu {
        return Err("it is a sparse file of GNU tar in a header that is not GNU tar's".into());
    }
    entry.stored = stored(entry.kind, flag, block.size()?, local.size)?;
    entry.size = entry.stored;
    entry.sparse = None;
    entry.mode = block.mode()?;
    entry.uid = match local.uid.or(&global.uid) {
        Some(uid) => *uid,
        None => block.uid()?,
    };
    entry.gid = match local.gid.or(&global.gid) {
        Some(gid) => *gid,
        None => block.gid()?,
    };
    entry.mtime = match local.mtime.or(&global.mtime) {
        Some(mtime) => *mtime,
        None => Timestamp::new(block.mtime()?),
    };
    describe_names(entry, block, local, global);
    let is_device = matches!(entry.kind, Kind::CharacterDevice | Kind::BlockDevice);
    (entry.major, entry.minor) = (0, 0);
    // v7 knows no devices, and others may have anything in the fields of what is none.
    if is_device && block.dialect() != Dialect::V7 {
        (entry.major, entry.minor) = (block.major()?, block.minor()?);
    }
    entry.xattrs = std::mem::take(&mut local.xattrs);
    Ok(())
}

fn describe_names(entry: &mut Entry, block: Block<'_>, local: &Overrides, global: &Overrides) {
    let has_names = block.dialect() != Dialect::V7;
    let name = |field: &mut Vec<u8>, set: Option<&Vec<u8>>, own: &[u8]| {
        field.clear();
        match set {
            Some(set) => field.extend_from_slice(set),
            None if has_names => field.extend_from_slice(own),
            None => {}
        }
    };
    name(&mut entry.uname, local.uname.or(&global.uname), block.uname());
    name(&mut entry.gname, local.gname.or(&global.gname), block.gname());
}

fn check_path(path: &[u8], limits: &Limits) -> Result<(), Fault> {
    if path.is_empty() {
        return Err("an entry has no name".into());
    }
    if path.len() > limits.path {
        return Err(Fault::limit("bytes of a path", limits.path));
    }
    let names = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty());
    if names.count() > limits.depth {
        return Err(Fault::limit("names in a path", limits.depth));
    }
    Ok(())
}

fn kind(flag: u8, dialect: Dialect, path: &[u8]) -> Kind {
    // v7 has no flag for directories. The whole path counts, for one cut off in the header can end anywhere.
    let is_old = flag == 0 || (flag == b'0' && dialect == Dialect::V7);
    match flag {
        _ if is_old && path.ends_with(b"/") => Kind::Directory,
        // `7` is a contiguous file, which nothing has.
        0 | b'0' | b'7' | b'S' => Kind::File,
        b'1' => Kind::HardLink,
        b'2' => Kind::SymbolicLink,
        b'3' => Kind::CharacterDevice,
        b'4' => Kind::BlockDevice,
        b'5' => Kind::Directory,
        b'6' => Kind::Fifo,
        _ => Kind::Other(flag),
    }
}

/// Bytes of data behind the header.
///
/// A directory has none, whatever its size, and a hard link none by its header: all readers agree. Of the others, and of a hard
/// link by PAX, GNU tar steps over data, and Go and Python read it as headers.
fn stored(kind: Kind, flag: u8, header: u64, pax: Option<u64>) -> Result<u64, Fault> {
    let size = pax.unwrap_or(header);
    match kind {
        _ if kind.has_data() => Ok(size),
        Kind::Directory if flag == b'5' => Ok(0),
        Kind::HardLink if pax.unwrap_or(0) == 0 => Ok(0),
        _ if size == 0 => Ok(0),
        _ => Err(format!("it has {size} bytes of data and is not a kind of file that has any").into()),
    }
}
