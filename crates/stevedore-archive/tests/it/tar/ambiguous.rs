//! Archives that are wrong, cut off, or mean different things to different readers.

use super::raw::{Raw, gnu_header, header, sealed, v7_header, with};
use super::{listed, only, read, refused};
use stevedore_archive::tar::{Error, Kind, Reader};

#[test]
fn names_of_pax_and_gnu_headers_have_to_agree() {
    let both = |pax: &str, gnu: &str| {
        let x = Raw::default().pax(b'x', &[("path", pax.as_bytes())]);
        [
            x.clone().long(b'L', gnu).file("a", b"").end(),
            Raw::default()
                .long(b'L', gnu)
                .pax(b'x', &[("path", pax.as_bytes())])
                .file("a", b"")
                .end(),
        ]
    };
    for archive in both("one", "one") {
        assert_eq!(listed(&archive), [("one".into(), String::new())]);
    }
    for archive in both("one", "two") {
        assert_eq!(
            refused(&archive),
            "entry \"a\" at byte 0: a PAX header and a GNU header give it different names"
        );
    }
    let links = Raw::default()
        .pax(b'x', &[("linkpath", b"one")])
        .long(b'K', "two")
        .block(header("a", 0, b'2'))
        .end();
    assert!(refused(&links).contains("different names"));
}

#[test]
fn two_extensions_of_one_type_before_an_entry_are_refused() {
    for archive in [
        Raw::default().long(b'L', "one").long(b'L', "two"),
        Raw::default().long(b'K', "one").long(b'K', "two"),
        Raw::default()
            .pax(b'x', &[("path", b"one")])
            .pax(b'x', &[("path", b"two")]),
        Raw::default()
            .pax(b'x', &[("path", b"one")])
            .pax(b'X', &[("mtime", b"2")]),
    ] {
        assert!(refused(&archive.file("a", b"").end()).contains(" before one entry"));
    }
}

#[test]
fn an_extension_without_an_entry_is_refused() {
    for archive in [
        Raw::default().file("a", b"").pax(b'x', &[("path", b"one")]).end(),
        Raw::default().file("a", b"").long(b'L', "one").0,
    ] {
        let error = refused(&archive);
        assert!(
            error.ends_with("before the entry that this header extends")
                && error.starts_with("header at byte 512: "),
            "{error}"
        );
    }
    let archive = Raw::default()
        .file("a", b"")
        .pax(b'g', &[("comment", b"it")])
        .end();
    assert_eq!(listed(&archive).len(), 1);
}

/// GNU tar gives a global path to all entries behind it, Go to none.
#[test]
fn a_global_header_says_nothing_about_which_readers_disagree() {
    for (key, value) in [
        ("path", "a"),
        ("linkpath", "a"),
        ("size", "1"),
        ("GNU.sparse.size", "1"),
        ("SCHILY.xattr.user.a", "1"),
    ] {
        let archive = Raw::default()
            .pax(b'g', &[(key, value.as_bytes())])
            .file("a", b"")
            .end();
        let error = refused(&archive);
        assert!(error.contains("a global PAX header sets \""), "{key}: {error}");
    }
}

#[test]
fn an_empty_path_or_size_and_a_nul_in_a_name_are_refused() {
    for (key, value) in [
        ("path", ""),
        ("linkpath", ""),
        ("size", ""),
        ("path", "a\0b"),
        ("linkpath", "a\0b"),
        ("uname", "a\0b"),
        ("size", " 1"),
        ("size", "0x1"),
        ("uid", "-1"),
        ("gid", "1.5"),
        ("mtime", "now"),
    ] {
        let archive = Raw::default()
            .pax(b'x', &[(key, value.as_bytes())])
            .file("a", b"")
            .end();
        let error = refused(&archive);
        assert!(
            error.contains(&format!("the PAX record \"{key}\" is")),
            "{key}: {error}"
        );
    }
    assert!(refused(&Raw::default().file("", b"").end()).contains("an entry has no name"));
}

/// GNU tar steps over it, Go and Python read it as headers.
#[test]
fn data_of_what_has_none_is_refused_where_readers_disagree() {
    let smuggled = Raw::default().file("smuggled", b"").0;
    for flag in [b'2', b'3', b'4', b'6'] {
        let own = Raw::default().block(header("a", 512, flag)).data(&smuggled).end();
        let pax = Raw::default()
            .pax(b'x', &[("size", b"512")])
            .block(header("a", 0, flag))
            .data(&smuggled)
            .end();
        for archive in [own, pax] {
            let error = refused(&archive);
            assert!(
                error.contains("it has 512 bytes of data and is not"),
                "{flag}: {error}"
            );
        }
    }
    let old_directory = Raw::default()
        .block(v7_header("a/", 512, 0))
        .data(&smuggled)
        .end();
    assert!(refused(&old_directory).contains("it has 512 bytes of data"));
    let hard_link = Raw::default()
        .pax(b'x', &[("size", b"512")])
        .block(with(header("a", 0, b'1'), 157, b"b"))
        .data(&smuggled)
        .end();
    assert!(refused(&hard_link).contains("it has 512 bytes of data"));
}

/// All readers do the same.
#[test]
fn a_directory_and_a_hard_link_have_no_data_whatever_their_size() {
    for flag in [b'5', b'1'] {
        let archive = Raw::default()
            .block(with(header("a", 4096, flag), 157, b"b"))
            .file("next", b"x")
            .end();
        assert_eq!(
            listed(&archive),
            [("a".into(), String::new()), ("next".into(), "x".into())]
        );
    }
}

#[test]
fn an_archive_that_is_cut_off_is_told_from_one_that_ends() {
    let archive = Raw::default()
        .pax(b'x', &[("path", b"long")])
        .file("a", &[b'x'; 700])
        .file("b", b"")
        .0;
    let whole = [0, 3072];
    for end in 0..archive.len() {
        let result = read(&archive[..end]);
        if whole.contains(&end) || end == 2560 {
            assert!(result.is_ok(), "{end}");
            continue;
        }
        match result {
            Err(Error::Truncated { end: at, .. }) => assert_eq!(at, end as u64),
            other => panic!("{end}: {other:?}"),
        }
    }
}

#[test]
fn one_block_of_zeros_ends_an_archive_and_so_does_the_end_of_the_input() {
    let archive = Raw::default().file("a", b"x");
    assert_eq!(read(&archive.0).unwrap().len(), 1);
    let mut one = archive.0.clone();
    one.resize(one.len() + 512, 0);
    assert_eq!(read(&one).unwrap().len(), 1);
    one.extend(Raw::default().file("hidden", b"x").0);
    assert_eq!(read(&one).unwrap().len(), 1);
    assert_eq!(read(b"").unwrap(), []);
    assert_eq!(read(&[0; 10240]).unwrap(), []);
}

#[test]
fn what_is_no_header_is_refused_with_its_place() {
    let archive = Raw::default().file("a", b"x").data(b"junk").end();
    assert_eq!(
        refused(&archive),
        "header at byte 1024: this is no tar header: its checksum is 0, its bytes add up to 696"
    );
    let mut flipped = Raw::default().file("a", b"x").file("b", b"x").end();
    flipped[1024] ^= 1;
    assert!(refused(&flipped).starts_with("header at byte 1024: this is no tar header"));
    let gzip = [&b"\x1f\x8b\x08\x00"[..], &[0x5a; 600]].concat();
    assert!(refused(&gzip).starts_with("header at byte 0: this is no tar header"));
}

#[test]
fn numbers_that_are_none_are_refused() {
    for (at, field, fault) in [
        (124, &b"0000000001 8"[..], "its size has something behind its end"),
        (124, b"0000000008\0\0", "its size is no octal number"),
        (124, b"-0000000001\0", "its size is no octal number"),
        (124, &[0xff; 12], "its size is negative: -1"),
        (108, &[0xff; 8], "its user ID is negative: -1"),
        (116, b"0x00001\0", "its group ID is no octal number"),
        (100, b"rw-r--r-", "its mode is no octal number"),
        (136, b"yesterday...", "its time is no octal number"),
    ] {
        let archive = Raw::default()
            .block(with(header("a\n", 0, b'0'), at, field))
            .end();
        assert_eq!(refused(&archive), format!("entry \"a\\n\" at byte 0: {fault}"));
    }
    let archive = Raw::default()
        .block(with(header("a", 0, b'3'), 329, &[0x80, 0, 0, 1, 0, 0, 0, 0]))
        .end();
    assert!(refused(&archive).contains("its major device number is too large: 4294967296"));
}

#[test]
fn checksums_of_signed_bytes_are_taken() {
    let mut signed = header("caf\u{e9}", 0, b'0');
    signed[148..156].fill(b' ');
    let sum: i32 = signed.iter().map(|byte| i32::from(byte.cast_signed())).sum();
    signed[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    assert_ne!(sealed(signed), signed);
    let archive = Raw::default().block(signed).end();
    assert_eq!(listed(&archive), [("café".into(), String::new())]);
}

#[test]
fn after_an_error_nothing_is_read() {
    let archive = Raw::default().data(b"junk").file("a", b"").end();
    let mut reader = Reader::new(&archive[..]);
    reader.next_entry().unwrap_err();
    assert!(matches!(reader.next_entry(), Err(Error::Spent)));
    assert!(matches!(reader.next_entry(), Err(Error::Spent)));
}

#[test]
fn unknown_types_have_data_and_are_left_to_the_caller() {
    let archive = Raw::default()
        .block(header("a", 3, b'Q'))
        .data(b"abc")
        .block(gnu_header("label", 0, b'V'))
        .file("b", b"")
        .end();
    let items = read(&archive).unwrap();
    assert_eq!(items[0].0.kind, Kind::Other(b'Q'));
    assert_eq!(items[0].1, b"abc");
    assert_eq!(items[1].0.kind, Kind::Other(b'V'));
    assert_eq!(items[2].0.kind, Kind::File);
}

#[test]
fn sparse_files_of_star_are_refused() {
    let archive = Raw::default()
        .pax(b'x', &[("SCHILY.realsize", b"3")])
        .file("a", b"")
        .end();
    assert!(refused(&archive).contains("in the manner of star"));
}

#[test]
fn unknown_records_are_ignored() {
    let archive = Raw::default()
        .pax(
            b'x',
            &[
                ("comment", b""),
                ("atime", b"what?"),
                ("LIBARCHIVE.xattr.user.a", b"YQ"),
                ("hdrcharset", b"BINARY"),
            ],
        )
        .file("a", b"x")
        .end();
    let (entry, content) = only(&archive);
    assert!(entry.xattrs.is_empty());
    assert_eq!(content, b"x");
}
