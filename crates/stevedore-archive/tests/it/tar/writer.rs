//! Writing archives.

use std::io::{self, Read, Write};

use super::{only, read};
use stevedore_archive::tar::{END, Entry, Error, Kind, Timestamp, Writer, encode, padding};

fn written(entry: &Entry, content: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    writer.append_from(entry, &mut &content[..]).unwrap();
    writer.finish().unwrap()
}

#[test]
fn an_archive_is_ustar_and_ends_with_two_blocks_of_zeros() {
    let mut entry = Entry::file("dir/file", 3);
    entry.mtime = Timestamp::new(1);
    let archive = written(&entry, b"abc");
    assert_eq!(archive.len(), 512 + 512 + 1024);
    let mut expected = super::raw::header("dir/file", 3, b'0');
    expected[108..124].copy_from_slice(b"0000000\x000000000\0");
    expected[136..148].copy_from_slice(b"00000000001\0");
    expected[329..345].copy_from_slice(b"0000000\x000000000\0");
    assert_eq!(archive[..512], super::raw::sealed(expected));
    assert_eq!(&archive[512..515], b"abc");
    assert!(archive[515..].iter().all(|byte| *byte == 0));
    assert_eq!(Writer::new(Vec::new()).finish().unwrap(), [0; 1024]);
}

#[test]
fn pax_headers_are_written_where_ustar_does_not_suffice() {
    let mut entry = Entry::new(Kind::SymbolicLink, "p".repeat(101));
    entry.link = vec![b'l'; 101];
    entry.uid = 0o10_000_000;
    entry.gid = 4_294_967_295;
    entry.uname = vec![b'u'; 32];
    entry.gname = vec![b'g'; 32];
    entry.mtime = Timestamp::new(-1);
    entry.xattrs.insert(b"user.b".to_vec(), b"\n\0".to_vec());
    entry.xattrs.insert(b"user.a=".to_vec(), Vec::new());
    let archive = written(&entry, b"");
    let records = String::from_utf8_lossy(&archive[512..archive.len() - 1536]);
    let keys: Vec<_> = records
        .split('\n')
        .filter_map(|line| line.split_once(' ')?.1.split_once('='))
        .map(|(key, _)| key)
        .collect();
    assert_eq!(
        keys,
        [
            "SCHILY.xattr.user.a%3D",
            "SCHILY.xattr.user.b",
            "gid",
            "gname",
            "linkpath",
            "mtime",
            "path",
            "uid",
            "uname"
        ]
    );
    // Numbers all the same, for readers that know nothing of PAX.
    let header = &archive[archive.len() - 1536..];
    assert_eq!(&header[108..124], b"0000000\x000000000\0");
    assert_eq!(&header[136..148], b"00000000000\0");
    let (read, _) = only(&archive);
    entry.data_offset = archive.len() as u64 - 1024;
    assert_eq!(read, entry);
}

#[test]
fn what_fits_needs_no_pax_header() {
    let mut entry = Entry::new(
        Kind::BlockDevice,
        format!("{}/{}", "p".repeat(155), "n".repeat(100)),
    );
    entry.uid = 0o7_777_777;
    entry.gid = 0o7_777_777;
    entry.mtime = Timestamp::new(0o77_777_777_777);
    entry.uname = vec![b'u'; 31];
    entry.gname = vec![b'g'; 31];
    (entry.major, entry.minor) = (0o7_777_777, 0o7_777_777);
    let mut headers = Vec::new();
    encode(&entry, &mut headers).unwrap();
    assert_eq!(headers.len(), 512);
    let (read, _) = only(&[&headers, END].concat());
    entry.data_offset = 512;
    assert_eq!(read, entry);
}

/// Old readers take one for a directory.
#[test]
fn a_path_that_is_cut_off_does_not_end_with_a_slash() {
    let entry = Entry::file(format!("{}/{}", "a".repeat(99), "b".repeat(120)), 0);
    let archive = written(&entry, b"");
    let name = &archive[archive.len() - 1536..][..100];
    assert_eq!(name, ["a".repeat(99).as_bytes(), b"\0"].concat());
    assert_eq!(only(&archive).0.path, entry.path);
}

#[test]
fn sizes_from_eight_gibibytes_on_are_in_a_pax_header() {
    let mut headers = Vec::new();
    encode(&Entry::file("a", 0o77_777_777_777), &mut headers).unwrap();
    assert_eq!(headers.len(), 512);
    headers.clear();
    encode(&Entry::file("a", 0o100_000_000_000), &mut headers).unwrap();
    assert_eq!(headers.len(), 1536);
    assert!(headers[512..].starts_with(b"19 size=8589934592\n"));
    let mut reader = stevedore_archive::tar::Reader::new(&headers[..]);
    assert_eq!(reader.next_entry().unwrap().unwrap().size, 8_589_934_592);
}

#[test]
fn nothing_but_the_caller_decides_on_times() {
    let mut entry = Entry::file("x".repeat(200), 0);
    entry.mtime = Timestamp::new(77);
    entry.mtime.nanoseconds = 999_999_999;
    let archive = written(&entry, b"");
    assert_eq!(&archive[136..147], b"00000000000");
    assert!(!archive.windows(6).any(|bytes| bytes == b"mtime="));
    assert_eq!(only(&archive).0.mtime, Timestamp::new(77));
    assert_eq!(archive, written(&entry, b""));
}

#[test]
fn content_has_to_be_as_long_as_its_entry_says() {
    let mut writer = Writer::new(Vec::new());
    writer.append(&Entry::file("a\n", 3)).unwrap();
    writer.write_all(b"ab").unwrap();
    let error = writer.append(&Entry::file("b", 0)).unwrap_err();
    assert_eq!(error.to_string(), "the entry \"a\\n\" lacks 1 of its 3 bytes");
    let error = writer.write_all(b"cd").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert_eq!(
        error.to_string(),
        "cannot write the entry \"a\\n\": its content is longer than the 3 bytes of its size"
    );
    writer.write_all(b"c").unwrap();
    writer.write_all(b"").unwrap();
    writer.write_all(b"d").unwrap_err();
    let archive = writer.finish().unwrap();
    assert_eq!(only(&archive).1, b"abc");

    let mut writer = Writer::new(Vec::new());
    writer.append(&Entry::file("a", 3)).unwrap();
    assert!(matches!(
        writer.finish(),
        Err(Error::Incomplete { missing: 3, .. })
    ));

    let mut writer = Writer::new(Vec::new());
    let short = writer.append_from(&Entry::file("a", 3), &mut &b"ab"[..]);
    assert!(matches!(short, Err(Error::Incomplete { missing: 1, .. })));
    let mut writer = Writer::new(Vec::new());
    let long = writer.append_from(&Entry::file("a", 3), &mut b"abc".chain(&b"d"[..]));
    assert!(matches!(long, Err(Error::Unwritable { .. })));
    assert!(matches!(writer.finish(), Err(Error::Spent)));
}

#[test]
fn an_entry_that_cannot_be_written_leaves_the_archive_as_it_was() {
    let mut writer = Writer::new(Vec::new());
    writer.append_from(&Entry::file("a", 1), &mut &b"x"[..]).unwrap();
    writer.append(&Entry::new(Kind::Fifo, "")).unwrap_err();
    writer.append(&Entry::new(Kind::Fifo, "b")).unwrap();
    let archive = writer.finish().unwrap();
    let kinds: Vec<_> = read(&archive)
        .unwrap()
        .iter()
        .map(|(entry, _)| entry.kind)
        .collect();
    assert_eq!(kinds, [Kind::File, Kind::Fifo]);
}

/// An output that takes some bytes, and then none.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let written = bytes.len().min(self.0);
        self.0 -= written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_archive_that_broke_off_in_a_header_is_not_gone_on_with() {
    let mut writer = Writer::new(Full(700));
    writer.append(&Entry::new(Kind::Fifo, "a")).unwrap();
    let error = writer.append(&Entry::new(Kind::Fifo, "b")).unwrap_err();
    assert!(matches!(error, Error::Write { .. }));
    writer.append(&Entry::new(Kind::Fifo, "b")).unwrap_err();
    assert!(matches!(writer.finish(), Err(Error::Spent)));
}

#[test]
fn headers_and_padding_make_the_same_archive_without_a_writer() {
    let entry = Entry::file("a", 5);
    let mut archive = Vec::new();
    encode(&entry, &mut archive).unwrap();
    archive.extend(b"12345");
    archive.extend(padding(5));
    archive.extend(END);
    assert_eq!(archive, written(&entry, b"12345"));
}
