//! Connections: TLS, plain HTTP, addresses, time-outs, redirects, repeats, limits.

mod answers;
mod certificates;
mod hosts;
mod repeats;
mod reuse;
mod silence;

use stevedore_core::reference::Registry;
use stevedore_registry_client::auth::Scopes;
use stevedore_registry_client::{Client, Error};

use crate::support::{Authority, client};

pub(crate) async fn get(client: &Client, registry: &Registry) -> Result<String, Error> {
    let blob = client.get(registry, "/v2/", &Scopes::none()).await?;
    let bytes = blob.into_bytes(1024 * 1024).await.expect("a body");
    Ok(String::from_utf8(bytes.to_vec()).expect("text"))
}

/// What a registry answers that has to be reached.
async fn answer(client: &Client, registry: &Registry) -> String {
    get(client, registry).await.expect("an answer")
}

/// A client that believes an authority about a registry.
fn believing(authority: &Authority, registry: &Registry) -> Client {
    let client = client().registry(registry, authority.settings());
    client.build().expect("a client")
}
