//! What an archive says of a file.

use std::collections::BTreeMap;

/// A member of an archive: its metadata, and where it lies.
///
/// Names are bytes. Nothing here is safe to use as a path of this machine: [`normalize`](super::normalize) refuses the worst, and
/// whoever unpacks has to do more.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The path as it stands in the archive. That of a directory mostly ends with a slash.
    pub path: Vec<u8>,
    /// What kind of file it is.
    pub kind: Kind,
    /// What a link points to: for a hard link the path of another entry, for a symbolic link any text. Else empty.
    pub link: Vec<u8>,
    /// Bytes of content: of a sparse file those that it has when unpacked, holes included.
    pub size: u64,
    /// Permissions with the set-user-ID, set-group-ID and sticky bits: the lowest twelve bits.
    pub mode: u32,
    /// The number of the owner.
    pub uid: u64,
    /// The number of the group.
    pub gid: u64,
    /// When the content was changed.
    pub mtime: Timestamp,
    /// The name of the owner, often empty.
    pub uname: Vec<u8>,
    /// The name of the group, often empty.
    pub gname: Vec<u8>,
    /// The major number of a device, else 0.
    pub major: u32,
    /// The minor number of a device, else 0.
    pub minor: u32,
    /// Extended attributes, `SCHILY.xattr.*` in PAX headers, by name. Values are any bytes.
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The parts of a sparse file that are stored, one behind the other, in ascending order; everything between them is zeros.
    /// `None` for a file that is stored whole.
    pub sparse: Option<Vec<Segment>>,
    /// Where the first header that belongs to this entry begins, extensions included; bytes from the beginning of the archive.
    pub offset: u64,
    /// Where its data begins, bytes from the beginning of the archive.
    pub data_offset: u64,
    /// Bytes of data that lie there. Equals `size`, but for sparse files.
    pub stored: u64,
}

impl Entry {
    /// An empty entry with mode 0644 (0755 of a directory), owned by root, of the epoch.
    pub fn new(kind: Kind, path: impl Into<Vec<u8>>) -> Self {
        Self {
            path: path.into(),
            kind,
            link: Vec::new(),
            size: 0,
            mode: if kind == Kind::Directory { 0o755 } else { 0o644 },
            uid: 0,
            gid: 0,
            mtime: Timestamp::default(),
            uname: Vec::new(),
            gname: Vec::new(),
            major: 0,
            minor: 0,
            xattrs: BTreeMap::new(),
            sparse: None,
            offset: 0,
            data_offset: 0,
            stored: 0,
        }
    }

    /// A regular file of so many bytes.
    pub fn file(path: impl Into<Vec<u8>>, size: u64) -> Self {
        Self {
            size,
            stored: size,
            ..Self::new(Kind::File, path)
        }
    }

    /// A hard or symbolic link.
    pub fn link(kind: Kind, path: impl Into<Vec<u8>>, target: impl Into<Vec<u8>>) -> Self {
        Self {
            link: target.into(),
            ..Self::new(kind, path)
        }
    }
}

/// What kind of file an entry is (POSIX pax, "ustar Interchange Format", `typeflag`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A regular file.
    File,
    /// Another name of a file that came before.
    HardLink,
    /// A symbolic link.
    SymbolicLink,
    /// A character device.
    CharacterDevice,
    /// A block device.
    BlockDevice,
    /// A directory.
    Directory,
    /// A named pipe.
    Fifo,
    /// Anything else, by its type flag; its data can be read. To unpack it as a regular file, as POSIX wants it, would be
    /// wrong for a volume label (`V`) or the rest of a file from another volume (`M`), which old archives have.
    Other(u8),
}

impl Kind {
    /// Whether the archive holds data of such entries.
    pub fn has_data(self) -> bool {
        matches!(self, Self::File | Self::Other(_))
    }
}

/// A time in seconds since the epoch, perhaps before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Timestamp {
    /// Whole seconds, rounded down.
    pub seconds: i64,
    /// Nanoseconds after those, below 1,000,000,000.
    pub nanoseconds: u32,
}

impl Timestamp {
    /// A time at a full second.
    pub fn new(seconds: i64) -> Self {
        Self {
            seconds,
            nanoseconds: 0,
        }
    }
}

/// A part of a sparse file that is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Segment {
    /// Where it lies in the file, in bytes.
    pub offset: u64,
    /// Its length in bytes.
    pub length: u64,
}
