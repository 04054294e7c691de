//! One test a published advisory of other clients. Each was seen red with the line taken out that it guards.

mod content;

use std::time::Duration;

use stevedore_core::reference::Registry;
use stevedore_core::{
    Algorithm, ByteRange, Descriptor, ErrorKind, MediaType, ReferrerFilter, Selector, Sink, Source,
};
use stevedore_registry_client::auth::{Credential, CredentialSources, Scopes};
use stevedore_registry_client::{ClientBuilder, Error, RegistrySettings, RetryPolicy, Roots, Timeouts};
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
    let realms = [
        "http://registry.example.com/token".to_owned(),
        inner.url("/latest/meta-data"),
        format!("https://{}/token", inner.address),
    ];
    for realm in realms {
        let home = {
            let realm = realm.clone();
            world.server(move |_| challenge(&realm)).await
        };
        // Not even without credentials.
        for credential in [password(), Credential::Anonymous] {
            let client = world.client(&home, (EVIL, &inner), credential);
            let client = client
                .resolve(REGISTRY, 80, [inner.address])
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
        assert!(matches!(error, Error::Untrusted { .. }), "{error:?}");
        assert_eq!(error.kind(), ErrorKind::Denied);
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

#[tokio::test]
async fn cve_2026_50151_location_of_another_host_gets_no_credentials() {
    // An upload that goes on at another host gets the bytes and no credentials.
    let elsewhere = Server::plain(|seen| match seen.method.as_str() {
        "PUT" => Reply::new(201),
        _ => Reply::challenge("Basic realm=\"x\""),
    })
    .await;
    let location = elsewhere.url("/upload?state=1");
    let home = Server::plain(move |seen| match (seen.method.as_str(), seen.authorization()) {
        (_, None) => Reply::challenge("Basic realm=\"x\""),
        ("POST", _) => Reply::new(202).header("location", &location),
        _ => Reply::new(404),
    })
    .await;
    let sources = CredentialSources::none().with_credential(home.registry().as_str(), password());
    let client = client().credentials(sources).build().expect("a client");
    let app = client.repository(&home.registry(), &"team/app".parse().expect("a name"));
    let bytes = bytes::Bytes::from(vec![7; 100_000]);
    let descriptor = Descriptor::new(
        MediaType::OCI_LAYER,
        Algorithm::Sha256.digest(&bytes),
        bytes.len() as u64,
    );
    app.put_blob(&descriptor, &[], &bytes).await.expect("written");
    let seen = elsewhere.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].body, bytes);
    assert!(!seen[0].all().contains(ENCODED), "{:?}", seen[0].headers);
}

#[tokio::test]
async fn rust_oci_client_149_a_document_by_digest_is_verified() {
    let digest = Algorithm::Sha256.digest(b"something else");
    let body = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    // With a lie in the header, and without any header.
    for lie in [true, false] {
        let server = Server::plain(move |_| {
            let reply = Reply::ok(body).header("content-type", "application/vnd.oci.image.index.v1+json");
            if lie {
                reply.header("docker-content-digest", digest.to_string())
            } else {
                reply
            }
        })
        .await;
        let client = client().build().expect("a client");
        let app = client.repository(&server.registry(), &"team/app".parse().expect("a name"));
        let error = app
            .root(&Selector::Digest(digest))
            .await
            .expect_err("another one");
        assert_eq!(error.kind(), ErrorKind::Mismatch, "{error:?}");
        if lie {
            let error = app
                .root(&Selector::Name("latest".parse().expect("a name")))
                .await
                .expect_err("another one");
            assert_eq!(error.kind(), ErrorKind::Mismatch, "{error:?}");
        }
    }
}

#[tokio::test]
async fn cve_2021_41190_one_body_has_one_type() {
    for (served, body) in [
        (
            "application/vnd.oci.image.manifest.v1+json",
            r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#,
        ),
        (
            "application/vnd.oci.image.index.v1+json",
            r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#,
        ),
    ] {
        let server = Server::plain(move |_| Reply::ok(body).header("content-type", served)).await;
        let client = client().build().expect("a client");
        let app = client.repository(&server.registry(), &"team/app".parse().expect("a name"));
        let error = app
            .root(&Selector::Name("latest".parse().expect("a name")))
            .await
            .expect_err("confused");
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error:?}");
    }
}

#[tokio::test]
async fn ghsa_f36w_mj3v_6jqv_claimed_blob_size_allocates_nothing() {
    let server = Server::plain(|_| {
        Reply::ok("tiny")
            .header("content-length", "1000000000000000000")
            .pause(Duration::from_secs(30))
    })
    .await;
    let timeouts = Timeouts::default().with_idle(Duration::from_millis(200));
    let client = client()
        .timeouts(timeouts)
        .retry(RetryPolicy::never())
        .build()
        .expect("a client");
    let app = client.repository(&server.registry(), &"team/app".parse().expect("a name"));
    let digest = Algorithm::Sha256.digest(b"tiny");
    let descriptor = Descriptor::new(MediaType::OCI_LAYER, digest, 1_000_000_000_000_000_000);
    let blob = app.blob(&descriptor, ByteRange::FULL).await.expect("a head");
    let error = blob.into_bytes(u64::MAX).await.expect_err("it ends early");
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error:?}");
}

#[tokio::test]
async fn cve_2024_29902_referrers_are_bounded() {
    // A list whose pages never end.
    let server = Server::plain(|seen| {
        let page: u64 = seen
            .path
            .rsplit("p=")
            .next()
            .and_then(|page| page.parse().ok())
            .unwrap_or(0);
        let entry = |number: u64| {
            let digest = Algorithm::Sha256.digest(&number.to_le_bytes());
            format!(
                r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{digest}","size":2}}"#
            )
        };
        let entries: Vec<_> = (page * 1000..(page + 1) * 1000).map(entry).collect();
        let next = format!(
            "<{}?p={}>; rel=\"next\"",
            seen.path.split('?').next().expect("a path"),
            page + 1
        );
        Reply::ok(format!(
            r#"{{"schemaVersion":2,"manifests":[{}]}}"#,
            entries.join(",")
        ))
        .header("content-type", "application/vnd.oci.image.index.v1+json")
        .header("link", next)
    })
    .await;
    let client = client().build().expect("a client");
    let app = client.repository(&server.registry(), &"team/app".parse().expect("a name"));
    let mut referrers = app.referrers(&Algorithm::Sha256.digest(b"x"), ReferrerFilter::all());
    let error = stevedore_core::stream::next(&mut referrers)
        .await
        .expect("an answer")
        .expect_err("endless");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(server.seen().len() < 20);
}
