//! What archives are read from.

use std::fs::File;
use std::io::{self, BufRead, Cursor, Read, Seek, SeekFrom, Write};

use super::raw::{Raw, header};
use super::read_all;
use stevedore_archive::tar::{Error, Input, Limits, Reader, Seekable};

/// A file that counts the bytes that are read of it.
struct Counted<R>(R, u64);

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(buffer)?;
        self.1 += read as u64;
        Ok(read)
    }
}

impl<R: Seek> Seek for Counted<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn content_that_nobody_reads_is_seeked_over() {
    let large = vec![b'x'; 3_000_000];
    let archive = Raw::default()
        .file("a", &large)
        .file("b", &large)
        .file("c", b"y")
        .end();
    let mut reader = Reader::seekable(Counted(Cursor::new(&archive), 0));
    let mut paths = Vec::new();
    while let Some(member) = reader.next_entry().unwrap() {
        paths.push((member.path.clone(), member.offset));
    }
    assert_eq!(paths.len(), 3);
    assert_eq!(paths[2], (b"c".to_vec(), 2 * 3_000_832));
    let read = reader.into_inner().into_inner().1;
    assert!(read < 100_000, "{read} bytes were read");
}

#[test]
fn a_file_that_ends_before_its_data_is_truncated_also_when_it_is_seeked_over() {
    let mut file = tempfile::tempfile().unwrap();
    let archive = Raw::default()
        .file("a", b"x")
        .block(header("b", 1_000_000, b'0'))
        .0;
    file.write_all(&archive).unwrap();
    for length in [archive.len() as u64, 500_000, 1_000_000, 1_001_535, 1_001_983] {
        file.set_len(length).unwrap();
        file.rewind().unwrap();
        let mut reader = Reader::seekable(&file);
        reader.next_entry().unwrap().unwrap();
        reader.next_entry().unwrap().unwrap();
        match reader.next_entry() {
            Err(Error::Truncated { place, .. }) => assert_eq!(place.path, b"b"),
            other => panic!("{length}: {other:?}"),
        }
    }
    file.set_len(1_001_984).unwrap();
    file.rewind().unwrap();
    assert_eq!(read_all(Reader::seekable(&file)).unwrap().len(), 2);
}

/// The file system refuses to seek that far; the answer is the same as for a little too far.
#[test]
fn a_size_beyond_the_file_system_is_truncated() {
    let mut file = tempfile::tempfile().unwrap();
    let archive = Raw::default()
        .pax(b'x', &[("size", b"9223372036854770000")])
        .block(header("b", 0, b'0'))
        .data(b"x")
        .0;
    file.write_all(&archive).unwrap();
    file.rewind().unwrap();
    let mut reader = Reader::seekable(&file);
    reader.next_entry().unwrap().unwrap();
    assert!(matches!(reader.next_entry(), Err(Error::Truncated { .. })));
}

#[test]
fn offsets_are_those_of_the_file() {
    let mut file = tempfile::tempfile().unwrap();
    let archive = Raw::default()
        .file("a", b"one")
        .pax(b'x', &[("path", b"renamed")])
        .file("b", b"two")
        .end();
    file.write_all(&archive).unwrap();
    file.rewind().unwrap();
    let items = read_all(Reader::seekable(&file)).unwrap();
    for (entry, content) in items {
        let mut found = vec![0; content.len()];
        read_at(&file, entry.data_offset, &mut found);
        assert_eq!(found, content);
    }
}

fn read_at(mut file: &File, offset: u64, buffer: &mut [u8]) {
    file.seek(SeekFrom::Start(offset)).unwrap();
    file.read_exact(buffer).unwrap();
}

struct Failing(&'static [u8]);

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::other("the digest does not match")),
            read => Ok(read),
        }
    }
}

#[test]
fn an_error_of_the_input_is_kept_as_the_cause() {
    let archive: &'static [u8] = Raw::default().file("a", b"x").0.leak();
    let mut reader = Reader::new(Failing(archive));
    let mut member = reader.next_entry().unwrap().unwrap();
    let mut content = Vec::new();
    member.read_to_end(&mut content).unwrap();
    let error = reader.next_entry().unwrap_err();
    assert_eq!(error.to_string(), "cannot read the archive at byte 1024");
    let cause = std::error::Error::source(&error).unwrap();
    assert_eq!(cause.to_string(), "the digest does not match");
    assert!(matches!(reader.next_entry(), Err(Error::Spent)));
}

#[test]
fn an_entry_cut_off_while_it_is_read_is_an_error() {
    let archive = Raw::default().file("a", &[b'x'; 2000]).0;
    let mut reader = Reader::new(&archive[..1000]);
    let mut member = reader.next_entry().unwrap().unwrap();
    let error = member.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    assert_eq!(
        error.to_string(),
        "entry \"a\" at byte 0: the archive ends at byte 1000, before the end of its data"
    );
    assert!(matches!(reader.next_entry(), Err(Error::Truncated { .. })));
}

#[test]
fn content_is_lent_from_the_buffer() {
    let archive = Raw::default().file("a", b"one\ntwo\n").file("b", b"three").end();
    let mut reader = Reader::new(&archive[..]);
    let member = reader.next_entry().unwrap().unwrap();
    let lines: Vec<_> = member.lines().collect::<Result<_, _>>().unwrap();
    assert_eq!(lines, ["one", "two"]);
    let mut member = reader.next_entry().unwrap().unwrap();
    assert_eq!(member.fill_buf().unwrap(), b"three");
    member.consume(2);
    assert_eq!(member.fill_buf().unwrap(), b"ree");
    assert!(reader.next_entry().unwrap().is_none());
}

/// Says that it skipped more than it was told.
struct Liar(&'static [u8], u64);

impl Read for Liar {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Input for Liar {
    fn skip(&mut self, bytes: u64) -> io::Result<u64> {
        Ok(bytes + self.1)
    }
}

#[test]
fn an_input_that_skips_too_much_is_not_believed() {
    let archive: &'static [u8] = Raw::default()
        .file("a", &vec![b'x'; 200_000])
        .file("b", b"")
        .0
        .leak();
    let mut reader = Reader::with_limits(Liar(archive, 1), Limits::default());
    reader.next_entry().unwrap().unwrap();
    assert!(matches!(reader.next_entry(), Err(Error::Read { .. })));
}

#[test]
fn seeking_begins_where_the_file_stands() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"before").unwrap();
    file.write_all(&Raw::default().file("a", b"x").end()).unwrap();
    file.seek(SeekFrom::Start(6)).unwrap();
    let items = read_all(Reader::with_limits(Seekable::new(&file), Limits::default())).unwrap();
    assert_eq!(items[0].0.data_offset, 512);
}
