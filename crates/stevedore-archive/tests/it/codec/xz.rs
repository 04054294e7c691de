//! xz streams, with all that the format allows.

use liblzma::stream::{Action, Check, Filters, LzmaOptions, Status, Stream};

use super::*;

fn compress(mut stream: Stream, content: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(content.len() + 4096);
    while stream.process_vec(
        &content[usize::try_from(stream.total_in()).unwrap()..],
        &mut output,
        Action::Finish,
    ) != Ok(Status::StreamEnd)
    {}
    output
}

fn stream(content: &[u8]) -> Vec<u8> {
    compress(Stream::new_easy_encoder(1, Check::Crc64).unwrap(), content)
}

#[test]
fn streams_follow_one_another_with_padding_between_and_after() {
    let (one, two) = (stream(b"one "), stream(b"two"));
    for (between, after) in [(0, 0), (4, 0), (0, 4), (8, 512)] {
        let bytes = [&one[..], &vec![0; between], &stream(b""), &two, &vec![0; after]].concat();
        for size in [1, 5, usize::MAX] {
            let decoder = Decoder::new(Drip { bytes: &bytes, size }, Limits::default());
            assert_eq!(all(decoder).unwrap(), b"one two", "{between} {after}");
        }
    }
}

#[test]
fn padding_comes_in_units_of_four() {
    let one = stream(b"one");
    for padding in [1, 2, 3, 5] {
        let bytes = [&one[..], &vec![0; padding]].concat();
        let error = decode(&bytes).unwrap_err();
        assert!(matches!(error, DecodeError::Truncated { .. }), "{error:?}");
        let bytes = [&bytes[..], &one].concat();
        let error = decode(&bytes).unwrap_err();
        let offset = (one.len() + padding) as u64;
        assert!(
            matches!(error, DecodeError::Trailing { offset: found, .. } if found == offset),
            "{error:?}"
        );
    }
}

#[test]
fn every_check_is_known() {
    let content = sample(4, 5000);
    for check in [Check::None, Check::Crc32, Check::Crc64, Check::Sha256] {
        let bytes = compress(Stream::new_easy_encoder(6, check).unwrap(), &content);
        assert_eq!(decode(&bytes).unwrap(), content, "{check:?}");
    }
}

#[test]
fn filters_of_programs_are_known() {
    let content = sample(4, 50_000);
    let options = LzmaOptions::new_preset(6).unwrap();
    let chains: [fn(&mut Filters) -> &mut Filters; 3] = [Filters::x86, Filters::arm64, Filters::riscv];
    for filter in chains {
        let mut filters = Filters::new();
        filter(&mut filters).lzma2(&options);
        let bytes = compress(
            Stream::new_stream_encoder(&filters, Check::Crc32).unwrap(),
            &content,
        );
        assert_eq!(decode(&bytes).unwrap(), content);
    }
}

#[test]
fn a_stream_that_is_cut_off_is_an_error_wherever_it_is_cut() {
    truncations(Compression::Xz, &stream(&sample(1, 2000)));
    truncations(Compression::Xz, &stream(b""));
}

#[test]
fn what_follows_the_last_stream_is_refused_with_its_place() {
    let one = stream(b"content");
    for (tail, at) in [(&b"x"[..], 0), (b"\0\0\0\0x", 4), (b"\xfd7zXY\0", 0)] {
        let error = decode(&[&one, tail].concat()).unwrap_err();
        let offset = one.len() as u64 + at;
        assert!(
            matches!(error, DecodeError::Trailing { offset: found, .. } if found == offset),
            "{tail:?}: {error:?}"
        );
    }
}

#[test]
fn no_flipped_bit_changes_the_content_unnoticed() {
    assert_eq!(unnoticed(Compression::Xz, &stream(&sample(8, 300))), []);
}

#[test]
fn a_check_that_is_not_known_is_refused() {
    let mut bytes = stream(b"content");
    // Type 2 is reserved; the flags have a checksum of their own.
    bytes[7] = 2;
    let mut crc = flate2::Crc::new();
    crc.update(&bytes[6..8]);
    bytes[8..12].copy_from_slice(&crc.sum().to_le_bytes());
    let error = decode(&bytes).unwrap_err();
    assert!(matches!(error, DecodeError::Unsupported { .. }), "{error:?}");
}
