//! What holds for all archives.

use std::io::{self, Cursor, Read, Write};

use proptest::prelude::*;

use super::raw::{Raw, gnu_header, header, sealed};
use super::{Item, read};
use stevedore_archive::tar::{Entry, Input, Kind, Limits, Reader, Seekable, Stream, Timestamp, Writer};

/// An input that gives a few bytes at a time.
struct Chunked<'a>(&'a [u8], Vec<usize>);

impl Read for Chunked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = self.1[0].min(buffer.len());
        self.1.rotate_left(1);
        if wanted == 0 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        self.0.read(&mut buffer[..wanted])
    }
}

fn bytes(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(1..=255_u8, length)
}

fn path() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        bytes(1..60),
        bytes(90..300),
        prop::collection::vec("[a-z]{1,30}", 1..12).prop_map(|names| names.join("/").into_bytes()),
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(vec![
        Kind::File,
        Kind::File,
        Kind::HardLink,
        Kind::SymbolicLink,
        Kind::CharacterDevice,
        Kind::BlockDevice,
        Kind::Directory,
        Kind::Fifo,
    ])
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..70_000_u64, 2_097_000..2_097_300_u64, any::<u64>()]
}

fn time() -> impl Strategy<Value = i64> {
    prop_oneof![
        -5..5_i64,
        0o77_777_777_770..0o100_000_000_010_i64,
        any::<i64>(),
        Just(i64::MIN)
    ]
}

prop_compose! {
    fn item()(
        kind in kind(),
        path in path(),
        link in path(),
        content in prop::collection::vec(any::<u8>(), 0..1500),
        mode in 0..0o10000_u32,
        (uid, gid, seconds) in (number(), number(), time()),
        (uname, gname) in (bytes(0..40), bytes(0..40)),
        (major, minor) in (0..=0o7_777_777_u32, 0..=0o7_777_777_u32),
        xattrs in prop::collection::btree_map(bytes(1..20), prop::collection::vec(any::<u8>(), 0..60), 0..3),
    ) -> Item {
        let mut entry = Entry::new(kind, path);
        if matches!(kind, Kind::HardLink | Kind::SymbolicLink) {
            entry.link = link;
        }
        if matches!(kind, Kind::CharacterDevice | Kind::BlockDevice) {
            (entry.major, entry.minor) = (major, minor);
        }
        let content = if kind == Kind::File { content } else { Vec::new() };
        entry.size = content.len() as u64;
        (entry.mode, entry.uid, entry.gid) = (mode, uid, gid);
        entry.mtime = Timestamp::new(seconds);
        (entry.uname, entry.gname, entry.xattrs) = (uname, gname, xattrs);
        (entry, content)
    }
}

/// Everything that a reader gives until it ends, or until an error, as text.
fn outcome<I: Input>(input: I, length: usize) -> (Vec<Item>, Option<String>) {
    let mut limits = Limits::default();
    limits.holes = 100_000;
    let mut reader = Reader::with_limits(input, limits);
    let mut items = Vec::new();
    let error = loop {
        let mut member = match reader.next_entry() {
            Ok(Some(member)) => member,
            Ok(None) => break None,
            Err(error) => break Some(error.to_string()),
        };
        let mut content = Vec::new();
        if let Err(error) = member.read_to_end(&mut content) {
            break Some(error.to_string());
        }
        items.push((member.entry().clone(), content));
    };
    assert!(reader.position() <= length as u64);
    (items, error)
}

/// The entries that a reader gives to whoever reads no content.
fn entries<I: Input>(input: I) -> Vec<Entry> {
    let mut reader = Reader::with_limits(input, Limits::default());
    let mut entries = Vec::new();
    while let Ok(Some(member)) = reader.next_entry() {
        entries.push(member.entry().clone());
    }
    entries
}

/// However an archive is read, it is the same.
fn check(archive: &[u8], chunks: Vec<usize>) -> Result<(), TestCaseError> {
    let (items, error) = outcome(Stream::new(archive), archive.len());
    prop_assert_eq!(
        &outcome(Stream::new(Chunked(archive, chunks)), archive.len()),
        &(items.clone(), error.clone())
    );
    prop_assert_eq!(
        &outcome(Seekable::new(Cursor::new(archive)), archive.len()),
        &(items.clone(), error)
    );
    let listed = entries(Stream::new(archive));
    prop_assert_eq!(&entries(Seekable::new(Cursor::new(archive))), &listed);
    prop_assert!(listed.len() >= items.len());
    for ((entry, content), listed) in items.iter().zip(&listed) {
        prop_assert_eq!(entry, listed);
        let start = usize::try_from(entry.data_offset).unwrap();
        let mut stored = &archive[start..start + usize::try_from(entry.stored).unwrap()];
        let Some(segments) = &entry.sparse else {
            prop_assert_eq!(content, stored);
            continue;
        };
        let mut expanded = vec![0; content.len()];
        for segment in segments {
            let (offset, length) = (
                usize::try_from(segment.offset).unwrap(),
                usize::try_from(segment.length).unwrap(),
            );
            expanded[offset..offset + length].copy_from_slice(&stored[..length]);
            stored = &stored[length..];
        }
        prop_assert_eq!(content, &expanded);
    }
    Ok(())
}

/// An archive with every kind of header, for mutations to begin with.
fn rich() -> Vec<u8> {
    let mut sparse = gnu_header("old", 3, b'S');
    sparse[386..410].copy_from_slice(b"00000000001\x0000000000003\0");
    sparse[483..495].copy_from_slice(b"00000000012\0");
    let mut map = b"1\n4\n3\n".to_vec();
    map.resize(512, 0);
    map.extend(b"abc");
    Raw::default()
        .file("a", b"content")
        .pax(b'g', &[("uid", b"5"), ("gname", b"all")])
        .pax(
            b'x',
            &[
                ("path", b"long/name"),
                ("mtime", b"1.5"),
                ("size", b"700"),
                ("SCHILY.xattr.user.a", b"v"),
            ],
        )
        .file("short", &[b'x'; 700])
        .long(b'L', "gnu/name")
        .long(b'K', "gnu/link")
        .block(gnu_header("short", 0, b'2'))
        .block(sealed(sparse))
        .data(b"abc")
        .pax(
            b'x',
            &[
                ("GNU.sparse.major", b"1"),
                ("GNU.sparse.minor", b"0"),
                ("GNU.sparse.realsize", b"9"),
            ],
        )
        .file("new", &map)
        .pax(b'x', &[("GNU.sparse.size", b"9"), ("GNU.sparse.map", b"0,2,5,1")])
        .file("middle", b"abc")
        .block(header("dir/", 0, b'5'))
        .end()
}

/// Mends the checksums of what was a header, so that mutations get behind them.
fn mend(archive: &mut [u8]) {
    for block in archive.chunks_exact_mut(512) {
        let block: &mut [u8; 512] = block.try_into().unwrap();
        if block[257..262] == *b"ustar" {
            *block = sealed(*block);
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(items in prop::collection::vec(item(), 0..6)) {
        let mut writer = Writer::new(Vec::new());
        for (entry, content) in &items {
            writer.append(entry).unwrap();
            writer.write_all(content).unwrap();
        }
        let archive = writer.finish().unwrap();
        let mut again = read(&archive).unwrap();
        for (entry, _) in &mut again {
            (entry.offset, entry.data_offset, entry.stored) = (0, 0, 0);
        }
        prop_assert_eq!(again, items);
    }

    #[test]
    fn a_changed_archive_is_read_or_refused_the_same_way_by_any_input(
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop_oneof![any::<u8>(), b'0'..=b'9', Just(0)]), 0..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
        chunks in prop::collection::vec(prop_oneof![0..5_usize, 500..520_usize, 0..70_000_usize], 1..8)
            .prop_filter("some bytes", |chunks| chunks.iter().any(|chunk| *chunk > 0)),
    ) {
        let mut archive = rich();
        for (at, byte) in changes {
            let at = at.index(archive.len());
            archive[at] = byte;
        }
        mend(&mut archive);
        if let Some(cut) = cut {
            archive.truncate(cut.index(archive.len()));
        }
        check(&archive, chunks)?;
    }

    #[test]
    fn any_bytes_are_read_or_refused(
        mut archive in prop::collection::vec(any::<u8>(), 0..3000),
        is_header in any::<bool>(),
    ) {
        if is_header && archive.len() >= 512 {
            archive[257..265].copy_from_slice(b"ustar\x0000");
            mend(&mut archive);
        }
        check(&archive, vec![7])?;
    }
}

#[test]
fn an_archive_is_copied_entry_by_entry() {
    let archive = rich();
    let mut reader = Reader::new(&archive[..]);
    let mut writer = Writer::new(Vec::new());
    while let Some(mut member) = reader.next_entry().unwrap() {
        let entry = member.entry().clone();
        writer.append_from(&entry, &mut member).unwrap();
    }
    let copied = writer.finish().unwrap();
    let (before, after) = (read(&archive).unwrap(), read(&copied).unwrap());
    assert_eq!(before.len(), after.len());
    for ((mut entry, content), (copy, same)) in before.into_iter().zip(after) {
        assert_eq!(content, same);
        // What the copy does not keep: fractions of seconds, holes, and places.
        entry.mtime.nanoseconds = 0;
        entry.sparse = None;
        (entry.offset, entry.data_offset, entry.stored) = (copy.offset, copy.data_offset, copy.stored);
        assert_eq!(entry, copy);
    }
}

#[test]
fn the_rich_archive_is_whole() {
    let archive = rich();
    assert_eq!(read(&archive).unwrap().len(), 7);
    check(&archive, vec![1]).unwrap();
}
