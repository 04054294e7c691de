//! Credentials: Basic, bearer tokens, and how they run out.

use std::time::Duration;

use base64::Engine as _;
use http::{Method, StatusCode};
use stevedore_fault_server::profile::{Auth, Expired};
use stevedore_fault_server::{Fault, FaultServer, Origin, PASSWORD, Profile, USER};

use crate::client::{Reply, ask, get};

pub(crate) fn basic(user: &str, password: &str) -> String {
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    format!("Basic {pair}")
}

/// A parameter of a challenge.
pub(crate) fn parameter(challenge: &str, name: &str) -> Option<String> {
    let (_, rest) = challenge.split_once(&format!("{name}=\""))?;
    Some(rest.split_once('"')?.0.to_owned())
}

/// A token for these scopes, by the challenge of a first request.
pub(crate) async fn token(server: &FaultServer, credentials: Option<&str>, scopes: &[&str]) -> String {
    let challenged = get(&server.url(), "/v2/").send().await;
    let challenge = challenged.header("www-authenticate").expect("a challenge");
    let realm = parameter(challenge, "realm").expect("a realm");
    let scopes = scopes.join("&scope=");
    let mut request = get("", &format!("{realm}?service=x&scope={scopes}"));
    if let Some(credentials) = credentials {
        request = request.header("authorization", credentials);
    }
    let given = request.send().await;
    assert_eq!(given.status, StatusCode::OK, "{:?}", given.body);
    format!("Bearer {}", given.json()["token"].as_str().expect("a token"))
}

pub(crate) async fn list(server: &FaultServer, authorization: &str) -> Reply {
    get(&server.url(), "/v2/a/tags/list")
        .header("authorization", authorization)
        .send()
        .await
}

async fn tokens() -> FaultServer {
    let server = FaultServer::start(Profile::spec().with_tokens()).await;
    server.create_repository("a");
    server
}

#[tokio::test]
async fn basic_lets_in_who_knows_the_password() {
    let server = FaultServer::start(Profile::spec().with_basic()).await;
    server.create_repository("a");
    let refused = get(&server.url(), "/v2/a/tags/list").send().await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (StatusCode::UNAUTHORIZED, "UNAUTHORIZED")
    );
    assert!(
        refused
            .header("www-authenticate")
            .expect("a challenge")
            .starts_with("Basic realm=")
    );
    assert_eq!(
        list(&server, &basic(USER, "wrong")).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(list(&server, &basic(USER, PASSWORD)).await.status, StatusCode::OK);
    server.rotate_password("other", "secret");
    assert_eq!(
        list(&server, &basic("other", "secret")).await.status,
        StatusCode::OK
    );
    assert_eq!(server.log().authorizations(Origin::Registry).len(), 3);
}

#[tokio::test]
async fn a_token_opens_what_its_scopes_name() {
    let server = tokens().await;
    let challenged = get(&server.url(), "/v2/a/tags/list").send().await;
    let challenge = challenged.header("www-authenticate").expect("a challenge");
    assert_eq!(
        parameter(challenge, "realm"),
        Some(format!("{}/token", server.url()))
    );
    assert_eq!(
        parameter(challenge, "scope").as_deref(),
        Some("repository:a:pull")
    );

    let pull = token(&server, Some(&basic(USER, PASSWORD)), &["repository:a:pull"]).await;
    assert_eq!(list(&server, &pull).await.status, StatusCode::OK);
    let pushed = ask(Method::POST, &server.url(), "/v2/a/blobs/uploads/")
        .header("authorization", &pull)
        .send()
        .await;
    let challenge = pushed.header("www-authenticate").expect("a challenge");
    assert_eq!(
        parameter(challenge, "error").as_deref(),
        Some("insufficient_scope")
    );
    assert_eq!(
        parameter(challenge, "scope").as_deref(),
        Some("repository:a:pull,push")
    );

    let both = token(
        &server,
        Some(&basic(USER, PASSWORD)),
        &["repository:a:pull,push%20repository:b:pull"],
    )
    .await;
    for (query, expected) in [
        ("from=b", StatusCode::ACCEPTED),
        ("from=c", StatusCode::UNAUTHORIZED),
    ] {
        let target = format!("/v2/a/blobs/uploads/?mount=sha256:0&{query}");
        let reply = ask(Method::POST, &server.url(), &target)
            .header("authorization", &both)
            .send()
            .await;
        assert_eq!(reply.status, expected, "{query}");
    }
    let catalog = token(&server, Some(&basic(USER, PASSWORD)), &["registry:catalog:*"]).await;
    let listed = get(&server.url(), "/v2/_catalog")
        .header("authorization", &catalog)
        .send()
        .await;
    assert_eq!(listed.status, StatusCode::OK);
}

#[tokio::test]
async fn the_realm_refuses_strangers() {
    let server = tokens().await;
    let realm = format!("{}/token?scope=repository:a:pull", server.url());
    assert_eq!(get("", &realm).send().await.status, StatusCode::UNAUTHORIZED);
    let wrong = get("", &realm)
        .header("authorization", &basic(USER, "wrong"))
        .send()
        .await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        list(&server, "Bearer made-up").await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn refresh_tokens_are_given_and_taken_by_post() {
    let server = tokens().await;
    let post = |form: String| {
        ask(Method::POST, &server.url(), "/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form)
            .send()
    };
    let scope = "scope=repository%3Aa%3Apull&service=registry";
    let first = post(format!(
        "grant_type=password&username={USER}&password={PASSWORD}&access_type=offline&{scope}"
    ))
    .await;
    let refresh = first.json()["refresh_token"]
        .as_str()
        .expect("a refresh token")
        .to_owned();
    let second = post(format!(
        "grant_type=refresh_token&refresh_token={refresh}&{scope}"
    ))
    .await;
    let access = second.json()["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    assert_eq!(
        list(&server, &format!("Bearer {access}")).await.status,
        StatusCode::OK
    );
    let made = server.refresh_token(USER);
    let third = post(format!("grant_type=refresh_token&refresh_token={made}&{scope}")).await;
    assert_eq!(third.status, StatusCode::OK);
    server.forget_refresh_tokens();
    let refused = post(format!(
        "grant_type=refresh_token&refresh_token={refresh}&{scope}"
    ))
    .await;
    assert_eq!(
        (refused.status, refused.json()["error"].as_str()),
        (StatusCode::UNAUTHORIZED, Some("invalid_grant"))
    );

    let by_get = get(&server.url(), "/token?offline_token=true")
        .header("authorization", &basic(USER, PASSWORD))
        .send()
        .await;
    assert!(by_get.json()["refresh_token"].is_string());
}

#[tokio::test]
async fn a_refresh_token_may_be_good_for_one_post() {
    let mut profile = Profile::spec().with_tokens();
    if let Auth::Bearer(service) = &mut profile.auth {
        service.rotate = true;
    }
    let server = FaultServer::start(profile).await;
    let spend = async |token: &str| {
        ask(Method::POST, &server.url(), "/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("grant_type=refresh_token&refresh_token={token}"))
            .send()
            .await
    };
    let made = server.refresh_token(USER);
    let answer = spend(&made).await.json();
    let next = answer["refresh_token"].as_str().expect("the next one");
    assert_eq!(spend(&made).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(spend(next).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_service_without_post_answers_404() {
    let mut profile = Profile::spec().with_tokens();
    if let Auth::Bearer(service) = &mut profile.auth {
        service.post = false;
    }
    let server = FaultServer::start(profile).await;
    let posted = ask(Method::POST, &server.url(), "/token")
        .body("grant_type=password")
        .send()
        .await;
    assert_eq!(posted.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn tokens_run_out_by_count_by_time_and_at_will() {
    let server = FaultServer::start(
        Profile::spec()
            .with_tokens()
            .with_token_life(Duration::from_secs(300), Some(2)),
    )
    .await;
    server.create_repository("a");
    let fresh = || async { token(&server, Some(&basic(USER, PASSWORD)), &["repository:a:pull"]).await };
    let counted = fresh().await;
    for expected in [200, 200, 401] {
        assert_eq!(list(&server, &counted).await.status, expected);
    }
    let willed = fresh().await;
    server.expire_tokens();
    assert_eq!(list(&server, &willed).await.status, StatusCode::UNAUTHORIZED);

    let server = FaultServer::start(
        Profile::spec()
            .with_tokens()
            .with_token_life(Duration::from_millis(50), None),
    )
    .await;
    server.create_repository("a");
    let timed = token(&server, Some(&basic(USER, PASSWORD)), &["repository:a:pull"]).await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(list(&server, &timed).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_runs_out_in_the_middle_of_a_push() {
    let server = tokens().await;
    let push = token(&server, Some(&basic(USER, PASSWORD)), &["repository:a:pull,push"]).await;
    let started = ask(Method::POST, &server.url(), "/v2/a/blobs/uploads/")
        .header("authorization", &push)
        .send()
        .await;
    let location = started.location().to_owned();
    server.fail(Fault::expire_token().on(Method::PATCH, "/v2/*/blobs/uploads/*"));
    let patch = |token: &str| {
        ask(Method::PATCH, &server.url(), &location)
            .header("authorization", token)
            .body("x")
            .send()
    };
    assert_eq!(patch(&push).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(patch(&push).await.status, StatusCode::UNAUTHORIZED);
    let again = token(&server, Some(&basic(USER, PASSWORD)), &["repository:a:pull,push"]).await;
    let taken = patch(&again).await;
    assert_eq!(
        (taken.status, taken.header("range")),
        (StatusCode::ACCEPTED, Some("0-0"))
    );
}

#[tokio::test]
async fn a_401_can_be_asked_for() {
    let server = tokens().await;
    let pull = token(&server, Some(&basic(USER, PASSWORD)), &["repository:a:pull"]).await;
    server.fail(Fault::unauthorized().on(Method::GET, "/v2/*/tags/list"));
    let refused = list(&server, &pull).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert!(refused.header("www-authenticate").is_some());
    assert_eq!(list(&server, &pull).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_expired_token_is_answered_in_the_profiles_way() {
    for (expired, status) in [(Expired::Forbidden, 403), (Expired::BadRequest, 400)] {
        let mut profile = Profile::spec().with_tokens();
        if let Auth::Bearer(service) = &mut profile.auth {
            service.expired = expired;
        }
        let server = FaultServer::start(profile).await;
        server.create_repository("a");
        let pull = token(&server, Some(&basic(USER, PASSWORD)), &["repository:a:pull"]).await;
        server.expire_tokens();
        let refused = list(&server, &pull).await;
        assert_eq!(
            (refused.status.as_u16(), refused.header("www-authenticate")),
            (status, None)
        );
    }
}
