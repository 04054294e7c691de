//! Bytes that nobody meant as a stream.

use proptest::prelude::*;

use super::*;

const ALL: [Compression; 4] = [
    Compression::None,
    Compression::Gzip,
    Compression::Zstd,
    Compression::Xz,
];

fn magic() -> impl Strategy<Value = Vec<u8>> {
    prop::sample::select(vec![
        &b""[..],
        b"\x1f\x8b\x08\x00\0\0\0\0\0\xff",
        b"\x1f\x8b\x08\x1e\0\0\0\0\0\xff",
        b"\x28\xb5\x2f\xfd",
        b"\x28\xb5\x2f\xfd\x00\x58",
        b"\x51\x2a\x4d\x18\x04\0\0\0",
        b"\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4\x46",
        b"\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01",
    ])
    .prop_map(<[u8]>::to_vec)
}

/// A stream of each format.
fn streams(content: &[u8]) -> [Vec<u8>; 3] {
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
    xz.write_all(content).unwrap();
    [
        encode(Profile::GZIP, 1, content),
        encode(Profile::ZSTD, 1, content),
        xz.finish().unwrap(),
    ]
}

/// What reading gave, in pieces of that size: content and error.
fn outcome(bytes: &[u8], compression: Compression, size: usize) -> (Vec<u8>, Option<DecodeError>) {
    let mut limits = Limits::default();
    limits.expanded = 1 << 20;
    let mut decoder = Decoder::with_compression(Drip { bytes, size }, compression, limits);
    let mut content = Vec::new();
    let error = decoder.read_to_end(&mut content).err();
    let error = error.map(|error| DecodeError::of(&error).expect("an error of the decoder").clone());
    (content, error)
}

proptest! {
    #[test]
    fn garbage_is_an_error_and_no_panic(head in magic(), tail in prop::collection::vec(any::<u8>(), 0..300), size in 1..50usize) {
        let bytes = [head, tail].concat();
        for compression in ALL {
            let (content, error) = outcome(&bytes, compression, size);
            if compression == Compression::None {
                prop_assert_eq!((&content, error), (&bytes, None));
            } else if let Some(error) = error {
                prop_assert!(error.offset() <= bytes.len() as u64, "{:?}", error);
            }
        }
    }

    #[test]
    fn damage_is_found_however_the_stream_is_cut(
        seed in any::<u16>(),
        length in 1..3000usize,
        places in prop::collection::vec((any::<prop::sample::Index>(), 1..=255u8), 1..4),
        size in 1..700usize,
    ) {
        let content = sample(seed.into(), length);
        for (mut bytes, compression) in streams(&content).into_iter().zip(&ALL[1..]) {
            for (place, change) in &places {
                let place = place.index(bytes.len());
                bytes[place] ^= change;
            }
            let (read, error) = outcome(&bytes, *compression, size);
            // Two changes at one place may be none.
            if error.is_none() {
                prop_assert_eq!(&read, &content);
            }
            let (again, other) = outcome(&bytes, *compression, usize::MAX);
            prop_assert_eq!(error.is_none(), other.is_none());
            if other.is_none() {
                prop_assert_eq!(read, again);
            }
        }
    }

    #[test]
    fn streams_of_any_content_are_read_in_any_pieces(
        parts in prop::collection::vec((any::<u16>(), 0..2000usize), 1..5),
        size in 1..3000usize,
    ) {
        let contents: Vec<_> = parts.iter().map(|(seed, length)| sample(u64::from(*seed), *length)).collect();
        for format in 0..3 {
            let stream: Vec<u8> = contents.iter().flat_map(|content| streams(content)[format].clone()).collect();
            let decoder = Decoder::new(Drip { bytes: &stream, size }, Limits::default());
            prop_assert!(all(decoder).unwrap() == contents.concat());
        }
    }
}
