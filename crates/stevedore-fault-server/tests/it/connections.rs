//! Connections that are refused, dropped, reset, or end with the server.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use stevedore_fault_server::{Fault, FaultServer, Origin, Profile};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{ask, begin_upload, digest_of, get, noise, plain_get, raw};

#[tokio::test]
async fn connections_are_closed_or_reset_at_accept() {
    let server = FaultServer::start(Profile::spec()).await;
    server.fail(Fault::close_at_accept());
    server.fail(Fault::reset_at_accept());
    let address = server.address(Origin::Registry);
    assert_eq!(raw(address, b"").await, (Vec::new(), None));
    assert_eq!(
        raw(address, b"").await,
        (Vec::new(), Some(ErrorKind::ConnectionReset))
    );
    assert_eq!(get(&server.url(), "/v2/").send().await.status, StatusCode::OK);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn requests_are_read_and_not_answered() {
    let server = FaultServer::start(Profile::spec()).await;
    server.fail(Fault::close());
    server.fail(Fault::reset().nth(2));
    let address = server.address(Origin::Registry);
    assert_eq!(raw(address, &plain_get("/v2/")).await, (Vec::new(), None));
    assert_eq!(
        raw(address, &plain_get("/v2/")).await,
        (Vec::new(), Some(ErrorKind::ConnectionReset))
    );
    assert!(server.requests().iter().all(|request| request.status.is_none()));
}

#[tokio::test]
async fn a_lost_answer_may_have_had_its_effect() {
    for after_effect in [false, true] {
        let server = FaultServer::start(Profile::spec()).await;
        let fault = Fault::reset().on(Method::POST, "/v2/*/blobs/uploads/");
        server.fail(if after_effect { fault.after_effect() } else { fault });
        let target = format!("/v2/a/blobs/uploads/?digest={}", digest_of(b"x"));
        assert!(
            ask(Method::POST, &server.url(), &target)
                .body("x")
                .try_send()
                .await
                .is_err()
        );
        let digest = digest_of(b"x").parse().expect("a digest");
        assert_eq!(server.blob("a", &digest).is_some(), after_effect);
    }
}

#[tokio::test]
async fn a_cut_upload_keeps_what_came() {
    let server = FaultServer::start(Profile::spec()).await;
    let bytes = noise(300_000);
    let location = begin_upload(&server.url()).await;
    server.fail(Fault::cut_request_after(100_000).on(Method::PATCH, "/v2/*/blobs/uploads/*"));
    let cut = ask(Method::PATCH, &server.url(), &location)
        .header("content-range", "0-299999")
        .body(bytes.clone())
        .try_send()
        .await;
    assert!(cut.is_err());
    let state = get(&server.url(), &location).send().await;
    assert_eq!(state.header("range"), Some("0-99999"));
    let patch = &server.requests()[1];
    assert_eq!(
        (patch.announced, patch.received, patch.status),
        (Some(300_000), 100_000, None)
    );
    let rest = ask(
        Method::PUT,
        &server.url(),
        &format!("{location}?digest={}", digest_of(&bytes)),
    )
    .header("content-range", "100000-299999")
    .body(bytes[100_000..].to_vec())
    .send()
    .await;
    assert_eq!(rest.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_its_bytes() {
    let server = FaultServer::start(Profile::spec()).await;
    let location = begin_upload(&server.url()).await;
    let mut tcp = TcpStream::connect(server.address(Origin::Registry))
        .await
        .expect("a connection");
    let request = format!("PATCH {location} HTTP/1.1\r\nhost: r\r\ncontent-length: 10\r\n\r\nabc");
    tcp.write_all(request.as_bytes())
        .await
        .expect("the request goes out");
    tcp.shutdown().await.expect("our end is closed");
    let mut nothing = Vec::new();
    drop(tcp.read_to_end(&mut nothing).await);
    assert!(nothing.is_empty());
    assert_eq!(
        get(&server.url(), &location).send().await.header("range"),
        Some("0-2")
    );
}

#[tokio::test]
async fn garbage_is_no_http() {
    let server = FaultServer::start(Profile::spec()).await;
    server.fail(Fault::garbage());
    assert!(get(&server.url(), "/v2/").try_send().await.is_err());
    server.fail(Fault::raw("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nz"));
    assert_eq!(get(&server.url(), "/v2/").send().await.body.as_ref(), b"z");
}

#[tokio::test]
async fn what_is_no_request_is_refused() {
    let server = FaultServer::start(Profile::spec()).await;
    let (answer, _) = raw(
        server.address(Origin::Registry),
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    )
    .await;
    assert!(answer.starts_with(b"HTTP/1.1 400 Bad Request\r\n"));
    let (answer, _) = raw(server.address(Origin::Registry), &vec![b'a'; 70_000]).await;
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"));
}

#[tokio::test]
async fn connections_are_kept_alive_and_told_apart() {
    let server = FaultServer::start(Profile::spec()).await;
    let twice =
        b"GET /v2/ HTTP/1.1\r\nhost: r\r\n\r\nGET /v2/ HTTP/1.1\r\nhost: r\r\nconnection: close\r\n\r\n";
    let (answers, _) = raw(server.address(Origin::Registry), twice).await;
    assert_eq!(
        String::from_utf8(answers)
            .expect("text")
            .matches("200 OK")
            .count(),
        2
    );
    get(&server.url(), "/v2/").send().await;
    let connections: Vec<u64> = server
        .requests()
        .iter()
        .map(|request| request.connection)
        .collect();
    assert_eq!(connections, [0, 0, 1]);
}

#[tokio::test]
async fn a_server_refuses_for_a_while() {
    let server = FaultServer::start(Profile::spec()).await;
    let url = server.url();
    server.refuse_connections();
    let refused = async {
        // The listener's task closes it when it next runs.
        while get(&url, "/v2/").try_send().await.is_ok() {}
    };
    tokio::time::timeout(Duration::from_secs(10), refused)
        .await
        .expect("refused before long");
    server
        .accept_connections()
        .await
        .expect("the ports are still free");
    assert_eq!(get(&url, "/v2/").send().await.status, StatusCode::OK);
}

#[tokio::test]
async fn dropping_the_server_ends_its_connections() {
    let server = FaultServer::start(Profile::spec()).await;
    let address = server.address(Origin::Registry);
    server.fail(Fault::hang());
    let mut tcp = TcpStream::connect(address).await.expect("a connection");
    tcp.write_all(&plain_get("/v2/"))
        .await
        .expect("the request goes out");
    while server.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    drop(server);
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(10), tcp.read_to_end(&mut rest)).await;
    assert!(ended.is_ok() && rest.is_empty());
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn ipv6_is_spoken() {
    let server = FaultServer::builder(Profile::spec())
        .ipv6()
        .start()
        .await
        .expect("a loopback address");
    assert!(server.host().starts_with("[::1]:"));
    assert_eq!(get(&server.url(), "/v2/").send().await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_server_settles_once_nobody_asks_any_more() {
    let server = FaultServer::start(Profile::spec()).await;
    let wait = Duration::from_millis(200);
    server.fail(Fault::delay(wait).on(Method::GET, "/v2/"));
    let started = Instant::now();
    let url = server.url();
    let asks = async { get(&url, "/v2/").send().await };
    let settles = async {
        while server.requests().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        server.settle().await;
        started.elapsed()
    };
    let (_, settled) = tokio::join!(asks, settles);
    assert!(settled >= wait, "{settled:?}");
}
