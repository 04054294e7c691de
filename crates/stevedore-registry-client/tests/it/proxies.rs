//! Proxies: through them, past them, and what they refuse.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use stevedore_core::ErrorKind;
use stevedore_registry_client::{
    ClientBuilder, Environment, Error, Proxies, RegistrySettings, RetryPolicy, Roots,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::connections::get;
use crate::support::{Authority, Reply, Server, chain, client, registry};

const HOST: &str = "registry.example.com";
const DONE: &str = "HTTP/1.1 200 Connection established\r\n\r\n";

/// A proxy that makes tunnels, all of them to one server.
struct Tunnels {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Tunnels {
    async fn start(acceptor: Option<TlsAcceptor>, target: SocketAddr, answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let heads = Arc::new(Mutex::new(Vec::new()));
        let task = {
            let heads = Arc::clone(&heads);
            tokio::spawn(async move {
                let mut tunnels = tokio::task::JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    let (heads, acceptor) = (Arc::clone(&heads), acceptor.clone());
                    tunnels.spawn(async move {
                        match acceptor {
                            Some(acceptor) => {
                                if let Ok(stream) = acceptor.accept(stream).await {
                                    tunnel(stream, target, &heads, answer).await;
                                }
                            }
                            None => tunnel(stream, target, &heads, answer).await,
                        }
                    });
                }
            })
        };
        Self { address, heads, task }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("no panic").clone()
    }
}

impl Drop for Tunnels {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn tunnel<S>(mut stream: S, target: SocketAddr, heads: &Mutex<Vec<String>>, answer: &str)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    heads
        .lock()
        .expect("no panic")
        .push(String::from_utf8(head).expect("UTF-8"));
    stream.write_all(answer.as_bytes()).await.ok();
    stream.flush().await.ok();
    if answer == DONE {
        let mut server = TcpStream::connect(target).await.expect("the server of the test");
        // Ends when either side does.
        copy_bidirectional(&mut stream, &mut server).await.ok();
    } else {
        stream.shutdown().await.ok();
    }
}

/// A client in an environment of such variables.
fn with(variables: &[(&str, String)]) -> ClientBuilder {
    let environment = Environment::from_variables(|name| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.into())
    });
    client().proxies(Proxies::from_environment(&environment))
}

fn through(scheme: &str, proxy: SocketAddr) -> ClientBuilder {
    with(&[("all_proxy", format!("{scheme}://me:s%65cret@{proxy}"))])
}

/// A client that speaks plain HTTP with the registry of these tests.
fn plain(builder: ClientBuilder) -> ClientBuilder {
    builder.registry(&registry(HOST), RegistrySettings::new().with_plain_http(true))
}

/// A client that would believe some authority, which nobody shows a certificate of.
fn tls_client(builder: ClientBuilder) -> ClientBuilder {
    builder.registry(&registry(HOST), Authority::new().settings())
}

#[tokio::test]
async fn https_goes_through_a_tunnel_and_the_proxy_alone_gets_its_credentials() {
    let authority = Authority::new();
    for protocol in ["http/1.1", "h2"] {
        let server = Server::tls(authority.acceptor(&[HOST], &[protocol]), |_| Reply::ok("hello")).await;
        let proxy = Tunnels::start(None, server.address, DONE).await;
        let client = through("http", proxy.address).registry(&registry(HOST), authority.settings());
        let client = client.build().expect("a client");
        assert_eq!(get(&client, &registry(HOST)).await.expect("an answer"), "hello");
        assert_eq!(get(&client, &registry(HOST)).await.expect("an answer"), "hello");
        // "me:secret".
        let head = format!(
            "CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n"
        );
        assert_eq!(proxy.heads(), [head], "one tunnel for both");
        assert_eq!(server.seen()[0].header("proxy-authorization"), None);
        assert!(!server.seen()[0].all().contains("bWU6c2VjcmV0"));
    }
}

#[tokio::test]
async fn plain_http_is_passed_on_by_its_whole_url() {
    let proxy = Server::plain(|_| Reply::ok("hello")).await;
    let client = plain(through("http", proxy.address)).build().expect("a client");
    assert_eq!(get(&client, &registry(HOST)).await.expect("an answer"), "hello");
    let seen = &proxy.seen()[0];
    assert_eq!(seen.target, format!("http://{HOST}/v2/"));
    assert_eq!(seen.header("host"), Some(HOST));
    assert_eq!(seen.header("proxy-authorization"), Some("Basic bWU6c2VjcmV0"));
}

#[tokio::test]
async fn a_proxy_is_spoken_to_with_tls_where_its_url_says_so() {
    let authority = Authority::new();
    let server = Server::tls(authority.acceptor(&[HOST], &["h2"]), |_| Reply::ok("hello")).await;
    let acceptor = authority.acceptor(&["127.0.0.1"], &["h2", "http/1.1"]);
    let proxy = Tunnels::start(Some(acceptor), server.address, DONE).await;
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("ca.pem");
    std::fs::write(&file, authority.pem()).expect("a file");
    let mut environment = Environment::empty();
    environment.ssl_cert_file = Some(file);
    let client = through("https", proxy.address).roots(Roots::from_environment(&environment));
    let client = client.build().expect("a client");
    assert_eq!(get(&client, &registry(HOST)).await.expect("an answer"), "hello");
    assert_eq!(proxy.heads().len(), 1);

    let doubting = through("https", proxy.address).registry(&registry(HOST), authority.settings());
    let error = get(&doubting.build().expect("a client"), &registry(HOST))
        .await
        .expect_err("the authority of the registry is none for the proxy");
    assert!(matches!(error, Error::Proxy { .. }), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Untrusted);
}

#[tokio::test]
async fn what_a_proxy_refuses_is_told_with_its_name_and_without_the_password() {
    let nowhere = "127.0.0.1:9".parse().expect("an address");
    let wants = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 2\r\n\r\nno";
    let cases = [
        (
            wants,
            ErrorKind::Unauthorized,
            1,
            "does not take the credentials (status 407)",
        ),
        (
            "HTTP/1.1 403 No\r\n\r\n",
            ErrorKind::Unauthorized,
            1,
            "it refuses (status 403)",
        ),
        (
            "HTTP/1.1 405 No\r\n\r\n",
            ErrorKind::Unsupported,
            1,
            "it refuses (status 405)",
        ),
        (
            "HTTP/1.1 503 Later\r\n\r\n",
            ErrorKind::Network,
            3,
            "it refuses (status 503)",
        ),
        (
            "HTTP/1.1 200 OK\r\n\r\nmore",
            ErrorKind::Network,
            3,
            "is not one of a proxy",
        ),
        (
            "SSH-2.0-x\r\n\r\n",
            ErrorKind::Network,
            3,
            "is not one of a proxy",
        ),
        ("HTTP/1.1 200", ErrorKind::Network, 3, "it broke the connection"),
    ];
    let quick = RetryPolicy::default().with_waits(Duration::from_millis(1), Duration::from_millis(5));
    for (answer, kind, asked, says) in cases {
        let proxy = Tunnels::start(None, nowhere, answer).await;
        let client = tls_client(through("http", proxy.address)).retry(quick.with_attempts(3));
        let error = get(&client.build().expect("a client"), &registry(HOST))
            .await
            .expect_err(says);
        let text = chain(&error);
        assert!(matches!(error, Error::Proxy { .. }), "{error:?}");
        assert_eq!(error.kind(), kind, "{text}");
        assert_eq!(proxy.heads().len(), asked, "{text}");
        assert!(text.contains(says), "{text}");
        assert!(
            text.contains(&format!("the proxy http://{}", proxy.address)),
            "{text}"
        );
        assert!(text.contains(&format!("https://{HOST}")), "{text}");
        assert!(
            !text.contains("secret") && !format!("{error:?}").contains("secret"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_proxy_that_wants_credentials_says_so_for_plain_http_too() {
    let proxy = Server::plain(|_| Reply::new(407)).await;
    for (builder, says) in [
        (through("http", proxy.address), "does not take the credentials"),
        (
            with(&[("http_proxy", proxy.address.to_string())]),
            "it wants credentials",
        ),
    ] {
        let error = get(&plain(builder).build().expect("a client"), &registry(HOST))
            .await
            .expect_err(says);
        assert!(matches!(error, Error::Proxy { .. }), "{error:?}");
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
        assert!(chain(&error).contains(says), "{}", chain(&error));
    }
    assert_eq!(proxy.seen().len(), 2, "once each");
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named() {
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address")
    };
    let client = tls_client(through("http", closed)).retry(RetryPolicy::never());
    let error = get(&client.build().expect("a client"), &registry(HOST))
        .await
        .expect_err("nobody listens");
    assert!(error.to_string().contains(&closed.to_string()), "{error}");
    assert_eq!(error.kind(), ErrorKind::Network);
    assert!(
        chain(&error).contains("there is no connection with the proxy"),
        "{}",
        chain(&error)
    );
}

#[tokio::test]
async fn a_proxy_that_cannot_be_one_is_no_reason_to_go_without() {
    let server = Server::plain(|_| Reply::ok("hello")).await;
    let variables = [("https_proxy", "socks5://p.example".to_owned())];
    let client = tls_client(with(&variables)).resolve(HOST, 443, [server.address]);
    let error = get(&client.build().expect("a client"), &registry(HOST))
        .await
        .expect_err("it is not spoken");
    assert!(matches!(error, Error::Setting { .. }), "{error:?}");
    assert!(error.to_string().contains("https_proxy"), "{error}");
}

#[tokio::test]
async fn loopback_and_exceptions_are_reached_without_a_proxy() {
    let server = Server::plain(|_| Reply::ok("hello")).await;
    let proxy = Server::plain(|_| Reply::ok("proxy")).await;
    let client = through("http", proxy.address).build().expect("a client");
    assert_eq!(
        get(&client, &server.registry()).await.expect("an answer"),
        "hello"
    );

    let all = format!("http://{}", proxy.address);
    let client = plain(with(&[
        ("all_proxy", all),
        ("no_proxy", ".example.com".to_owned()),
    ]));
    let client = client
        .resolve(HOST, 80, [server.address])
        .build()
        .expect("a client");
    assert_eq!(get(&client, &registry(HOST)).await.expect("an answer"), "hello");
    assert!(proxy.seen().is_empty());
    assert_eq!(server.seen()[1].target, "/v2/");
}

#[tokio::test]
async fn go_containerregistry_2193_a_registry_sends_through_a_proxy_to_no_private_address() {
    for target in [
        "10.0.0.1",
        "169.254.169.254",
        "[::ffff:10.0.0.1]",
        "2130706433",
        "0x7f.1",
    ] {
        let location = format!("http://{target}/secrets");
        let proxy = Server::plain(move |seen| {
            if seen.target.contains(HOST) {
                Reply::redirect(307, &location)
            } else {
                Reply::ok("secrets")
            }
        })
        .await;
        let client = plain(through("http", proxy.address)).build().expect("a client");
        let error = get(&client, &registry(HOST)).await.expect_err("it is private");
        assert_eq!(error.kind(), ErrorKind::Denied, "{target}: {}", chain(&error));
        assert_eq!(proxy.seen().len(), 1, "the proxy was asked for {target}");
    }
}

#[tokio::test]
async fn a_registry_sends_through_a_proxy_where_it_may() {
    let proxy = Server::plain(|seen| match seen.target.as_str() {
        target if target.contains("/elsewhere") => Reply::ok("elsewhere"),
        target if target.contains(HOST) => Reply::redirect(307, "http://other.example.com/elsewhere"),
        _ => Reply::redirect(307, "http://10.0.0.1/elsewhere"),
    })
    .await;
    let client = plain(through("http", proxy.address)).build().expect("a client");
    assert_eq!(
        get(&client, &registry(HOST)).await.expect("an answer"),
        "elsewhere"
    );
    // One that is at a private address itself leads to such.
    let private = registry("10.0.0.2");
    let settings = RegistrySettings::new().with_plain_http(true);
    let client = through("http", proxy.address).registry(&private, settings.clone());
    let client = client.build().expect("a client");
    assert_eq!(get(&client, &private).await.expect("an answer"), "elsewhere");
    // So does one of which the user said that it may.
    let third = registry("third.example.com");
    let client = through("http", proxy.address).registry(&third, settings.with_private_targets(true));
    let client = client.build().expect("a client");
    assert_eq!(get(&client, &third).await.expect("an answer"), "elsewhere");
}
