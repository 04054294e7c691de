//! How long an answer to what was sent is waited for, and a registry that takes no more.

use std::time::Instant;

use super::*;

/// A registry that begins an upload and then takes nothing of it. It ends with the test.
async fn deaf() -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let mut connections = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            connections.push(tokio::spawn(answer_but_puts(stream)));
        }
    });
    address
}

async fn answer_but_puts(mut stream: tokio::net::TcpStream) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return,
            }
        }
        let answer: &[u8] = match head.split(|byte| *byte == b' ').next() {
            Some(b"PUT") => return std::future::pending().await,
            Some(b"POST") => {
                b"HTTP/1.1 202 Accepted\r\nlocation: /v2/team/app/blobs/uploads/x\r\ncontent-length: 0\r\n\r\n"
            }
            _ => b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
        };
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn an_answer_is_waited_for_from_when_the_request_went_out() {
    let server = FaultServer::start(Profile::spec()).await;
    server.fail(Fault::hang().on(Method::PUT, UPLOADS).always());
    // A connection might still take its half a minute; this one is there.
    let timeouts = Timeouts::default().with_commit(Duration::from_millis(200));
    let client = builder(&server).timeouts(timeouts).retry(RetryPolicy::never());
    let app = open(&server, client, "team/app");
    let bytes = noise(200_000);
    let started = Instant::now();
    let error = app.put_blob(&layer(&bytes), &[], &bytes).await;
    assert_eq!(error.expect_err("nothing comes").kind(), ErrorKind::TimedOut);
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn a_registry_that_takes_no_more_of_a_body_is_given_up() {
    let registry = deaf()
        .await
        .to_string()
        .parse()
        .expect("an address is a registry");
    let settings = RegistrySettings::new().with_plain_http(true);
    let timeouts = Timeouts::default().with_idle(Duration::from_millis(300));
    let client = client()
        .registry(&registry, settings)
        .timeouts(timeouts)
        .retry(RetryPolicy::never());
    let client = client.build().expect("a client");
    let app = client.repository(&registry, &"team/app".parse().expect("a name"));
    // More than the system takes in the registry's place.
    let bytes = noise(24 * 1024 * 1024);
    let descriptor = layer(&bytes);
    let supply = Counted(bytes, AtomicUsize::new(0));
    let started = Instant::now();
    let error = app
        .put_blob(&descriptor, &[], &supply)
        .await
        .expect_err("it is deaf");
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{}", chain(&error));
    says(&error, "the next bytes to send");
    assert!(
        started.elapsed() < Duration::from_secs(30),
        "{:?}",
        started.elapsed()
    );
}
