//! Credential files and helpers, read and written.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use stevedore_registry_client::Environment;
use stevedore_registry_client::auth::{Credential, CredentialError, CredentialSources};
use tempfile::TempDir;

/// A home directory with nothing in it but what a test puts there.
struct Home {
    directory: TempDir,
}

impl Home {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().expect("a temporary directory"),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(&path, text).expect("a file");
        path
    }

    /// Installs the fake helper under a name.
    fn helper(&self, name: &str) {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/docker-credential-fake");
        fs::create_dir_all(self.path("bin")).expect("a directory");
        symlink(fixture, self.path(&format!("bin/docker-credential-{name}"))).expect("a link");
    }

    fn environment(&self) -> Environment {
        let mut environment = Environment::empty();
        environment.home = Some(self.path(""));
        environment.xdg_runtime_dir = Some(self.path("run"));
        environment.path = Some(std::env::join_paths([self.path("bin")]).expect("a PATH"));
        environment
    }

    fn sources(&self) -> CredentialSources {
        CredentialSources::new(self.environment())
    }
}

async fn user(sources: &CredentialSources, registry: &str, repository: &str) -> Option<String> {
    let found = sources
        .find(registry, repository)
        .await
        .expect("sources that can be read");
    found.credential.username().map(str::to_owned)
}

/// An entry for a user with the password `p`.
fn entry(user: &str) -> String {
    use base64::Engine;
    let auth = base64::engine::general_purpose::STANDARD.encode(format!("{user}:p"));
    format!(r#"{{"auth": "{auth}"}}"#)
}

#[tokio::test]
async fn sources_are_asked_in_the_documented_order() {
    let home = Home::new();
    let mut environment = home.environment();
    environment.registry_auth_file = Some(home.path("named.json"));
    let sources = CredentialSources::new(environment.clone());
    assert_eq!(user(&sources, "h", "a").await, None);

    let file = |user: &str| format!(r#"{{"auths": {{"h": {}}}}}"#, entry(user));
    // From the last place to the first one: each hides the ones before.
    home.write(".docker/config.json", &file("docker"));
    assert_eq!(user(&sources, "h", "a").await.as_deref(), Some("docker"));
    home.write(".config/containers/auth.json", &file("config"));
    assert_eq!(user(&sources, "h", "a").await.as_deref(), Some("config"));
    home.write("run/containers/auth.json", &file("runtime"));
    assert_eq!(user(&sources, "h", "a").await.as_deref(), Some("runtime"));
    home.write("named.json", &file("named"));
    assert_eq!(user(&sources, "h", "a").await.as_deref(), Some("named"));
    let sources = sources.with_auth_file(home.write("flag.json", &file("flag")));
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
    home.write("d/config.json", &file("moved docker"));
    assert_eq!(user(&sources, "h", "a").await.as_deref(), Some("moved docker"));
    home.write("c/containers/auth.json", &file("moved config"));
    assert_eq!(user(&sources, "h", "a").await.as_deref(), Some("moved config"));
}

#[tokio::test]
async fn a_named_file_is_the_only_one_even_where_it_is_missing() {
    let home = Home::new();
    home.write(
        ".docker/config.json",
        &format!(r#"{{"auths": {{"h": {}}}}}"#, entry("docker")),
    );
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
    assert_eq!(user(&sources, "h:5000", "other").await.as_deref(), Some("host"));
    assert_eq!(user(&sources, "h:5000", "team").await.as_deref(), Some("team"));
    assert_eq!(user(&sources, "h:5000", "team/x").await.as_deref(), Some("team"));
    assert_eq!(
        user(&sources, "h:5000", "team/app/x").await.as_deref(),
        Some("app")
    );
    assert_eq!(
        user(&sources, "h:5000", "team/apple").await.as_deref(),
        Some("team")
    );
    assert_eq!(user(&sources, "h:5000", "teams").await.as_deref(), Some("host"));
    assert_eq!(user(&sources, "h", "team").await, None);
    assert_eq!(
        user(&sources, "docker.io", "library/nginx").await.as_deref(),
        Some("hub")
    );
}

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
async fn login_changes_only_its_entry() {
    let home = Home::new();
    let before = "{\n\t\"HttpHeaders\": {\"X\":  2.50},\n\t\"auths\": {\n\t\t\"z.example\": {\"auth\": \"Yjpw\", \
                  \"email\": \"me\"},\n\t\t\"other\": {\"x\": 1e2}\n\t},\n\t\"plugins\": []\n}\n";
    let path = home.write(".docker/config.json", before);
    let sources = home.sources();

    let place = sources
        .login("z.example", &Credential::basic("me", "secret"))
        .await
        .expect("logs in");
    assert_eq!(place, path.display().to_string());
    let after = fs::read_to_string(&path).expect("a file");
    assert_eq!(after, before.replace("Yjpw", "bWU6c2VjcmV0"));

    sources
        .login("new.example:5000", &Credential::identity("i"))
        .await
        .expect("logs in");
    let found = sources.find("new.example:5000", "a").await.expect("found");
    let token = Credential::Identity {
        username: Some("<token>".into()),
        token: "i".into(),
    };
    assert_eq!(found.credential, token);

    assert_eq!(
        sources.logout("new.example:5000").await.expect("logs out"),
        [path.display().to_string()]
    );
    assert_eq!(fs::read_to_string(&path).expect("a file"), after);
    assert!(
        sources
            .logout("new.example:5000")
            .await
            .expect("nothing to do")
            .is_empty()
    );
}

#[tokio::test]
async fn login_replaces_the_kind_of_a_credential() {
    let home = Home::new();
    let path = home.write("auth.json", r#"{"auths":{"h":{"identitytoken":"old","x":1}}}"#);
    let sources = home.sources().with_auth_file(&path);
    sources
        .login("h", &Credential::bearer("t"))
        .await
        .expect("logs in");
    assert_eq!(
        fs::read_to_string(&path).expect("a file"),
        r#"{"auths":{"h":{"x":1,"registrytoken":"t"}}}"#
    );
}

#[tokio::test]
async fn login_makes_a_private_file_where_there_is_none() {
    let home = Home::new();
    home.sources()
        .login("docker.io", &Credential::basic("u", "p"))
        .await
        .expect("logs in");
    let path = home.path(".docker/config.json");
    assert_eq!(
        fs::metadata(&path).expect("a file").permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(
        fs::metadata(home.path(".docker"))
            .expect("a directory")
            .permissions()
            .mode()
            & 0o777,
        0o700
    );
    assert!(
        fs::read_to_string(&path)
            .expect("a file")
            .contains("\"https://index.docker.io/v1/\"")
    );
    assert_eq!(
        user(&home.sources(), "docker.io", "library/x").await.as_deref(),
        Some("u")
    );
    // Nothing is left beside it.
    assert_eq!(
        fs::read_dir(home.path(".docker")).expect("a directory").count(),
        1
    );
}

#[tokio::test]
async fn login_takes_rights_away_and_keeps_links() {
    let home = Home::new();
    let target = home.write("dotfiles/docker.json", "{}");
    fs::set_permissions(&target, fs::Permissions::from_mode(0o644)).expect("a mode");
    fs::create_dir(home.path(".docker")).expect("a directory");
    let link = home.path(".docker/config.json");
    symlink(&target, &link).expect("a link");
    home.sources()
        .login("h", &Credential::basic("u", "p"))
        .await
        .expect("logs in");
    assert!(link.is_symlink());
    assert_eq!(
        fs::metadata(&target).expect("a file").permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(user(&home.sources(), "h", "x").await.as_deref(), Some("u"));
}

#[tokio::test]
async fn login_is_what_is_found_afterwards() {
    let home = Home::new();
    home.write(
        "run/containers/auth.json",
        &format!(r#"{{"auths": {{"h": {}}}}}"#, entry("old")),
    );
    home.write(".docker/config.json", "{}");
    let sources = home.sources();
    sources
        .login("h", &Credential::basic("new", "p"))
        .await
        .expect("logs in");
    assert_eq!(user(&sources, "h", "a").await.as_deref(), Some("new"));
    sources.logout("h").await.expect("logs out");
    assert_eq!(user(&sources, "h", "a").await, None);
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

#[tokio::test]
async fn logins_at_once_lose_nothing() {
    let home = Home::new();
    let sources = home.sources();
    let logins = (0..16).map(|number| {
        let sources = sources.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            let login = async {
                sources
                    .login(&format!("h{number}"), &Credential::basic("u", "p"))
                    .await
                    .expect("logs in");
            };
            runtime.block_on(login);
        })
    });
    for login in logins.collect::<Vec<_>>() {
        login.join().expect("no panic");
    }
    assert_eq!(sources.users().await.expect("lists").len(), 16);
}

#[tokio::test]
async fn a_file_that_is_not_understood_is_not_written() {
    let home = Home::new();
    let path = home.write(".docker/config.json", "{\"auths\": {");
    let error = home
        .sources()
        .login("h", &Credential::basic("u", "p"))
        .await
        .expect_err("not JSON");
    assert!(matches!(error, CredentialError::Syntax { .. }), "{error}");
    assert_eq!(fs::read_to_string(&path).expect("a file"), "{\"auths\": {");
    let error = home.sources().with_auth_file(home.path("a.json"));
    let error = error
        .login("h", &Credential::basic("u:x", "p"))
        .await
        .expect_err("a colon");
    assert!(matches!(error, CredentialError::Unstorable { .. }), "{error}");
}
