//! Archives that ask for too much.

use std::io::Read;

use super::raw::{Raw, header};
use super::{Item, read_limited};
use stevedore_archive::tar::{Error, Index, Indexed, Limits, Stream};

#[track_caller]
fn is_limit(result: Result<Vec<Item>, Error>, text: &str) {
    match result {
        Err(error @ Error::Limit { .. }) => {
            let shown = error.to_string();
            assert!(shown.contains(text), "{shown}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn extensions_are_bounded() {
    let archive = |length| {
        Raw::default()
            .pax(b'x', &[("comment", &vec![b'a'; length])])
            .file("a", b"")
            .end()
    };
    read_limited(&archive(1000), |limits| limits.extension = 1014).unwrap();
    is_limit(
        read_limited(&archive(1001), |limits| limits.extension = 1014),
        "entry \"extension\" at byte 0: bytes of an extended header: more than the 1014 that are allowed",
    );
    // Before anything of it is read, or kept.
    for flag in [b'x', b'g', b'L', b'K'] {
        let archive = Raw::default()
            .block(header("extension", 0o77_777_777_777, flag))
            .0;
        is_limit(read_limited(&archive, |_| {}), "more than the 1048576");
    }
}

#[test]
fn paths_and_links_are_bounded() {
    let named = |name: &str| Raw::default().long(b'L', name).file("a", b"").end();
    read_limited(&named(&"a".repeat(200)), |limits| limits.path = 200).unwrap();
    is_limit(
        read_limited(&named(&"a".repeat(201)), |limits| limits.path = 200),
        "bytes of a path: more than the 200",
    );
    read_limited(&named("a//b/c/"), |limits| limits.depth = 3).unwrap();
    is_limit(
        read_limited(&named("a/b/c/d"), |limits| limits.depth = 3),
        "names in a path: more than the 3",
    );
    let linked = Raw::default()
        .long(b'K', &"l".repeat(201))
        .block(header("a", 0, b'2'))
        .end();
    is_limit(
        read_limited(&linked, |limits| limits.path = 200),
        "bytes of the target of a link: more than the 200",
    );
}

#[test]
fn extended_attributes_are_bounded() {
    let records: &[(&str, &[u8])] = &[
        ("SCHILY.xattr.user.a", b""),
        ("SCHILY.xattr.user.a", b"b"),
        ("SCHILY.xattr.user.b", b""),
    ];
    let archive = Raw::default().pax(b'x', records).file("a", b"").end();
    let (entry, _) = &read_limited(&archive, |limits| limits.xattrs = 2).unwrap()[0];
    assert_eq!(entry.xattrs.len(), 2);
    is_limit(
        read_limited(&archive, |limits| limits.xattrs = 1),
        "entry \"extension\" at byte 0: extended attributes: more than the 1",
    );
}

/// Each entry behind a global header has a copy of it.
#[test]
fn names_of_owners_are_bounded() {
    for flag in [b'x', b'g'] {
        let archive = Raw::default()
            .pax(flag, &[("uname", &[b'u'; 201])])
            .file("a", b"")
            .end();
        read_limited(&archive, |limits| limits.path = 201).unwrap();
        is_limit(
            read_limited(&archive, |limits| limits.path = 200),
            "bytes of a name in a PAX header: more than the 200",
        );
    }
}

#[test]
fn headers_of_every_kind_count() {
    let archive = Raw::default()
        .pax(b'g', &[("comment", b"")])
        .pax(b'x', &[("comment", b"")])
        .long(b'L', "a")
        .file("a", b"")
        .end();
    read_limited(&archive, |limits| limits.headers = 4).unwrap();
    is_limit(
        read_limited(&archive, |limits| limits.headers = 3),
        "headers: more than the 3",
    );
}

fn hole(size: &str) -> Raw {
    Raw::default()
        .pax(
            b'x',
            &[
                ("GNU.sparse.size", size.as_bytes()),
                ("GNU.sparse.numblocks", b"0"),
            ],
        )
        .file("hole", b"")
}

#[test]
fn holes_that_are_read_are_bounded_over_the_whole_archive() {
    let mut two = hole("10000");
    two.0.extend(hole("10000").0);
    let archive = two.end();
    read_limited(&archive, |limits| limits.holes = 20_000).unwrap();
    is_limit(
        read_limited(&archive, |limits| limits.holes = 19_999),
        "entry \"hole\" at byte 1536: bytes of holes that were read: more than the 19999",
    );
}

#[test]
fn holes_that_are_not_read_cost_nothing() {
    let archive = hole("9000000000000000000").file("b", b"x").end();
    let mut reader = stevedore_archive::tar::Reader::new(&archive[..]);
    let mut member = reader.next_entry().unwrap().unwrap();
    assert_eq!(member.size, 9_000_000_000_000_000_000);
    assert_eq!(member.skip_hole(), 9_000_000_000_000_000_000);
    assert_eq!(member.skip_hole(), 0);
    assert_eq!(member.read(&mut [0; 8]).unwrap(), 0);
    let mut member = reader.next_entry().unwrap().unwrap();
    let mut content = Vec::new();
    member.read_to_end(&mut content).unwrap();
    assert_eq!(content, b"x");
}

#[test]
fn an_index_is_bounded() {
    let archive = Raw::default().file("./abc", b"").file("de", b"").end();
    let read = |index| {
        let mut limits = Limits::default();
        limits.index = index;
        Index::read(Stream::new(&archive[..]), limits)
    };
    // Paths, and what is kept of each entry besides.
    let besides = size_of::<(Vec<u8>, Indexed)>();
    read(2 * besides + 5).unwrap();
    assert!(matches!(read(2 * besides + 4), Err(Error::Limit { .. })));
}

#[test]
fn the_sparse_maps_of_an_index_are_bounded_together() {
    let records: &[(&str, &[u8])] = &[("GNU.sparse.size", b"20"), ("GNU.sparse.map", b"4,1,8,2")];
    let sparse = Raw::default().pax(b'x', records).file("a", b"abc");
    let archive = sparse.pax(b'x', records).file("b", b"abc").end();
    let read = |segments| {
        let mut limits = Limits::default();
        limits.segments = segments;
        Index::read(Stream::new(&archive[..]), limits)
    };
    read(4).unwrap();
    assert!(matches!(read(3), Err(Error::Limit { .. })));
}
