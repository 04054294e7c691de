//! One test a published advisory of other clients. Each was seen red with the line taken out that it guards.

use std::time::Duration;

use stevedore_core::ErrorKind;
use stevedore_core::reference::Registry;
use stevedore_registry_client::auth::{Credential, CredentialSources, Scopes};
use stevedore_registry_client::{ClientBuilder, Error, RegistrySettings, Roots};
use tempfile::TempDir;

use crate::connections::client;
use crate::server::{Reply, Seen, Server};
use crate::tls::Authority;

/// Two hosts of different people, one authority that vouches for both, and a client with a password for the first.
struct World {
    authority: Authority,
    directory: TempDir,
}

const REGISTRY: &str = "registry.example.com";
const EVIL: &str = "evil.example.net";

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
            let mut environment = stevedore_registry_client::Environment::empty();
            environment.ssl_cert_file = Some(self.directory.path().join("ca.pem"));
            environment
        });
        client()
            .roots(roots)
            .resolve(REGISTRY, 443, [registry.address])
            .resolve(other.0, 443, [other.1.address])
            .credentials(CredentialSources::none().with_credential(REGISTRY, credential))
    }
}

fn registry() -> Registry {
    REGISTRY.parse().expect("a registry")
}

fn password() -> Credential {
    Credential::basic("me", "hunter2")
}

/// What "me:hunter2" is in base64.
const ENCODED: &str = "bWU6aHVudGVyMg";

fn challenge(realm: &str) -> Reply {
    Reply::challenge(format!(r#"Bearer realm="{realm}",service="x""#))
}

#[tokio::test]
async fn cve_2026_33540_realm_gets_no_foreign_credentials() {
    let world = World::new();
    let evil = world.server(|_| Reply::ok(r#"{"token":"t"}"#)).await;
    let home = world
        .server(|_| challenge("https://evil.example.net/token"))
        .await;
    let client = world
        .client(&home, (EVIL, &evil), password())
        .build()
        .expect("a client");
    let error = client
        .get(&registry(), "/v2/", &Scopes::none())
        .await
        .expect_err("refused");
    assert!(matches!(error, Error::Realm { .. }), "{error:?}");
    let text = error.to_string();
    assert!(
        text.contains("https://evil.example.net/token") && text.contains("trusted realms"),
        "{text}"
    );
    assert!(evil.seen().is_empty());
}

#[tokio::test]
async fn cve_2026_33540_a_named_realm_gets_them() {
    let world = World::new();
    let other = world.server(|_| Reply::ok(r#"{"token":"t"}"#)).await;
    let home = world
        .server(|seen| match seen.authorization() {
            Some("Bearer t") => Reply::ok(""),
            _ => challenge("https://evil.example.net/token"),
        })
        .await;
    let settings = RegistrySettings::new().with_trusted_realm(EVIL);
    let client = world
        .client(&home, (EVIL, &other), password())
        .registry(&registry(), settings);
    client
        .build()
        .expect("a client")
        .get(&registry(), "/v2/", &Scopes::none())
        .await
        .expect("allowed");
    assert!(
        other.seen()[0]
            .authorization()
            .is_some_and(|header| header.contains(ENCODED))
    );
}

#[tokio::test]
async fn cve_2026_33540_the_own_site_gets_them() {
    let world = World::new();
    let tokens = world.server(|_| Reply::ok(r#"{"token":"t"}"#)).await;
    let home = world
        .server(|seen| match seen.authorization() {
            Some("Bearer t") => Reply::ok(""),
            _ => challenge("https://auth.example.com/token"),
        })
        .await;
    let client = world
        .client(&home, ("auth.example.com", &tokens), password())
        .build()
        .expect("a client");
    client
        .get(&registry(), "/v2/", &Scopes::none())
        .await
        .expect("allowed");
    assert!(
        tokens.seen()[0]
            .authorization()
            .is_some_and(|header| header.contains(ENCODED))
    );
}

#[tokio::test]
async fn cve_2026_48978_realm_is_neither_plain_nor_an_address() {
    let world = World::new();
    let inner = Server::plain(|_| Reply::ok(r#"{"token":"t"}"#)).await;
    for realm in [
        inner.url("/latest/meta-data"),
        format!("https://{}/token", inner.address),
    ] {
        let home = {
            let realm = realm.clone();
            world.server(move |_| challenge(&realm)).await
        };
        // Not even without credentials.
        for credential in [password(), Credential::Anonymous] {
            let client = world
                .client(&home, (EVIL, &inner), credential)
                .build()
                .expect("a client");
            let error = client
                .get(&registry(), "/v2/", &Scopes::none())
                .await
                .expect_err("refused");
            assert!(matches!(error, Error::Realm { .. }), "{error:?}");
        }
    }
    assert!(inner.seen().is_empty());
}

#[tokio::test]
async fn ghsa_28r5_37g7_p6mp_realm_gets_no_foreign_refresh_token() {
    let world = World::new();
    let evil = world.server(|_| Reply::ok(r#"{"token":"t"}"#)).await;
    let home = world
        .server(|_| challenge("https://evil.example.net/token"))
        .await;
    let client = world
        .client(&home, (EVIL, &evil), Credential::identity("hunter2"))
        .build()
        .expect("a client");
    let error = client
        .get(&registry(), "/v2/", &Scopes::none())
        .await
        .expect_err("refused");
    assert!(matches!(error, Error::Realm { .. }), "{error:?}");
    assert!(evil.seen().is_empty());
}

#[tokio::test]
async fn ghsa_28r5_37g7_p6mp_token_service_cannot_pass_credentials_on() {
    // A realm of the own site that redirects elsewhere: with a password, and with a refresh token in a form.
    for credential in [password(), Credential::identity("hunter2")] {
        let world = World::new();
        let evil = world.server(|_| Reply::ok(r#"{"token":"t"}"#)).await;
        let home = world
            .server(|seen| match seen.path.split('?').next() {
                Some("/token") => Reply::redirect(307, "https://evil.example.net/token"),
                _ if seen.authorization().is_some() => Reply::ok(""),
                _ => challenge("https://registry.example.com/token"),
            })
            .await;
        let client = world
            .client(&home, (EVIL, &evil), credential)
            .build()
            .expect("a client");
        drop(client.get(&registry(), "/v2/", &Scopes::none()).await);
        for seen in evil.seen() {
            assert!(
                !seen.all().contains(ENCODED) && !seen.all().contains("hunter2"),
                "{}",
                seen.all()
            );
        }
        assert!(home.seen().iter().any(|seen| seen.path.starts_with("/token")));
    }
}

#[tokio::test]
async fn ghsa_vh4v_2xq2_g5cg_redirect_strips_authorization() {
    // To another host, another port, and back again.
    let target = Server::plain(|_| Reply::ok("")).await;
    let elsewhere = target.url("/blob");
    let home = Server::plain(move |seen| match (seen.path.as_str(), seen.authorization()) {
        (_, None) => Reply::challenge("Basic realm=\"x\""),
        ("/same", _) => Reply::redirect(307, "/v2/"),
        ("/other", _) => Reply::redirect(307, &elsewhere),
        _ => Reply::ok(""),
    })
    .await;
    let sources = CredentialSources::none().with_credential(home.registry().as_str(), password());
    let client = client().credentials(sources).build().expect("a client");

    client
        .get(&home.registry(), "/same", &Scopes::none())
        .await
        .expect("followed");
    let last = home.seen().pop().expect("asked");
    assert!(
        last.path == "/v2/" && last.authorization().is_some(),
        "the same origin keeps it"
    );

    client
        .get(&home.registry(), "/other", &Scopes::none())
        .await
        .expect("followed");
    assert_eq!(target.seen().len(), 1);
    assert_eq!(target.seen()[0].authorization(), None);
}

#[tokio::test]
async fn ghsa_vh4v_2xq2_g5cg_redirect_strips_tokens_on_another_host() {
    let world = World::new();
    let evil = world.server(|_| Reply::ok("")).await;
    let home = world
        .server(|seen| match (seen.path.split('?').next(), seen.authorization()) {
            (Some("/token"), _) => Reply::ok(r#"{"token":"hunter2"}"#),
            (_, Some(_)) => Reply::redirect(302, "https://evil.example.net/blob"),
            _ => challenge("https://registry.example.com/token"),
        })
        .await;
    let client = world
        .client(&home, (EVIL, &evil), password())
        .build()
        .expect("a client");
    client
        .get(&registry(), "/v2/", &Scopes::none())
        .await
        .expect("followed");
    assert_eq!(evil.seen().len(), 1);
    assert_eq!(evil.seen()[0].authorization(), None);
}

#[tokio::test]
async fn cve_2026_33540_a_challenge_of_another_host_is_not_answered() {
    let world = World::new();
    let evil = world
        .server(|seen| match seen.path.split('?').next() {
            Some("/token") => Reply::ok(r#"{"token":"t"}"#),
            _ => Reply::challenge(r#"Basic realm="x", Bearer realm="https://auth.example.com/token""#),
        })
        .await;
    let home = world
        .server(|_| Reply::redirect(307, "https://evil.example.net/v2/"))
        .await;
    let client = world
        .client(&home, (EVIL, &evil), password())
        .build()
        .expect("a client");
    let error = client
        .get(&registry(), "/v2/", &Scopes::none())
        .await
        .expect_err("refused");
    assert_eq!(error.status(), Some(401));
    assert_eq!(evil.seen().len(), 1);
    assert!(!evil.seen()[0].all().contains(ENCODED));
}

#[tokio::test]
async fn cve_2020_15157_foreign_layer_url_gets_no_credentials() {
    // Also not if it points at the registry that credentials are known for, and asks for them.
    let home = Server::plain(|seen| match (seen.path.as_str(), seen.authorization()) {
        ("/v2/", Some(_)) => Reply::ok(""),
        _ => Reply::challenge("Basic realm=\"x\""),
    })
    .await;
    let sources = CredentialSources::none().with_credential(home.registry().as_str(), password());
    let client = client().credentials(sources).build().expect("a client");
    client
        .get(&home.registry(), "/v2/", &Scopes::none())
        .await
        .expect("allowed");
    let before = home.seen().len();
    let error = client
        .get_foreign(&home.url("/layer"), Some(&home.registry()))
        .await
        .expect_err("refused");
    assert_eq!(error.status(), Some(401));
    assert_eq!(home.seen().len(), before + 1);
    assert_eq!(home.seen()[before].authorization(), None);
}

#[tokio::test]
async fn go_containerregistry_2193_foreign_layer_url_leads_to_no_private_address() {
    let inner = Server::plain(|_| Reply::ok("secret")).await;
    let client = client().build().expect("a client");
    // A name that resolves to a private address is one too (go-containerregistry#2440).
    for url in [
        inner.url("/"),
        format!("http://localhost:{}/", inner.address.port()),
    ] {
        let error = client.get_foreign(&url, None).await.expect_err("out of reach");
        assert!(matches!(error, Error::Connect { .. }), "{error:?}");
    }
    assert!(inner.seen().is_empty());
    // A registry of the same private network may name it.
    client
        .get(&inner.registry(), "/v2/", &Scopes::none())
        .await
        .expect("allowed");
    client
        .get_foreign(&inner.url("/"), Some(&inner.registry()))
        .await
        .expect("allowed");
}

#[tokio::test]
async fn ghsa_f36w_mj3v_6jqv_claimed_size_allocates_nothing() {
    // A token service that claims an exabyte.
    let server = Server::plain(|seen| {
        let host = seen.header("host").expect("a host").to_owned();
        match seen.path.split('?').next() {
            Some("/token") => Reply::ok("{")
                .header("content-length", "1000000000000000000")
                .pause(Duration::from_secs(30)),
            _ => challenge(&format!("http://{host}/token")),
        }
    })
    .await;
    let client = client().build().expect("a client");
    let error = client
        .get(&server.registry(), "/v2/", &Scopes::none())
        .await
        .expect_err("too large");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn cve_2025_48374_no_secret_is_shown() {
    let home = Server::plain(|seen| match seen.authorization() {
        None => Reply::challenge("Basic realm=\"x\""),
        Some(_) => Reply::redirect(307, "/blob?X-Amz-Signature=presigned-secret"),
    })
    .await;
    let sources = CredentialSources::none().with_credential(home.registry().as_str(), password());
    let client = client().credentials(sources).build().expect("a client");
    let error = client
        .get(&home.registry(), "/v2/", &Scopes::none())
        .await
        .expect_err("a loop");
    let shown = format!("{client:?} {error:?} {error}");
    for secret in ["hunter2", ENCODED, "presigned-secret"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("X-Amz-Signature=…"), "{shown}");
}
