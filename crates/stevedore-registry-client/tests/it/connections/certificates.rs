//! TLS: whose certificates are believed, and what is shown and spoken.

use std::time::{Duration, Instant};

use http::Version;
use stevedore_registry_client::{RegistrySettings, RetryPolicy, Roots};

use super::{answer, believing, get};
use crate::support::{Authority, Reply, Server, client, registry, says};

#[tokio::test]
async fn certificates_are_verified() {
    let authority = Authority::new();
    let acceptor = authority.acceptor(&["registry.example.com"], &["http/1.1"]);
    let server = Server::tls(acceptor, |_| Reply::ok("hello")).await;
    let name = registry("registry.example.com");
    let other = registry("other.example.com");
    let builder = || {
        client()
            .resolve("registry.example.com", 443, [server.address])
            .resolve("other.example.com", 443, [server.address])
    };

    let error = get(&builder().build().expect("a client"), &name)
        .await
        .expect_err("nobody is trusted");
    says(&error, "no certification authority is known");

    let stranger = Authority::new().settings();
    let strange = builder().registry(&name, stranger).build().expect("a client");
    let started = Instant::now();
    let error = get(&strange, &name).await.expect_err("another authority");
    says(&error, "invalid peer certificate");
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "trying again does not help"
    );

    // An authority is good for its registry, and for the names in its certificates.
    let client = builder()
        .registry(&name, authority.settings())
        .build()
        .expect("a client");
    assert_eq!(answer(&client, &name).await, "hello");
    get(&client, &other)
        .await
        .expect_err("it has no authority of its own");
    let client = builder()
        .registry(&other, authority.settings())
        .build()
        .expect("a client");
    let error = get(&client, &other).await.expect_err("another name");
    says(&error, "not valid for name");

    let insecure = RegistrySettings::new().with_insecure(true);
    let client = builder().registry(&other, insecure).build().expect("a client");
    assert_eq!(answer(&client, &other).await, "hello");
    get(&client, &name)
        .await
        .expect_err("insecure is one registry only");
}

#[tokio::test]
async fn bundles_and_directories_are_read() {
    let authority = Authority::new();
    let server = Server::tls(authority.acceptor(&["127.0.0.1"], &["http/1.1"]), |_| {
        Reply::ok("hello")
    })
    .await;
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("ca.pem"), authority.pem()).expect("a file");
    // What directories are searched for are names as `openssl rehash` makes them.
    std::fs::write(directory.path().join("0123abcd.0"), authority.pem()).expect("a file");

    let mut environment = stevedore_registry_client::Environment::empty();
    assert_eq!(Roots::from_environment(&environment), Roots::System);
    environment.ssl_cert_file = Some(directory.path().join("ca.pem"));
    let by_file = client()
        .roots(Roots::from_environment(&environment))
        .build()
        .expect("a client");
    assert_eq!(answer(&by_file, &server.registry()).await, "hello");

    environment.ssl_cert_file = None;
    let missing = directory.path().join("missing");
    environment.ssl_cert_dir =
        Some(std::env::join_paths([missing.as_path(), directory.path()]).expect("a list"));
    let by_directory = client()
        .roots(Roots::from_environment(&environment))
        .build()
        .expect("a client");
    assert_eq!(answer(&by_directory, &server.registry()).await, "hello");
}

#[tokio::test]
async fn a_client_certificate_is_shown_where_it_belongs() {
    let authority = Authority::new();
    let server = Server::tls(authority.mutual_acceptor(&["127.0.0.1"]), |_| Reply::ok("hello")).await;
    let trusting = authority.settings();
    let without = client()
        .registry(&server.registry(), trusting.clone())
        .retry(RetryPolicy::never());
    get(&without.build().expect("a client"), &server.registry())
        .await
        .expect_err("no certificate");

    let (chain, key) = authority.issue(&["client"]);
    let with = trusting
        .with_identity_pem(chain.as_bytes(), key.as_bytes())
        .expect("PEM");
    assert!(!format!("{with:?}").contains("BEGIN"));
    let client = client()
        .registry(&server.registry(), with)
        .build()
        .expect("a client");
    assert_eq!(answer(&client, &server.registry()).await, "hello");
}

#[tokio::test]
async fn http_2_is_spoken_where_it_is_offered() {
    let authority = Authority::new();
    for (protocols, version) in [
        (&["h2", "http/1.1"][..], Version::HTTP_2),
        (&[], Version::HTTP_11),
    ] {
        let server = Server::tls(authority.acceptor(&["127.0.0.1"], protocols), |_| {
            Reply::ok("hello")
        })
        .await;
        let client = believing(&authority, &server.registry());
        assert_eq!(answer(&client, &server.registry()).await, "hello");
        assert_eq!(server.seen()[0].version, version);
    }
}
