//! References: the published cases of `distribution/reference` for what is normalised.

use stevedore_core::digest::Digest;
use stevedore_core::reference::{AnyReference, ParseError, Reference, Tag};

const HEX: &str = "dbcc1c35ac38df41fd2f5e4130b32ffdb93ebae8b3dbe638c23575912276fc9c";

fn parse(text: &str) -> Reference {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// `TestValidateReferenceName` and `TestValidateRemoteName`.
#[test]
fn published_names_are_valid_or_not() {
    for valid in [
        "docker/docker",
        "library/debian",
        "debian",
        "localhost/library/debian",
        "localhost/debian",
        "LOCALDOMAIN/library/debian",
        "LOCALDOMAIN/debian",
        "docker.io/docker/docker",
        "docker.io/library/debian",
        "docker.io/debian",
        "index.docker.io/docker/docker",
        "index.docker.io/library/debian",
        "index.docker.io/debian",
        "127.0.0.1:5000/docker/docker",
        "127.0.0.1:5000/library/debian",
        "127.0.0.1:5000/debian",
        "192.168.0.1",
        "192.168.0.1:80",
        "192.168.0.1:8/debian",
        "192.168.0.2:25000/debian",
        "thisisthesongthatneverendsitgoesonandonandonthisisthesongthatnev",
        "[fc00::1]:5000/docker",
        "[fc00::1]:5000/docker/docker",
        "[fc00:1:2:3:4:5:6:7]:5000/library/debian",
        "docker.io/1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a",
        "Docker/docker",
        "DOCKER/docker",
        "docker-rules/docker",
        "docker---rules/docker",
        "doc/docker",
        "d/docker",
        "jess/t",
        "dock__er/docker",
    ] {
        parse(valid);
    }
    for invalid in [
        "https://github.com/docker/docker",
        "docker/Docker",
        "-docker",
        "-docker/docker",
        "-docker.io/docker/docker",
        "docker///docker",
        "docker.io/docker/Docker",
        "docker.io/docker///docker",
        "[fc00::1]",
        "[fc00::1]:5000",
        "fc00::1:5000/debian",
        "[fe80::1%eth0]:5000/debian",
        "[2001:db8:3:4::192.0.2.33]:5000/debian",
        "1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a",
        "docker-/docker",
        "-docker-/docker",
        "____/____",
        "_docker/_docker",
        "dock..er/docker",
        "dock_.er/docker",
        "dock-.er/docker",
        "docker/",
    ] {
        assert!(invalid.parse::<Reference>().is_err(), "{invalid}");
    }
    let long = "this_is_not_a_valid_namespace_because_its_lenth_is_greater_than_255_".repeat(4);
    let long = format!("{}/docker", long.trim_end_matches('_'));
    assert!(matches!(
        long.parse::<Reference>(),
        Err(ParseError::TooLong { .. })
    ));
}

/// `TestParseRepositoryInfo`: registry, repository, familiar name, another form of the same.
#[test]
fn published_names_have_a_full_and_a_familiar_form() {
    for (registry, repository, familiar, other) in [
        ("localhost", "fooo", "localhost/fooo", "localhost/fooo"),
        (
            "localhost",
            "fooo/bar",
            "localhost/fooo/bar",
            "localhost/fooo/bar",
        ),
        ("LOCALDOMAIN", "fooo", "LOCALDOMAIN/fooo", "LOCALDOMAIN/fooo"),
        (
            "LOCALDOMAIN",
            "fooo/bar",
            "LOCALDOMAIN/fooo/bar",
            "LOCALDOMAIN/fooo/bar",
        ),
        ("docker.io", "fooo/bar", "fooo/bar", "index.docker.io/fooo/bar"),
        ("docker.io", "library/ubuntu", "ubuntu", "library/ubuntu"),
        ("docker.io", "nonlibrary/ubuntu", "nonlibrary/ubuntu", ""),
        ("docker.io", "other/library", "other/library", ""),
        (
            "127.0.0.1:8000",
            "private/moonbase",
            "127.0.0.1:8000/private/moonbase",
            "",
        ),
        ("127.0.0.1:8000", "privatebase", "127.0.0.1:8000/privatebase", ""),
        (
            "example.com",
            "private/moonbase",
            "example.com/private/moonbase",
            "",
        ),
        ("example.com", "privatebase", "example.com/privatebase", ""),
        (
            "example.com:8000",
            "private/moonbase",
            "example.com:8000/private/moonbase",
            "",
        ),
        (
            "example.com:8000",
            "privatebasee",
            "example.com:8000/privatebasee",
            "",
        ),
        (
            "docker.io",
            "library/ubuntu-12.04-base",
            "ubuntu-12.04-base",
            "index.docker.io/library/ubuntu-12.04-base",
        ),
        ("docker.io", "library/foo", "foo", "docker.io/foo"),
        ("docker.io", "library/foo/bar", "library/foo/bar", ""),
        ("docker.io", "store/foo/bar", "store/foo/bar", ""),
        ("Foo", "bar", "Foo/bar", ""),
        ("FOO", "bar", "FOO/bar", ""),
    ] {
        let full = format!("{registry}/{repository}");
        for text in [familiar, &full, other]
            .into_iter()
            .filter(|text| !text.is_empty())
        {
            let reference = parse(text);
            assert_eq!(reference.familiar(), familiar, "{text}");
            assert_eq!(reference.name(), full, "{text}");
            assert_eq!(reference.canonical(), full, "{text}");
            assert_eq!(reference.registry().as_str(), registry, "{text}");
            assert_eq!(reference.repository().as_str(), repository, "{text}");
        }
    }
}

/// `TestNormalizedSplitHostname`.
#[test]
fn published_names_are_split() {
    for (text, registry, repository) in [
        ("test.com/foo", "test.com", "foo"),
        ("test_com/foo", "docker.io", "test_com/foo"),
        ("docker/migrator", "docker.io", "docker/migrator"),
        ("test.com:8080/foo", "test.com:8080", "foo"),
        ("test-com:8080/foo", "test-com:8080", "foo"),
        ("foo", "docker.io", "library/foo"),
        ("xn--n3h.com/foo", "xn--n3h.com", "foo"),
        ("xn--n3h.com:18080/foo", "xn--n3h.com:18080", "foo"),
        ("docker.io/foo", "docker.io", "library/foo"),
        ("docker.io/library/foo", "docker.io", "library/foo"),
        ("docker.io/library/foo/bar", "docker.io", "library/foo/bar"),
    ] {
        let reference = parse(text);
        assert_eq!(reference.registry().as_str(), registry, "{text}");
        assert_eq!(reference.repository().as_str(), repository, "{text}");
    }
}

/// `TestParseAnyReference`.
#[test]
fn published_references_or_digests_are_read() {
    for (text, expected) in [
        ("redis", "docker.io/library/redis"),
        ("redis:latest", "docker.io/library/redis:latest"),
        ("docker.io/library/redis:latest", "docker.io/library/redis:latest"),
        ("redis@sha256:HEX", "docker.io/library/redis@sha256:HEX"),
        (
            "docker.io/library/redis@sha256:HEX",
            "docker.io/library/redis@sha256:HEX",
        ),
        ("dmcgowan/myapp", "docker.io/dmcgowan/myapp"),
        ("dmcgowan/myapp:latest", "docker.io/dmcgowan/myapp:latest"),
        ("docker.io/mcgowan/myapp:latest", "docker.io/mcgowan/myapp:latest"),
        ("dmcgowan/myapp@sha256:HEX", "docker.io/dmcgowan/myapp@sha256:HEX"),
        (
            "docker.io/dmcgowan/myapp@sha256:HEX",
            "docker.io/dmcgowan/myapp@sha256:HEX",
        ),
        ("HEX", "sha256:HEX"),
        ("sha256:HEX", "sha256:HEX"),
        (
            "dbcc1c35ac38df41fd2f5e4130b32ffdb93ebae8b3dbe638c23575912276fc9",
            "docker.io/library/dbcc1c35ac38df41fd2f5e4130b32ffdb93ebae8b3dbe638c23575912276fc9",
        ),
        ("dbcc1", "docker.io/library/dbcc1"),
    ] {
        let (text, expected) = (text.replace("HEX", HEX), expected.replace("HEX", HEX));
        let read: AnyReference = text.parse().unwrap();
        assert_eq!(read.to_string(), expected);
        assert_eq!(
            matches!(read, AnyReference::Digest(_)),
            expected.starts_with("sha256:")
        );
    }
}

/// `TestParseDockerRef`.
#[test]
fn published_references_lead_to_one_thing() {
    for (text, expected) in [
        ("busybox", "docker.io/library/busybox:latest"),
        ("busybox:latest", "docker.io/library/busybox:latest"),
        ("busybox@sha256:HEX", "docker.io/library/busybox@sha256:HEX"),
        ("library/busybox", "docker.io/library/busybox:latest"),
        ("docker.io/busybox", "docker.io/library/busybox:latest"),
        ("docker.io/library/busybox", "docker.io/library/busybox:latest"),
        ("docker.io/busybox:latest", "docker.io/library/busybox:latest"),
        ("library/busybox:latest", "docker.io/library/busybox:latest"),
        (
            "docker.io/library/busybox:latest",
            "docker.io/library/busybox:latest",
        ),
        ("gcr.io/library/busybox", "gcr.io/library/busybox:latest"),
        (
            "gcr.io/library/busybox:latest@sha256:HEX",
            "gcr.io/library/busybox@sha256:HEX",
        ),
    ] {
        let reference = Reference::parse_docker(&text.replace("HEX", HEX)).unwrap();
        assert_eq!(reference.to_string(), expected.replace("HEX", HEX), "{text}");
    }
}

/// `TestParseReferenceWithTagAndDigest`.
#[test]
fn a_reference_has_a_tag_and_a_digest() {
    let short = format!("busybox:latest@sha256:{HEX}");
    let reference = parse(&short);
    assert_eq!(reference.to_string(), format!("docker.io/library/{short}"));
    assert_eq!(reference.familiar(), short);
    assert_eq!(reference.tag(), Some(&Tag::latest()));
    assert_eq!(reference.digest().unwrap().hex(), HEX);
    assert!(!reference.is_name_only());
}

/// `TestInvalidReferenceComponents`.
#[test]
fn published_components_are_invalid() {
    assert!("-foo".parse::<Reference>().is_err());
    assert!("-foo".parse::<Tag>().is_err());
    assert!("foo".parse::<Digest>().is_err());
}

/// `TestParseNamed`.
#[test]
fn published_names_are_in_full_form_or_not() {
    for (text, registry, repository) in [
        ("test.com/foo", "test.com", "foo"),
        ("test:8080/foo", "test:8080", "foo"),
        ("docker.io/library/foo", "docker.io", "library/foo"),
    ] {
        let reference = Reference::parse_canonical(text).unwrap();
        assert_eq!(reference.registry().as_str(), registry);
        assert_eq!(reference.repository().as_str(), repository);
    }
    for text in ["test_com/foo", "test.com", "foo", "library/foo", "docker.io/foo"] {
        assert!(
            matches!(
                Reference::parse_canonical(text),
                Err(ParseError::NotCanonical { .. })
            ),
            "{text}"
        );
    }
}

/// `TestWithTag` and `TestWithDigest`, with digests that are long enough for our type, and names in full form.
#[test]
fn tags_and_digests_are_set() {
    for name in ["test.com/foo", "docker.io/library/foo", "test.com:8000/foo"] {
        for tag in ["tag", "tag2", "TAG5", "latest"] {
            let digest: Digest = format!("sha256:{HEX}").parse().unwrap();
            let tagged = parse(name).with_tag(tag.parse().unwrap());
            assert_eq!(tagged.to_string(), format!("{name}:{tag}"));
            let digested = parse(name).with_digest(digest);
            assert_eq!(digested.to_string(), format!("{name}@{digest}"));
            let both = tagged.clone().with_digest(digest);
            assert_eq!(both.to_string(), format!("{name}:{tag}@{digest}"));
            assert_eq!(both, digested.clone().with_tag(tag.parse().unwrap()));
            assert_eq!(both.clone().without_digest(), tagged);
            assert_eq!(both.without_tag(), digested);
            assert_eq!(tagged.without_tag(), parse(name));
        }
    }
}

/// `TestSerialization`.
#[test]
fn references_are_strings_in_json() {
    for (text, name, tag, digest) in [
        ("example.com:8000/named", "example.com:8000/named", None, false),
        (
            "example.com:8000/named:tagged",
            "example.com:8000/named",
            Some("tagged"),
            false,
        ),
        (
            "other.com/named@sha256:1234567890098765432112345667890098765432112345667890098765432112",
            "other.com/named",
            None,
            true,
        ),
    ] {
        let json = serde_json::to_string(text).unwrap();
        let reference: Reference = serde_json::from_str(&json).unwrap();
        assert_eq!(reference.name(), name);
        assert_eq!(reference.tag().map(Tag::as_str), tag);
        assert_eq!(reference.digest().is_some(), digest);
        assert_eq!(serde_json::to_string(&reference).unwrap(), json);
    }
    assert!(serde_json::from_str::<Reference>(r#""""#).is_err());
}
