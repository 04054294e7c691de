//! Challenges and tokens.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use stevedore_core::ErrorKind;
use stevedore_fault_server::profile::Auth;
use stevedore_fault_server::{FaultServer, Profile, USER};
use stevedore_registry_client::auth::{Credential, CredentialSources, Scopes};
use stevedore_registry_client::{Client, Error};

use crate::connections::client;
use crate::server::{Reply, Seen, Server};

fn client_with(server: &Server, credential: Credential) -> Client {
    let sources = CredentialSources::none().with_credential(server.registry().as_str(), credential);
    client().credentials(sources).build().expect("a client")
}

async fn get(client: &Client, server: &Server, scopes: &Scopes) -> Result<(), Error> {
    client.get(&server.registry(), "/v2/", scopes).await.map(drop)
}

/// The header of a user and password.
fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// A challenge of a registry whose tokens come from `/token` of the same server.
fn bearer(seen: &Seen, rest: &str) -> Reply {
    let host = seen.header("host").expect("a host");
    Reply::challenge(format!(
        r#"Bearer realm="http://{host}/token",service="test"{rest}"#
    ))
}

fn query(seen: &Seen) -> Vec<(String, String)> {
    let query = seen.path.split_once('?').map_or("", |(_, query)| query);
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| {
            (
                name.to_owned(),
                value.replace("%3A", ":").replace("%2F", "/").replace("%2C", ","),
            )
        })
        .collect()
}

#[tokio::test]
async fn basic_is_answered_and_remembered() {
    let server = Server::plain(|seen| match seen.authorization() {
        Some(header) if header == basic("me", "pass:word") => Reply::ok(""),
        Some(_) => Reply::new(500),
        None => Reply::challenge("Basic realm=\"x\""),
    })
    .await;
    let client = client_with(&server, Credential::basic("me", "pass:word"));
    for _ in 0..3 {
        get(&client, &server, &Scopes::none()).await.expect("allowed");
    }
    assert_eq!(server.seen().len(), 4, "one challenge is enough");
}

#[tokio::test]
async fn wrong_passwords_are_tried_once() {
    let server = Server::plain(|_| Reply::challenge("Basic realm=\"x\"")).await;
    let client = client_with(&server, Credential::basic("me", "wrong"));
    let error = get(&client, &server, &Scopes::none()).await.expect_err("wrong");
    assert_eq!(server.seen().len(), 2, "no account is locked by us");
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(
        error.to_string(),
        format!(
            "{} does not allow access to me (credentials from what was given for this registry)",
            server.address
        )
    );
    assert!(error.refused().expect("an answer").has_code("UNAUTHORIZED"));
    assert!(!format!("{error:?} {client:?}").contains("wrong"));
}

#[tokio::test]
async fn nobody_is_told_that_nobody_is_known() {
    let server = Server::plain(|_| Reply::challenge("Basic realm=\"x\"")).await;
    let client = client().build().expect("a client");
    let error = get(&client, &server, &Scopes::pull("a"))
        .await
        .expect_err("nobody");
    assert_eq!(server.seen().len(), 1);
    let text = format!(
        "{} does not allow repository:a:pull to anybody without credentials",
        server.address
    );
    assert_eq!(error.to_string(), text);
}

#[tokio::test]
async fn tokens_are_asked_for_with_sorted_scopes_and_kept() {
    let server = Server::plain(|seen| match (seen.path.split('?').next(), seen.authorization()) {
        (Some("/token"), Some(header)) if header == basic("me", "secret") => Reply::ok(r#"{"token":"t1"}"#),
        (Some("/token"), _) => Reply::new(401),
        (_, Some("Bearer t1")) => Reply::ok(""),
        _ => bearer(seen, r#",scope="repository:b:pull repository:a:push,pull""#),
    })
    .await;
    let client = client_with(&server, Credential::basic("me", "secret"));
    for _ in 0..3 {
        get(&client, &server, &Scopes::pull("a")).await.expect("allowed");
    }
    let paths: Vec<_> = server
        .paths()
        .iter()
        .map(|path| path.split('?').next().expect("a path").to_owned())
        .collect();
    assert_eq!(
        paths,
        ["GET /v2/", "GET /token", "GET /v2/", "GET /v2/", "GET /v2/"]
    );
    let expected = [
        ("account", "me"),
        ("service", "test"),
        ("scope", "repository:a:pull,push"),
        ("scope", "repository:b:pull"),
    ];
    let asked = query(&server.seen()[1]);
    let asked: Vec<_> = asked
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(asked, expected);

    // Other scopes are another token, without another challenge first.
    get(&client, &server, &Scopes::pull("c")).await.expect("allowed");
    assert_eq!(server.seen().len(), 7);
}

#[tokio::test]
async fn anonymous_tokens_are_asked_for_without_a_name() {
    let server = Server::plain(|seen| match (seen.path.split('?').next(), seen.authorization()) {
        (Some("/token"), None) => Reply::ok(r#"{"access_token":"t"}"#),
        (_, Some("Bearer t")) => Reply::ok(""),
        _ => bearer(seen, ""),
    })
    .await;
    let client = client().build().expect("a client");
    get(&client, &server, &Scopes::pull("library/a"))
        .await
        .expect("allowed");
    assert_eq!(
        server.paths()[1],
        "GET /token?service=test&scope=repository%3Alibrary%2Fa%3Apull"
    );
}

#[tokio::test]
async fn identity_tokens_are_changed_by_post() {
    let server = Server::plain(|seen| match (seen.path.as_str(), seen.authorization()) {
        ("/token", None) => {
            let body = "grant_type=refresh_token&client_id=stevedore&service=test\
                        &scope=repository%3Aa%3Apull&refresh_token=r%2Fx%3D";
            assert_eq!(seen.body, body);
            assert_eq!(
                seen.header("content-type"),
                Some("application/x-www-form-urlencoded")
            );
            Reply::ok(r#"{"access_token":"t","expires_in":300,"refresh_token":"next"}"#)
        }
        (_, Some("Bearer t")) => Reply::ok(""),
        _ => bearer(seen, ""),
    })
    .await;
    let client = client_with(&server, Credential::identity("r/x="));
    get(&client, &server, &Scopes::pull("a")).await.expect("allowed");
    assert_eq!(server.paths(), ["GET /v2/", "POST /token", "GET /v2/"]);
}

#[tokio::test]
async fn a_new_refresh_token_takes_the_place_of_the_one_before() {
    let mut profile = Profile::spec().with_tokens();
    if let Auth::Bearer(service) = &mut profile.auth {
        service.rotate = true;
    }
    let server = FaultServer::start(profile).await;
    let found = Credential::identity(server.refresh_token(USER));
    let sources = CredentialSources::none().with_credential(&server.host(), found);
    let client = client().credentials(sources).build().expect("a client");
    let registry = server.host().parse().expect("a registry");
    // Several at once, for whom the one that was found is good once all in all; and one after the other.
    let scopes: Vec<_> = (0..4)
        .map(|number| Scopes::pull(&format!("app{number}")))
        .collect();
    let calls = scopes.iter().map(|scopes| client.get(&registry, "/v2/", scopes));
    for answer in futures_util::future::join_all(calls).await {
        drop(answer.expect("allowed"));
    }
    for scopes in &scopes {
        server.expire_tokens();
        client.get(&registry, "/v2/", scopes).await.expect("allowed");
    }
    assert!(server.log().count(&http::Method::POST, "/token") >= 2 * scopes.len());
}

#[tokio::test]
async fn a_given_bearer_token_is_shown_at_once() {
    let server = Server::plain(|seen| match seen.authorization() {
        Some("Bearer given") => Reply::ok(""),
        _ => bearer(seen, ""),
    })
    .await;
    get(
        &client_with(&server, Credential::bearer("given")),
        &server,
        &Scopes::none(),
    )
    .await
    .expect("allowed");
    assert_eq!(server.seen().len(), 1);
    let error = get(
        &client_with(&server, Credential::bearer("other")),
        &server,
        &Scopes::none(),
    )
    .await;
    assert_eq!(error.expect_err("refused").kind(), ErrorKind::Unauthorized);
    assert_eq!(server.seen().len(), 2, "nothing else is tried");
}

#[tokio::test]
async fn many_calls_at_once_ask_for_one_token() {
    let server = Server::plain(|seen| match (seen.path.split('?').next(), seen.authorization()) {
        (Some("/token"), _) => Reply::ok(r#"{"token":"t"}"#).after(Duration::from_millis(100)),
        (_, Some("Bearer t")) => Reply::ok(""),
        _ => bearer(seen, ""),
    })
    .await;
    let client = client().build().expect("a client");
    let scopes = Scopes::pull("a");
    let all = futures_util::future::join_all((0..30).map(|_| get(&client, &server, &scopes))).await;
    assert!(all.iter().all(Result::is_ok));
    let tokens = server
        .paths()
        .iter()
        .filter(|path| path.starts_with("GET /token"))
        .count();
    assert_eq!(tokens, 1);
}

/// A server whose tokens are each good until `refuse` says otherwise.
async fn expiring(status: u16) -> (Server, Arc<AtomicUsize>) {
    let current = Arc::new(AtomicUsize::new(0));
    let server = {
        let current = Arc::clone(&current);
        Server::plain(move |seen| {
            let now = current.load(Ordering::SeqCst);
            if seen.path.starts_with("/token") {
                return Reply::ok(format!(r#"{{"token":"t{now}","expires_in":3600}}"#));
            }
            match seen.authorization() {
                Some(header) if header == format!("Bearer t{now}") => Reply::ok(""),
                Some(_) if status == 403 => Reply::new(403).body("expired"),
                _ => bearer(seen, ""),
            }
        })
        .await
    };
    (server, current)
}

#[tokio::test]
async fn a_token_that_ended_early_is_replaced_on_401() {
    let (server, current) = expiring(401).await;
    let client = client().build().expect("a client");
    get(&client, &server, &Scopes::pull("a")).await.expect("allowed");
    current.store(1, Ordering::SeqCst);
    get(&client, &server, &Scopes::pull("a"))
        .await
        .expect("allowed again");
    assert_eq!(server.seen().len(), 3 + 3);
}

#[tokio::test]
async fn a_token_that_ended_is_replaced_on_403_if_it_is_old_enough() {
    for (age, allowed) in [(Duration::ZERO, true), (Duration::from_secs(60), false)] {
        let (server, current) = expiring(403).await;
        let client = client().renew_after(age).build().expect("a client");
        get(&client, &server, &Scopes::pull("a")).await.expect("allowed");
        current.store(1, Ordering::SeqCst);
        let before = server.seen().len();
        let result = get(&client, &server, &Scopes::pull("a")).await;
        assert_eq!(result.is_ok(), allowed);
        assert_eq!(server.seen().len() - before, if allowed { 3 } else { 1 });
    }
}

#[tokio::test]
async fn a_403_that_stays_is_told_after_one_more_try() {
    let server = Server::plain(|seen| match seen.path.split('?').next() {
        Some("/token") => Reply::ok(r#"{"token":"t"}"#),
        _ if seen.authorization().is_some() => {
            Reply::new(403).body(r#"{"errors":[{"code":"DENIED","message":"not yours"}]}"#)
        }
        _ => bearer(seen, ""),
    })
    .await;
    let client = client().renew_after(Duration::ZERO).build().expect("a client");
    let error = get(&client, &server, &Scopes::push("a"))
        .await
        .expect_err("denied");
    assert_eq!(server.seen().len(), 5);
    assert_eq!(error.status(), Some(403));
    assert!(error.refused().expect("an answer").has_code("DENIED"));
}

#[tokio::test]
async fn a_401_that_stays_does_not_go_on_for_ever() {
    let server = Server::plain(|seen| match seen.path.split('?').next() {
        Some("/token") => Reply::ok(r#"{"token":"t"}"#),
        // Wants something else each time.
        _ => bearer(
            seen,
            &format!(
                r#",scope="repository:a{}:pull""#,
                std::process::id() as usize + seen.all().len()
            ),
        ),
    })
    .await;
    let client = client().build().expect("a client");
    let error = get(&client, &server, &Scopes::push("a"))
        .await
        .expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(server.seen().len() <= 8, "{:?}", server.paths());
}

#[tokio::test]
async fn a_helper_is_asked_again_when_its_password_ended() {
    // The password of ECR lives twelve hours; the registry says 403, not 401, when it has ended.
    let directory = tempfile::tempdir().expect("a directory");
    let fixture =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/docker-credential-fake");
    std::os::unix::fs::symlink(fixture, directory.path().join("docker-credential-one")).expect("a link");
    let server = Server::plain(|seen| match seen.authorization() {
        Some(header) if header == basic("AWS", "new") => Reply::ok(""),
        Some(_) => Reply::new(403)
            .body(r#"{"errors":[{"code":"DENIED","message":"Your authorization token has expired."}]}"#),
        None => Reply::challenge("Basic realm=\"x\""),
    })
    .await;
    let registry = server.registry();
    let config = directory.path().join("config.json");
    std::fs::write(&config, r#"{"credsStore":"one"}"#).expect("a file");
    let answer = |password: &str| {
        let json = format!(r#"{{"Username":"AWS","Secret":"{password}"}}"#);
        std::fs::write(directory.path().join(registry.as_str().replace(':', "_")), json).expect("a file");
    };
    let mut environment = stevedore_registry_client::Environment::empty();
    environment.path = Some(directory.path().into());
    let sources = CredentialSources::new(environment).with_auth_file(&config);
    let client = client()
        .credentials(sources)
        .renew_after(Duration::ZERO)
        .build()
        .expect("a client");

    answer("old");
    let error = get(&client, &server, &Scopes::none()).await.expect_err("expired");
    assert_eq!(error.status(), Some(403));
    answer("new");
    get(&client, &server, &Scopes::none())
        .await
        .expect("the helper knows a new one");
}

#[tokio::test]
async fn answers_of_token_services_are_bounded_and_checked() {
    for (body, what) in [
        (r#"{"token":""}"#.to_owned(), "there is no token in it"),
        (
            "<html>hunter2</html>".to_owned(),
            "not the JSON of a token response",
        ),
        (
            format!(r#"{{"token":"t","x":"{}"}}"#, "y".repeat(1024 * 1024)),
            "larger than 1048576 bytes",
        ),
    ] {
        let server = Server::plain(move |seen| match seen.path.split('?').next() {
            Some("/token") => Reply::ok(body.clone()),
            _ => bearer(seen, ""),
        })
        .await;
        let client = client().build().expect("a client");
        let error = get(&client, &server, &Scopes::none())
            .await
            .expect_err("no token");
        assert!(error.to_string().contains(what), "{error}");
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn a_token_service_that_stumbles_is_asked_again() {
    let count = AtomicUsize::new(0);
    let server = Server::plain(
        move |seen| match (seen.path.split('?').next(), seen.authorization()) {
            (Some("/token"), _) if count.fetch_add(1, Ordering::Relaxed) == 0 => Reply::new(503),
            (Some("/token"), _) => Reply::ok(r#"{"token":"t"}"#),
            (_, Some("Bearer t")) => Reply::ok(""),
            _ => bearer(seen, ""),
        },
    )
    .await;
    let started = Instant::now();
    get(&client().build().expect("a client"), &server, &Scopes::none())
        .await
        .expect("allowed");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_bad_password_at_the_token_service_says_who() {
    let server = Server::plain(|seen| match seen.path.split('?').next() {
        Some("/token") => Reply::new(401).body(r#"{"details":"incorrect username or password"}"#),
        _ => bearer(seen, ""),
    })
    .await;
    let client = client_with(&server, Credential::basic("me", "hunter2"));
    let error = get(&client, &server, &Scopes::push("a/b"))
        .await
        .expect_err("wrong");
    let text = error.to_string();
    assert!(
        text.contains("does not allow repository:a/b:pull,push to me (credentials from"),
        "{text}"
    );
    assert!(
        error
            .refused()
            .expect("an answer")
            .to_string()
            .contains("incorrect username or password")
    );
    assert!(!format!("{error:?}").contains("hunter2"));
    assert_eq!(server.paths().len(), 2, "asked once: {:?}", server.paths());
}
