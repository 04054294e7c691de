//! Challenges and tokens.

mod ended;
mod passwords;
mod services;
mod tokens;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use stevedore_registry_client::auth::Scopes;
use stevedore_registry_client::{Client, Error};

use crate::support::{Reply, Seen, Server};

async fn get(client: &Client, server: &Server, scopes: &Scopes) -> Result<(), Error> {
    client.get(&server.registry(), "/v2/", scopes).await.map(drop)
}

/// The header of a user and password.
fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// A challenge of a registry whose tokens come from `/token` of the same server.
fn bearer(seen: &Seen, rest: &str) -> Reply {
    let host = seen.header("host").expect("a host");
    Reply::challenge(format!(
        r#"Bearer realm="http://{host}/token",service="test"{rest}"#
    ))
}

/// A registry for whoever shows the token `t`, with a token service that answers so.
async fn guarded(service: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Server {
    Server::plain(
        move |seen| match (seen.path.split('?').next(), seen.authorization()) {
            (Some("/token"), _) => service(seen),
            (_, Some("Bearer t")) => Reply::ok(""),
            _ => bearer(seen, ""),
        },
    )
    .await
}
