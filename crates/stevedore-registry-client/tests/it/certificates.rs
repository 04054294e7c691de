//! Directories with certificates, and to whom a client certificate is shown.

use std::fs;
use std::path::{Path, PathBuf};

use stevedore_core::ErrorKind;
use stevedore_core::reference::Registry;
use stevedore_registry_client::{
    CertificateDirectories, Client, ClientBuilder, Environment, Error, RegistrySettings, RetryPolicy,
};

use crate::connections::get;
use crate::support::{Authority, Reply, Server, client};

/// A server that wants a certificate of an authority.
async fn strict(authority: &Authority) -> Server {
    Server::tls(authority.mutual_acceptor(&["127.0.0.1"]), |_| Reply::ok("hello")).await
}

/// The directory of a registry, made below one that stands for `/etc`.
fn directory(etc: &Path, registry: &Registry) -> PathBuf {
    let path = etc.join("containers/certs.d").join(registry.as_str());
    fs::create_dir_all(&path).expect("a directory");
    path
}

/// Puts a client certificate of an authority into a directory.
fn put_identity(directory: &Path, name: &str, authority: &Authority) {
    let (chain, key) = authority.issue(&["client"]);
    fs::write(directory.join(format!("{name}.cert")), chain).expect("a file");
    fs::write(directory.join(format!("{name}.key")), key).expect("a file");
}

/// A client that looks into the directories below one.
fn looking(etc: &Path) -> ClientBuilder {
    let mut environment = Environment::empty();
    environment.system_config = Some(etc.to_owned());
    client()
        .certificate_directories(CertificateDirectories::from_environment(&environment))
        .retry(RetryPolicy::never())
}

fn built(builder: ClientBuilder) -> Client {
    builder.build().expect("a client")
}

#[tokio::test]
async fn authorities_and_client_certificates_of_a_directory_are_used() {
    let (authority, etc) = (Authority::new(), tempfile::tempdir().expect("a directory"));
    let server = strict(&authority).await;
    let path = directory(etc.path(), &server.registry());
    get(&built(looking(etc.path())), &server.registry())
        .await
        .expect_err("it knows no authority");
    fs::write(path.join("ca.crt"), authority.pem()).expect("a file");
    get(&built(looking(etc.path())), &server.registry())
        .await
        .expect_err("it has no certificate");
    put_identity(&path, "me", &authority);
    let answer = get(&built(looking(etc.path())), &server.registry()).await;
    assert_eq!(answer.expect("an answer"), "hello");
}

#[tokio::test]
async fn the_certificate_is_shown_that_the_server_believes() {
    let (authority, stranger) = (Authority::new(), Authority::named("a stranger"));
    let etc = tempfile::tempdir().expect("a directory");
    let server = strict(&authority).await;
    let path = directory(etc.path(), &server.registry());
    fs::write(path.join("ca.crt"), authority.pem()).expect("a file");
    put_identity(&path, "first", &stranger);
    put_identity(&path, "second", &authority);
    let answer = get(&built(looking(etc.path())), &server.registry()).await;
    assert_eq!(answer.expect("an answer"), "hello");
}

#[tokio::test]
async fn half_of_a_client_certificate_is_an_error_before_anything_is_sent() {
    let (authority, etc) = (Authority::new(), tempfile::tempdir().expect("a directory"));
    let server = Server::tls(authority.acceptor(&["127.0.0.1"], &["http/1.1"]), |_| {
        Reply::ok("hello")
    })
    .await;
    let path = directory(etc.path(), &server.registry());
    fs::write(path.join("ca.crt"), authority.pem()).expect("a file");
    fs::write(path.join("me.key"), "").expect("a file");
    let error = get(&built(looking(etc.path())), &server.registry())
        .await
        .expect_err("half");
    assert!(matches!(error, Error::Setting { .. }), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("me.cert"), "{error}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_file_that_is_no_certificate_is_named() {
    let (authority, etc) = (Authority::new(), tempfile::tempdir().expect("a directory"));
    let server = strict(&authority).await;
    let path = directory(etc.path(), &server.registry());
    fs::write(path.join("ca.crt"), "nothing").expect("a file");
    let error = get(&built(looking(etc.path())), &server.registry())
        .await
        .expect_err("no certificate");
    assert!(error.to_string().contains("ca.crt"), "{error}");
}

#[tokio::test]
async fn where_a_directory_is_named_no_other_is_looked_for() {
    let (authority, etc) = (Authority::new(), tempfile::tempdir().expect("a directory"));
    let server = strict(&authority).await;
    let path = directory(etc.path(), &server.registry());
    fs::write(path.join("half.key"), "").expect("a file");
    let own = etc.path().join("own");
    fs::create_dir(&own).expect("a directory");
    fs::write(own.join("ca.crt"), authority.pem()).expect("a file");
    put_identity(&own, "me", &authority);
    let settings = RegistrySettings::new()
        .with_certificate_directory(&own)
        .expect("certificates");
    let client = looking(etc.path()).registry(&server.registry(), settings);
    let answer = get(&built(client), &server.registry()).await;
    assert_eq!(answer.expect("an answer"), "hello");
}

#[tokio::test]
async fn a_redirect_leads_to_no_client_certificate() {
    let (authority, etc) = (Authority::new(), tempfile::tempdir().expect("a directory"));
    let strict = strict(&authority).await;
    let path = directory(etc.path(), &strict.registry());
    fs::write(path.join("ca.crt"), authority.pem()).expect("a file");
    put_identity(&path, "me", &authority);
    let target = format!("https://{}/v2/", strict.address);
    let sending = Server::plain(move |_| Reply::redirect(307, &target)).await;

    let client = built(looking(etc.path()));
    get(&client, &sending.registry())
        .await
        .expect_err("who was sent there is nobody");
    assert!(strict.seen().is_empty());
    let answer = get(&client, &strict.registry()).await;
    assert_eq!(answer.expect("the user named it"), "hello");
    // Not even over the connection that is there now.
    get(&client, &sending.registry())
        .await
        .expect_err("who was sent there is nobody");
    assert_eq!(strict.seen().len(), 1);
}
