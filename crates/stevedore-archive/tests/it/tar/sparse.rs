//! Sparse files, in each of the four ways to store them.

use std::io::Read;

use super::raw::{Header, Raw, gnu_header, header, sealed, with};
use super::{only, read_limited, refused};
use stevedore_archive::tar::{Error, Reader};

type Records<'a> = &'a [(&'a str, &'a [u8])];

/// A file of 20 bytes with data at 4 and 10.
const EXPANDED: &[u8] = b"\0\0\0\0abcd\0\0efg\0\0\0\0\0\0\0";
const STORED: &[u8] = b"abcdefg";

#[track_caller]
fn is_expanded(archive: &[u8], data_offset: u64) {
    let (entry, content) = only(archive);
    assert_eq!(content, EXPANDED);
    assert_eq!(entry.path, b"sparse");
    assert_eq!(
        (entry.size, entry.stored, entry.data_offset),
        (20, 7, data_offset)
    );
    let segments: Vec<_> = entry
        .sparse
        .unwrap()
        .iter()
        .map(|it| (it.offset, it.length))
        .collect();
    assert_eq!(segments, [(4, 4), (10, 3)]);
    let at = usize::try_from(data_offset).unwrap();
    assert_eq!(&archive[at..at + 7], STORED);
}

fn pairs(block: &mut [u8], pairs: &[(u64, u64)]) {
    for (at, (offset, length)) in pairs.iter().enumerate() {
        let text = format!("{offset:011o}\0{length:011o}\0");
        block[24 * at..24 * at + 24].copy_from_slice(text.as_bytes());
    }
}

fn old(map: &[(u64, u64)], size: u64, stored: usize) -> Header {
    let mut raw = gnu_header("sparse", stored, b'S');
    pairs(&mut raw[386..], map);
    raw[483..495].copy_from_slice(format!("{size:011o}\0").as_bytes());
    sealed(raw)
}

#[test]
fn old_gnu_headers_have_a_map() {
    let archive = Raw::default()
        .block(old(&[(4, 4), (10, 3)], 20, 7))
        .data(STORED)
        .end();
    is_expanded(&archive, 512);
    let archive = Raw::default()
        .block(old(&[(4, 4), (10, 3), (20, 0)], 20, 7))
        .data(STORED)
        .end();
    is_expanded(&archive, 512);
}

#[test]
fn maps_of_old_gnu_headers_go_on_in_blocks_of_their_own() {
    let map: Vec<(u64, u64)> = (0..50).map(|at| (2 * at, 1)).collect();
    let mut first = old(&map[..4], 200, 50);
    first[482] = 1;
    let mut archive = Raw::default().block(sealed(first));
    for (part, more) in [(4..25, 1), (25..46, 1), (46..50, 0)] {
        let mut block = [0; 512];
        pairs(&mut block, &map[part]);
        block[504] = more;
        archive = archive.block(block);
    }
    let archive = archive.data(&[b'x'; 50]).file("next", b"").end();
    let items = super::read(&archive).unwrap();
    let (entry, content) = &items[0];
    assert_eq!(entry.data_offset, 4 * 512);
    assert_eq!(content[..100], b"x\0".repeat(50));
    assert_eq!(content[100..], [0; 100]);
    assert_eq!(items[1].0.path, b"next");
    let limited = read_limited(&archive, |limits| limits.segments = 49);
    assert!(matches!(limited, Err(Error::Limit { .. })));
    read_limited(&archive, |limits| limits.segments = 50).unwrap();
    let cut = refused(&archive[..1536]);
    assert!(cut.ends_with("before the end of its sparse map"), "{cut}");
}

#[test]
fn pax_0_0_has_a_record_for_each_number() {
    let archive = Raw::default()
        .pax(
            b'x',
            &[
                ("GNU.sparse.size", b"20"),
                ("GNU.sparse.numblocks", b"3"),
                ("GNU.sparse.offset", b"4"),
                ("GNU.sparse.numbytes", b"4"),
                ("GNU.sparse.offset", b"10"),
                ("GNU.sparse.numbytes", b"3"),
                ("GNU.sparse.offset", b"20"),
                ("GNU.sparse.numbytes", b"0"),
            ],
        )
        .file("sparse", STORED)
        .end();
    is_expanded(&archive, 1536);
}

#[test]
fn pax_0_1_has_a_record_for_all_numbers() {
    let archive = Raw::default()
        .pax(
            b'x',
            &[
                ("path", b"GNUSparseFile.1/sparse"),
                ("GNU.sparse.size", b"20"),
                ("GNU.sparse.numblocks", b"2"),
                ("GNU.sparse.name", b"sparse"),
                ("GNU.sparse.map", b"4,4,10,3"),
            ],
        )
        .file("GNUSparseFile.1/sparse", STORED)
        .end();
    is_expanded(&archive, 1536);
}

fn with_map(map: &[u8]) -> Vec<u8> {
    let mut data = map.to_vec();
    data.resize(data.len().next_multiple_of(512), 0);
    data.extend(STORED);
    Raw::default()
        .pax(
            b'x',
            &[
                ("GNU.sparse.major", b"1"),
                ("GNU.sparse.minor", b"0"),
                ("GNU.sparse.name", b"sparse"),
                ("GNU.sparse.realsize", b"20"),
            ],
        )
        .file("GNUSparseFile.1/sparse", &data)
        .end()
}

#[test]
fn pax_1_0_has_the_map_in_the_data() {
    is_expanded(&with_map(b"2\n4\n4\n10\n3\n"), 2048);
    is_expanded(&with_map(b"3\n4\n4\n10\n3\n20\n0\n"), 2048);
    // Numbers go over the edge of a block.
    let zeros = format!("{}\n", "0".repeat(19)).repeat(2 * 13);
    let map = format!("15\n{zeros}4\n4\n10\n3\n");
    is_expanded(&with_map(map.as_bytes()), 2560);
}

#[test]
fn a_map_in_the_data_that_is_none_is_refused() {
    for (map, fault) in [
        (&b"2\n4\n4\n10\n3\nx"[..], "has something behind its end"),
        (b"2\n4\n4\n10\n", "is not made of numbers"),
        (b"2\n4\n4\n-1\n3\n", "is not made of numbers"),
        (b"\n", "is not made of numbers"),
        (b"000000000000000000001\n", "is not made of numbers"),
        (b"99999999\n", "segments of sparse files: more than the 262144"),
        (b"2\n4\n4\n10\n4\n", "has 8 bytes, the archive 7"),
        (b"2\n10\n4\n4\n3\n", "goes backwards"),
        (b"2\n4\n4\n18\n3\n", "of 20 bytes goes on to byte 21"),
    ] {
        let error = refused(&with_map(map));
        assert!(error.contains(fault), "{map:?}: {error}");
        assert!(error.starts_with("entry \"sparse\" at byte 0: "), "{error}");
    }
    // All the data is a map that has no end.
    let endless = with_map(format!("200\n{}", "0\n".repeat(254)).as_bytes());
    assert!(refused(&endless).contains("does not end in its data"));
}

#[test]
fn records_that_contradict_each_other_are_refused() {
    let cases: &[(Records<'_>, &str)] = &[
        (&[("map", b"4,4,10,3")], "has no size"),
        (&[("size", b"20"), ("realsize", b"21")], "has two sizes"),
        (
            &[("size", b"20"), ("map", b"4,4,10")],
            "an offset without a length",
        ),
        (
            &[("size", b"20"), ("map", b"4,4,10,3,")],
            "an offset without a length",
        ),
        (&[("size", b"20"), ("map", b"4,4,10, 3")], "is \" 3\""),
        (&[("size", b"20"), ("offset", b"4")], "an offset without a length"),
        (
            &[("size", b"20"), ("numbytes", b"4")],
            "a length without an offset",
        ),
        (
            &[("size", b"20"), ("offset", b"4"), ("offset", b"4")],
            "two offsets in a row",
        ),
        (
            &[("size", b"20"), ("numblocks", b"1"), ("map", b"4,4,10,3")],
            "another number of segments",
        ),
        (
            &[("size", b"20"), ("map", b"4,4,10,3"), ("map", b"4,4,10,3")],
            "two maps",
        ),
        (
            &[
                ("size", b"20"),
                ("major", b"1"),
                ("minor", b"0"),
                ("map", b"4,4,10,3"),
            ],
            "one in its data",
        ),
        (&[("size", b"20"), ("major", b"1"), ("minor", b"1")], "not known"),
        (&[("size", b"20"), ("major", b"2"), ("minor", b"0")], "not known"),
        (&[("size", b"20"), ("major", b"1")], "not known"),
        (&[("size", b"20"), ("colour", b"red")], "\"colour\" is not known"),
        (&[("size", b"20"), ("name", b"")], "\"name\" is \"\""),
        (&[("size", b"20"), ("map", b"")], "has 0 bytes, the archive 7"),
    ];
    for (records, fault) in cases {
        let keys: Vec<_> = records
            .iter()
            .map(|(key, value)| (format!("GNU.sparse.{key}"), *value))
            .collect();
        let records: Vec<_> = keys.iter().map(|(key, value)| (key.as_str(), *value)).collect();
        let archive = Raw::default().pax(b'x', &records).file("a", STORED).end();
        let error = refused(&archive);
        assert!(error.contains(fault), "{records:?}: {error}");
    }
}

#[test]
fn old_maps_that_contradict_themselves_are_refused() {
    let refused = |raw: Header| refused(&Raw::default().block(raw).data(STORED).end());
    let good = old(&[(4, 4), (10, 3)], 20, 7);
    assert!(refused(with(good, 386 + 48, b"00000000011\0")).contains("half an entry"));
    assert!(refused(with(good, 386 + 72, b"00000000024\x0000000000000\0")).contains("behind its end"));
    assert!(refused(with(good, 482, &[1])).contains("behind its end"));
    assert!(refused(with(good, 483, b"00000000011\0")).contains("goes on to byte 13"));
    assert!(refused(with(good, 124, b"00000000006\0")).contains("the archive 6"));
    assert!(refused(with(good, 257, b"ustar\x0000")).contains("in a header that is not GNU tar's"));
}

#[test]
fn only_regular_files_are_sparse() {
    for archive in [
        Raw::default()
            .pax(b'x', &[("GNU.sparse.size", b"20")])
            .block(header("a", 0, b'5'))
            .end(),
        Raw::default()
            .pax(b'x', &[("GNU.sparse.size", b"20")])
            .block(old(&[(4, 4), (10, 3)], 20, 7))
            .data(STORED)
            .end(),
    ] {
        assert!(refused(&archive).contains("it is no regular file"));
    }
}

#[test]
fn holes_can_be_stepped_over_one_by_one() {
    let archive = Raw::default()
        .block(old(&[(4, 4), (10, 3)], 20, 7))
        .data(STORED)
        .end();
    let mut reader = Reader::new(&archive[..]);
    let mut member = reader.next_entry().unwrap().unwrap();
    let mut parts = Vec::new();
    loop {
        let hole = member.skip_hole();
        let mut data = [0; 100];
        let read = member.read(&mut data).unwrap();
        if read == 0 {
            parts.push((hole, Vec::new()));
            break;
        }
        parts.push((hole, data[..read].to_vec()));
    }
    assert_eq!(
        parts,
        [(4, b"abcd".to_vec()), (2, b"efg".to_vec()), (7, Vec::new())]
    );
}
