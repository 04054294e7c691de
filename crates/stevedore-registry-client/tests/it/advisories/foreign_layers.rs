//! Layers whose URLs stand in a manifest.

use stevedore_core::ErrorKind;
use stevedore_registry_client::Error;

use super::{ask, password};
use crate::support::{Reply, Server, anonymous, client_with};

#[tokio::test]
async fn cve_2020_15157_foreign_layer_url_gets_no_credentials() {
    // Also not if it points at the registry that credentials are known for, and asks for them.
    let home = Server::plain(|seen| match (seen.path.as_str(), seen.authorization()) {
        ("/v2/", Some(_)) => Reply::ok(""),
        _ => Reply::ask_for_password(),
    })
    .await;
    let client = client_with(&home, password());
    ask(&client, &home, "/v2/").await.expect("allowed");
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
    let client = anonymous();
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
    ask(&client, &inner, "/v2/").await.expect("allowed");
    client
        .get_foreign(&inner.url("/"), Some(&inner.registry()))
        .await
        .expect("allowed");
}
