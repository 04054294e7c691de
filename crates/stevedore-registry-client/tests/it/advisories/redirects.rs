//! Where a registry sends on, and what goes along.

use stevedore_core::Sink;

use super::{ENCODED, EVIL, World, ask, challenge, password};
use crate::support::{Reply, Server, TOKEN, app, client_with, layer, noise};

#[tokio::test]
async fn ghsa_vh4v_2xq2_g5cg_redirect_strips_authorization() {
    // To another host, another port, and back again.
    let target = Server::plain(|_| Reply::ok("")).await;
    let elsewhere = target.url("/blob");
    let home = Server::plain(move |seen| match (seen.path.as_str(), seen.authorization()) {
        (_, None) => Reply::ask_for_password(),
        ("/same", _) => Reply::redirect(307, "/v2/"),
        ("/other", _) => Reply::redirect(307, &elsewhere),
        _ => Reply::ok(""),
    })
    .await;
    let client = client_with(&home, password());

    ask(&client, &home, "/same").await.expect("followed");
    let last = home.seen().pop().expect("asked");
    assert!(
        last.path == "/v2/" && last.authorization().is_some(),
        "the same origin keeps it"
    );

    ask(&client, &home, "/other").await.expect("followed");
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
    world
        .ask(&home, (EVIL, &evil), password())
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
            Some("/token") => Reply::ok(TOKEN),
            _ => Reply::challenge(r#"Basic realm="x", Bearer realm="https://auth.example.com/token""#),
        })
        .await;
    let home = world
        .server(|_| Reply::redirect(307, "https://evil.example.net/v2/"))
        .await;
    let error = world
        .ask(&home, (EVIL, &evil), password())
        .await
        .expect_err("refused");
    assert_eq!(error.status(), Some(401));
    assert_eq!(evil.seen().len(), 1);
    assert!(!evil.seen()[0].all().contains(ENCODED));
}

#[tokio::test]
async fn cve_2026_50151_location_of_another_host_gets_no_credentials() {
    // An upload that goes on at another host gets the bytes and no credentials.
    let elsewhere = Server::plain(|seen| match seen.method.as_str() {
        "PUT" => Reply::new(201),
        _ => Reply::ask_for_password(),
    })
    .await;
    let location = elsewhere.url("/upload?state=1");
    let home = Server::plain(move |seen| match (seen.method.as_str(), seen.authorization()) {
        (_, None) => Reply::ask_for_password(),
        ("POST", _) => Reply::new(202).header("location", &location),
        _ => Reply::new(404),
    })
    .await;
    let client = client_with(&home, password());
    let app = app(&client, &home.registry());
    let bytes = noise(100_000);
    app.put_blob(&layer(&bytes), &[], &bytes).await.expect("written");
    let seen = elsewhere.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].body, bytes);
    assert!(!seen[0].all().contains(ENCODED), "{:?}", seen[0].headers);
}

#[tokio::test]
async fn cve_2025_48374_no_secret_is_shown() {
    let home = Server::plain(|seen| match seen.authorization() {
        None => Reply::ask_for_password(),
        Some(_) => Reply::redirect(307, "/blob?X-Amz-Signature=presigned-secret"),
    })
    .await;
    let client = client_with(&home, password());
    let error = ask(&client, &home, "/v2/").await.expect_err("a loop");
    let shown = format!("{client:?} {error:?} {error}");
    for secret in ["hunter2", ENCODED, "presigned-secret"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("X-Amz-Signature=…"), "{shown}");
}
