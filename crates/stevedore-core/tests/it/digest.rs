//! Digests: the published vectors, the image-spec's grammar, and hashing over restarts.

use std::io::Write as _;

use proptest::prelude::*;
use stevedore_core::digest::{Algorithm, AnyDigest, Digest, Hasher, ParseError, RestoreError};

/// FIPS 180-4 examples: the empty message and "abc".
const VECTORS: &[(Algorithm, &str, &str)] = &[
    (
        Algorithm::Sha256,
        "",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ),
    (
        Algorithm::Sha256,
        "abc",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    ),
    (
        Algorithm::Sha384,
        "abc",
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    ),
    (
        Algorithm::Sha512,
        "abc",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
         2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    ),
];

#[test]
fn published_vectors_come_out() {
    for (algorithm, message, hex) in VECTORS {
        let digest = algorithm.digest(message.as_bytes());
        assert_eq!(digest.hex(), *hex);
        assert_eq!(digest.to_string(), format!("{algorithm}:{hex}"));
        assert_eq!(format!("{digest:?}"), digest.to_string());
        assert_eq!(digest.as_bytes().len(), algorithm.size());
        assert_eq!(Digest::from_bytes(*algorithm, digest.as_bytes()), Ok(digest));
    }
}

#[test]
fn only_lower_case_hex_of_the_exact_length_parses() {
    let good = Algorithm::Sha256.digest(b"x").to_string();
    assert!(good.parse::<Digest>().is_ok());
    let hex = &good["sha256:".len()..];
    for bad in [
        String::new(),
        ":".into(),
        "sha256".into(),
        "sha256:".into(),
        hex.into(),
        format!("sha256:{}", hex.to_uppercase()),
        format!("sha256:{}", &hex[1..]),
        format!("sha256:{hex}0"),
        format!("sha512:{hex}"),
        format!("sha384:{hex}"),
        format!("SHA256:{hex}"),
        format!(" sha256:{hex}"),
        format!("sha256:{hex} "),
        format!("sha256:{hex}\n"),
        format!("sha256:{hex}:{hex}"),
        format!("sha256:{}g", &hex[1..]),
        format!("sha256:{}é", &hex[2..]),
        "sha256:../../../../../../etc/passwd".into(),
    ] {
        assert!(bad.parse::<Digest>().is_err(), "{bad:?}");
        assert!(bad.parse::<AnyDigest>().is_err(), "{bad:?}");
    }
}

#[test]
fn errors_say_what_is_wrong() {
    let error = |text: &str| text.parse::<Digest>().unwrap_err();
    assert_eq!(
        error("sha256:abc").to_string(),
        "a sha256 digest has 64 hexadecimal digits, not 3"
    );
    assert!(matches!(
        error(&format!("sha256:{}", "A".repeat(64))),
        ParseError::NotLowerHex { .. }
    ));
    assert!(matches!(
        error("md5:d41d8cd98f00b204e9800998ecf8427e"),
        ParseError::UnknownAlgorithm { .. }
    ));
    assert!(
        matches!(error(&"x".repeat(10_000)), ParseError::Malformed { text, .. } if text.chars().count() == 81)
    );
    assert!(Digest::from_bytes(Algorithm::Sha256, &[0; 31]).is_err());
}

/// The examples of the image-spec's "Descriptor: Digests", and what is not of its grammar.
#[test]
fn the_image_spec_grammar_decides_what_is_carried() {
    for carried in [
        "multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8",
        "sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564",
        "md5:d41d8cd98f00b204e9800998ecf8427e",
        "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "a.b_c-d+e:A=_-9",
    ] {
        let digest: AnyDigest = carried.parse().unwrap();
        let AnyDigest::Other(other) = &digest else {
            panic!("{carried} is known")
        };
        assert_eq!(format!("{}:{}", other.algorithm(), other.encoded()), carried);
        assert_eq!((digest.to_string().as_str(), other.as_str()), (carried, carried));
        assert_eq!(digest.known().unwrap_err().algorithm, other.algorithm());
        assert!(carried.parse::<Digest>().is_err());
    }
    for bad in [
        "", ":", "a:", ":a", "a", "A:a", "a+:a", "+a:a", "a++b:a", "a:b:c", "a:b/c", "a b:c", "é:a", "a:é",
    ] {
        assert!(
            matches!(bad.parse::<AnyDigest>(), Err(ParseError::Malformed { .. })),
            "{bad:?}"
        );
    }
}

#[test]
fn a_registered_algorithm_with_a_bad_body_is_not_carried() {
    assert!(format!("blake3:{}", "0".repeat(64)).parse::<AnyDigest>().is_ok());
    for bad in ["blake3:00", "sha256:zz", "sha512:00", "sha384:LCa0a2j_"] {
        assert!(bad.parse::<AnyDigest>().is_err(), "{bad}");
    }
}

#[test]
fn a_known_digest_equals_itself_when_carried() {
    let digest = Algorithm::Sha256.digest(b"x");
    let any = AnyDigest::from(digest);
    assert_eq!(any, digest);
    assert_eq!(digest, any);
    assert_ne!(any, Algorithm::Sha512.digest(b"x"));
    assert_eq!(any.known(), Ok(digest));
    assert_eq!(any.algorithm(), "sha256");
}

#[test]
fn digests_are_strings_in_json() {
    let digest = Algorithm::Sha256.digest(b"x");
    let json = serde_json::to_string(&digest).unwrap();
    assert_eq!(json, format!("\"{digest}\""));
    assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), digest);
    assert_eq!(serde_json::from_str::<AnyDigest>(&json).unwrap(), digest);
    assert_eq!(
        serde_json::from_str::<AnyDigest>(r#""md5:00""#)
            .unwrap()
            .to_string(),
        "md5:00"
    );
    assert!(serde_json::from_str::<Digest>(r#""md5:00""#).is_err());
    assert!(serde_json::from_str::<Digest>("5").is_err());
    assert_eq!(
        serde_json::from_str::<Algorithm>(r#""sha512""#).unwrap(),
        Algorithm::Sha512
    );
}

#[test]
fn a_hasher_is_a_writer_that_counts() {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    assert!(hasher.is_empty());
    hasher.write_all(b"hello").unwrap();
    let fork = hasher.clone();
    hasher.write_all(b" world").unwrap();
    assert_eq!((hasher.len(), fork.len()), (11, 5));
    assert_eq!(fork.finish(), Algorithm::Sha256.digest(b"hello"));
    assert_eq!(hasher.finish(), Algorithm::Sha256.digest(b"hello world"));
}

#[test]
fn a_checkpoint_of_another_version_is_told_apart_from_a_damaged_one() {
    let mut checkpoint = Hasher::new(Algorithm::Sha256).save();
    assert_eq!(Hasher::restore(&[]).unwrap_err(), RestoreError::Damaged);
    assert_eq!(
        Hasher::restore(&checkpoint[1..]).unwrap_err(),
        RestoreError::Damaged
    );
    checkpoint[3] = 9;
    assert!(matches!(
        Hasher::restore(&checkpoint),
        Err(RestoreError::Version { version: 9, .. })
    ));
}

/// Forges what only somebody with our source would: a right checksum over counts that would overflow.
#[test]
fn absurd_counts_in_a_checkpoint_are_refused() {
    for (algorithm, chain) in [
        (Algorithm::Sha256, 32),
        (Algorithm::Sha384, 64),
        (Algorithm::Sha512, 64),
    ] {
        let whole = Hasher::new(algorithm).save();
        let content = &whole[..whole.len() - 8];
        let counts = 13 + chain;
        for (start, end) in [
            (5, 13),
            (counts, counts + 8),
            (5, counts + 8),
            (counts + 7, counts + 20),
        ] {
            let mut forged = content.to_vec();
            let end = end.min(forged.len());
            forged[start..end].fill(0xff);
            let checksum = Algorithm::Sha256.digest(&forged);
            forged.extend_from_slice(&checksum.as_bytes()[..8]);
            assert_eq!(Hasher::restore(&forged).unwrap_err(), RestoreError::Damaged);
        }
    }
}

fn algorithm() -> impl Strategy<Value = Algorithm> {
    prop::sample::select(Algorithm::ALL)
}

proptest! {
    #[test]
    fn digests_print_and_parse(algorithm in algorithm(), content: Vec<u8>) {
        let digest = algorithm.digest(&content);
        prop_assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        prop_assert_eq!(digest.to_string().parse::<AnyDigest>().unwrap(), digest);
    }

    #[test]
    fn whatever_parses_prints_as_it_stood(text in "\\PC{0,40}|[a-z0-9+._-]{1,12}:[a-zA-Z0-9=_-]{1,70}") {
        if let Ok(digest) = text.parse::<AnyDigest>() {
            prop_assert_eq!(digest.to_string(), text);
        }
    }

    #[test]
    fn pieces_and_restarts_do_not_show(
        algorithm in algorithm(),
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..8),
    ) {
        let mut hasher = algorithm.hasher();
        for piece in &pieces {
            hasher.update(piece);
            let checkpoint = hasher.save();
            prop_assert!(checkpoint.len() < 300);
            hasher = Hasher::restore(&checkpoint).unwrap();
        }
        let whole = pieces.concat();
        prop_assert_eq!(hasher.len(), whole.len() as u64);
        prop_assert_eq!(hasher.algorithm(), algorithm);
        prop_assert_eq!(hasher.finish(), algorithm.digest(&whole));
    }

    #[test]
    fn no_damage_to_a_checkpoint_goes_unseen(
        algorithm in algorithm(),
        content in prop::collection::vec(any::<u8>(), 0..200),
        at: prop::sample::Index,
        flip in 1u8..,
        cut in any::<bool>(),
    ) {
        let mut hasher = algorithm.hasher();
        hasher.update(&content);
        let mut checkpoint = hasher.save();
        let at = at.index(checkpoint.len());
        if cut { checkpoint.truncate(at) } else { checkpoint[at] ^= flip }
        prop_assert!(Hasher::restore(&checkpoint).is_err());
    }

    #[test]
    fn arbitrary_bytes_are_no_checkpoint(bytes: Vec<u8>) {
        prop_assert!(Hasher::restore(&bytes).is_err());
    }
}
