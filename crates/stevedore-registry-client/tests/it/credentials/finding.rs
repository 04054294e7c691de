//! Which file has the last word, and which of its entries.

use stevedore_registry_client::auth::{Credential, CredentialSources};

use super::{entry, file_for, user};
use crate::support::Home;

#[tokio::test]
async fn sources_are_asked_in_the_documented_order() {
    let home = Home::new();
    let mut environment = home.environment();
    environment.registry_auth_file = Some(home.path("named.json"));
    let sources = CredentialSources::new(environment.clone());
    assert_eq!(user(&sources, "h", "a").await, None);

    // From the last place to the first one: each hides the ones before.
    home.write(".docker/config.json", &file_for("docker"));
    assert_eq!(user(&sources, "h", "a").await.as_deref(), Some("docker"));
    home.write(".config/containers/auth.json", &file_for("config"));
    assert_eq!(user(&sources, "h", "a").await.as_deref(), Some("config"));
    home.write("run/containers/auth.json", &file_for("runtime"));
    assert_eq!(user(&sources, "h", "a").await.as_deref(), Some("runtime"));
    home.write("named.json", &file_for("named"));
    assert_eq!(user(&sources, "h", "a").await.as_deref(), Some("named"));
    let sources = sources.with_auth_file(home.write("flag.json", &file_for("flag")));
    assert_eq!(user(&sources, "h", "a").await.as_deref(), Some("flag"));
    let sources = sources.with_credential("h", Credential::basic("given", "p"));
    assert_eq!(user(&sources, "h", "a").await.as_deref(), Some("given"));
    let sources = sources.with_credential("h/secret", Credential::Anonymous);
    assert_eq!(user(&sources, "h", "secret/a").await, None);

    // The variables move the last two files.
    environment.docker_config = Some(home.path("d"));
    environment.xdg_config_home = Some(home.path("c"));
    environment.registry_auth_file = None;
    environment.xdg_runtime_dir = None;
    let sources = CredentialSources::new(environment);
    assert_eq!(user(&sources, "h", "a").await, None);
    home.write("d/config.json", &file_for("moved docker"));
    assert_eq!(user(&sources, "h", "a").await.as_deref(), Some("moved docker"));
    home.write("c/containers/auth.json", &file_for("moved config"));
    assert_eq!(user(&sources, "h", "a").await.as_deref(), Some("moved config"));
}

#[tokio::test]
async fn a_named_file_is_the_only_one_even_where_it_is_missing() {
    let home = Home::new();
    home.write(".docker/config.json", &file_for("docker"));
    let sources = home.sources().with_auth_file(home.path("missing.json"));
    assert_eq!(user(&sources, "h", "a").await, None);
}

#[tokio::test]
async fn the_longest_path_wins() {
    let home = Home::new();
    let json = format!(
        r#"{{"auths": {{"h:5000": {}, "h:5000/team": {}, "h:5000/team/app": {}, "https://index.docker.io/v1/": {}}}}}"#,
        entry("host"),
        entry("team"),
        entry("app"),
        entry("hub"),
    );
    home.write(".docker/config.json", &json);
    let sources = home.sources();
    for (registry, repository, expected) in [
        ("h:5000", "other", Some("host")),
        ("h:5000", "team", Some("team")),
        ("h:5000", "team/x", Some("team")),
        ("h:5000", "team/app/x", Some("app")),
        ("h:5000", "team/apple", Some("team")),
        ("h:5000", "teams", Some("host")),
        ("h", "team", None),
        ("docker.io", "library/nginx", Some("hub")),
    ] {
        let found = user(&sources, registry, repository).await;
        assert_eq!(found.as_deref(), expected, "{registry}/{repository}");
    }
}
