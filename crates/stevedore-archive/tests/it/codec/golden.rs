//! The bytes of each profile. **Who changes one of these digests raises the version of the profile.**

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::*;

/// Several chunks of either format, of all that is compressed differently.
fn content() -> Vec<u8> {
    let mut content = sample(42, 9 << 20);
    content.extend(std::iter::repeat_n(0, 3 << 20));
    let mut random = Random(1);
    content.extend((0..200_000).map(|_| random.next() as u8));
    content
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
}

#[test]
fn the_sample_is_what_it_was() {
    assert_eq!(digest(&content()), "?");
}

#[test]
fn the_bytes_of_each_profile_are_held() {
    let content = content();
    let expected = [
        ("gzip-1-v1", "?"),
        ("gzip-4-v1", "?"),
        ("gzip-5-v1", "?"),
        ("gzip-9-v1", "?"),
        ("zstd-1-v1-1.5.7", "?"),
        ("zstd-3-v1-1.5.7", "?"),
        ("zstd-9-v1-1.5.7", "?"),
        ("zstd-12-v1-1.5.7", "?"),
    ];
    let profiles = [1, 4, 5, 9].map(|level| Profile::gzip(level).unwrap());
    let profiles = profiles
        .into_iter()
        .chain([1, 3, 9, 12].map(|level| Profile::zstd(level).unwrap()));
    let found: Vec<_> = profiles
        .map(|profile| (profile.to_string(), digest(&encode(profile, 2, &content))))
        .collect();
    let found: Vec<_> = found
        .iter()
        .map(|(key, digest)| (key.as_str(), digest.as_str()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn the_slowest_profiles_are_held_on_less() {
    let content = sample(42, 300_000);
    let found = [15, 19].map(|level| digest(&encode(Profile::zstd(level).unwrap(), 2, &content)));
    assert_eq!(found, ["?", "?"]);
}

#[test]
fn the_bytes_of_nothing_are_held() {
    assert_eq!(
        encode(Profile::GZIP, 1, b""),
        b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x03\0\0\0\0\0\0\0\0\0"
    );
    assert_eq!(
        encode(Profile::ZSTD, 1, b""),
        b"\x28\xb5\x2f\xfd\x24\0\x01\0\0\x99\xe9\xd8\x51"
    );
}

#[test]
fn the_defaults_are_what_they_were() {
    assert_eq!(
        [Profile::NONE, Profile::GZIP, Profile::ZSTD].map(|profile| profile.to_string()),
        ["none", "gzip-5-v1", "zstd-3-v1-1.5.7"]
    );
}
