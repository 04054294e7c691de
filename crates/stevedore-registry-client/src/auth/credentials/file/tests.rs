use proptest::prelude::*;

use super::*;

fn file(json: &str) -> AuthFile {
    AuthFile::parse(Path::new("config.json"), json.as_bytes()).expect("parses")
}

#[test]
fn keys_go_from_long_to_short() {
    assert_eq!(
        keys("h:5000", "a/b/c"),
        ["h:5000/a/b/c", "h:5000/a/b", "h:5000/a", "h:5000"]
    );
    assert_eq!(keys("index.docker.io", ""), ["docker.io"]);
}

#[test]
fn normalises_what_was_ever_written() {
    for (key, normal) in [
        ("https://index.docker.io/v1/", "docker.io"),
        ("index.docker.io/v1", "docker.io"),
        ("docker.io/library", "docker.io/library"),
        ("https://Example.com/v2/", "example.com"),
        ("http://example.com:5000", "example.com:5000"),
        ("example.com/team/", "example.com/team"),
    ] {
        assert_eq!(normalise(key).text(), normal, "{key}");
    }
}

#[test]
fn reads_every_kind_of_entry() {
    let file = file(
        r#"{"auths": {
            "basic": {"auth": "dXNlcjpwYTpzcw=="},
            "padded": {"auth": "dTpwAAAA"},
            "unpadded": {"auth": "dXNlcjpwYTpzcw"},
            "fields": {"username": "u", "password": "p"},
            "identity": {"auth": "dTo=", "identitytoken": "i"},
            "token-user": {"auth": "PHRva2VuPjp0"},
            "bearer": {"registrytoken": "r"},
            "marker": {},
            "null": null
        }, "credHelpers": null, "other": [1]}"#,
    );
    let credential = |key: &str| {
        file.entry(key)
            .and_then(|entry| entry.credential().expect("decodes"))
    };
    assert_eq!(credential("basic"), Some(Credential::basic("user", "pa:ss")));
    assert_eq!(credential("unpadded"), credential("basic"));
    assert_eq!(credential("padded"), Some(Credential::basic("u", "p")));
    assert_eq!(credential("fields"), Some(Credential::basic("u", "p")));
    let identity = Credential::Identity {
        username: Some("u".into()),
        token: "i".into(),
    };
    assert_eq!(credential("identity"), Some(identity));
    assert_eq!(credential("token-user"), Some(Credential::identity("t")));
    assert_eq!(credential("bearer"), Some(Credential::bearer("r")));
    assert_eq!(credential("marker"), None);
    assert_eq!(credential("null"), None);
}

#[test]
fn prefers_a_spelling_that_says_something() {
    let file = file(
        r#"{"auths": {"docker.io": {}, "https://index.docker.io/v1/": {"auth": "YTpi"},
                      "h": {"auth": "YTpi"}, "https://h": {"auth": "Yzpk"}}}"#,
    );
    assert_eq!(
        file.entry("docker.io").map(|entry| entry.key),
        Some("https://index.docker.io/v1/")
    );
    assert_eq!(file.entry("h").map(|entry| entry.key), Some("h"));
}

#[test]
fn errors_show_nothing_of_the_file() {
    let wrong = br#"{"auths": {"h": "hunter2"}}"#;
    let error = AuthFile::parse(Path::new("c.json"), wrong).expect_err("wrong shape");
    assert_eq!(
        error.to_string(),
        "the credential file c.json is not understood at line 1, column 25"
    );
    assert!(!format!("{error:?}").contains("hunter2"));
    assert!(std::error::Error::source(&error).is_none());

    let file = file(r#"{"auths": {"h": {"auth": "hunter2!"}}}"#);
    let error = file
        .entry("h")
        .map(Entry::credential)
        .expect("an entry")
        .expect_err("not base64");
    assert!(!format!("{error} {error:?} {file:?}").contains("hunter2"));
}

proptest! {
    #[test]
    fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..100), key in ".{0,30}") {
        drop(normalise(&key).to_owned_key());
        if let Ok(file) = AuthFile::parse(Path::new("x"), &bytes) {
            drop(file.entry(&key).map(Entry::credential));
        }
    }

    #[test]
    fn reads_what_it_encodes(name in "[^:]{0,10}", password in "[^\0]{0,20}") {
        let json = format!(r#"{{"auths":{{"h":{{"auth":"{}"}}}}}}"#, encode_user(&name, &password));
        let file = file(&json);
        let credential = file.entry("h").and_then(|entry| entry.credential().expect("decodes"));
        prop_assert_eq!(credential, Some(from_user(name, password)));
    }
}
