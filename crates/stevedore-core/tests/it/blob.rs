//! Blobs: ranges, limits, files, meters, and bodies that are verified while they are read.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use stevedore_core::stream::{self, next};
use stevedore_core::suite::block_on;
use stevedore_core::{
    Algorithm, Blob, Body, ByteRange, CHUNK_SIZE, Descriptor, Error, ErrorKind, MediaType, Meter, Result,
};

/// A body of these chunks, with the size that it claims.
fn chunks(chunks: &[&'static str], claim: Option<u64>) -> Blob {
    let chunks: Vec<_> = chunks
        .iter()
        .map(|chunk| Ok(Bytes::from_static(chunk.as_bytes())))
        .collect();
    Blob::from_stream(stream::iter(chunks), claim)
}

fn into_bytes(blob: Blob, limit: u64) -> Result<Bytes, ErrorKind> {
    block_on(blob.into_bytes(limit)).map_err(|error| error.kind())
}

fn descriptor(content: &[u8]) -> Descriptor {
    let digest = Algorithm::Sha256.digest(content);
    Descriptor::new(
        "application/octet-stream".parse::<MediaType>().unwrap(),
        digest,
        content.len() as u64,
    )
}

/// A file that goes when it is dropped.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str, content: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("stevedore-blob-{}-{name}", std::process::id()));
        File::create(&path).unwrap().write_all(content).unwrap();
        Self(path)
    }

    fn blob(&self, range: std::ops::Range<u64>) -> Blob {
        let file = Arc::new(File::open(&self.0).unwrap());
        Blob::from_file(file, self.0.clone(), range)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).ok();
    }
}

#[test]
fn the_limit_is_on_what_comes() {
    for claim in [None, Some(0), Some(3), Some(6)] {
        assert_eq!(
            into_bytes(chunks(&["abc", "", "def"], claim), 6).as_deref(),
            Ok(&b"abcdef"[..]),
            "{claim:?}"
        );
        assert_eq!(
            into_bytes(chunks(&["abc", "def", "g"], claim), 6),
            Err(ErrorKind::TooLarge),
            "{claim:?}"
        );
    }
    assert_eq!(into_bytes(chunks(&[], None), 0), Ok(Bytes::new()));
    assert_eq!(into_bytes(Blob::new(Body::empty()), 0), Ok(Bytes::new()));
}

#[test]
fn the_limit_is_on_what_is_claimed() {
    for claim in [7, 1 << 40, u64::MAX] {
        assert_eq!(
            into_bytes(chunks(&["abc"], Some(claim)), 6),
            Err(ErrorKind::TooLarge),
            "{claim}"
        );
    }
    // Within the limit a claim that is too high is nobody's memory.
    assert_eq!(
        into_bytes(chunks(&["abc"], Some(1 << 60)), u64::MAX).as_deref(),
        Ok(&b"abc"[..])
    );
}

#[test]
fn too_much_is_seen_while_it_comes() {
    let endless = std::iter::repeat_with(|| Ok(Bytes::from_static(b"more")));
    let blob = Blob::from_stream(stream::iter(endless), Some(4));
    assert_eq!(into_bytes(blob, 1000), Err(ErrorKind::TooLarge));
}

#[test]
fn one_chunk_is_not_copied() {
    let bytes = Bytes::from(vec![7; 1000]);
    let found = block_on(Blob::from(bytes.clone()).into_bytes(1000)).unwrap();
    assert_eq!(found.as_ptr(), bytes.as_ptr());
}

#[test]
fn an_error_of_the_body_is_passed_on() {
    let broken = vec![
        Ok(Bytes::from("abc")),
        Err(Error::new(ErrorKind::TimedOut, "slow")),
    ];
    assert_eq!(
        into_bytes(Blob::from_stream(stream::iter(broken), None), 100),
        Err(ErrorKind::TimedOut)
    );
}

#[test]
fn a_file_is_read_by_its_range() {
    let content: Vec<u8> = (0..CHUNK_SIZE * 2 + 10)
        .map(|at| u8::try_from(at % 251).unwrap())
        .collect();
    let file = Temporary::new("range", &content);
    let size = content.len();
    for range in [
        0..size,
        0..0,
        size..size,
        1..2,
        10..CHUNK_SIZE + 10,
        CHUNK_SIZE..size,
        size - 1..size,
    ] {
        let blob = file.blob(range.start as u64..range.end as u64);
        assert_eq!(blob.size, Some(range.len() as u64));
        assert_eq!(into_bytes(blob, size as u64).as_deref(), Ok(&content[range]));
    }
    let mut body = file.blob(0..size as u64).into_stream();
    while let Some(chunk) = block_on(next(&mut body)) {
        assert!(chunk.unwrap().len() <= CHUNK_SIZE);
    }
}

#[test]
fn a_chunk_that_was_dropped_makes_room_for_the_next_one() {
    let content: Vec<u8> = (0..CHUNK_SIZE * 3)
        .map(|at| u8::try_from(at / CHUNK_SIZE).unwrap())
        .collect();
    let file = Temporary::new("room", &content);
    let mut body = file.blob(0..content.len() as u64).into_stream();
    let first = block_on(next(&mut body)).unwrap().unwrap();
    let second = block_on(next(&mut body)).unwrap().unwrap();
    assert_eq!((first[0], second[0]), (0, 1), "what is held is not read into");
    let room = first.as_ptr();
    drop(first);
    // The room would be here now, had it been given back to the allocator.
    let _other = vec![0_u8; CHUNK_SIZE];
    let third = block_on(next(&mut body)).unwrap().unwrap();
    assert_eq!((third.as_ptr(), third[0], second[0]), (room, 2, 1));
}

#[test]
fn two_bodies_of_one_file_do_not_move_each_other() {
    let file = Temporary::new("shared", b"hello world");
    let open = Arc::new(File::open(&file.0).unwrap());
    let mut one = Blob::from_file(Arc::clone(&open), file.0.clone(), 0..5).into_stream();
    let mut other = Blob::from_file(open, file.0.clone(), 6..11).into_stream();
    assert_eq!(block_on(next(&mut other)).unwrap().unwrap(), "world");
    assert_eq!(block_on(next(&mut one)).unwrap().unwrap(), "hello");
}

#[test]
fn a_file_that_was_cut_is_an_interrupted_body() {
    let file = Temporary::new("cut", b"0123456789");
    let mut body = file.blob(5..20).into_stream();
    assert_eq!(block_on(next(&mut body)).unwrap().unwrap(), "56789");
    let error = block_on(next(&mut body)).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert!(error.to_string().contains("byte 10, 10 bytes early"), "{error}");
    assert!(block_on(next(&mut body)).is_none(), "an error is the end");
}

#[test]
fn the_meter_counts_what_is_taken() {
    let file = Temporary::new("meter", &vec![1; CHUNK_SIZE + 5]);
    let meter = Arc::new(Meter::default());
    meter.add(100);
    let mut body = file
        .blob(0..CHUNK_SIZE as u64 + 5)
        .with_meter(Arc::clone(&meter))
        .into_stream();
    assert_eq!(meter.bytes(), 100);
    block_on(next(&mut body)).unwrap().unwrap();
    assert_eq!(meter.bytes(), 100 + CHUNK_SIZE as u64);
    block_on(next(&mut body)).unwrap().unwrap();
    assert_eq!(meter.bytes(), 105 + CHUNK_SIZE as u64);
    assert!(block_on(next(&mut body)).is_none());
    let metered = Blob::from("abc").with_meter(Arc::clone(&meter));
    assert!(
        matches!(metered.body, Body::Bytes(_)),
        "a meter leaves the body as it is"
    );
    block_on(metered.into_bytes(3)).unwrap();
    assert_eq!(meter.bytes(), 108 + CHUNK_SIZE as u64);
}

#[test]
fn verified_passes_what_was_promised() {
    for content in ["", "a", "hello world"] {
        let blob = Blob::from(content)
            .verified(&descriptor(content.as_bytes()))
            .unwrap();
        assert_eq!(blob.size, Some(content.len() as u64));
        assert_eq!(into_bytes(blob, 100).as_deref(), Ok(content.as_bytes()));
    }
    for algorithm in Algorithm::ALL {
        let mut descriptor = descriptor(b"hello");
        descriptor.digest = algorithm.digest(b"hello").into();
        let blob = chunks(&["he", "", "llo"], None).verified(&descriptor).unwrap();
        assert_eq!(into_bytes(blob, 5).as_deref(), Ok(&b"hello"[..]));
    }
}

#[test]
fn verified_refuses_anything_else() {
    let promised = descriptor(b"hello");
    for content in [
        &["hel"][..],
        &[],
        &["hello", "!"],
        &["hellO"],
        &["hello, ", "world"],
    ] {
        for claim in [None, Some(5)] {
            let blob = chunks(content, claim).verified(&promised).unwrap();
            let error = block_on(blob.into_bytes(100)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Mismatch, "{content:?}");
            assert!(error.mismatch_details().is_some(), "{content:?}");
        }
    }
}

#[test]
fn verified_ends_where_too_much_came() {
    let endless = std::iter::repeat_with(|| Ok(Bytes::from_static(b"abc")));
    let blob = Blob::from_stream(stream::iter(endless), None)
        .verified(&descriptor(b"hello"))
        .unwrap();
    let mut body = blob.into_stream();
    assert_eq!(block_on(next(&mut body)).unwrap().unwrap(), "abc");
    let error = block_on(next(&mut body)).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Mismatch);
    assert!(block_on(next(&mut body)).is_none(), "an error is the end");
}

#[test]
fn verified_passes_on_the_error_of_the_body() {
    let broken = vec![
        Ok(Bytes::from("he")),
        Err(Error::new(ErrorKind::Network, "gone")),
        Ok(Bytes::from("llo")),
    ];
    let blob = Blob::from_stream(stream::iter(broken), None)
        .verified(&descriptor(b"hello"))
        .unwrap();
    let mut body = blob.into_stream();
    assert_eq!(block_on(next(&mut body)).unwrap().unwrap(), "he");
    assert_eq!(
        block_on(next(&mut body)).unwrap().unwrap_err().kind(),
        ErrorKind::Network
    );
    assert!(block_on(next(&mut body)).is_none(), "an error is the end");
}

#[test]
fn verified_needs_a_known_algorithm() {
    let mut unknown = descriptor(b"hello");
    unknown.digest = format!("blake3:{}", "0".repeat(64)).parse().unwrap();
    let error = Blob::from("hello").verified(&unknown).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

proptest! {
    #[test]
    fn within_gives_what_lies_within(start in edge(), end in prop::option::of(edge()), size in edge()) {
        let mut range = ByteRange::from(start);
        range.end = end;
        match range.within(size) {
            Ok(found) => {
                prop_assert!(found.start <= found.end && found.end <= size);
                prop_assert_eq!(found, start..end.unwrap_or(size));
            }
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::OutOfRange);
                prop_assert!(start > size || end.is_some_and(|end| end > size || end < start));
            }
        }
    }

    #[test]
    fn verified_accepts_just_the_content(
        content in prop::collection::vec(any::<u8>(), 0..50),
        other in prop::collection::vec(any::<u8>(), 0..50),
        cut in 1_usize..20,
    ) {
        for bytes in [&content, &other] {
            let pieces: Vec<_> = bytes.chunks(cut).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
            let blob = Blob::from_stream(stream::iter(pieces), None).verified(&descriptor(&content)).unwrap();
            let expected = if *bytes == content { Ok(Bytes::from(content.clone())) } else { Err(ErrorKind::Mismatch) };
            prop_assert_eq!(into_bytes(blob, 100), expected);
        }
    }
}

fn edge() -> impl Strategy<Value = u64> {
    prop_oneof![0..4_u64, any::<u64>(), u64::MAX - 2..=u64::MAX]
}
