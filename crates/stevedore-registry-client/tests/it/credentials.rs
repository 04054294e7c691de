//! Credential files and helpers, read and written.

mod files;
mod finding;
mod helpers;
mod login;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use stevedore_registry_client::auth::CredentialSources;

async fn user(sources: &CredentialSources, registry: &str, repository: &str) -> Option<String> {
    let found = sources
        .find(registry, repository)
        .await
        .expect("sources that can be read");
    found.credential.username().map(str::to_owned)
}

/// An entry for a user with the password `p`.
fn entry(user: &str) -> String {
    let auth = STANDARD.encode(format!("{user}:p"));
    format!(r#"{{"auth": "{auth}"}}"#)
}

/// A file with an entry for a user at the registry `h`.
fn file_for(user: &str) -> String {
    format!(r#"{{"auths": {{"h": {}}}}}"#, entry(user))
}
