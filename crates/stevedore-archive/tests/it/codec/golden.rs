//! The bytes of each profile. **Who changes one of these digests raises the version of the profile.**

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::*;

/// Several chunks of either format, of all that is compressed differently.
fn content() -> Vec<u8> {
    let mut content = sample(42, 9 << 20);
    content.extend(std::iter::repeat_n(0, 3 << 20));
    let mut random = Random(1);
    content.extend((0..200_000).map(|_| random.byte()));
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
    assert_eq!(
        digest(&content()),
        "e69f59f3f36b5dc06ecb9d6f42970aec8ce9b8e89fc8d63c3b894d39c12c29c7"
    );
}

#[test]
fn the_bytes_of_each_profile_are_held() {
    let content = content();
    let expected = [
        (
            "gzip-1-v1",
            "e858e3f8dfc0e5f9c2737d4c0c227015ee53f63e34a7a7f6d6f17afee536a332",
        ),
        (
            "gzip-4-v1",
            "f23c04bf6a24dc41aca25ba5855c23aa5aa0944cad067b891e81b525175f5534",
        ),
        (
            "gzip-5-v1",
            "7b174ea67816572b24f8064156831fd65e393c8b0a7474b2eec89c0ddefb8c24",
        ),
        (
            "gzip-9-v1",
            "e1b575da3f6346718a9afb09bebac5887c9e7f583a918c009689d04a43720976",
        ),
        (
            "zstd-1-v1-1.5.7",
            "5969330e169d619e1ae731fa729ccef68a8280ceec61b63b57cef96c3300e716",
        ),
        (
            "zstd-3-v1-1.5.7",
            "eb52330573ac29a2776e66388fe8c3424883279384b58c6dbdf368f2a7d92cee",
        ),
        (
            "zstd-9-v1-1.5.7",
            "5e6be3bba5acde340a69a1a59a03e48864000f61cde225007f241ed7bebd4f53",
        ),
        (
            "zstd-12-v1-1.5.7",
            "02982db61b984001f5b116a1cbd0d95a56f795a4e7394b2ef770888187074da6",
        ),
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
    assert_eq!(
        found,
        [
            "6d1cd4bd551219e552cfaa7fae7bd4a8c997caaf33461da6d671649a1cb7b7b8",
            "b33cf3276331b050fe0ab878d868f99c4e39114152cce230c3ffa284cd373661"
        ]
    );
}

#[test]
fn the_bytes_of_nothing_are_held() {
    assert_eq!(
        encode(Profile::GZIP, 1, b""),
        b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x01\0\0\xff\xff\0\0\0\0\0\0\0\0"
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
