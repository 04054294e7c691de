//! Tokens: what is sent for one, and for whom it is kept.

use std::time::Duration;

use stevedore_core::ErrorKind;
use stevedore_fault_server::profile::Auth;
use stevedore_fault_server::{FaultServer, Profile, USER};
use stevedore_registry_client::auth::{Credential, CredentialSources, Scopes};

use super::{basic, bearer, get, guarded};
use crate::support::{Reply, Seen, Server, TOKEN, anonymous, client, client_with};

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
    let server = guarded(|seen| {
        assert_eq!(seen.authorization(), None);
        Reply::ok(r#"{"access_token":"t"}"#)
    })
    .await;
    let client = anonymous();
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
    let server = guarded(|seen| {
        let body = "grant_type=refresh_token&client_id=stevedore&service=test\
                    &scope=repository%3Aa%3Apull&refresh_token=r%2Fx%3D";
        assert_eq!(seen.body, body);
        let form = "application/x-www-form-urlencoded";
        assert_eq!(seen.header("content-type"), Some(form));
        assert_eq!(seen.authorization(), None);
        Reply::ok(r#"{"access_token":"t","expires_in":300,"refresh_token":"next"}"#)
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
    let server = guarded(|_| Reply::ok(TOKEN).after(Duration::from_millis(100))).await;
    let client = anonymous();
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
