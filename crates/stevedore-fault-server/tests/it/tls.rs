//! HTTPS, and what leads out of it.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use stevedore_fault_server::{Fault, FaultServer, Origin, Profile};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Sends a request over TLS, trusting this authority alone, and reads to the end.
async fn ask(
    server: &FaultServer,
    ca: &str,
    name: ServerName<'static>,
    request: &str,
) -> std::io::Result<String> {
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(ca.as_bytes()).expect("PEM"))
        .expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tcp = TcpStream::connect(server.address(Origin::Registry)).await?;
    let mut tls = TlsConnector::from(Arc::new(config)).connect(name, tcp).await?;
    tls.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    tls.read_to_string(&mut answer).await?;
    Ok(answer)
}

fn address(server: &FaultServer) -> ServerName<'static> {
    let address: IpAddr = server.address(Origin::Registry).ip();
    ServerName::IpAddress(address.into())
}

const PING: &str = "GET /v2/ HTTP/1.1\r\nhost: r\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn the_authority_vouches_for_address_and_localhost_and_nobody_else() {
    for server in [
        FaultServer::builder(Profile::spec())
            .tls()
            .start()
            .await
            .expect("a port"),
        FaultServer::builder(Profile::spec())
            .tls()
            .ipv6()
            .start()
            .await
            .expect("a port"),
    ] {
        assert!(server.url().starts_with("https://"));
        let ca = server.ca_pem().expect("an authority");
        let answer = ask(&server, ca, address(&server), PING).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        let localhost = ServerName::try_from("localhost").expect("a name");
        assert!(ask(&server, ca, localhost, PING).await.is_ok());
        let other = FaultServer::builder(Profile::spec())
            .tls()
            .start()
            .await
            .expect("a port");
        let stranger = other.ca_pem().expect("an authority");
        assert!(ask(&server, stranger, address(&server), PING).await.is_err());
    }
}

#[tokio::test]
async fn a_server_in_clear_has_no_authority() {
    assert_eq!(FaultServer::start(Profile::spec()).await.ca_pem(), None);
}

#[tokio::test]
async fn upload_urls_and_redirects_can_lead_out_of_tls() {
    let server = FaultServer::builder(Profile::harbor_behind_proxy())
        .tls()
        .start()
        .await
        .expect("a port");
    let plain = FaultServer::start(Profile::spec()).await;
    let ca = server.ca_pem().expect("an authority").to_owned();
    server.fail(Fault::redirect_to_base(plain.url()));
    let redirected = ask(&server, &ca, address(&server), PING)
        .await
        .expect("an answer");
    assert!(
        redirected.contains(&format!("location: {}/v2/\r\n", plain.url())),
        "{redirected}"
    );

    let token = "GET /service/token?scope=repository:a:push HTTP/1.1\r\nhost: r\r\nauthorization: Basic dXNlcjpwYXNzd29yZA==\r\nconnection: close\r\n\r\n";
    let given = ask(&server, &ca, address(&server), token)
        .await
        .expect("an answer");
    let body = given.split_once("\r\n\r\n").expect("a body").1;
    let given: serde_json::Value = serde_json::from_str(body).expect("JSON");
    let token = given["token"].as_str().expect("a token");
    let post = format!(
        "POST /v2/a/blobs/uploads/ HTTP/1.1\r\nhost: r\r\nauthorization: Bearer {token}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
    let started = ask(&server, &ca, address(&server), &post)
        .await
        .expect("an answer");
    assert!(
        started.contains(&format!("location: http://{}/v2/a/blobs/uploads/", server.host())),
        "{started}"
    );
}

#[tokio::test]
async fn faults_reach_through_tls() {
    let server = FaultServer::builder(Profile::spec())
        .tls()
        .start()
        .await
        .expect("a port");
    let ca = server.ca_pem().expect("an authority").to_owned();
    let digest = server.put_blob("a", "0123456789");
    let get = format!("GET /v2/a/blobs/{digest} HTTP/1.1\r\nhost: r\r\nconnection: close\r\n\r\n");
    server.fail(Fault::cut_body_after(4));
    let cut = ask(&server, &ca, address(&server), &get)
        .await
        .expect("an answer");
    assert!(
        cut.contains("content-length: 10\r\n") && cut.ends_with("\r\n\r\n0123"),
        "{cut}"
    );
    server.fail(Fault::reset_body_after(4));
    assert!(ask(&server, &ca, address(&server), &get).await.is_err());
    server.fail(Fault::reset_at_accept());
    assert!(ask(&server, &ca, address(&server), &get).await.is_err());
    assert!(ask(&server, &ca, address(&server), &get).await.is_ok());
}
