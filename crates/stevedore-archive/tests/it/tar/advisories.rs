//! What went wrong in other readers of archives, as far as it concerns reading.

use super::raw::{Raw, gnu_header, header};
use super::{listed, read, refused};

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs.map(|(path, content)| (path.into(), content.into())).into()
}

/// An archive within a file is content, also where the file's own header has another size than PAX.
#[test]
fn cve_2025_62518_rustsec_2025_0110_a_file_is_stepped_over_by_its_pax_size() {
    let nested = Raw::default().file("smuggled", b"x").0;
    let size = nested.len().to_string();
    let archive = Raw::default()
        .pax(b'x', &[("size", size.as_bytes())])
        .block(header("outer.tar", 0, b'0'))
        .data(&nested)
        .file("last", b"y")
        .end();
    let items = read(&archive).unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(items[0].1, nested);
    assert_eq!(items[1].0.path, b"last");
}

#[test]
fn rustsec_2026_0068_cve_2026_33055_a_pax_size_counts_also_where_the_header_has_one() {
    let archive = Raw::default()
        .pax(b'x', &[("size", b"3")])
        .block(header("a", 1536, b'0'))
        .data(b"abc")
        .file("b", b"")
        .file("c", b"")
        .end();
    assert_eq!(listed(&archive), pairs([("a", "abc"), ("b", ""), ("c", "")]));
}

#[test]
fn rustsec_2026_0066_cve_2026_32766_a_malformed_extension_is_refused_and_not_skipped() {
    for (flag, data, fault) in [
        (b'x', &b"8 path=b\n"[..], "does not end with a newline"),
        (b'x', b"path=bb\n", "has no length"),
        (b'x', b"10 path=b\nrest", "has no length"),
        (b'x', b"11 mtime=b\n", "\"mtime\" is \"b\""),
        (b'x', b"10 size=-1\n", "does not end with a newline"),
        (b'x', b"11 size=-1\n", "\"size\" is \"-1\""),
        (b'g', b"5 ab\n", "has no equals sign"),
        (b'L', b"", "a long name is empty"),
        (b'K', b"\0abc", "a long name is empty"),
    ] {
        let archive = Raw::default().extension(flag, data).file("a", b"").end();
        let error = refused(&archive);
        assert!(error.contains(fault), "{data:?}: {error}");
        assert!(error.starts_with("entry \"extension\" at byte 0: "), "{error}");
    }
}

/// The GHSA numbers are GHSA-fp55-jw48-c537 and GHSA-3cv2-h65g-fgmm; node-tar before 7.5.16 had the same.
#[test]
fn rustsec_2026_0112_and_0145_a_pax_size_is_never_that_of_another_extension() {
    let long = b"a-long-name\0";
    let archive = Raw::default()
        .pax(b'x', &[("size", b"1024")])
        .block(gnu_header("././@LongLink", long.len(), b'L'))
        .data(long)
        .block(header("short", 3, b'0'))
        .data(&[b'z'; 1024])
        .file("last", b"y")
        .end();
    assert_eq!(
        listed(&archive),
        pairs([("a-long-name", &"z".repeat(1024)), ("last", "y")])
    );
    let archive = Raw::default()
        .pax(b'x', &[("size", b"1024")])
        .pax(b'g', &[("comment", b"short")])
        .block(header("a", 3, b'0'))
        .data(&[b'z'; 1024])
        .file("last", b"y")
        .end();
    assert_eq!(listed(&archive), pairs([("a", &"z".repeat(1024)), ("last", "y")]));
}

/// tar-rs before it read records by their lengths.
#[test]
fn a_newline_in_a_pax_value_begins_no_record() {
    let archive = Raw::default()
        .pax(b'x', &[("SCHILY.xattr.user.a", b"AAA\n22 linkpath=/etc/evil")])
        .block(super::raw::with(header("a", 0, b'2'), 157, b"harmless"))
        .end();
    let (entry, _) = super::only(&archive);
    assert_eq!(entry.link, b"harmless");
    assert_eq!(entry.xattrs[&b"user.a"[..]], b"AAA\n22 linkpath=/etc/evil");
}

/// Python's tarfile looked at the name as the header has it: cut off, it can end with the slash of a directory.
#[test]
fn a_long_name_cut_at_a_slash_is_no_directory() {
    let cut = format!("{}/", "d".repeat(99));
    let archive = Raw::default()
        .long(b'L', &format!("{cut}file"))
        .block(gnu_header(&cut, 4, 0))
        .data(b"data")
        .end();
    assert_eq!(listed(&archive), pairs([(&format!("{cut}file"), "data")]));
}

/// A file of 8 EiB has 8 EiB of data, or is refused; its size does not wrap around to the next header.
#[test]
fn a_size_that_overflows_is_refused() {
    let archive = Raw::default()
        .pax(b'x', &[("size", b"18446744073709551615")])
        .block(header("a", 0, b'0'))
        .file("b", b"")
        .end();
    assert_eq!(
        refused(&archive),
        "entry \"a\" at byte 0: its data would end beyond any file"
    );
    let mut huge = header("a", 0, b'0');
    huge[124..136].copy_from_slice(&[0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    let archive = Raw::default()
        .block(super::raw::sealed(huge))
        .file("b", b"")
        .end();
    let error = refused(&archive);
    assert!(
        error.contains("the archive ends at byte 2048, before the end of its data"),
        "{error}"
    );
}
