use proptest::prelude::*;

use super::*;

fn url(text: &str) -> Url {
    Url::parse(text).expect("a valid URL")
}

#[test]
fn normalises_scheme_host_and_port() {
    assert_eq!(
        url("HTTPS://Registry.Example.com:443/v2/").as_str(),
        "https://registry.example.com/v2/"
    );
    assert_eq!(url("http://h").as_str(), "http://h/");
    assert_eq!(url("http://h?x=1").as_str(), "http://h/?x=1");
    assert_eq!(url("https://[0:0::1]:5000/x").as_str(), "https://[::1]:5000/x");
    assert_eq!(url("https://h/a#frag").as_str(), "https://h/a");
}

#[test]
fn refuses_what_could_mislead() {
    let cases = [
        ("https://user:pw@h/", UrlError::UserInfo),
        ("https://h@evil/", UrlError::UserInfo),
        ("ftp://h/", UrlError::Scheme),
        ("/v2/", UrlError::Scheme),
        ("https:///v2/", UrlError::Host),
        ("https://h:99999/", UrlError::Host),
        ("https://h:+1/", UrlError::Host),
        ("https://h%2eexample/", UrlError::Host),
        ("https://[::1/", UrlError::Host),
        ("https://h\\@evil/", UrlError::Characters),
        ("https://h/a b", UrlError::Characters),
        ("https://h/\u{e9}", UrlError::Characters),
    ];
    for (text, error) in cases {
        assert_eq!(Url::parse(text), Err(error), "{text}");
    }
}

#[test]
fn joins_like_rfc_3986() {
    let base = url("https://h:5000/v2/a/b?q=1");
    let cases = [
        ("/x/../y", "https://h:5000/y"),
        ("c", "https://h:5000/v2/a/c"),
        ("../c/./d", "https://h:5000/v2/c/d"),
        ("../../../../c", "https://h:5000/c"),
        ("?n=2", "https://h:5000/v2/a/b?n=2"),
        ("", "https://h:5000/v2/a/b?q=1"),
        ("//other/x", "https://other/x"),
        ("http://other/x", "http://other/x"),
        ("/a:b", "https://h:5000/a:b"),
    ];
    for (reference, expected) in cases {
        assert_eq!(
            base.join(reference).expect("joins").as_str(),
            expected,
            "{reference}"
        );
    }
    assert_eq!(base.join("javascript:alert(1)"), Err(UrlError::Scheme));
}

#[test]
fn shows_no_secret_of_a_query() {
    let shown = url("https://cdn/b?X-Amz-Signature=s3cr3t&digest=sha256:ab&opaque").to_string();
    assert_eq!(shown, "https://cdn/b?X-Amz-Signature=…&digest=sha256:ab&…");
}

#[test]
fn encodes_query_values() {
    let url = url("https://h/token?x=1").with_query([("scope", "repository:a/b:pull,push")]);
    assert_eq!(
        url.as_str(),
        "https://h/token?x=1&scope=repository%3Aa%2Fb%3Apull%2Cpush"
    );
}

#[test]
fn knows_loopback_by_name_only() {
    for host in [
        "localhost",
        "a.localhost",
        "127.0.0.1",
        "127.9.9.9",
        "[::1]",
        "[::ffff:127.0.0.1]",
    ] {
        assert!(
            Origin::parse(false, host).expect("parses").is_loopback(),
            "{host}"
        );
    }
    for host in [
        "localhost.example.com",
        "10.0.0.1",
        "[::2]",
        "127.0.0.1.example.com",
    ] {
        assert!(
            !Origin::parse(false, host).expect("parses").is_loopback(),
            "{host}"
        );
    }
}

proptest! {
    #[test]
    fn parses_its_own_output(text in "https?://[a-zA-Z0-9.-]{1,20}(:[0-9]{1,5})?(/[a-z./%?=&~]{0,20})?") {
        if let Ok(url) = Url::parse(&text) {
            prop_assert_eq!(Url::parse(url.as_str()).expect("parses again"), url.clone());
            drop(url.to_uri());
        }
    }

    #[test]
    fn never_panics(base in "https?://[a-z]{1,3}/[ -~]{0,20}", reference in ".{0,40}") {
        if let Ok(base) = Url::parse(&base)
            && let Ok(joined) = base.join(&reference)
        {
            drop(joined.to_uri());
            drop(joined.redacted());
        }
    }
}
