//! Servers that are not who they should be: said with the reason, and not asked a second time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use stevedore_core::{ErrorKind, Sink, Source};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::support::{Authority, app, chain, client, layer, name, registry};

const HOST: &str = "registry.example.com";

/// A server that does nothing but begin connections, with TLS or without, and counts them. It ends with the test.
async fn counting(acceptor: Option<TlsAcceptor>) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            match &acceptor {
                // Clients that believe nothing hang up in the midst of it.
                Some(acceptor) => drop(acceptor.accept(stream).await),
                None => drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await),
            }
        }
    });
    (address, count)
}

#[tokio::test]
async fn who_is_not_trusted_is_named_with_the_reason_and_asked_once() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let protocols = &["http/1.1"];
    let cases = [
        (Some(authority.expired_acceptor(&[HOST])), "has expired"),
        (
            Some(stranger.acceptor(&[HOST], protocols)),
            "is from an unknown issuer",
        ),
        (
            Some(authority.acceptor(&["other.example.com"], protocols)),
            "is for another name",
        ),
        (None, "does not speak TLS; it may be a plain HTTP server"),
    ];
    for (acceptor, reason) in cases {
        let (address, count) = counting(acceptor).await;
        let open = || {
            let registry = registry(HOST);
            // It would try five times.
            let client = client()
                .resolve(HOST, 443, [address])
                .registry(&registry, authority.settings());
            app(&client.build().expect("a client"), &registry)
        };
        let bytes = Bytes::from_static(b"hello");
        let errors = [
            open().resolve(&name("latest")).await.expect_err(reason),
            open()
                .put_blob(&layer(&bytes), &[], &bytes)
                .await
                .expect_err(reason),
        ];
        for error in errors {
            let text = chain(&error);
            assert_eq!(error.kind(), ErrorKind::Untrusted, "{text}");
            assert!(!error.is_retryable(), "the engine would try again: {text}");
            assert!(text.contains(reason) && text.contains(HOST), "{text}");
        }
        assert_eq!(count.load(Ordering::SeqCst), 2, "{reason}: one connection each");
    }
}
