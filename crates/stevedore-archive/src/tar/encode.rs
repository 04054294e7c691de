//! Headers as bytes, for those who write archives in a way of their own.

use super::block::{BLOCK, padding_of};
use super::entry::{Entry, Kind};
use super::error::{Error, escaped};
use super::number::write_octal;
use super::pax::{encode_xattr_name, push_record};

/// What ends an archive: two blocks of zeros.
pub const END: &[u8] = &[0; 2 * BLOCK];

/// The zeros that fill up the last block of an entry's data.
pub fn padding(size: u64) -> &'static [u8] {
    // Below a block, so it fits.
    let length = usize::try_from(padding_of(size)).unwrap_or_default();
    &END[..length]
}

/// Appends the headers of an entry: one of ustar, and before it one of PAX where that cannot say everything.
///
/// [`size`](Entry::size) bytes of data have to follow, then [`padding`]. Equal entries give equal bytes: PAX keys are sorted, there
/// are no times but [`mtime`](Entry::mtime), and that in whole seconds. Where the entry lies, and its sparse map, count for nothing.
///
/// # Errors
/// [`Error::Unwritable`], and nothing is appended: a path that is empty or has a NUL in it, a link without a target,
/// data of what has none, a kind that is not known, device numbers above 2,097,151.
pub fn encode(entry: &Entry, headers: &mut Vec<u8>) -> Result<(), Error> {
    check(entry).map_err(|reason| Error::Unwritable {
        entry: escaped(&entry.path),
        reason,
    })?;
    let mut block = Template::new();
    let mut records = Records::default();
    for (name, value) in &entry.xattrs {
        records.xattr(name, value);
    }
    // In the order of their keys, behind those of extended attributes, which begin with a capital.
    if !block.octal(116..124, entry.gid) {
        records.number(b"gid", entry.gid);
    }
    if !block.text(297..328, &entry.gname) {
        records.text(b"gname", &entry.gname);
    }
    if !block.text(157..257, &entry.link) {
        records.text(b"linkpath", &entry.link);
    }
    if !u64::try_from(entry.mtime.seconds).is_ok_and(|seconds| block.octal(136..148, seconds)) {
        block.octal(136..148, 0);
        records.text(b"mtime", entry.mtime.seconds.to_string().as_bytes());
    }
    if !block.path(&entry.path) {
        records.text(b"path", &entry.path);
    }
    if !block.octal(124..136, entry.size) {
        records.number(b"size", entry.size);
    }
    if !block.octal(108..116, entry.uid) {
        records.number(b"uid", entry.uid);
    }
    if !block.text(265..296, &entry.uname) {
        records.text(b"uname", &entry.uname);
    }
    block.octal(100..108, u64::from(entry.mode & 0o7777));
    block.octal(329..337, u64::from(entry.major));
    block.octal(337..345, u64::from(entry.minor));
    records.append(&entry.path, headers);
    headers.extend_from_slice(&block.finish(flag(entry.kind)));
    Ok(())
}

fn check(entry: &Entry) -> Result<(), String> {
    let has_nul = |bytes: &[u8]| bytes.contains(&0);
    if entry.path.is_empty() || has_nul(&entry.path) {
        return Err("its path is empty, or has a NUL in it".to_owned());
    }
    let is_link = matches!(entry.kind, Kind::HardLink | Kind::SymbolicLink);
    if is_link == entry.link.is_empty() || has_nul(&entry.link) {
        return Err("a link has a target, without NUL, and nothing else has".to_owned());
    }
    if has_nul(&entry.uname) || has_nul(&entry.gname) {
        return Err("the name of its owner or group has a NUL in it".to_owned());
    }
    if let Kind::Other(flag) = entry.kind {
        return Err(format!("nobody knows what its type is: {}", escaped(&[flag])));
    }
    if entry.size > 0 && !entry.kind.has_data() {
        return Err(format!(
            "only regular files have data, and it has {} bytes",
            entry.size
        ));
    }
    // What some reader of the archive can count with.
    if i64::try_from(entry.size).is_err() {
        return Err("it is larger than any file".to_owned());
    }
    let is_device = matches!(entry.kind, Kind::CharacterDevice | Kind::BlockDevice);
    if entry.major.max(entry.minor) > if is_device { DEVICE_LIMIT } else { 0 } {
        return Err(format!("its device number is {}:{}", entry.major, entry.minor));
    }
    if entry.xattrs.keys().any(|name| name.is_empty() || has_nul(name)) {
        return Err("an extended attribute has no name, or a NUL in it".to_owned());
    }
    Ok(())
}

/// Seven octal digits, and there is no PAX key for more. Linux has 12 and 20 bits.
const DEVICE_LIMIT: u32 = 0o7_777_777;

fn flag(kind: Kind) -> u8 {
    match kind {
        Kind::File => b'0',
        Kind::HardLink => b'1',
        Kind::SymbolicLink => b'2',
        Kind::CharacterDevice => b'3',
        Kind::BlockDevice => b'4',
        Kind::Directory => b'5',
        Kind::Fifo => b'6',
        Kind::Other(flag) => flag,
    }
}

/// A ustar header that is being filled in.
struct Template([u8; BLOCK]);

impl Template {
    fn new() -> Self {
        let mut block = [0; BLOCK];
        block[257..265].copy_from_slice(b"ustar\x0000");
        Self(block)
    }

    /// Fills in digits; zeros, and false, if they do not fit.
    fn octal(&mut self, field: std::ops::Range<usize>, value: u64) -> bool {
        write_octal(&mut self.0[field.clone()], value) || {
            write_octal(&mut self.0[field], 0);
            false
        }
    }

    /// Fills in a text; its beginning, and false, if it does not fit.
    fn text(&mut self, field: std::ops::Range<usize>, text: &[u8]) -> bool {
        let field = &mut self.0[field];
        let shown = text.len().min(field.len());
        field[..shown].copy_from_slice(&text[..shown]);
        shown == text.len()
    }

    /// Fills in a path, if need be with its beginning as the prefix.
    fn path(&mut self, path: &[u8]) -> bool {
        if path.len() <= 100 {
            return self.text(0..100, path);
        }
        if let Some((prefix, name)) = split(path) {
            return self.text(345..500, prefix) && self.text(0..100, name);
        }
        // A slash at the end would make a directory of it for old readers.
        let beginning = path[..100].iter();
        let end = beginning
            .rev()
            .position(|byte| *byte != b'/')
            .map_or(0, |at| 100 - at);
        self.text(0..100, &path[..end]);
        false
    }

    fn finish(mut self, flag: u8) -> [u8; BLOCK] {
        self.0[156] = flag;
        self.0[148..156].fill(b' ');
        let sum = self.0.iter().map(|byte| u64::from(*byte)).sum();
        // Six digits, a NUL and a space, as ever.
        write_octal(&mut self.0[148..155], sum);
        self.0
    }
}

/// Splits a path at the last slash that leaves no more than 155 bytes before it, and 100 behind it.
fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    // A slash at the end belongs to the name.
    let within = &path[..path.len().saturating_sub(1).min(156)];
    let slash = within.iter().rposition(|byte| *byte == b'/')?;
    let (prefix, name) = (&path[..slash], &path[slash + 1..]);
    (!prefix.is_empty() && name.len() <= 100).then_some((prefix, name))
}

/// The records of a PAX header.
#[derive(Default)]
struct Records(Vec<u8>);

impl Records {
    fn xattr(&mut self, name: &[u8], value: &[u8]) {
        push_record(&mut self.0, &encode_xattr_name(name), value);
    }

    fn number(&mut self, key: &[u8], value: u64) {
        self.text(key, value.to_string().as_bytes());
    }

    fn text(&mut self, key: &[u8], value: &[u8]) {
        push_record(&mut self.0, key, value);
    }

    /// Appends the header with its data, if there are records.
    fn append(self, path: &[u8], headers: &mut Vec<u8>) {
        if self.0.is_empty() {
            return;
        }
        let size = self.0.len() as u64;
        let mut block = Template::new();
        // Only readers without PAX see it, as a file beside theirs.
        let mut name = b"PaxHeaders.0/".to_vec();
        let last = super::path::names(path).next_back().unwrap_or(b"root");
        name.extend_from_slice(&last[..last.len().min(80)]);
        block.text(0..100, &name);
        block.octal(100..108, 0o644);
        for field in [108..116, 116..124, 136..148, 329..337, 337..345] {
            block.octal(field, 0);
        }
        block.octal(124..136, size);
        headers.extend_from_slice(&block.finish(b'x'));
        headers.extend_from_slice(&self.0);
        headers.extend_from_slice(padding(size));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_split_where_both_parts_fit() {
        let part = |length: usize| vec![b'a'; length];
        let path = [part(100), part(80)].join(&b'/');
        assert_eq!(split(&path), Some((&part(100)[..], &part(80)[..])));
        let path = [part(155), part(100)].join(&b'/');
        assert_eq!(split(&path), Some((&part(155)[..], &part(100)[..])));
        let directory = [part(100), b"b/".to_vec()].join(&b'/');
        assert_eq!(split(&directory), Some((&part(100)[..], &b"b/"[..])));
        for path in [
            [part(156), part(3)].join(&b'/'),
            [part(30), part(101)].join(&b'/'),
            [part(0), part(120)].join(&b'/'),
            part(101),
        ] {
            assert_eq!(split(&path), None, "{}", path.len());
        }
    }

    #[test]
    fn padding_fills_a_block() {
        for (size, length) in [(0, 0), (1, 511), (511, 1), (512, 0), (513, 511), (u64::MAX, 1)] {
            assert_eq!(padding(size).len(), length, "{size}");
        }
    }

    #[test]
    fn an_entry_that_cannot_be_written_leaves_nothing() {
        let mut headers = Vec::new();
        let unwritable = [
            Entry::new(Kind::File, ""),
            Entry::new(Kind::File, "a\0b"),
            Entry::new(Kind::SymbolicLink, "a"),
            Entry::link(Kind::File, "a", "b"),
            Entry::link(Kind::HardLink, "a", "b\0c"),
            Entry::new(Kind::Other(b'M'), "a"),
            Entry {
                size: 1,
                ..Entry::new(Kind::Directory, "a")
            },
            Entry {
                size: u64::MAX,
                ..Entry::new(Kind::File, "a")
            },
            Entry {
                major: 1,
                ..Entry::new(Kind::File, "a")
            },
            Entry {
                minor: DEVICE_LIMIT + 1,
                ..Entry::new(Kind::BlockDevice, "a")
            },
            Entry {
                xattrs: [(Vec::new(), b"x".to_vec())].into(),
                ..Entry::new(Kind::File, "a")
            },
            Entry {
                uname: b"a\0b".to_vec(),
                ..Entry::new(Kind::File, "a")
            },
        ];
        for entry in unwritable {
            assert!(encode(&entry, &mut headers).is_err(), "{entry:?}");
        }
        assert_eq!(headers, b"");
    }
}
