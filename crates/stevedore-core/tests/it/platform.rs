//! Platforms: containerd's published cases for reading, printing and normalising.

use proptest::prelude::*;
use stevedore_core::platform::{Matcher, ParseError, Platform};

fn parse(text: &str) -> Platform {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

/// What a single word leaves to the host, without the variant that goes unsaid.
fn host_architecture() -> String {
    Platform::host().architecture
}

#[test]
fn the_host_runs_linux_and_suits_itself() {
    let host = Platform::host();
    assert_eq!(host.os, "linux");
    assert!(host.matches(&host));
    assert!(
        host.architecture.parse::<Platform>().is_ok(),
        "{host} has an architecture nobody knows"
    );
    assert_eq!(host.variant.is_some(), host.architecture.starts_with("arm"));
}

type Specifier = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static str,
    &'static str,
    &'static str,
);

/// containerd's `TestParseSelector`: text, os, os.version, os.features, architecture, variant, printed form.
const SPECIFIERS: &[Specifier] = &[
    ("linux/arm64", "linux", "", &[], "arm64", "", "linux/arm64"),
    (
        "linux/arm64/v8",
        "linux",
        "",
        &[],
        "arm64",
        "v8",
        "linux/arm64/v8",
    ),
    ("linux/arm", "linux", "", &[], "arm", "", "linux/arm"),
    ("linux/arm/v6", "linux", "", &[], "arm", "v6", "linux/arm/v6"),
    ("linux/arm/v7", "linux", "", &[], "arm", "v7", "linux/arm/v7"),
    ("arm", "linux", "", &[], "arm", "", "linux/arm"),
    ("armel", "linux", "", &[], "arm", "v6", "linux/arm/v6"),
    ("armhf", "linux", "", &[], "arm", "", "linux/arm"),
    ("Aarch64", "linux", "", &[], "arm64", "", "linux/arm64"),
    ("x86_64", "linux", "", &[], "amd64", "", "linux/amd64"),
    ("Linux/x86_64", "linux", "", &[], "amd64", "", "linux/amd64"),
    ("i386", "linux", "", &[], "386", "", "linux/386"),
    ("linux", "linux", "", &[], "HOST", "", "linux/HOST"),
    ("s390x", "linux", "", &[], "s390x", "", "linux/s390x"),
    ("linux/s390x", "linux", "", &[], "s390x", "", "linux/s390x"),
    ("macOS", "darwin", "", &[], "HOST", "", "darwin/HOST"),
    ("windows", "windows", "", &[], "HOST", "", "windows/HOST"),
    ("windows()", "windows", "", &[], "HOST", "", "windows/HOST"),
    (
        "windows(10.0.17763)",
        "windows",
        "10.0.17763",
        &[],
        "HOST",
        "",
        "windows(10.0.17763)/HOST",
    ),
    (
        "windows(10.0.17763+win32k)",
        "windows",
        "10.0.17763",
        &["win32k"],
        "HOST",
        "",
        "windows(10.0.17763+win32k)/HOST",
    ),
    (
        "linux(+gpu)",
        "linux",
        "",
        &["gpu"],
        "HOST",
        "",
        "linux(+gpu)/HOST",
    ),
    (
        "linux(+gpu+simd)",
        "linux",
        "",
        &["gpu", "simd"],
        "HOST",
        "",
        "linux(+gpu+simd)/HOST",
    ),
    (
        "linux(+unsorted+erofs)",
        "linux",
        "",
        &["unsorted", "erofs"],
        "HOST",
        "",
        "linux(+erofs+unsorted)/HOST",
    ),
    (
        "windows(10.0.17763%2Bbuild.42)",
        "windows",
        "10.0.17763+build.42",
        &[],
        "HOST",
        "",
        "windows(10.0.17763%2Bbuild.42)/HOST",
    ),
    (
        "windows(10.0.17763%2Bbuild.42+win32k)",
        "windows",
        "10.0.17763+build.42",
        &["win32k"],
        "HOST",
        "",
        "windows(10.0.17763%2Bbuild.42+win32k)/HOST",
    ),
    (
        "windows(50%25done)",
        "windows",
        "50%done",
        &[],
        "HOST",
        "",
        "windows(50%25done)/HOST",
    ),
];

#[test]
fn published_specifiers_are_read_and_printed() {
    for (text, os, os_version, os_features, architecture, variant, printed) in SPECIFIERS {
        let platform = parse(text);
        let mut expected = Platform::new(*os, architecture.replace("HOST", &host_architecture()))
            .with_os_features(os_features.iter().copied());
        expected.os_version = Some((*os_version).to_owned()).filter(|version| !version.is_empty());
        expected.variant = Some((*variant).to_owned()).filter(|variant| !variant.is_empty());
        assert_eq!(platform, expected, "{text}");
        assert_eq!(
            platform.to_string(),
            printed.replace("HOST", &host_architecture()),
            "{text}"
        );
        assert_eq!(
            parse(&platform.to_string()).to_string(),
            platform.to_string(),
            "{text}"
        );
        assert!(Matcher::new(&platform).strict().matches(&expected), "{text}");
    }
}

/// containerd's `TestParseSelector`: what a specifier matches in other spellings.
#[test]
fn published_spellings_match() {
    let cases: &[(&str, &[(&str, &str)])] = &[
        (
            "linux/arm64",
            &[("aarch64", ""), ("aarch64", "v8"), ("arm64", "v8")],
        ),
        (
            "linux/arm64/v8",
            &[("aarch64", ""), ("aarch64", "v8"), ("arm64", "")],
        ),
        ("linux/arm", &[("arm", "v7"), ("armhf", ""), ("arm", "7")]),
        ("linux/arm/v6", &[("armel", "")]),
        ("linux/arm/v7", &[("arm", ""), ("armhf", "")]),
    ];
    for (text, candidates) in cases {
        let matcher = Matcher::new(&parse(text)).strict();
        for (architecture, variant) in *candidates {
            let candidate = Platform::new("linux", *architecture).with_variant(*variant);
            assert!(matcher.matches(&candidate), "{text} {candidate}");
        }
    }
}

/// containerd's `TestFormatAllEncoding` and `TestFormatAllSkipsEmptyOSFeatures`.
#[test]
fn published_encodings_are_printed_and_read_back() {
    let cases: &[(&str, &str, &[&str], &str)] = &[
        (
            "windows",
            "10.0.17763+build.42",
            &[],
            "windows(10.0.17763%2Bbuild.42)/amd64",
        ),
        (
            "windows",
            "10.0.17763+build.42",
            &["win32k"],
            "windows(10.0.17763%2Bbuild.42+win32k)/amd64",
        ),
        ("windows", "50%done", &[], "windows(50%25done)/amd64"),
        ("windows", "1.0(beta)", &[], "windows(1.0%28beta%29)/amd64"),
        ("windows", "a/b", &[], "windows(a%2Fb)/amd64"),
        ("windows", "10.0.17763", &[], "windows(10.0.17763)/amd64"),
        ("linux", "", &["feat+v2"], "linux(+feat%2Bv2)/amd64"),
        ("linux", "", &["100%gpu"], "linux(+100%25gpu)/amd64"),
        (
            "windows",
            "10.0+build",
            &["feat+1"],
            "windows(10.0%2Bbuild+feat%2B1)/amd64",
        ),
    ];
    for (os, os_version, os_features, printed) in cases {
        let mut platform = Platform::new(*os, "amd64").with_os_features(os_features.iter().copied());
        platform.os_version = Some((*os_version).to_owned()).filter(|version| !version.is_empty());
        assert_eq!(platform.to_string(), *printed);
        assert_eq!(parse(printed), platform, "{printed}");
    }
    let platform = Platform::new("linux", "amd64").with_os_features(["", "gpu", "", "simd"]);
    assert_eq!(platform.to_string(), "linux(+gpu+simd)/amd64");
    assert_eq!(Platform::default().to_string(), "unknown");
}

/// containerd's `TestParseSelectorInvalid`, and more.
#[test]
fn what_is_no_specifier_is_refused() {
    for bad in [
        "",
        "/linux/arm",
        "linux/arm/",
        "linux /arm",
        "linux/&arm",
        "linux/arm/foo/bar",
        "*",
        "linux/*",
        "*/arm64",
        "linux/",
        "linux//v7",
        "linux(",
        "linux)/amd64",
        "linux(a)b/amd64",
        "linux((a))/amd64",
        "linux(+)/amd64",
        "linux(1+)/amd64",
        "linux(1++a)/amd64",
        "linux(%)/amd64",
        "linux(%2)/amd64",
        "linux(%zz)/amd64",
        "linux(%ff)/amd64",
        "linux(a b)/amd64",
        "lin.ux/amd64",
        "линукс/amd64",
    ] {
        assert!(bad.parse::<Platform>().is_err(), "{bad:?}");
    }
    assert!(matches!(
        "vax".parse::<Platform>(),
        Err(ParseError::Unknown { .. })
    ));
    assert!(matches!(
        "arm(1)".parse::<Platform>(),
        Err(ParseError::Unknown { .. })
    ));
    assert_eq!(
        "linux/a/b/c".parse::<Platform>().unwrap_err().to_string(),
        r#""linux/a/b/c" is not a platform: it has more than three parts"#
    );
    assert_eq!(parse("plan10/vax").to_string(), "plan10/vax");
}

/// The rows of the tables of containerd's documentation, and of its `normalizeArch`.
#[test]
fn architectures_are_normalised() {
    for (architecture, variant, expected) in [
        ("aarch64", "", "linux/arm64"),
        ("AArch64", "8", "linux/arm64"),
        ("arm64", "v8", "linux/arm64"),
        ("arm64", "v8.0", "linux/arm64"),
        ("arm64", "v8.1", "linux/arm64/v8.1"),
        ("arm64", "9", "linux/arm64/v9"),
        ("arm64", "9.0", "linux/arm64/v9"),
        ("arm64", "v9.0", "linux/arm64/v9"),
        ("armhf", "v9", "linux/arm/v7"),
        ("armel", "", "linux/arm/v6"),
        ("arm", "", "linux/arm/v7"),
        ("arm", "7", "linux/arm/v7"),
        ("arm", "6", "linux/arm/v6"),
        ("arm", "5", "linux/arm/v5"),
        ("arm", "8", "linux/arm/v8"),
        ("i386", "v1", "linux/386"),
        ("x86_64", "", "linux/amd64"),
        ("x86-64", "V1", "linux/amd64"),
        ("amd64", "v2", "linux/amd64/v2"),
        ("PPC64le", "power9", "linux/ppc64le/power9"),
    ] {
        let platform = Platform::new("Linux", architecture).with_variant(variant);
        assert_eq!(
            platform.normalized().to_string(),
            expected,
            "{architecture} {variant}"
        );
    }
    assert_eq!(Platform::new("macOS", "arm64").normalized().os, "darwin");
    assert_eq!(Platform::new("", "arm64").normalized().os, "linux");
}

proptest! {
    #[test]
    fn no_text_panics_and_what_parses_is_stable(text in "\\PC{0,30}|[a-z0-9/()+%.]{0,20}") {
        if let Ok(platform) = text.parse::<Platform>() {
            let printed = platform.to_string();
            let again: Platform = printed.parse().unwrap();
            prop_assert_eq!(again.to_string(), printed);
            prop_assert_eq!(again.normalized(), platform.normalized());
        }
    }
}
