//! References: their parts, their errors, and what holds for all of them.

use proptest::prelude::*;
use stevedore_core::reference::{AnyReference, ParseError, Reference, Registry, Repository, Tag};
use stevedore_core::{Algorithm, Digest};

fn parse(text: &str) -> Reference {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refusal(text: &str) -> ParseError {
    text.parse::<Reference>().expect_err("text is refused")
}

#[test]
fn registries_have_a_host_and_perhaps_a_port() {
    for (text, host, port, loopback) in [
        ("docker.io", "docker.io", None, false),
        ("ghcr.io", "ghcr.io", None, false),
        ("localhost", "localhost", None, true),
        ("localhost:5000", "localhost", Some(5000), true),
        ("LOCALHOST", "LOCALHOST", None, true),
        ("registry.localhost", "registry.localhost", None, true),
        ("127.0.0.1:5000", "127.0.0.1", Some(5000), true),
        ("127.1.2.3", "127.1.2.3", None, true),
        ("128.0.0.1", "128.0.0.1", None, false),
        ("[::1]:5000", "[::1]", Some(5000), true),
        ("[::1]", "[::1]", None, true),
        ("[0:0:0:0:0:0:0:1]", "[0:0:0:0:0:0:0:1]", None, true),
        ("[2001:db8::1]:65535", "[2001:db8::1]", Some(65535), false),
        ("localhost.example.com", "localhost.example.com", None, false),
        ("127.0.0.1.example.com", "127.0.0.1.example.com", None, false),
        ("registry:443", "registry", Some(443), false),
    ] {
        let registry: Registry = text.parse().unwrap();
        assert_eq!(registry.to_string(), text);
        assert_eq!(
            (registry.host(), registry.port(), registry.is_loopback()),
            (host, port, loopback),
            "{text}"
        );
    }
}

#[test]
fn docker_hub_is_one_registry_under_two_names() {
    let hub = Registry::docker_hub();
    assert_eq!("index.docker.io".parse::<Registry>().unwrap(), hub);
    assert_eq!("docker.io".parse::<Registry>().unwrap(), hub);
    assert!(hub.is_docker_hub());
    assert_eq!(hub.api_host(), "registry-1.docker.io");
    let other: Registry = "localhost:5000".parse().unwrap();
    assert_eq!(other.api_host(), "localhost:5000");
}

#[test]
fn what_is_no_registry_is_refused() {
    for bad in [
        "",
        "registry",
        "https://ghcr.io",
        "ghcr.io/",
        "ghcr.io:",
        "ghcr.io:http",
        "ghcr.io:65536",
        "foo_bar.com",
        "[::1",
        "::1",
        "[1:2]",
        "[1:2]:5000",
        "[:::1]",
        "[1:2:3:4:5:6:7:8:9]:80",
        "[fe80::1%eth0]",
        "user@ghcr.io",
        "ghcr.io\n",
        "..",
    ] {
        assert!(
            matches!(bad.parse::<Registry>(), Err(ParseError::Registry { .. })),
            "{bad}"
        );
    }
}

#[test]
fn repositories_are_held_to_their_grammar() {
    let longest = "a".repeat(255);
    for good in ["a", "a/b/c", "a.b_c__d---e/f", "0", &longest] {
        assert_eq!(good.parse::<Repository>().unwrap().as_str(), good);
    }
    for bad in [
        "/", "a/", "/a", "a//b", "a..b", "a___b", "a._b", "-a", "a-", "a/../b", ".", "..", "é", "a:b", "a b",
    ] {
        assert!(
            matches!(bad.parse::<Repository>(), Err(ParseError::Repository { .. })),
            "{bad}"
        );
    }
    assert_eq!("".parse::<Repository>(), Err(ParseError::Empty));
    assert!(matches!(
        "a/B".parse::<Repository>(),
        Err(ParseError::Uppercase { .. })
    ));
    let longer = format!("{longest}a");
    assert!(matches!(
        longer.parse::<Repository>(),
        Err(ParseError::TooLong { length: 256, .. })
    ));
    assert_eq!(
        "a/b/c"
            .parse::<Repository>()
            .unwrap()
            .components()
            .collect::<Vec<_>>(),
        ["a", "b", "c"]
    );
}

#[test]
fn tags_are_held_to_their_grammar() {
    let longest = "a".repeat(128);
    for good in ["latest", "_", "A.b-C_1", "1", &longest] {
        assert_eq!(good.parse::<Tag>().unwrap().as_str(), good);
    }
    for bad in [
        "",
        ".a",
        "-a",
        "a/b",
        "a:b",
        "a+b",
        "é",
        "a\n",
        &format!("{longest}a"),
    ] {
        assert!(matches!(bad.parse::<Tag>(), Err(ParseError::Tag { .. })), "{bad}");
    }
}

#[test]
fn a_reference_is_made_of_parts() {
    let make = |registry: &str, repository: &str| {
        Reference::new(registry.parse().unwrap(), repository.parse().unwrap())
    };
    assert_eq!(make("docker.io", "ubuntu").unwrap(), parse("ubuntu"));
    assert_eq!(make("index.docker.io", "a/b").unwrap(), parse("a/b"));
    assert_eq!(make("ghcr.io", "ubuntu").unwrap(), parse("ghcr.io/ubuntu"));
    assert!(matches!(
        make("docker.io", &"a".repeat(250)),
        Err(ParseError::TooLong { length: 258, .. })
    ));
    assert!(matches!(
        refusal(&"a".repeat(250)),
        ParseError::TooLong { length: 258, .. }
    ));
    assert!(make("ghcr.io", &"a".repeat(250)).is_ok());
}

#[test]
fn errors_say_what_was_typed() {
    assert_eq!(refusal("").to_string(), "an empty text names no repository");
    assert_eq!(
        refusal("a b").to_string(),
        r#""a b" is not a reference of the form [<registry>/]<repository>[:<tag>][@<digest>]"#
    );
    assert_eq!(
        refusal("Ubuntu").to_string(),
        r#"repository name in "Ubuntu" must be lower-case"#
    );
    assert!(
        matches!(refusal("ghcr.io/Ubuntu:x"), ParseError::Uppercase { text, .. } if text == "ghcr.io/Ubuntu:x")
    );
    assert!(matches!(refusal("ubuntu:"), ParseError::Malformed { text, .. } if text == "ubuntu:"));
    assert!(matches!(refusal(&"0".repeat(64)), ParseError::Identifier { .. }));
    let digest = refusal(&format!("a@sha256:{}", "0".repeat(63)));
    assert_eq!(digest.to_string(), "reference has an invalid digest");
    let source = std::error::Error::source(&digest).unwrap().to_string();
    assert_eq!(source, "a sha256 digest has 64 hexadecimal digits, not 63");
    assert!(matches!(
        refusal(&format!("a@sha256:{}", "A".repeat(64))),
        ParseError::Digest { .. }
    ));
    let canonical = Reference::parse_canonical("ubuntu").unwrap_err().to_string();
    assert_eq!(
        canonical,
        r#""ubuntu" is not the full form of a reference, which is "docker.io/library/ubuntu""#
    );
}

/// Where we differ from `distribution/reference`; the list is at `Reference`.
#[test]
fn deliberate_differences() {
    assert!(matches!(
        refusal("foo_bar.example/app"),
        ParseError::Registry { .. }
    ));
    assert!(matches!(
        refusal("ghcr.io:65536/app"),
        ParseError::Registry { .. }
    ));
    for algorithm in Algorithm::ALL {
        let digest = algorithm.digest(b"");
        assert_eq!(parse(&format!("a@{digest}")).digest(), Some(digest));
    }
    let ambiguous = "0".repeat(64);
    for full in [
        "docker.io/localhost/app",
        "docker.io/a.b/app",
        &format!("docker.io/library/{ambiguous}"),
    ] {
        assert_eq!(parse(full).familiar(), full);
    }
    assert_eq!(
        parse(&format!("docker.io/{ambiguous}:x")).familiar(),
        format!("{ambiguous}:x")
    );
}

fn registry() -> impl Strategy<Value = Registry> {
    "docker\\.io|localhost|([A-Za-z0-9]{1,5}\\.){1,2}[a-z]{1,3}(:[0-9]{1,4})?|\\[(::1|2001:db8::[0-9a-f]{1,4})\\](:[0-9]{1,4})?|[A-Z][a-z]{0,3}"
        .prop_map(|text| text.parse().expect("text is of the grammar"))
}

fn repository() -> impl Strategy<Value = Repository> {
    "[a-z0-9]{1,4}(([._]|__|-{1,3})[a-z0-9]{1,4}){0,2}(/[a-z0-9]{1,4}([._][a-z0-9]{1,4}){0,2}){0,3}"
        .prop_map(|text| text.parse().expect("text is of the grammar"))
}

prop_compose! {
    fn reference()(
        registry in registry(),
        repository in repository(),
        tag in prop::option::of("[A-Za-z0-9_][A-Za-z0-9_.-]{0,8}"),
        digest in prop::option::of((prop::sample::select(Algorithm::ALL), any::<[u8; 4]>())),
    ) -> Reference {
        let mut reference = Reference::new(registry, repository).expect("name is short");
        if let Some(tag) = tag {
            reference = reference.with_tag(tag.parse().expect("tag is of the grammar"));
        }
        if let Some((algorithm, content)) = digest {
            reference = reference.with_digest(algorithm.digest(&content));
        }
        reference
    }
}

proptest! {
    #[test]
    fn every_form_reads_back(reference in reference()) {
        prop_assert_eq!(&parse(&reference.to_string()), &reference);
        prop_assert_eq!(&parse(&reference.familiar()), &reference);
        prop_assert_eq!(&Reference::parse_canonical(&reference.canonical()).unwrap(), &reference);
        prop_assert_eq!(reference.to_string().parse::<AnyReference>().unwrap(), AnyReference::Name(reference.clone()));
        let json = serde_json::to_string(&reference).unwrap();
        prop_assert_eq!(serde_json::from_str::<Reference>(&json).unwrap(), reference);
    }

    #[test]
    fn no_text_panics_and_what_is_read_is_stable(
        text in "\\PC{0,40}|[a-zA-Z0-9./:@_\\[\\]-]{0,40}|([a-z.:_-]{1,6}/)?[a-z/]{1,8}(:[a-z]{1,3})?",
    ) {
        if let Ok(reference) = text.parse::<Reference>() {
            prop_assert_eq!(&parse(&reference.to_string()), &reference);
            prop_assert_eq!(&parse(&reference.familiar()), &reference);
            prop_assert!(reference.canonical().ends_with(text.trim_start_matches("index.")));
        }
        let parts = (text.parse::<Registry>(), text.parse::<Repository>(), text.parse::<Tag>());
        if let (Ok(registry), _, _) = &parts {
            let reference = parse(&format!("{registry}/a/b"));
            prop_assert_eq!(reference.registry(), registry);
        }
        if let (_, Ok(repository), _) = &parts {
            let reference = parse(&format!("example.com/{repository}"));
            prop_assert_eq!(reference.repository(), repository);
        }
        if let (_, _, Ok(tag)) = &parts {
            let reference = parse(&format!("a:{tag}"));
            prop_assert_eq!(reference.tag(), Some(tag));
        }
    }

    #[test]
    fn one_thing_is_meant_after_parse_docker(reference in reference()) {
        let one = Reference::parse_docker(&reference.to_string()).unwrap();
        prop_assert_eq!(one.digest(), reference.digest());
        prop_assert!(one.tag().is_some() != one.digest().is_some());
        let digest: Option<Digest> = reference.digest();
        if digest.is_none() {
            prop_assert_eq!(one, reference.with_default_tag());
        }
    }
}
