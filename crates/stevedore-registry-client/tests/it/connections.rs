//! Connections: TLS, plain HTTP, addresses, time-outs, redirects, repeats, limits.

use std::error::Error as _;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::Version;
use stevedore_core::ErrorKind;
use stevedore_core::reference::Registry;
use stevedore_registry_client::auth::{CredentialSources, Scopes};
use stevedore_registry_client::{
    Client, ClientBuilder, Error, RegistrySettings, RetryPolicy, Roots, Timeouts,
};

use crate::server::{Reply, Server};
use crate::tls::Authority;

/// A client that looks at nothing of this machine, and repeats quickly.
pub(crate) fn client() -> ClientBuilder {
    Client::builder()
        .credentials(CredentialSources::none())
        .roots(Roots::None)
        .retry(RetryPolicy::default().with_waits(Duration::from_millis(1), Duration::from_millis(5)))
}

async fn get(client: &Client, registry: &Registry) -> Result<String, Error> {
    let blob = client.get(registry, "/v2/", &Scopes::none()).await?;
    let bytes = blob.into_bytes(1024 * 1024).await.expect("a body");
    Ok(String::from_utf8(bytes.to_vec()).expect("text"))
}

fn registry(name: &str) -> Registry {
    name.parse().expect("a registry")
}

/// All levels of an error.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text} / {error}");
        cause = error.source();
    }
    text
}

#[tokio::test]
async fn loopback_is_plain_unasked_and_names_itself() {
    let server = Server::plain(|_| Reply::ok("hello")).await;
    let client = client().user_agent("test/1").build().expect("a client");
    assert_eq!(
        get(&client, &server.registry()).await.expect("an answer"),
        "hello"
    );
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
    assert_eq!(get(&client, &plain).await.expect("an answer"), "hello");
    // Who gives up on certificates also takes what has none.
    let settings = RegistrySettings::new().with_insecure(true);
    let client = builder().registry(&plain, settings).build().expect("a client");
    assert_eq!(get(&client, &plain).await.expect("an answer"), "hello");
}

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
    let trusting = || {
        RegistrySettings::new()
            .with_authorities_pem(authority.pem().as_bytes())
            .expect("PEM")
    };

    let error = get(&builder().build().expect("a client"), &name)
        .await
        .expect_err("nobody is trusted");
    assert!(
        chain(&error).contains("no certification authority is known"),
        "{}",
        chain(&error)
    );

    let stranger = RegistrySettings::new()
        .with_authorities_pem(Authority::new().pem().as_bytes())
        .expect("PEM");
    let strange = builder().registry(&name, stranger).build().expect("a client");
    let started = Instant::now();
    let error = get(&strange, &name).await.expect_err("another authority");
    assert!(
        chain(&error).contains("invalid peer certificate"),
        "{}",
        chain(&error)
    );
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "trying again does not help"
    );

    // An authority is good for its registry, and for the names in its certificates.
    let client = builder().registry(&name, trusting()).build().expect("a client");
    assert_eq!(get(&client, &name).await.expect("an answer"), "hello");
    get(&client, &other)
        .await
        .expect_err("it has no authority of its own");
    let client = builder().registry(&other, trusting()).build().expect("a client");
    let error = get(&client, &other).await.expect_err("another name");
    assert!(chain(&error).contains("not valid for name"), "{}", chain(&error));

    let insecure = RegistrySettings::new().with_insecure(true);
    let client = builder().registry(&other, insecure).build().expect("a client");
    assert_eq!(get(&client, &other).await.expect("an answer"), "hello");
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
    assert_eq!(
        get(&by_file, &server.registry()).await.expect("an answer"),
        "hello"
    );

    environment.ssl_cert_file = None;
    let missing = directory.path().join("missing");
    environment.ssl_cert_dir =
        Some(std::env::join_paths([missing.as_path(), directory.path()]).expect("a list"));
    let by_directory = client()
        .roots(Roots::from_environment(&environment))
        .build()
        .expect("a client");
    assert_eq!(
        get(&by_directory, &server.registry()).await.expect("an answer"),
        "hello"
    );
}

#[tokio::test]
async fn a_client_certificate_is_shown_where_it_belongs() {
    let authority = Authority::new();
    let server = Server::tls(authority.mutual_acceptor(&["127.0.0.1"]), |_| Reply::ok("hello")).await;
    let trusting = RegistrySettings::new()
        .with_authorities_pem(authority.pem().as_bytes())
        .expect("PEM");
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
    assert_eq!(
        get(&client, &server.registry()).await.expect("an answer"),
        "hello"
    );
}

#[tokio::test]
async fn http_2_is_spoken_where_it_is_offered() {
    let authority = Authority::new();
    let trusting = RegistrySettings::new()
        .with_authorities_pem(authority.pem().as_bytes())
        .expect("PEM");
    for (protocols, version) in [
        (&["h2", "http/1.1"][..], Version::HTTP_2),
        (&[], Version::HTTP_11),
    ] {
        let server = Server::tls(authority.acceptor(&["127.0.0.1"], protocols), |_| {
            Reply::ok("hello")
        })
        .await;
        let client = client()
            .registry(&server.registry(), trusting.clone())
            .build()
            .expect("a client");
        assert_eq!(
            get(&client, &server.registry()).await.expect("an answer"),
            "hello"
        );
        assert_eq!(server.seen()[0].version, version);
    }
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
    let settings = RegistrySettings::new()
        .with_authorities_pem(authority.pem().as_bytes())
        .expect("PEM");
    let client = client()
        .registry(&secure.registry(), settings)
        .build()
        .expect("a client");
    assert!(plain.registry().as_str().starts_with("[::1]:"));
    assert_eq!(get(&client, &plain.registry()).await.expect("an answer"), "plain");
    assert_eq!(
        get(&client, &secure.registry()).await.expect("an answer"),
        "secure"
    );
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
    assert_eq!(
        get(&client.build().expect("a client"), &name)
            .await
            .expect("an answer"),
        "hello"
    );
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
    assert!(chain(&error).contains("takes connections"), "{}", chain(&error));
}

#[tokio::test]
async fn silence_before_the_head_and_in_the_body_ends() {
    let long = Duration::from_secs(30);
    let short = Duration::from_millis(200);
    let timeouts = Timeouts::default()
        .with_connect(short)
        .with_response(short)
        .with_idle(short);
    let client = client()
        .timeouts(timeouts)
        .retry(RetryPolicy::never())
        .build()
        .expect("a client");

    let server = Server::plain(move |_| Reply::ok("late").after(long)).await;
    let error = get(&client, &server.registry()).await.expect_err("nothing comes");
    assert!(
        matches!(
            error,
            Error::TimedOut {
                waiting_for: "an answer",
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(error.kind(), ErrorKind::TimedOut);

    let server = Server::plain(move |_| Reply::ok("some").pause(long).body("more")).await;
    let blob = client
        .get(&server.registry(), "/v2/", &Scopes::none())
        .await
        .expect("a head");
    let error = blob.into_bytes(100).await.expect_err("nothing more comes");
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(
        chain(&error).contains("the next bytes did not come within 0.2 seconds"),
        "{}",
        chain(&error)
    );
}

#[tokio::test]
async fn who_fetches_slowly_is_not_called_silent() {
    let idle = Duration::from_millis(150);
    let client = client()
        .timeouts(Timeouts::default().with_idle(idle))
        .build()
        .expect("a client");
    let server = Server::plain(|_| Reply::ok(vec![7; 4 * 1024 * 1024])).await;
    let blob = client
        .get(&server.registry(), "/v2/", &Scopes::none())
        .await
        .expect("a head");
    let mut stream = blob.into_stream();
    let mut length = 0;
    while let Some(chunk) = stevedore_core::stream::next(&mut stream).await {
        length += chunk.expect("a chunk").len();
        if length < 1024 * 1024 {
            tokio::time::sleep(idle * 2).await;
        }
    }
    assert_eq!(length, 4 * 1024 * 1024);
}

#[tokio::test]
async fn a_cut_body_is_an_interruption() {
    let server = Server::plain(|_| {
        Reply::ok("some")
            .header("content-length", "100")
            .pause(Duration::from_millis(50))
            .cut()
    })
    .await;
    let client = client().build().expect("a client");
    let blob = client
        .get(&server.registry(), "/v2/", &Scopes::none())
        .await
        .expect("a head");
    assert_eq!(blob.size, Some(100));
    let error = blob.into_bytes(100).await.expect_err("cut");
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert!(error.is_retryable());
}

#[tokio::test]
async fn what_passes_is_tried_again_and_what_does_not_is_not() {
    for (status, sent) in [(503, 3), (429, 3), (500, 3), (404, 1), (400, 1)] {
        let count = Arc::new(AtomicUsize::new(0));
        let server = {
            let count = Arc::clone(&count);
            Server::plain(move |_| {
                if count.fetch_add(1, Ordering::Relaxed) < 2 {
                    Reply::new(status)
                } else {
                    Reply::ok("at last")
                }
            })
            .await
        };
        let result = get(&client().build().expect("a client"), &server.registry()).await;
        assert_eq!(count.load(Ordering::Relaxed), sent, "{status}");
        assert_eq!(result.is_ok(), sent == 3, "{status}");
    }
    let server = Server::plain(|_| Reply::new(503)).await;
    let error = get(&client().build().expect("a client"), &server.registry())
        .await
        .expect_err("never");
    assert_eq!(server.seen().len(), 5);
    assert_eq!(error.status(), Some(503));
}

#[tokio::test]
async fn a_registry_that_asks_to_wait_is_waited_for() {
    let count = Arc::new(AtomicUsize::new(0));
    let server = {
        let count = Arc::clone(&count);
        Server::plain(move |_| match count.fetch_add(1, Ordering::Relaxed) {
            0 => Reply::new(429).header("retry-after", "1"),
            _ => Reply::ok("at last"),
        })
        .await
    };
    let client = client().build().expect("a client");
    let started = Instant::now();
    let registry = server.registry();
    let first = get(&client, &registry);
    let second = async {
        // Comes while the host is paused, and waits too.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let answer = get(&client, &registry).await;
        assert!(
            started.elapsed() >= Duration::from_secs(1),
            "{:?}",
            started.elapsed()
        );
        answer
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first.expect("an answer"), "at last");
    assert_eq!(second.expect("an answer"), "at last");
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_limit_that_lasts_is_told_with_what_and_when() {
    let server = Server::plain(|_| {
        Reply::new(429).header("retry-after", "21600").header("x-request-id", "r-1").body(
            r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}"#,
        )
    })
    .await;
    let error = get(&client().build().expect("a client"), &server.registry())
        .await
        .expect_err("limited");
    assert_eq!(server.seen().len(), 1, "nobody waits six hours");
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(21600)));
    let shown = error.to_string();
    assert!(
        shown.contains("You have reached your pull rate limit."),
        "{shown}"
    );
    assert!(shown.contains("asks to wait 21600 seconds"), "{shown}");
    assert!(shown.contains("(request id r-1)"), "{shown}");
}

#[tokio::test]
async fn error_bodies_are_bounded() {
    let server = Server::plain(|_| {
        let mut reply = Reply::new(400);
        for _ in 0..64 {
            reply = reply.body(vec![b'x'; 1024 * 1024]);
        }
        reply.header("x-request-id", "r-1")
    })
    .await;
    let error = get(&client().build().expect("a client"), &server.registry())
        .await
        .expect_err("refused");
    let refused = error.refused().expect("an answer");
    assert_eq!(refused.text.as_ref().map(String::len), Some(500));
    assert_eq!(refused.request_id.as_deref(), Some("r-1"));
}

#[tokio::test]
async fn redirects_are_followed_so_far_and_no_further() {
    let server = Server::plain(|seen| match seen.path.as_str() {
        "/v2/" => Reply::redirect(307, "hop"),
        "/v2/hop" => Reply::redirect(302, "/v2/../end?x=1"),
        "/end?x=1" => Reply::ok("end"),
        "/loop" => Reply::redirect(301, "/loop"),
        "/file" => Reply::redirect(301, "file:///etc/passwd"),
        "/nowhere" => Reply::new(301),
        _ => Reply::new(404),
    })
    .await;
    let client = client().build().expect("a client");
    assert_eq!(get(&client, &server.registry()).await.expect("an answer"), "end");

    for (path, reason, asked) in [
        ("/loop", "too many", 11),
        ("/file", "not an http", 1),
        ("/nowhere", "no usable Location", 1),
    ] {
        let before = server.seen().len();
        let error = client
            .get(&server.registry(), path, &Scopes::none())
            .await
            .expect_err("not followed");
        assert!(matches!(&error, Error::Redirect { .. }), "{error:?}");
        assert!(error.to_string().contains(reason), "{error}");
        assert_eq!(server.seen().len() - before, asked, "{path}");
    }
}

#[tokio::test]
async fn no_redirect_leads_from_https_to_plain_http() {
    let authority = Authority::new();
    let plain = Server::plain(|_| Reply::ok("plain")).await;
    let target = plain.url("/v2/");
    let acceptor = authority.acceptor(&["127.0.0.1"], &["http/1.1"]);
    let secure = Server::tls(acceptor, move |_| Reply::redirect(307, &target)).await;
    let settings = RegistrySettings::new()
        .with_authorities_pem(authority.pem().as_bytes())
        .expect("PEM");
    let client = client()
        .registry(&secure.registry(), settings)
        .build()
        .expect("a client");
    let error = get(&client, &secure.registry()).await.expect_err("not followed");
    assert!(error.to_string().contains("from https to plain http"), "{error}");
    assert!(plain.seen().is_empty());
}

#[tokio::test]
async fn a_host_is_asked_so_much_at_once() {
    let current = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let server = {
        let (current, most) = (Arc::clone(&current), Arc::clone(&most));
        Server::plain(move |_| {
            most.fetch_max(current.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let current = Arc::clone(&current);
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(30)).await;
                current.fetch_sub(1, Ordering::SeqCst);
            });
            Reply::ok("x").after(Duration::from_millis(40))
        })
        .await
    };
    let client = client().concurrency(3).build().expect("a client");
    let registry = server.registry();
    let all = futures_util::future::join_all((0..20).map(|_| get(&client, &registry))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn warnings_are_shown_once() {
    let server = Server::plain(|_| Reply::ok("").header("warning", r#"299 - "This registry closes.""#)).await;
    let shown = Arc::new(Mutex::new(Vec::new()));
    let client = {
        let shown = Arc::clone(&shown);
        client().on_warning(move |warning| shown.lock().expect("no panic").push(warning.to_string()))
    };
    let client = client.build().expect("a client");
    for _ in 0..3 {
        get(&client, &server.registry()).await.expect("an answer");
    }
    let text = format!("{} warns: This registry closes.", server.registry().as_str());
    assert_eq!(*shown.lock().expect("no panic"), [text]);
}

#[tokio::test]
async fn connections_are_used_again() {
    let server = Server::plain(|_| Reply::ok("x")).await;
    let client = client().build().expect("a client");
    let started = Instant::now();
    for _ in 0..50 {
        get(&client, &server.registry()).await.expect("an answer");
    }
    assert!(started.elapsed() < Duration::from_secs(5));
    let error = client
        .get(&server.registry(), "no slash", &Scopes::none())
        .await
        .expect_err("no path");
    assert!(error.source().is_none());
    assert_eq!(error.kind(), ErrorKind::Invalid);
}
