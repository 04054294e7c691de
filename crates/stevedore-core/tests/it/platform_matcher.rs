//! Which platforms suit: containerd's published cases, and our own for choosing.

use proptest::prelude::*;
use stevedore_core::platform::{self, Matcher, Platform};

fn parse(text: &str) -> Platform {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

/// containerd's `TestOnly`: a platform, what suits it, and what does not.
const ONLY: &[(&str, &str, &str)] = &[
    (
        "linux/amd64",
        "linux/amd64 linux/386",
        "linux/amd64/v2 linux/arm/v7 linux/arm64 windows/amd64 windows/arm",
    ),
    (
        "linux/amd64/v2",
        "linux/amd64 linux/amd64/v1 linux/amd64/v2 linux/386",
        "linux/amd64/v3 linux/amd64/v4 linux/arm/v7 linux/arm64 windows/amd64 windows/arm",
    ),
    (
        "linux/386",
        "linux/386",
        "linux/amd64 linux/arm/v7 linux/arm64 windows/amd64 windows/arm",
    ),
    (
        "windows/amd64",
        "windows/amd64 windows(10.0.17763)/amd64",
        "linux/amd64 linux/arm/v7 linux/arm64 windows/arm",
    ),
    (
        "linux/arm/v8",
        "linux/arm linux/arm/v5 linux/arm/v6 linux/arm/v7 linux/arm/v8",
        "linux/amd64 linux/arm/v4 linux/arm64 windows/amd64 windows/arm",
    ),
    (
        "linux/arm/v7",
        "linux/arm linux/arm/v5 linux/arm/v6 linux/arm/v7",
        "linux/amd64 linux/arm/v4 linux/arm/v8 linux/arm64 windows/amd64 windows/arm",
    ),
    (
        "linux/arm/v6",
        "linux/arm/v5 linux/arm/v6",
        "linux/amd64 linux/arm linux/arm/v4 linux/arm/v7 linux/arm/v8 linux/arm64 windows/amd64 windows/arm",
    ),
    (
        "linux/arm/v5",
        "linux/arm/v5",
        "linux/amd64 linux/arm linux/arm/v4 linux/arm/v6 linux/arm/v7 linux/arm/v8 linux/arm64 windows/amd64 \
         windows/arm",
    ),
    (
        "linux/arm/v4",
        "linux/arm/v4",
        "linux/amd64 linux/arm linux/arm/v5 linux/arm/v6 linux/arm/v7 linux/arm/v8 linux/arm64 windows/amd64 \
         windows/arm",
    ),
    (
        "linux/arm64/v9.6",
        "linux/arm linux/arm/v5 linux/arm/v6 linux/arm/v7 linux/arm/v8 linux/arm64 linux/arm64/v8 linux/arm64/v8.1 \
         linux/arm64/v8.2 linux/arm64/v8.3 linux/arm64/v8.4 linux/arm64/v8.5 linux/arm64/v8.6 linux/arm64/v8.7 \
         linux/arm64/v8.8 linux/arm64/v8.9 linux/arm64/v9 linux/arm64/v9.0 linux/arm64/v9.1 linux/arm64/v9.2 \
         linux/arm64/v9.3 linux/arm64/v9.4 linux/arm64/v9.5 linux/arm64/v9.6",
        "linux/amd64 linux/arm/v4 windows/amd64 windows/arm linux/arm64/v8.10",
    ),
    (
        "linux/arm64/v9",
        "linux/arm linux/arm/v5 linux/arm/v6 linux/arm/v7 linux/arm/v8 linux/arm64 linux/arm64/v8 linux/arm64/v8.1 \
         linux/arm64/v8.2 linux/arm64/v8.3 linux/arm64/v8.4 linux/arm64/v8.5 linux/arm64/v9 linux/arm64/v9.0",
        "linux/amd64 linux/arm/v4 windows/amd64 windows/arm linux/arm64/v8.6",
    ),
    (
        "linux/arm64/v8.1",
        "linux/arm linux/arm/v5 linux/arm/v6 linux/arm/v7 linux/arm/v8 linux/arm64 linux/arm64/v8 linux/arm64/v8.1",
        "linux/amd64 linux/arm/v4 linux/arm/v9 linux/arm64/v9 windows/amd64 windows/arm",
    ),
    (
        "linux/arm64",
        "linux/arm linux/arm/v5 linux/arm/v6 linux/arm/v7 linux/arm/v8 linux/arm64 linux/arm64/v8",
        "linux/amd64 linux/arm/v4 linux/arm/v9 linux/arm64/v9 windows/amd64 windows/arm",
    ),
];

#[test]
fn published_matches_with_other_architectures() {
    for (wanted, suits, others) in ONLY {
        let wanted = parse(wanted);
        let matcher = Matcher::new(&wanted).with_other_architectures();
        for candidate in suits.split(' ').map(parse) {
            assert!(matcher.matches(&candidate), "{wanted} takes {candidate}");
            // The usual rules are the same within an architecture.
            assert_eq!(
                wanted.matches(&candidate),
                wanted.architecture == candidate.architecture
            );
        }
        for candidate in others.split(' ').map(parse) {
            assert!(!matcher.matches(&candidate), "{wanted} takes {candidate}");
            assert!(!wanted.matches(&candidate), "{wanted} takes {candidate}");
        }
    }
}

/// containerd's `TestOnlyStrict`: what suits; everything else that its table names does not.
#[test]
fn published_strict_matches() {
    let everything = "linux/amd64 linux/386 linux/arm linux/arm/v4 linux/arm/v5 linux/arm/v6 linux/arm/v7 \
        linux/arm/v8 linux/arm/v9 linux/arm64 linux/arm64/v8 linux/arm64/v8.1 linux/arm64/v9 linux/arm64/v9.0 \
        linux/arm64/v9.1 linux/arm64/v9.4 linux/arm64/v9.5 windows/amd64 windows(10.0.17763)/amd64 windows/arm";
    for (wanted, suits) in [
        ("linux/amd64", "linux/amd64"),
        ("linux/386", "linux/386"),
        ("windows/amd64", "windows/amd64 windows(10.0.17763)/amd64"),
        (
            "windows(10.0.17763)/amd64",
            "windows/amd64 windows(10.0.17763)/amd64",
        ),
        ("linux/arm/v8", "linux/arm/v8"),
        ("linux/arm/v7", "linux/arm linux/arm/v7"),
        ("linux/arm/v6", "linux/arm/v6"),
        ("linux/arm/v5", "linux/arm/v5"),
        ("linux/arm/v4", "linux/arm/v4"),
        ("linux/arm64/v9.5", "linux/arm64/v9.5"),
        ("linux/arm64/v9", "linux/arm64/v9 linux/arm64/v9.0"),
        ("linux/arm64/v8.1", "linux/arm64/v8.1"),
        ("linux/arm64", "linux/arm64 linux/arm64/v8"),
    ] {
        let matcher = Matcher::new(&parse(wanted)).strict();
        for candidate in everything.split_whitespace() {
            let expected = suits.split(' ').any(|suiting| suiting == candidate);
            assert_eq!(
                matcher.matches(&parse(candidate)),
                expected,
                "{wanted} takes {candidate}"
            );
        }
    }
}

/// containerd's `Test_PlatformCompat`: the build of the host, that of the image, and whether it runs.
#[test]
fn published_windows_builds_run_where_they_should() {
    for (host, image, runs) in [
        (17763, 17763, true),
        (17763, 20348, false),
        (20348, 17763, false),
        (20348, 20348, true),
        (22621, 17763, false),
        (22621, 20348, true),
        (25398, 17763, false),
        (25398, 20348, true),
        (26100, 20348, true),
        (20348, 26100, false),
        (20348, 22621, false),
        (26100, 22621, true),
    ] {
        let windows = |build: u32, revision: u32| parse(&format!("windows(10.0.{build}.{revision})/amd64"));
        assert_eq!(
            windows(host, 1).matches(&windows(image, 2)),
            runs,
            "{image} on {host}"
        );
    }
    let host = parse("windows(10.0.17763)/amd64");
    assert!(!host.matches(&parse("windows(11.0.17763)/amd64")));
    assert!(!host.matches(&parse("windows(latest)/amd64")));
    assert!(parse("windows(latest)/amd64").matches(&host));
    assert!(parse("linux(5)/amd64").matches(&parse("linux(6)/amd64")));
}

/// The wanted platform, the candidates, and the position of the best.
#[test]
fn the_best_is_chosen() {
    for (wanted, candidates, best) in [
        ("linux/amd64", "linux/arm64 linux/amd64 linux/amd64", Some(1)),
        ("linux/amd64", "linux/arm64 windows/amd64", None),
        ("linux/amd64", "", None),
        ("linux/arm/v7", "linux/arm/v5 linux/arm/v6 linux/arm64", Some(1)),
        ("linux/arm/v7", "linux/arm/v6 linux/arm/v8 linux/arm", Some(2)),
        ("linux/arm/v6", "linux/arm/v7 linux/arm/v5", Some(1)),
        (
            "linux/amd64/v3",
            "linux/amd64 linux/amd64/v2 linux/amd64/v4",
            Some(1),
        ),
        ("linux/amd64/v3", "linux/amd64 linux/amd64/v3", Some(1)),
        (
            "linux/amd64/3",
            "linux/amd64 linux/amd64/v2 linux/amd64/v4",
            Some(1),
        ),
        (
            "linux/arm64/v8.5",
            "linux/arm64 linux/arm64/v8.4 linux/arm64/v8.6",
            Some(1),
        ),
        (
            "linux/arm64/v9.1",
            "linux/arm64/v8.7 linux/arm64/v8.6 linux/arm64/v8.5",
            Some(1),
        ),
        ("linux/arm64/v9.1", "linux/arm64/v8.6 linux/arm64/v9", Some(1)),
        // `Test_PlatformOrder` of containerd.
        (
            "windows(10.0.20348.3091)/amd64",
            "linux/amd64 windows(10.0.20348.3091)/amd64 windows(10.0.26100.2894)/amd64",
            Some(1),
        ),
        (
            "windows(10.0.26100.2894)/amd64",
            "linux/amd64 windows(10.0.20348.3091)/amd64 windows(10.0.26100.2894)/amd64",
            Some(2),
        ),
        (
            "windows(10.0.26100.2894)/amd64",
            "linux/amd64 windows(10.0.20348.3091)/amd64 windows(10.0.26100.3000)/amd64",
            Some(2),
        ),
        (
            "windows(10.0.17763)/amd64",
            "windows(10.0.17763.9)/amd64 windows(10.0.17763.10)/amd64",
            Some(1),
        ),
        (
            "windows(10.0.17763.9)/amd64",
            "windows(10.0.17763.10)/amd64 windows(10.0.17763.9)/amd64",
            Some(1),
        ),
        ("windows/amd64", "windows(10.0.17763+win32k)/amd64", Some(0)),
        (
            "linux(+gpu)/amd64",
            "linux(+gpu+simd)/amd64 linux/amd64 linux(+gpu)/amd64",
            Some(2),
        ),
        ("linux/amd64", "linux(+gpu)/amd64", None),
        // `TestCompareOSFeatures` of containerd.
        (
            "linux(+none)/amd64",
            "windows/amd64 linux/amd64 linux/arm64 linux(+other)/amd64",
            Some(1),
        ),
        (
            "linux(+other)/amd64",
            "windows/amd64 linux/amd64 linux/arm64 linux(+other)/amd64",
            Some(3),
        ),
        (
            "linux(+af+other+zf)/amd64",
            "windows/amd64 linux/amd64 linux/arm64 linux(+other)/amd64",
            Some(3),
        ),
        (
            "linux(+f1+f2)/amd64",
            "linux/amd64 linux(+f2)/amd64 linux(+f1)/amd64 linux(+f1+f2)/amd64",
            Some(3),
        ),
    ] {
        let candidates: Vec<_> = candidates.split_whitespace().map(parse).collect();
        assert_eq!(
            platform::select(&parse(wanted), candidates.iter().map(Some)),
            best,
            "{wanted}"
        );
    }
    let amd64 = parse("linux/amd64");
    assert_eq!(platform::select(&amd64, [None, Some(&amd64)]), Some(1));
    let other = parse("linux/386");
    assert_eq!(
        Matcher::new(&amd64)
            .with_other_architectures()
            .select([&other, &amd64].map(Some)),
        Some(1)
    );
}

#[test]
fn attestations_never_suit() {
    let unknown = Platform::new("unknown", "unknown");
    assert!(!Platform::host().matches(&unknown));
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9_-]{0,8}",
        "linux|windows|macos",
        "arm|arm64|amd64|armhf|x86_64",
        "v[0-9](\\.[0-9]{1,2})?"
    ]
}

prop_compose! {
    fn any_platform()(
        os in "[A-Za-z0-9_-]{0,8}|linux|windows|macOS",
        architecture in word(),
        os_version in prop::option::of("\\PC{0,8}|[0-9.]{1,12}"),
        os_features in prop::collection::vec("\\PC{0,8}", 0..3),
        variant in prop::option::of(word()),
    ) -> Platform {
        let mut platform = Platform::new(os, architecture).with_os_features(os_features);
        platform.os_version = os_version;
        platform.variant = variant;
        platform
    }
}

proptest! {
    #[test]
    fn normal_forms_are_stable_and_suit_themselves(platform in any_platform()) {
        let normal = platform.normalized();
        prop_assert_eq!(&normal.normalized(), &normal);
        prop_assert!(Matcher::new(&platform).strict().matches(&normal));
        if !normal.architecture.is_empty() {
            prop_assert_eq!(normal.to_string().parse::<Platform>().unwrap().normalized(), normal);
        }
    }

    #[test]
    fn strictness_is_ordered(wanted in any_platform(), candidate in any_platform()) {
        let matcher = Matcher::new(&wanted);
        let (usual, lax) = (matcher.matches(&candidate), matcher.clone().with_other_architectures());
        prop_assert!(usual || !matcher.strict().matches(&candidate));
        prop_assert!(!usual || lax.matches(&candidate));
    }

    #[test]
    fn the_choice_suits_and_is_the_first_of_equals(
        wanted in any_platform(),
        candidates in prop::collection::vec(any_platform(), 0..6),
    ) {
        match platform::select(&wanted, candidates.iter().map(Some)) {
            None => prop_assert!(!candidates.iter().any(|candidate| wanted.matches(candidate))),
            Some(best) => {
                prop_assert!(wanted.matches(&candidates[best]));
                let twice = candidates.iter().chain(&candidates).map(Some);
                prop_assert_eq!(platform::select(&wanted, twice), Some(best));
            }
        }
    }
}
