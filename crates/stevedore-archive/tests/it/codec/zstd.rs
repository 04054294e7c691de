//! zstd streams, with all that RFC 8878 allows.

use ::zstd::zstd_safe::CParameter;

use super::*;

/// A frame with a checksum, unless told otherwise.
fn frame(content: &[u8], parameters: &[CParameter]) -> Vec<u8> {
    let mut compressor = ::zstd::bulk::Compressor::new(3).unwrap();
    compressor.set_parameter(CParameter::ChecksumFlag(true)).unwrap();
    for parameter in parameters {
        compressor.set_parameter(*parameter).unwrap();
    }
    compressor.compress(content).unwrap()
}

fn skippable(kind: u8, content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len()).unwrap();
    [&[0x50 + kind, 0x2a, 0x4d, 0x18], &size.to_le_bytes()[..], content].concat()
}

#[test]
fn frames_follow_one_another() {
    let frames = [frame(b"one ", &[]), frame(b"", &[]), frame(b"two", &[])];
    assert_eq!(decode(&frames.concat()).unwrap(), b"one two");
}

/// As zstd:chunked does it: the table of contents follows in skippable frames.
#[test]
fn skippable_frames_are_skipped() {
    let stream = [
        skippable(0, b""),
        skippable(15, b"first"),
        frame(b"content", &[]),
        skippable(7, &sample(1, 100_000)),
        frame(b" and more", &[]),
        skippable(0, b"GNUlInUx"),
    ]
    .concat();
    for size in [1, 3, 4096, usize::MAX] {
        let decoder = Decoder::new(Drip { bytes: &stream, size }, Limits::default());
        assert_eq!(all(decoder).unwrap(), b"content and more", "{size}");
    }
    assert_eq!(decode(&skippable(3, b"nothing else")).unwrap(), b"");
    assert_eq!(decode(&skippable(3, b"")).unwrap(), b"");
}

#[test]
fn a_stream_that_is_cut_off_is_an_error_wherever_it_is_cut() {
    truncations(Compression::Zstd, &frame(&sample(1, 2000), &[]));
    truncations(
        Compression::Zstd,
        &frame(&sample(1, 2000), &[CParameter::ContentSizeFlag(false)]),
    );
    truncations(Compression::Zstd, &frame(b"", &[]));
    truncations(Compression::Zstd, &skippable(1, b"skipped"));
}

#[test]
fn what_follows_the_last_frame_is_refused_with_its_place() {
    for one in [frame(b"content", &[]), skippable(2, b"content")] {
        for tail in [
            &b"x"[..],
            b"\0\0\0\0",
            b"\x28\xb5\x2f\xfe",
            b"\x50\x2a\x4d\x19",
            b"\x1f\x8b\x08",
        ] {
            let error = decode(&[&one, tail].concat()).unwrap_err();
            assert!(
                matches!(error, DecodeError::Trailing { offset, .. } if offset == one.len() as u64),
                "{tail:?}: {error:?}"
            );
        }
    }
}

#[test]
fn what_is_no_frame_is_refused_where_one_was_promised() {
    let error = decode_as(Compression::Zstd, b"etc/passwd").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the zstd stream is damaged at byte 0, or not long before: it does not begin like one"
    );
}

#[test]
fn no_flipped_bit_changes_the_content_unnoticed() {
    assert_eq!(unnoticed(Compression::Zstd, &frame(&sample(8, 300), &[])), []);
}

#[test]
fn a_frame_that_needs_a_dictionary_is_refused() {
    // Of a block, and of no dictionary that is known here: its identity is 1.
    let stream = [0x28, 0xb5, 0x2f, 0xfd, 0x21, 1, 1, 0x09, 0, 0, b'x'];
    let error = decode(&stream).unwrap_err();
    assert!(matches!(error, DecodeError::Unsupported { .. }), "{error:?}");
    assert!(error.to_string().contains("ictionary"), "{error}");
}
