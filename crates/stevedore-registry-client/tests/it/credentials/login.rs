//! What a login changes, and what it leaves.

use std::fs;

use stevedore_registry_client::auth::{Credential, CredentialError};

use super::{file_for, user};
use crate::support::Home;

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
async fn login_is_what_is_found_afterwards() {
    let home = Home::new();
    home.write("run/containers/auth.json", &file_for("old"));
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
