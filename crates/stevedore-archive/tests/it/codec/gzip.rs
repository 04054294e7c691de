//! gzip streams, with all that RFC 1952 allows.

use flate2::{Compression as Level, Crc, GzBuilder, write::DeflateEncoder};

use super::*;

/// A member whose header is given; the flags must fit it.
fn member_with(header: &[u8], content: &[u8]) -> Vec<u8> {
    let mut deflate = DeflateEncoder::new(header.to_vec(), Level::default());
    deflate.write_all(content).unwrap();
    let mut member = deflate.finish().unwrap();
    let mut crc = Crc::new();
    crc.update(content);
    member.extend(crc.sum().to_le_bytes());
    member.extend(crc.amount().to_le_bytes());
    member
}

fn member(content: &[u8]) -> Vec<u8> {
    member_with(&header(0, b""), content)
}

/// A header with these flags and the fields that they announce.
fn header(flags: u8, fields: &[u8]) -> Vec<u8> {
    [&[0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 0, 3], fields].concat()
}

fn corrupt(bytes: &[u8]) -> (u64, String) {
    match decode(bytes) {
        Err(DecodeError::Corrupt { offset, reason, .. }) => (offset, reason),
        other => panic!("{other:?}"),
    }
}

#[test]
fn members_follow_one_another() {
    let members = [member(b"one "), member(b""), member(b"two "), member(b"three")];
    assert_eq!(decode(&members.concat()).unwrap(), b"one two three");
}

#[test]
fn zeros_after_the_last_member_are_padding() {
    let mut stream = member(b"content");
    stream.extend([0; 700]);
    let mut decoder = Decoder::new(&stream[..], Limits::default());
    let mut content = String::new();
    decoder.read_to_string(&mut content).unwrap();
    assert_eq!(content, "content");
    assert_eq!(decoder.bytes_read(), stream.len() as u64);
}

#[test]
fn what_follows_the_last_member_is_refused_with_its_place() {
    let one = member(b"content");
    for (tail, at) in [
        (&b"x"[..], 0),
        (b"\x1f\x00", 0),
        (b"\0\0\0x", 3),
        (b"\0\x1f\x8b", 1),
        (b"\x1e\x8b\x08\x00", 0),
    ] {
        let error = decode(&[&one, tail].concat()).unwrap_err();
        let offset = one.len() as u64 + at;
        assert!(
            matches!(error, DecodeError::Trailing { offset: found, .. } if found == offset),
            "{tail:?}: {error:?}"
        );
        assert_eq!(
            error.to_string(),
            format!("the gzip stream is followed by something else, from byte {offset} on")
        );
    }
}

#[test]
fn optional_fields_are_passed() {
    let mut fields = Vec::new();
    fields.extend(b"\x06\x00SG\x02\x00ab");
    fields.extend(b"name\0");
    fields.extend(b"a comment\0");
    let everything = header(1 | 4 | 8 | 16, &fields);
    assert_eq!(decode(&member_with(&everything, b"content")).unwrap(), b"content");
    for (flags, fields) in [
        (4, &b"\x00\x00"[..]),
        (4, b"\x03\x00abc"),
        (8, b"\0"),
        (8 | 16, b"n\0c\0"),
        (16, b"c\0"),
    ] {
        let stream = member_with(&header(flags, fields), b"content");
        assert_eq!(decode(&stream).unwrap(), b"content", "{flags:b}");
        truncations(Compression::Gzip, &stream);
    }
}

#[test]
fn a_checksum_of_the_header_is_held() {
    for (flags, fields) in [(2, &b""[..]), (2 | 4 | 8, b"\x01\x00xname\0")] {
        let mut head = header(flags, fields);
        let mut crc = Crc::new();
        crc.update(&head);
        let sum = crc.sum().to_le_bytes();
        head.extend(&sum[..2]);
        let stream = member_with(&head, b"content");
        assert_eq!(decode(&stream).unwrap(), b"content");
        truncations(Compression::Gzip, &stream);
        let last = head.len() - 1;
        head[last] ^= 1;
        let (offset, reason) = corrupt(&member_with(&head, b"content"));
        assert_eq!(offset, last as u64);
        assert_eq!(reason, "the header of a member does not fit its checksum");
    }
}

/// As eStargz does it: a member for each file, and a footer whose extra field says where the table of contents is.
#[test]
fn a_layer_in_estargz_is_read() {
    let mut stream: Vec<u8> = (0..50).flat_map(|file| member(&sample(file, 300))).collect();
    let mut footer = header(4, b"\x1a\x00SG\x16\x000000000000000000STARGZ");
    footer[9] = 255;
    // An empty final block.
    footer.extend([0x01, 0x00, 0x00, 0xff, 0xff]);
    footer.extend([0; 8]);
    assert_eq!(footer.len(), 51);
    stream.extend(footer);
    let expected: Vec<u8> = (0..50).flat_map(|file| sample(file, 300)).collect();
    for size in [1, 7, 4096] {
        let decoder = Decoder::new(Drip { bytes: &stream, size }, Limits::default());
        assert_eq!(all(decoder).unwrap(), expected);
    }
}

/// As pigz does it: one member, of blocks that each end in an empty stored one, with a name.
#[test]
fn a_stream_flushed_at_each_block_is_read() {
    let mut writer = GzBuilder::new()
        .filename("layer.tar")
        .mtime(7)
        .write(Vec::new(), Level::fast());
    let content = sample(3, 300_000);
    for block in content.chunks(100_000) {
        writer.write_all(block).unwrap();
        writer.flush().unwrap();
    }
    assert_eq!(decode(&writer.finish().unwrap()).unwrap(), content);
}

#[test]
fn a_stream_that_is_cut_off_is_an_error_wherever_it_is_cut() {
    truncations(Compression::Gzip, &member(&sample(1, 2000)));
    truncations(Compression::Gzip, &member(b""));
}

#[test]
fn two_members_cut_between_them_are_one() {
    let (one, two) = (member(b"one"), member(b"two"));
    let both = [one.clone(), two].concat();
    for length in one.len() + 1..both.len() {
        let error = decode(&both[..length]).unwrap_err();
        assert!(matches!(error, DecodeError::Truncated { offset, .. } if offset == length as u64));
    }
    assert_eq!(decode(&both[..one.len()]).unwrap(), b"one");
}

#[test]
fn checksum_and_size_are_held() {
    let whole = member(&sample(5, 1000));
    let end = whole.len();
    let mut stream = whole.clone();
    stream[end - 8] ^= 1;
    assert_eq!(
        corrupt(&stream),
        (
            end as u64 - 1,
            "the content of a member does not fit its checksum".into()
        )
    );
    let mut stream = whole;
    stream[end - 1] ^= 1;
    assert_eq!(
        corrupt(&stream),
        (
            end as u64 - 1,
            "the content of a member does not have the size it claims".into()
        )
    );
}

#[test]
fn no_flipped_bit_changes_the_content_unnoticed() {
    assert_eq!(unnoticed(Compression::Gzip, &member(&sample(8, 300))), []);
}

#[test]
fn unknown_methods_and_flags_are_refused() {
    let mut stream = member(b"content");
    stream[2] = 7;
    let error = decode(&stream).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the gzip stream cannot be read from byte 2 on: compression method 7 is not deflate"
    );
    for flag in [0x20, 0x40, 0x80] {
        stream[2] = 8;
        stream[3] = flag;
        let error = decode(&stream).unwrap_err();
        assert!(
            matches!(error, DecodeError::Unsupported { offset: 3, .. }),
            "{error:?}"
        );
    }
}

#[test]
fn damage_in_deflate_is_told_with_its_place() {
    // A block of the reserved type, after the header.
    let (offset, reason) = corrupt(&[&header(0, b"")[..], &[0x07, 0, 0, 0]].concat());
    assert!((10..=12).contains(&offset), "{offset}");
    assert_eq!(reason, "invalid block type");
}
