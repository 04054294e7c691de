//! One test a published advisory of other clients. Each was seen red with the line taken out that it guards.

mod bounds;
mod documents;
mod foreign_layers;
mod realms;
mod redirects;

use stevedore_core::{Algorithm, Blob, ReferrerFilter, Source};
use stevedore_registry_client::auth::{Credential, CredentialSources, Scopes};
use stevedore_registry_client::{Client, ClientBuilder, Environment, Error, Repository, Roots};
use tempfile::TempDir;

use crate::support::{Authority, Reply, Seen, Server, TOKEN, anonymous, app, client, registry};

/// Two hosts of different people, one authority that vouches for both, and a client with a password for the first.
struct World {
    authority: Authority,
    directory: TempDir,
}

const REGISTRY: &str = "registry.example.com";
const EVIL: &str = "evil.example.net";

/// Where the second host would give tokens.
const EVIL_REALM: &str = "https://evil.example.net/token";

impl World {
    fn new() -> Self {
        let world = Self {
            authority: Authority::new(),
            directory: tempfile::tempdir().expect("a directory"),
        };
        std::fs::write(world.directory.path().join("ca.pem"), world.authority.pem()).expect("a file");
        world
    }

    async fn server(&self, handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Server {
        let acceptor = self
            .authority
            .acceptor(&[REGISTRY, EVIL, "auth.example.com"], &["http/1.1"]);
        Server::tls(acceptor, handler).await
    }

    fn client(&self, registry: &Server, other: (&str, &Server), credential: Credential) -> ClientBuilder {
        let roots = Roots::from_environment(&{
            let mut environment = Environment::empty();
            environment.ssl_cert_file = Some(self.directory.path().join("ca.pem"));
            environment
        });
        client()
            .roots(roots)
            .resolve(REGISTRY, 443, [registry.address])
            .resolve(other.0, 443, [other.1.address])
            .credentials(CredentialSources::none().with_credential(REGISTRY, credential))
    }

    /// The first host, for whoever shows the token `t` of a realm.
    async fn home(&self, realm: &str) -> Server {
        let realm = realm.to_owned();
        self.server(move |seen| match seen.authorization() {
            Some("Bearer t") => Reply::ok(""),
            _ => challenge(&realm),
        })
        .await
    }

    /// Another host, which gives everybody that token.
    async fn tokens(&self) -> Server {
        self.server(|_| Reply::ok(TOKEN)).await
    }

    /// Asks the first host, with a credential for it.
    async fn ask(
        &self,
        home: &Server,
        other: (&str, &Server),
        credential: Credential,
    ) -> Result<Blob, Error> {
        let client = self.client(home, other, credential).build().expect("a client");
        client.get(&registry(REGISTRY), "/v2/", &Scopes::none()).await
    }
}

fn password() -> Credential {
    Credential::basic("me", "hunter2")
}

/// What "me:hunter2" is in base64.
const ENCODED: &str = "bWU6aHVudGVyMg";

fn challenge(realm: &str) -> Reply {
    Reply::challenge(format!(r#"Bearer realm="{realm}",service="x""#))
}

/// Asks a registry for what is at a path.
async fn ask(client: &Client, registry: &Server, path: &str) -> Result<Blob, Error> {
    client.get(&registry.registry(), path, &Scopes::none()).await
}

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A repository that a server has.
fn app_at(server: &Server) -> Repository {
    app(&anonymous(), &server.registry())
}

/// How a list of referrers fails.
async fn referrers_fail(server: &Server) -> stevedore_core::Error {
    let app = app_at(server);
    let mut referrers = app.referrers(&Algorithm::Sha256.digest(b"x"), ReferrerFilter::all());
    let answer = stevedore_core::stream::next(&mut referrers).await;
    answer.expect("an answer").expect_err("it is not a list")
}
