//! Programs that keep credentials.

use std::fs;
use std::time::Duration;

use stevedore_registry_client::auth::{Credential, CredentialError, CredentialSources};

use super::{entry, user};
use crate::support::Home;

#[tokio::test]
async fn helpers_come_before_the_entry_of_the_host_and_after_longer_keys() {
    let home = Home::new();
    home.helper("one");
    home.helper("all");
    let json = format!(
        r#"{{"auths": {{"h": {0}, "h/team": {0}, "none": {0}}}, "credsStore": "all",
             "credHelpers": {{"h": "one", "none": ""}}}}"#,
        entry("file")
    );
    home.write(".docker/config.json", &json);
    let sources = home.sources();
    assert_eq!(
        user(&sources, "h", "a").await.as_deref(),
        Some("file"),
        "no helper knows it"
    );
    assert_eq!(user(&sources, "h", "b").await.as_deref(), Some("file"));
    let asked = fs::read_to_string(home.path("bin/asked")).expect("asked");
    assert_eq!(
        asked, "h\nh\n",
        "each helper once, also for the second repository"
    );

    let sources = home.sources();

    home.write(
        "bin/h",
        r#"{"ServerURL": "h", "Username": "helped", "Secret": "s"}"#,
    );
    let found = sources.find("h", "a").await.expect("found");
    assert_eq!(found.credential, Credential::basic("helped", "s"));
    assert!(
        found.origin.starts_with("docker-credential-one, which "),
        "{}",
        found.origin
    );
    assert_eq!(user(&sources, "h", "team/a").await.as_deref(), Some("file"));
    assert_eq!(user(&sources, "none", "a").await.as_deref(), Some("file"));

    let hub = r#"{"ServerURL": "https://index.docker.io/v1/", "Username": "<token>", "Secret": "t"}"#;
    home.write("bin/https___index.docker.io_v1_", hub);
    let found = sources.find("docker.io", "library/nginx").await.expect("found");
    assert_eq!(found.credential, Credential::identity("t"));
}

#[tokio::test]
async fn bad_helpers_are_errors_that_show_nothing() {
    let home = Home::new();
    let sources = home.sources().with_helper_timeout(Duration::from_millis(300));
    for name in ["slow", "loud", "wrong", "endless"] {
        home.helper(name);
    }
    for (name, what) in [
        ("slow", "did not answer within 0 seconds"),
        ("loud", "failed to get (exit status: 3)"),
        ("wrong", "gave an answer to get that is not understood"),
        ("endless", ""),
        ("missing", "is not on the PATH"),
        ("../evil", "cannot be the name"),
        ("a/b", "cannot be the name"),
        ("a\\\\b", "cannot be the name"),
    ] {
        home.write(".docker/config.json", &format!(r#"{{"credsStore": "{name}"}}"#));
        let error = sources.find("h", "a").await.expect_err(name);
        assert!(error.to_string().contains(what), "{name}: {error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

#[tokio::test]
async fn a_helper_is_not_looked_for_in_the_current_directory() {
    let home = Home::new();
    home.write(".docker/config.json", r#"{"credsStore": "fake"}"#);
    let mut environment = home.environment();
    environment.path = Some("tests/it/fixtures:.:".into());
    let error = CredentialSources::new(environment)
        .find("h", "a")
        .await
        .expect_err("not found");
    assert!(matches!(error, CredentialError::HelperMissing { .. }), "{error}");
}

#[tokio::test]
async fn login_and_logout_use_the_helper() {
    let home = Home::new();
    home.helper("one");
    let path = home.write(".docker/config.json", r#"{"credHelpers": {"h": "one"}}"#);
    let sources = home.sources();
    let place = sources
        .login("h", &Credential::basic("u", "p\"q"))
        .await
        .expect("logs in");
    assert!(place.starts_with("docker-credential-one"), "{place}");
    assert_eq!(
        fs::read_to_string(&path).expect("a file"),
        r#"{"credHelpers": {"h": "one"}}"#
    );
    assert_eq!(
        sources.find("h", "a").await.expect("found").credential,
        Credential::basic("u", "p\"q")
    );
    assert_eq!(sources.logout("h").await.expect("logs out").len(), 1);
    assert_eq!(user(&sources, "h", "a").await, None);
    assert!(sources.logout("h").await.expect("nothing to do").is_empty());

    let users = sources.users().await.expect("lists");
    let users: Vec<_> = users
        .iter()
        .map(|(host, user)| (host.as_str(), user.as_deref()))
        .collect();
    assert_eq!(
        users,
        [("docker.io", Some("hub-user")), ("listed.example.com", None)]
    );
}
