//! The encoder as a writer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::*;

const PROFILES: [Profile; 2] = [Profile::GZIP, Profile::ZSTD];

/// Writes the content in pieces of these sizes, over and over, with a flush after each if told so.
fn in_pieces(profile: Profile, threads: usize, content: &[u8], sizes: &[usize], flush: bool) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new(), profile, NonZero::new(threads).unwrap());
    let (mut rest, mut turn) = (content, sizes.iter().cycle());
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.len().min(*turn.next().unwrap()));
        encoder.write_all(piece).unwrap();
        if flush {
            encoder.flush().unwrap();
        }
        rest = after;
    }
    encoder.finish().unwrap()
}

/// A size about a few chunks of gzip, often at their very edge.
fn size() -> impl Strategy<Value = usize> {
    let chunk = 1 << 20;
    prop_oneof![
        0..3000usize,
        (0..4usize, 0..3usize).prop_map(move |(chunks, more)| (chunks * chunk + more).saturating_sub(1)),
        0..4 * chunk,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_bytes_follow_from_content_and_profile_alone(
        seed in any::<u32>(),
        size in size(),
        pieces in prop::collection::vec(1..3_000_000usize, 1..5),
        threads in 2..9usize,
        flush in any::<bool>(),
    ) {
        let content = sample(seed.into(), size);
        let profile = Profile::gzip(1).unwrap();
        let alone = encode(profile, 1, &content);
        prop_assert!(in_pieces(profile, threads, &content, &pieces, flush) == alone);
        prop_assert!(in_pieces(profile, 1, &content, &pieces, flush) == alone);
        prop_assert!(decode(&alone).unwrap() == content);
    }

    #[test]
    fn any_bytes_come_back(content in prop::collection::vec(any::<u8>(), 0..3000), level in 1..10u8) {
        for profile in [Profile::gzip(level).unwrap(), Profile::zstd(level * 2).unwrap(), Profile::NONE] {
            let stream = encode(profile, 3, &content);
            prop_assert_eq!(&decode_as(profile.compression(), &stream).unwrap(), &content);
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let content = sample(7, 13_000_000);
    for profile in [Profile::gzip(1).unwrap(), Profile::zstd(1).unwrap()] {
        let alone = encode(profile, 1, &content);
        assert!(decode(&alone).unwrap() == content);
        for threads in 2..9 {
            assert!(encode(profile, threads, &content) == alone, "{profile} {threads}");
            assert!(
                in_pieces(profile, threads, &content, &[100_003], false) == alone,
                "{profile} {threads}"
            );
        }
    }
}

#[test]
fn a_chunk_that_is_just_full_is_followed_by_nothing() {
    let content = sample(9, 1 << 20);
    let members = |stream: &[u8]| {
        stream
            .windows(10)
            .filter(|bytes| bytes == b"\x1f\x8b\x08\0\0\0\0\0\0\xff")
            .count()
    };
    for threads in [1, 2] {
        assert_eq!(members(&encode(Profile::GZIP, threads, &content)), 1);
        assert_eq!(members(&encode(Profile::GZIP, threads, &content[1..])), 1);
        let more = [&content[..], b"x"].concat();
        assert_eq!(members(&encode(Profile::GZIP, threads, &more)), 2);
    }
}

#[test]
fn nothing_is_a_valid_stream() {
    for profile in PROFILES {
        let one = encode(profile, 1, b"");
        assert_eq!(decode_as(profile.compression(), &one).unwrap(), b"");
        assert_eq!(encode(profile, 4, b""), one);
    }
    assert_eq!(encode(Profile::NONE, 4, b""), b"");
}

#[test]
fn nothing_is_compressed_where_nothing_is_to_be() {
    let content = sample(1, 3_000_000);
    let mut encoder = Encoder::new(Vec::new(), Profile::NONE, NonZero::new(2).unwrap());
    assert_eq!(encoder.write(&content).unwrap(), content.len());
    assert!(encoder.finish().unwrap() == content);
}

/// Hashes what passes.
struct Hashing<W>(Sha256, W);

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.1.write(bytes)?;
        self.0.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.1.flush()
    }
}

#[test]
fn one_pass_gives_the_digests_of_both_sides() {
    let content = sample(3, 3_000_000);
    let sink = Hashing(Sha256::new(), Vec::new());
    let encoder = Encoder::new(sink, Profile::GZIP, NonZero::new(2).unwrap());
    let mut layer = Hashing(Sha256::new(), encoder);
    io::copy(&mut &content[..], &mut layer).unwrap();
    let Hashing(diff_id, encoder) = layer;
    let Hashing(digest, stream) = encoder.finish().unwrap();
    assert_eq!(diff_id.finalize(), Sha256::digest(&content));
    assert_eq!(digest.finalize(), Sha256::digest(&stream));
    assert!(decode(&stream).unwrap() == content);
}

/// A writer whose bytes can be looked at meanwhile.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_flush_hands_on_what_is_compressed_and_cuts_nothing() {
    let content = sample(1, (2 << 20) + 1000);
    let whole = encode(Profile::GZIP, 1, &content);
    for threads in [1, 2] {
        let shared = Shared::default();
        let mut encoder = Encoder::new(shared.clone(), Profile::GZIP, NonZero::new(threads).unwrap());
        encoder.write_all(&content).unwrap();
        encoder.flush().unwrap();
        let so_far = shared.0.lock().unwrap().clone();
        assert!(decode(&so_far).unwrap() == content[..2 << 20]);
        encoder.finish().unwrap();
        assert!(*shared.0.lock().unwrap() == whole);
    }
}

/// Takes so many bytes, then fails once; more is a mistake.
struct Full<'a> {
    room: usize,
    failed: &'a AtomicUsize,
}

impl Write for Full<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.room == 0 {
            self.failed.fetch_add(1, Ordering::Relaxed);
            return Err(io::ErrorKind::StorageFull.into());
        }
        let taken = bytes.len().min(self.room);
        self.room -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        panic!("nothing is flushed after an error")
    }
}

#[test]
fn an_error_of_the_inner_writer_comes_out_once_and_ends_it() {
    let content = sample(1, 1 << 20);
    for profile in [Profile::gzip(1).unwrap(), Profile::zstd(1).unwrap()] {
        for threads in [1, 2, 4] {
            for room in [0, 5, 900_000] {
                let failed = AtomicUsize::new(0);
                let full = Full {
                    room,
                    failed: &failed,
                };
                let mut encoder = Encoder::new(full, profile, NonZero::new(threads).unwrap());
                let error = (0..100).find_map(|_| encoder.write_all(&content).err()).unwrap();
                assert_eq!(error.kind(), io::ErrorKind::StorageFull);
                for error in [encoder.write(&content).unwrap_err(), encoder.flush().unwrap_err()] {
                    assert_eq!(error.kind(), io::ErrorKind::Other);
                    assert_eq!(
                        error.to_string(),
                        "the compressed stream broke off at an earlier error"
                    );
                }
                encoder.finish().err().unwrap();
                assert_eq!(failed.load(Ordering::Relaxed), 1);
            }
        }
    }
}

#[test]
fn an_error_of_the_inner_writer_comes_out_of_the_end_too() {
    for threads in [1, 2] {
        let failed = AtomicUsize::new(0);
        let full = Full {
            room: 10,
            failed: &failed,
        };
        let mut encoder = Encoder::new(full, Profile::GZIP, NonZero::new(threads).unwrap());
        encoder.write_all(b"content").unwrap();
        assert_eq!(encoder.finish().err().unwrap().kind(), io::ErrorKind::StorageFull);
    }
}

#[test]
fn levels_outside_of_the_range_are_refused() {
    assert_eq!(Profile::gzip(9).unwrap().level(), 9);
    assert_eq!(
        Profile::gzip(0).unwrap_err().to_string(),
        "gzip has levels from 1 to 9, and not 0"
    );
    assert_eq!(
        Profile::zstd(20).unwrap_err().to_string(),
        "zstd has levels from 1 to 19, and not 20"
    );
}

/// The threads of this process with the names of workers.
#[cfg(target_os = "linux")]
#[test]
fn dropping_an_unfinished_encoder_ends_its_threads() {
    // Others compress in this process at the same time, so that a process of its own is looked at.
    const ALONE: &str = "STEVEDORE_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let ended = std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "codec::encoder::dropping_an_unfinished_encoder_ends_its_threads",
            ])
            .env(ALONE, "1")
            .output()
            .unwrap();
        let stdout = String::from_utf8_lossy(&ended.stdout);
        assert!(ended.status.success() && stdout.contains("1 passed"), "{stdout}");
        return;
    }
    let workers = || {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        let names = tasks.map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).unwrap());
        names.filter(|name| name.starts_with("compress-")).count()
    };
    let content = sample(1, 1 << 20);
    let mut encoder = Encoder::new(io::sink(), Profile::GZIP, NonZero::new(3).unwrap());
    for _ in 0..8 {
        encoder.write_all(&content).unwrap();
    }
    assert!(workers() > 0);
    drop(encoder);
    assert_eq!(workers(), 0);
    let mut encoder = Encoder::new(io::sink(), Profile::GZIP, NonZero::new(3).unwrap());
    encoder.write_all(&content).unwrap();
    encoder.write_all(&content).unwrap();
    encoder.finish().unwrap();
    assert_eq!(workers(), 0);
    let mut encoder = Encoder::new(io::sink(), Profile::GZIP, NonZero::<usize>::MIN);
    encoder.write_all(&content).unwrap();
    assert_eq!(workers(), 0);
}
