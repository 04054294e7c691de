//! What tests share: clients that look at nothing of this machine, servers for them, and what the two talk about.

#[cfg(unix)]
mod home;
mod server;
mod tls;

use std::time::Duration;

use bytes::Bytes;
use stevedore_core::reference::Registry;
use stevedore_core::{Algorithm, Descriptor, MediaType, Selector};
use stevedore_registry_client::auth::{Credential, CredentialSources};
use stevedore_registry_client::{
    CertificateDirectories, Client, ClientBuilder, Proxies, Repository, RetryPolicy, Roots,
};

#[cfg(unix)]
pub(crate) use home::Home;
pub(crate) use server::{Reply, Seen, Server};
pub(crate) use tls::Authority;

/// What a token service answers that gives the token `t`.
pub(crate) const TOKEN: &str = r#"{"token":"t"}"#;

/// A client that looks at nothing of this machine, and repeats quickly.
pub(crate) fn client() -> ClientBuilder {
    Client::builder()
        .credentials(CredentialSources::none())
        .roots(Roots::None)
        .certificate_directories(CertificateDirectories::none())
        .proxies(Proxies::none())
        .retry(RetryPolicy::default().with_waits(Duration::from_millis(1), Duration::from_millis(5)))
}

/// The same, with nothing else said.
pub(crate) fn anonymous() -> Client {
    client().build().expect("a client")
}

/// The same, with a credential for a server.
pub(crate) fn client_with(server: &Server, credential: Credential) -> Client {
    let sources = CredentialSources::none().with_credential(server.registry().as_str(), credential);
    client().credentials(sources).build().expect("a client")
}

/// The repository of a registry that all tests are about.
pub(crate) fn app(client: &Client, registry: &Registry) -> Repository {
    client.repository(registry, &"team/app".parse().expect("a name"))
}

pub(crate) fn registry(name: &str) -> Registry {
    name.parse().expect("a registry")
}

pub(crate) fn name(tag: &str) -> Selector {
    Selector::Name(tag.parse().expect("a name"))
}

pub(crate) fn layer(bytes: &Bytes) -> Descriptor {
    Descriptor::new(
        MediaType::OCI_LAYER,
        Algorithm::Sha256.digest(bytes),
        bytes.len() as u64,
    )
}

/// Bytes that no compressor or run would hide a shift in.
pub(crate) fn noise(length: usize) -> Bytes {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let bytes = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    bytes.flatten().take(length).collect::<Vec<u8>>().into()
}

/// All levels of an error.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text} / {error}");
        cause = error.source();
    }
    text
}

/// Fails unless an error, with all its levels, has this in it.
#[track_caller]
pub(crate) fn says(error: &dyn std::error::Error, part: &str) {
    let chain = chain(error);
    assert!(chain.contains(part), "{part}: {chain}");
}
