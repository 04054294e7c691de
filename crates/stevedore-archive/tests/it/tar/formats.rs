//! The forms of headers.

use std::io::Read;

use super::raw::{Raw, gnu_header, header, v7_header, with};
use super::{only, read};
use stevedore_archive::tar::{Error, Kind, Reader, Timestamp};

#[test]
fn a_ustar_header_has_everything() {
    let mut raw = header("b", 0, b'3');
    // Some writers have the type of the file there, too.
    raw[100..108].copy_from_slice(b"0020644\0");
    raw[265..269].copy_from_slice(b"user");
    raw[297..302].copy_from_slice(b"group");
    raw[329..337].copy_from_slice(b"0000010\0");
    raw[337..345].copy_from_slice(b"0000377\0");
    let archive = Raw::default().block(with(raw, 345, b"some/dir")).end();
    let (entry, _) = only(&archive);
    assert_eq!(entry.path, b"some/dir/b");
    assert_eq!(entry.kind, Kind::CharacterDevice);
    assert_eq!((entry.major, entry.minor), (8, 255));
    assert_eq!((entry.uid, entry.gid, entry.mode), (1000, 1001, 0o644));
    assert_eq!(
        (&entry.uname[..], &entry.gname[..]),
        (&b"user"[..], &b"group"[..])
    );
    assert_eq!(entry.mtime, Timestamp::new(9));
    assert_eq!((entry.offset, entry.data_offset), (0, 512));
}

#[test]
fn fields_may_be_full() {
    let name = "n".repeat(100);
    let link = [b'l'; 100];
    let mut raw = with(header(&name, 0, b'2'), 157, &link);
    raw[345..500].fill(b'p');
    let archive = Raw::default().block(with(raw, 265, &[b'u'; 32])).end();
    let (entry, _) = only(&archive);
    assert_eq!(entry.path.len(), 256);
    assert_eq!(entry.link, link);
    assert_eq!(entry.uname, [b'u'; 32]);
}

#[test]
fn every_type_has_its_kind() {
    for (flag, kind) in [
        (0, Kind::File),
        (b'0', Kind::File),
        (b'1', Kind::HardLink),
        (b'2', Kind::SymbolicLink),
        (b'3', Kind::CharacterDevice),
        (b'4', Kind::BlockDevice),
        (b'5', Kind::Directory),
        (b'6', Kind::Fifo),
        (b'7', Kind::File),
    ] {
        let (entry, _) = only(&Raw::default().block(header("a", 0, flag)).end());
        assert_eq!(entry.kind, kind, "{flag}");
    }
}

#[test]
fn old_directories_are_known_by_their_slash() {
    for raw in [
        v7_header("a/", 0, 0),
        v7_header("a/", 0, b'0'),
        header("a/", 0, 0),
    ] {
        let (entry, _) = only(&Raw::default().block(raw).end());
        assert_eq!((entry.kind, &entry.path[..]), (Kind::Directory, &b"a/"[..]));
    }
    // As Go and Python read it.
    let (entry, _) = only(&Raw::default().block(header("a/", 0, b'0')).end());
    assert_eq!(entry.kind, Kind::File);
}

#[test]
fn v7_has_no_names_and_no_prefix() {
    let mut raw = v7_header("a", 0, 0);
    raw[265..269].copy_from_slice(b"user");
    let (entry, _) = only(&Raw::default().block(with(raw, 345, b"prefix")).end());
    assert_eq!(entry.path, b"a");
    assert_eq!(entry.uname, b"");
}

#[test]
fn gnu_has_times_where_ustar_has_a_prefix() {
    let raw = with(gnu_header("a", 0, b'0'), 345, b"14000000000\0");
    let (entry, _) = only(&Raw::default().block(raw).end());
    assert_eq!(entry.path, b"a");
}

#[test]
fn star_has_a_shorter_prefix() {
    let mut raw = header("a", 0, b'0');
    raw[345..476].fill(b'p');
    raw[476..488].copy_from_slice(b"14000000000 ");
    let (entry, _) = only(&Raw::default().block(with(raw, 508, b"tar\0")).end());
    assert_eq!(entry.path.len(), 133);
}

#[test]
fn gnu_headers_give_long_names_and_links() {
    let (path, link) = ("p/".repeat(200), "l/".repeat(300));
    let archive = Raw::default()
        .long(b'K', &link)
        .long(b'L', &path)
        .block(gnu_header("short", 0, b'2'))
        .file("next", b"")
        .end();
    let items = read(&archive).unwrap();
    assert_eq!(items[0].0.path, path.as_bytes());
    assert_eq!(items[0].0.link, link.as_bytes());
    assert_eq!((items[0].0.offset, items[0].0.data_offset), (0, 3072));
    assert_eq!(items[1].0.path, b"next");
    assert_eq!(items[1].0.offset, 3072);
}

#[test]
fn numbers_beyond_octal_are_binary() {
    let mut raw = gnu_header("a", 0, b'0');
    raw[108..116].copy_from_slice(&[0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xfe]);
    raw[136..148].copy_from_slice(&[
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfb,
    ]);
    raw[124..136].copy_from_slice(&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
    let archive = Raw::default().block(super::raw::sealed(raw)).data(b"ab").end();
    let (entry, content) = only(&archive);
    assert_eq!(entry.uid, 4_294_967_294);
    assert_eq!(entry.mtime, Timestamp::new(-5));
    assert_eq!(content, b"ab");
}

#[test]
fn a_pax_header_replaces_what_the_entry_says() {
    let records: &[(&str, &[u8])] = &[
        ("path", "ü/long".as_bytes()),
        ("linkpath", b"to"),
        ("uid", b"4294967295"),
        ("gid", b"5000000"),
        ("uname", b"someone"),
        ("gname", b"some"),
        ("mtime", b"-1.25"),
        ("SCHILY.xattr.user.a%3Db%25", b"\0\n=\xff"),
        ("SCHILY.xattr.security.capability", b"\x01\0\0\x02"),
        ("SCHILY.xattr.user.empty", b""),
    ];
    for flag in [b'x', b'X'] {
        let archive = Raw::default()
            .pax(flag, records)
            .block(header("short", 0, b'2'))
            .file("next", b"")
            .end();
        let items = read(&archive).unwrap();
        let entry = &items[0].0;
        assert_eq!(entry.path, "ü/long".as_bytes());
        assert_eq!(entry.link, b"to");
        assert_eq!((entry.uid, entry.gid), (4_294_967_295, 5_000_000));
        assert_eq!(
            (&entry.uname[..], &entry.gname[..]),
            (&b"someone"[..], &b"some"[..])
        );
        assert_eq!((entry.mtime.seconds, entry.mtime.nanoseconds), (-2, 750_000_000));
        let xattrs: Vec<_> = entry
            .xattrs
            .iter()
            .map(|(name, value)| (&name[..], &value[..]))
            .collect();
        assert_eq!(
            xattrs,
            [
                (&b"security.capability"[..], &b"\x01\0\0\x02"[..]),
                (b"user.a=b%", b"\0\n=\xff"),
                (b"user.empty", b""),
            ]
        );
        // And only of that entry.
        assert_eq!(items[1].0.uid, 1000);
        assert!(items[1].0.xattrs.is_empty() && items[1].0.link.is_empty());
    }
}

#[test]
fn the_last_of_several_records_counts() {
    let archive = Raw::default()
        .pax(
            b'x',
            &[("path", b"one"), ("uid", b"1"), ("path", b"two"), ("uid", b"2")],
        )
        .file("a", b"")
        .end();
    let (entry, _) = only(&archive);
    assert_eq!((&entry.path[..], entry.uid), (&b"two"[..], 2));
}

#[test]
fn a_global_header_holds_until_it_is_replaced() {
    let archive = Raw::default()
        .pax(b'g', &[("uid", b"7"), ("gname", b"all"), ("mtime", b"70")])
        .file("1", b"")
        .pax(b'x', &[("uid", b"8"), ("gname", b""), ("mtime", b"80")])
        .file("2", b"")
        .pax(b'g', &[("uid", b"9")])
        .file("3", b"")
        .pax(b'g', &[("uid", b"")])
        .file("4", b"")
        .end();
    let items = read(&archive).unwrap();
    let seen: Vec<_> = items
        .iter()
        .map(|(entry, _)| (entry.uid, &entry.gname[..], entry.mtime.seconds))
        .collect();
    assert_eq!(
        seen,
        [
            (7, &b"all"[..], 70),
            (8, b"", 80),
            (9, b"all", 70),
            (1000, b"all", 70),
        ]
    );
}

#[test]
fn what_stands_behind_the_end_is_drained() {
    let mut archive = Raw::default().file("a", b"x").end();
    archive.extend(vec![b'j'; 100_000]);
    let mut reader = Reader::new(&archive[..]);
    while reader.next_entry().unwrap().is_some() {}
    assert_eq!(reader.position(), 1024 + 512);
    assert_eq!(reader.drain().unwrap(), 512 + 100_000);
    assert_eq!(reader.drain().unwrap(), 0);
    let mut rest = Vec::new();
    reader.into_inner().read_to_end(&mut rest).unwrap();
    assert!(rest.is_empty());
}

#[test]
fn an_archive_whose_rest_was_drained_has_no_next_entry_and_no_end() {
    let archive = Raw::default().file("a", b"").file("b", b"x").end();
    let mut reader = Reader::new(&archive[..]);
    reader.next_entry().unwrap().unwrap();
    assert_eq!(reader.drain().unwrap(), 2048);
    assert!(matches!(reader.next_entry(), Err(Error::Spent)));
}
