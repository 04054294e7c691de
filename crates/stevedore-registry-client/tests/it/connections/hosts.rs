//! Which hosts are reached, and how.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use stevedore_core::ErrorKind;
use stevedore_registry_client::{Error, RegistrySettings, RetryPolicy};

use super::{answer, believing, get};
use crate::support::{Authority, Reply, Server, client, registry, says};

#[tokio::test]
async fn loopback_is_plain_unasked_and_names_itself() {
    let server = Server::plain(|_| Reply::ok("hello")).await;
    let client = client().user_agent("test/1").build().expect("a client");
    assert_eq!(answer(&client, &server.registry()).await, "hello");
    assert_eq!(server.seen()[0].header("user-agent"), Some("test/1"));
    assert_eq!(
        server.seen()[0].header("host"),
        Some(server.address.to_string().as_str())
    );
    assert_eq!(server.seen()[0].authorization(), None);
}

#[tokio::test]
async fn other_hosts_are_not_plain_unasked() {
    let server = Server::plain(|_| Reply::ok("hello")).await;
    let plain = registry("registry.example.com:5000");
    let builder = || client().resolve("registry.example.com", 5000, [server.address]);
    let error = get(&builder().build().expect("a client"), &plain)
        .await
        .expect_err("no TLS there");
    assert!(matches!(error, Error::Untrusted { .. }), "{error:?}");
    assert!(server.seen().is_empty());

    let settings = RegistrySettings::new().with_plain_http(true);
    let client = builder().registry(&plain, settings).build().expect("a client");
    assert_eq!(answer(&client, &plain).await, "hello");
    // Who gives up on certificates also takes what has none.
    let settings = RegistrySettings::new().with_insecure(true);
    let client = builder().registry(&plain, settings).build().expect("a client");
    assert_eq!(answer(&client, &plain).await, "hello");
}

#[tokio::test]
async fn ipv6_hosts_are_reached_with_tls_and_without() {
    let authority = Authority::new();
    let acceptor = authority.acceptor(&["::1"], &["h2"]);
    let here = Ipv6Addr::LOCALHOST.into();
    let Some(plain) = Server::start(here, None, |_| Reply::ok("plain")).await else {
        eprintln!("SKIPPED: this machine has no IPv6, so nothing about it was tested");
        return;
    };
    let secure = Server::start(here, Some(acceptor), |_| Reply::ok("secure"))
        .await
        .expect("IPv6 is there");
    let client = believing(&authority, &secure.registry());
    assert!(plain.registry().as_str().starts_with("[::1]:"));
    assert_eq!(answer(&client, &plain.registry()).await, "plain");
    assert_eq!(answer(&client, &secure.registry()).await, "secure");
    assert_eq!(
        plain.seen()[0].header("host"),
        Some(plain.address.to_string().as_str())
    );
}

#[tokio::test]
async fn a_host_of_both_families_is_reached_on_the_one_that_answers() {
    let server = Server::plain(|_| Reply::ok("hello")).await;
    let port = server.address.port();
    let name = registry(&format!("dual.example.com:{port}"));
    let addresses = [
        (Ipv6Addr::LOCALHOST, port).into(),
        (Ipv4Addr::LOCALHOST, port).into(),
    ];
    let settings = RegistrySettings::new().with_plain_http(true);
    let client = client()
        .resolve("dual.example.com", port, addresses)
        .registry(&name, settings);
    assert_eq!(answer(&client.build().expect("a client"), &name).await, "hello");
}

#[tokio::test]
async fn a_registry_that_is_not_there_is_a_network_error() {
    let address = Server::plain(|_| Reply::ok("")).await.address;
    let client = client().retry(RetryPolicy::default().with_waits(Duration::ZERO, Duration::ZERO));
    let error = get(
        &client.build().expect("a client"),
        &registry(&address.to_string()),
    )
    .await
    .expect_err("gone");
    assert_eq!(error.kind(), ErrorKind::Network);
    assert_eq!(error.to_string(), format!("cannot connect to http://{address}"));
    says(&error, "takes connections");
}
