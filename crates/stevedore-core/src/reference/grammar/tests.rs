//! The published cases of `distribution/reference` for what is parsed as it stands.

use super::*;
use crate::digest;

/// Digests in the tables are written short: F64 and F128 stand for so many digits.
fn full(text: &str) -> String {
    text.replace("F128", &"f".repeat(128))
        .replace("F64", &"f".repeat(64))
}

/// An absent part is written as an empty text.
fn part(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn kind(error: &ParseError) -> &'static str {
    match error {
        ParseError::Empty => "Empty",
        ParseError::Malformed { .. } => "Malformed",
        ParseError::Uppercase { .. } => "Uppercase",
        ParseError::TooLong { .. } => "TooLong",
        ParseError::Digest {
            source: digest::ParseError::Length { .. },
        } => "Length",
        ParseError::Digest {
            source: digest::ParseError::UnknownAlgorithm { .. },
        } => "Unsupported",
        _ => "other",
    }
}

fn check(text: &str, domain: &str, name: &str, tag: &str, digest: &str) {
    let parsed = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let path = part(domain).map_or(name, |domain| &name[domain.len() + 1..]);
    let digest = part(digest).map(|digest| digest.parse().unwrap());
    assert_eq!(
        parsed,
        Parsed {
            domain: part(domain),
            path,
            tag: part(tag),
            digest
        },
        "{text}"
    );
}

/// `TestReferenceParse`: text, domain, name with the domain, tag, digest.
const AS_THEY_STAND: &[(&str, &str, &str, &str, &str)] = &[
    ("test_com", "", "test_com", "", ""),
    ("test.com:tag", "", "test.com", "tag", ""),
    ("test.com:5000", "", "test.com", "5000", ""),
    ("test.com/repo:tag", "test.com", "test.com/repo", "tag", ""),
    ("test:5000/repo", "test:5000", "test:5000/repo", "", ""),
    ("test:5000/repo:tag", "test:5000", "test:5000/repo", "tag", ""),
    (
        "test:5000/repo@sha256:F64",
        "test:5000",
        "test:5000/repo",
        "",
        "sha256:F64",
    ),
    (
        "test:5000/repo:tag@sha256:F64",
        "test:5000",
        "test:5000/repo",
        "tag",
        "sha256:F64",
    ),
    ("test:5000/repo", "test:5000", "test:5000/repo", "", ""),
    ("lowercase:Uppercase", "", "lowercase", "Uppercase", ""),
    (
        "sub-dom1.foo.com/bar/baz/quux",
        "sub-dom1.foo.com",
        "sub-dom1.foo.com/bar/baz/quux",
        "",
        "",
    ),
    (
        "sub-dom1.foo.com/bar/baz/quux:some-long-tag",
        "sub-dom1.foo.com",
        "sub-dom1.foo.com/bar/baz/quux",
        "some-long-tag",
        "",
    ),
    (
        "b.gcr.io/test.example.com/my-app:test.example.com",
        "b.gcr.io",
        "b.gcr.io/test.example.com/my-app",
        "test.example.com",
        "",
    ),
    (
        "xn--n3h.com/myimage:xn--n3h.com",
        "xn--n3h.com",
        "xn--n3h.com/myimage",
        "xn--n3h.com",
        "",
    ),
    (
        "xn--7o8h.com/myimage:xn--7o8h.com@sha256:F64",
        "xn--7o8h.com",
        "xn--7o8h.com/myimage",
        "xn--7o8h.com",
        "sha256:F64",
    ),
    ("foo_bar.com:8080", "", "foo_bar.com", "8080", ""),
    ("foo/foo_bar.com:8080", "foo", "foo/foo_bar.com", "8080", ""),
    ("192.168.1.1", "", "192.168.1.1", "", ""),
    ("192.168.1.1:tag", "", "192.168.1.1", "tag", ""),
    ("192.168.1.1:5000", "", "192.168.1.1", "5000", ""),
    ("192.168.1.1/repo", "192.168.1.1", "192.168.1.1/repo", "", ""),
    (
        "192.168.1.1:5000/repo",
        "192.168.1.1:5000",
        "192.168.1.1:5000/repo",
        "",
        "",
    ),
    (
        "192.168.1.1:5000/repo:5050",
        "192.168.1.1:5000",
        "192.168.1.1:5000/repo",
        "5050",
        "",
    ),
    (
        "[2001:db8::1]/repo",
        "[2001:db8::1]",
        "[2001:db8::1]/repo",
        "",
        "",
    ),
    (
        "[2001:db8:1:2:3:4:5:6]/repo:tag",
        "[2001:db8:1:2:3:4:5:6]",
        "[2001:db8:1:2:3:4:5:6]/repo",
        "tag",
        "",
    ),
    (
        "[2001:db8::1]:5000/repo",
        "[2001:db8::1]:5000",
        "[2001:db8::1]:5000/repo",
        "",
        "",
    ),
    (
        "[2001:db8::1]:5000/repo:tag",
        "[2001:db8::1]:5000",
        "[2001:db8::1]:5000/repo",
        "tag",
        "",
    ),
    (
        "[2001:db8::1]:5000/repo@sha256:F64",
        "[2001:db8::1]:5000",
        "[2001:db8::1]:5000/repo",
        "",
        "sha256:F64",
    ),
    (
        "[2001:db8::1]:5000/repo:tag@sha256:F64",
        "[2001:db8::1]:5000",
        "[2001:db8::1]:5000/repo",
        "tag",
        "sha256:F64",
    ),
    (
        "[2001:db8::]:5000/repo",
        "[2001:db8::]:5000",
        "[2001:db8::]:5000/repo",
        "",
        "",
    ),
    ("[::1]:5000/repo", "[::1]:5000", "[::1]:5000/repo", "", ""),
];

#[test]
fn references_are_parsed_as_they_stand() {
    let cases = AS_THEY_STAND;
    for (text, domain, name, tag, digest) in cases {
        check(&full(text), domain, name, tag, &full(digest));
    }
    let (a127, a255) = ("a/".repeat(127) + "a", "a".repeat(255));
    check(
        &format!("{a127}:tag-puts-this-over-max"),
        "a",
        &a127,
        "tag-puts-this-over-max",
        "",
    );
    check(
        &format!("example.com/{a255}:tag"),
        "example.com",
        &format!("example.com/{a255}"),
        "tag",
        "",
    );
    // Refused there only for want of a registered algorithm.
    check(
        &full("validname@sha512:F128"),
        "",
        "validname",
        "",
        &full("sha512:F128"),
    );
}

/// `TestReferenceParse`: what is refused, and why.
#[test]
fn what_is_no_reference_is_refused() {
    let cases = [
        ("", "Empty"),
        (":justtag", "Malformed"),
        ("@sha256:F64", "Malformed"),
        ("repo@sha256:ffffffffffffffffffffffffffffffffff", "Length"),
        ("validname@invaliddigest:F64", "Unsupported"),
        ("Uppercase:tag", "Uppercase"),
        ("test:5000/Uppercase/lowercase:tag", "Uppercase"),
        ("aa/asdf$$^/aa", "Malformed"),
        ("[2001:db8::1]", "Malformed"),
        ("[2001:db8::1]:5000", "Malformed"),
        ("[2001:db8::1]:tag", "Malformed"),
        ("[fe80::1%eth0]:5000/repo", "Malformed"),
        ("[fe80::1%@invalidzone]:5000/repo", "Malformed"),
    ];
    for (text, expected) in cases {
        assert_eq!(kind(&parse(&full(text)).unwrap_err()), expected, "{text}");
    }
    let long = format!("domain/{}:tag", "a".repeat(256));
    assert_eq!(parse(&long), Err(ParseError::TooLong { length: 256 }));
}

/// `TestDomainRegexp`.
#[test]
fn domains_are_told_from_other_texts() {
    let domains = "test.com test.com:10304 localhost localhost:8080 a a.b ab.cd.com a-b.com ab.c-om 0101.com \
        001a.com b.gbc.io:443 b.gbc.io xn--n3h.com Asdf.com 192.168.1.1:75050 192.168.1.1:750050 \
        [fd00:1:2::3]:75050 [fd00123123123]:75050 [2001:0db8:85a3:0000:0000:8a2e:0370:7334]:75050 \
        [2001:0db8:85a3:0000:0000:8a2e:0370:7334]:750505";
    let others = "test.com:http -ab.com ab-.com ab.-com ab.com- [fd00:1:2::3]75050 [fd00:1:2::3]::75050 \
        [fd00:1:2::3%eth0]:75050 fd00:1:2::3:75050";
    for text in domains.split(' ') {
        assert!(is_domain(text), "{text}");
    }
    for text in others
        .split(' ')
        .chain(["", ":", ":5000", "a:", "[]", "[", "a b"])
    {
        assert!(!is_domain(text), "{text}");
    }
}

/// `TestFullNameRegexp`: domain and path.
#[test]
fn names_are_split_into_domain_and_path() {
    let cases = [
        ("", "short"),
        ("simple", "name"),
        ("library", "ubuntu"),
        ("docker", "stevvooe/app"),
        ("aa", "aa/aa/aa/aa/aa/aa/aa/aa/bb/bb/bb/bb/bb/bb"),
        ("aa", "aa/bb/bb/bb"),
        ("a", "a/a/a"),
        ("", "a"),
        ("a", "aa"),
        ("a", "aa/a"),
        ("", "foo.com"),
        ("foo.com:8080", "bar"),
        ("foo.com", "bar"),
        ("foo.com", "bar/baz"),
        ("localhost:8080", "bar"),
        ("sub-dom1.foo.com", "bar/baz/quux"),
        ("blog.foo.com", "bar/baz"),
        ("aa-a", "a"),
        ("", "foo_bar"),
        ("", "foo_bar.com"),
        ("foo.com", "foo_bar"),
        ("b.gcr.io", "test.example.com/my-app"),
        ("xn--n3h.com", "myimage"),
        ("xn--7o8h.com", "myimage"),
        ("example.com", "xn--7o8h.com/myimage"),
        ("example.com", "some_separator__underscore/myimage"),
        ("", "do__cker/docker"),
        ("registry.io", "foo/project--id.module--name.ver---sion--name"),
        ("Asdf.com", "foo/bar"),
        // TestDomainAndPath
        ("test.com", "foo"),
        ("", "test_com/foo"),
        ("test:8080", "foo"),
        ("test.com:8080", "foo"),
        ("test-com:8080", "foo"),
        ("xn--n3h.com:18080", "foo"),
    ];
    for (domain, path) in cases {
        let name = part(domain).map_or(path.to_owned(), |domain| format!("{domain}/{path}"));
        assert_eq!(split_name(&name), Some((part(domain), path)));
    }
    let long = "a/".repeat(127) + "a";
    assert_eq!(split_name(&format!("a/{long}")), Some((Some("a"), long.as_str())));
}

/// `TestFullNameRegexp` and `TestWithNameFailure`.
#[test]
fn what_is_no_name_is_not_split() {
    let others = "a/a/a/a/ a//a/a foo.com/ foo.com:http/bar a^a aa/asdf$$^/aa asdf$$^/aa a-/a/a/a foo.com/a-/a/a \
        -foo/bar foo/bar- foo-/bar foo/-bar _foo/bar foo_bar.com:8080 foo_bar.com:8080/app ____/____ \
        _docker/_docker docker_/docker_ example.com/__underscore/myimage example.com/..dots/myimage \
        example.com/.dots/myimage example.com/nodouble..dots/myimage docker./docker .docker/docker \
        docker-/docker -docker/docker do..cker/docker do__cker:8080/docker Foo/FarB";
    let references = [
        ":justtag",
        "@sha256:F64",
        "validname@invaliddigest:F64",
        "example.com/repo:tag",
    ];
    for text in others.split(' ').chain(references).chain([""]) {
        assert_eq!(split_name(&full(text)), None, "{text}");
    }
}

/// `TestReferenceRegexp`: text, name, tag, digest.
#[test]
fn references_are_split() {
    let cases = [
        (
            "registry.com:8080/myapp:tag",
            "registry.com:8080/myapp",
            "tag",
            "",
        ),
        (
            "registry.com:8080/myapp@sha256:F64",
            "registry.com:8080/myapp",
            "",
            "sha256:F64",
        ),
        (
            "registry.com:8080/myapp:tag2@sha256:F64",
            "registry.com:8080/myapp",
            "tag2",
            "sha256:F64",
        ),
        ("localhost:8080@sha256:F64", "localhost", "8080", "sha256:F64"),
        (
            "localhost:8080/name@sha256:F64",
            "localhost:8080/name",
            "",
            "sha256:F64",
        ),
        ("localhost@sha256:F64", "localhost", "", "sha256:F64"),
    ];
    for (text, name, tag, digest) in cases {
        assert_eq!(
            split(&full(text)),
            Some((name, part(tag), part(&full(digest)))),
            "{text}"
        );
    }
    for text in [
        "registry.com:8080/myapp@sha256:badbadbadbad",
        "registry.com:8080/myapp:invalid~tag",
        "bad_hostname.com:8080/myapp:tag",
        "localhost:http/name@sha256:F64",
        "registry.com:8080/myapp@bad",
        "registry.com:8080/myapp@2bad",
        "name:",
        "name@",
        "name:tag@",
        "name@sha256:F64@sha256:F64",
        "name@sha256:F64:tag",
    ] {
        assert_eq!(split(&full(text)), None, "{text}");
    }
}

/// `TestIdentifierRegexp`.
#[test]
fn identifiers_are_64_lower_case_hexadecimal_digits() {
    let hex = "da304e823d8ca2b9d863a3c897baeb852ba21ea9a9f1414736394ae7fcaf9821";
    assert!(is_identifier(hex));
    for text in [
        &hex.to_uppercase(),
        &hex[..60],
        &format!("sha256:{hex}"),
        &format!("{hex}8482"),
    ] {
        assert!(!is_identifier(text), "{text}");
    }
}
