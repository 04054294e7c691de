//! Files that a login writes: their rights, and what is left beside them.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use stevedore_registry_client::auth::Credential;

use super::user;
use crate::support::Home;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

#[tokio::test]
async fn login_makes_a_private_file_where_there_is_none() {
    let home = Home::new();
    home.sources()
        .login("docker.io", &Credential::basic("u", "p"))
        .await
        .expect("logs in");
    let path = home.path(".docker/config.json");
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&home.path(".docker")), 0o700);
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
    assert_eq!(mode(&target), 0o600);
    assert_eq!(user(&home.sources(), "h", "x").await.as_deref(), Some("u"));
}
