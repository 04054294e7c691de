//! The strings that people type.

use proptest::prelude::*;
use stevedore_core::Selector;
use stevedore_transport::Location;
use stevedore_transport::location::ParseError;

const DIGEST: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

#[test]
fn every_form_prints_as_its_canonical_string() {
    let by_digest = format!("oci:a/b@{DIGEST}");
    let hub_digest = format!("docker://docker.io/library/debian@{DIGEST}");
    let cases = [
        ("debian", "docker://docker.io/library/debian"),
        ("debian:12", "docker://docker.io/library/debian:12"),
        ("docker://debian:12", "docker://docker.io/library/debian:12"),
        ("localhost:5000/a/b:c", "docker://localhost:5000/a/b:c"),
        ("[::1]:5000/x", "docker://[::1]:5000/x"),
        ("oci:dir", "oci:dir"),
        ("oci:/abs/dir:v1", "oci:/abs/dir:v1"),
        (
            "oci:dir:docker.io/library/x:tag",
            "oci:dir:docker.io/library/x:tag",
        ),
        ("oci:dir:@2", "oci:dir:@2"),
        ("oci:d@ir:v1", "oci:d@ir:v1"),
        ("ocidir://dir:v1", "oci:dir:v1"),
        ("memory:shelf:v1", "memory:shelf:v1"),
        ("dir:a:b/c", "dir:a:b/c"),
        ("oci-archive:a.tar", "oci-archive:a.tar"),
        ("oci-archive:a.tar:v1", "oci-archive:a.tar:v1"),
        ("oci-archive:a.tar:@1", "oci-archive:a.tar:@1"),
        ("docker-archive:-", "docker-archive:-"),
        ("docker-archive:a.tar:@1", "docker-archive:a.tar:@1"),
        (
            "docker-archive:a.tar:debian",
            "docker-archive:a.tar:docker.io/library/debian:latest",
        ),
        (
            "docker-archive:a.tar:localhost:5000/a/b:c",
            "docker-archive:a.tar:localhost:5000/a/b:c",
        ),
        (
            &format!("docker-archive:a.tar@{DIGEST}"),
            &format!("docker-archive:a.tar@{DIGEST}"),
        ),
        (&format!("dir:a@{DIGEST}"), &format!("dir:a@{DIGEST}")),
        (&by_digest, &by_digest),
        (&format!("ocidir://a/b@{DIGEST}"), &by_digest),
        (&format!("oci:a/b:@{DIGEST}"), &by_digest),
        (&format!("debian@{DIGEST}"), &hub_digest),
    ];
    for (text, printed) in cases {
        let location: Location = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(location.to_string(), printed, "{text}");
        assert_eq!(
            printed.parse::<Location>().expect("what is printed parses"),
            location,
            "{text}"
        );
    }
}

#[test]
fn a_registry_reads_its_digest_before_its_tag_and_latest_without_either() {
    let selector = |text: &str| text.parse::<Location>().expect("a location").selector();
    assert_eq!(
        selector("debian"),
        Selector::Name("latest".parse().expect("a name"))
    );
    assert_eq!(
        selector("debian:12"),
        Selector::Name("12".parse().expect("a name"))
    );
    let digest = DIGEST.parse().expect("a digest");
    assert_eq!(selector(&format!("debian:12@{DIGEST}")), Selector::Digest(digest));
    assert_eq!(selector("oci:dir"), Selector::Only);
    assert_eq!(selector("oci:dir:@3"), Selector::Nth(3));
}

#[test]
fn what_is_no_location_is_refused_with_its_reason() {
    let refused = |text: &str| match text.parse::<Location>() {
        Ok(location) => panic!("{text} parsed as {location}"),
        Err(error) => error,
    };
    assert!(matches!(refused("oci:"), ParseError::Empty { .. }));
    assert!(matches!(refused("oci::v1"), ParseError::Empty { .. }));
    assert!(matches!(refused("memory:"), ParseError::Empty { .. }));
    assert!(matches!(refused("oci:dir:@x"), ParseError::Entry { .. }));
    assert!(matches!(
        refused("oci:dir:@99999999999999999999999"),
        ParseError::Entry { .. }
    ));
    assert!(matches!(
        refused("docker://host:1/UPPER"),
        ParseError::Reference { .. }
    ));
    assert!(matches!(refused(""), ParseError::Reference { .. }));
    assert!(matches!(refused("sif:file"), ParseError::UnknownTransport { .. }));
    assert!(matches!(
        refused("https://example.com/x"),
        ParseError::UnknownTransport { .. }
    ));
    let daemon = refused("docker-daemon:debian:12");
    assert!(daemon.to_string().contains("docker load"), "{daemon}");
    let storage = refused("containers-storage:debian:12");
    assert!(storage.to_string().contains("podman load"), "{storage}");
}

proptest! {
    #[test]
    fn whatever_parses_prints_as_what_parses_to_it(text in "(docker://|oci:|ocidir://|memory:|)[a-zA-Z0-9:@/._\\[\\]-]{0,40}") {
        if let Ok(location) = text.parse::<Location>() {
            let printed = location.to_string();
            prop_assert_eq!(printed.parse::<Location>().expect("what is printed parses"), location);
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in ".*") {
        drop(text.parse::<Location>());
    }
}
