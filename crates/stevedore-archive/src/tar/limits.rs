//! How much an archive may ask for.

/// The bounds that a [`Reader`](super::Reader) holds an archive to, so that its memory and time do not depend on who wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Headers of every kind in an archive. Default: 10 million; the largest layers known have some hundred thousand
    /// entries, and each entry can have an extension before it.
    pub headers: u64,
    /// Bytes of one extension: the records of a PAX header, or a long name. They are in memory at once. Default: 1 MiB,
    /// beyond what a Linux inode can hold of extended attributes (64 KiB a list and a value) but for contrived ones.
    pub extension: usize,
    /// Bytes of a path, of the target of a link, and of the names of owners in PAX headers. Default: 4,096, the `PATH_MAX` of Linux: nobody unpacks longer ones.
    pub path: usize,
    /// Names in a path between slashes. Default: 512; the nests of npm, known for their depth, have some 60.
    pub depth: usize,
    /// Extended attributes of an entry. Default: 256; a handful is usual.
    pub xattrs: usize,
    /// Segments in the map of a sparse file, and in an [`Index`](super::Index) of all sparse files together. Default:
    /// 262,144, which is 4 MiB of memory.
    pub segments: usize,
    /// Bytes that are made up for readers of holes in sparse files, over the whole archive. Default: 64 GiB. A header of
    /// 512 bytes can announce 8 EiB of zeros, and somebody will hash them; holes that are stepped over do not count.
    pub holes: u64,
    /// Bytes of memory that an [`Index`](super::Index) takes for paths, link targets and what it keeps of each entry. Default:
    /// 64 MiB, which is some hundred thousand entries.
    pub index: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            headers: 10_000_000,
            extension: 1024 * 1024,
            path: 4096,
            depth: 512,
            xattrs: 256,
            segments: 256 * 1024,
            holes: 64 * 1024 * 1024 * 1024,
            index: 64 * 1024 * 1024,
        }
    }
}
