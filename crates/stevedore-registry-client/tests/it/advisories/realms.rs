//! Where a registry sends for tokens.

use stevedore_registry_client::auth::{Credential, Scopes};
use stevedore_registry_client::{Error, RegistrySettings};

use super::{ENCODED, EVIL, EVIL_REALM, REGISTRY, World, challenge, password};
use crate::support::{Reply, Server, TOKEN, registry};

/// What is said of the realm of another host, which is asked for nothing.
async fn refused_realm(credential: Credential) -> String {
    let world = World::new();
    let (evil, home) = (world.tokens().await, world.home(EVIL_REALM).await);
    let error = world
        .ask(&home, (EVIL, &evil), credential)
        .await
        .expect_err("refused");
    assert!(matches!(error, Error::Realm { .. }), "{error:?}");
    assert!(evil.seen().is_empty());
    error.to_string()
}

fn got_password(tokens: &Server) -> bool {
    let first = &tokens.seen()[0];
    first
        .authorization()
        .is_some_and(|header| header.contains(ENCODED))
}

#[tokio::test]
async fn cve_2026_33540_realm_gets_no_foreign_credentials() {
    let text = refused_realm(password()).await;
    assert!(
        text.contains(EVIL_REALM) && text.contains("trusted realms"),
        "{text}"
    );
}

#[tokio::test]
async fn cve_2026_33540_a_named_realm_gets_them() {
    let world = World::new();
    let other = world.tokens().await;
    let home = world.home(EVIL_REALM).await;
    let settings = RegistrySettings::new().with_trusted_realm(EVIL);
    let client = world
        .client(&home, (EVIL, &other), password())
        .registry(&registry(REGISTRY), settings);
    client
        .build()
        .expect("a client")
        .get(&registry(REGISTRY), "/v2/", &Scopes::none())
        .await
        .expect("allowed");
    assert!(got_password(&other));
}

#[tokio::test]
async fn cve_2026_33540_the_own_site_gets_them() {
    let world = World::new();
    let tokens = world.tokens().await;
    let home = world.home("https://auth.example.com/token").await;
    world
        .ask(&home, ("auth.example.com", &tokens), password())
        .await
        .expect("allowed");
    assert!(got_password(&tokens));
}

#[tokio::test]
async fn cve_2026_48978_realm_is_neither_plain_nor_an_address() {
    let world = World::new();
    let inner = Server::plain(|_| Reply::ok(TOKEN)).await;
    let realms = [
        "http://registry.example.com/token".to_owned(),
        inner.url("/latest/meta-data"),
        format!("https://{}/token", inner.address),
    ];
    for realm in realms {
        let home = world.home(&realm).await;
        // Not even without credentials.
        for credential in [password(), Credential::Anonymous] {
            let client = world.client(&home, (EVIL, &inner), credential);
            let client = client
                .resolve(REGISTRY, 80, [inner.address])
                .build()
                .expect("a client");
            let error = client
                .get(&registry(REGISTRY), "/v2/", &Scopes::none())
                .await
                .expect_err("refused");
            assert!(matches!(error, Error::Realm { .. }), "{error:?}");
        }
    }
    assert!(inner.seen().is_empty());
}

#[tokio::test]
async fn ghsa_28r5_37g7_p6mp_realm_gets_no_foreign_refresh_token() {
    refused_realm(Credential::identity("hunter2")).await;
}

#[tokio::test]
async fn ghsa_28r5_37g7_p6mp_token_service_cannot_pass_credentials_on() {
    // A realm of the own site that redirects elsewhere: with a password, and with a refresh token in a form.
    for credential in [password(), Credential::identity("hunter2")] {
        let world = World::new();
        let evil = world.tokens().await;
        let home = world
            .server(|seen| match seen.path.split('?').next() {
                Some("/token") => Reply::redirect(307, EVIL_REALM),
                _ if seen.authorization().is_some() => Reply::ok(""),
                _ => challenge("https://registry.example.com/token"),
            })
            .await;
        drop(world.ask(&home, (EVIL, &evil), credential).await);
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
