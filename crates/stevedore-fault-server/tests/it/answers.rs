//! Faults that answer in the registry's place, and how faults are aimed.

use std::time::{Duration, SystemTime};

use http::{Method, StatusCode};
use stevedore_fault_server::{Fault, FaultServer, Profile, RetryAfter};

use crate::client::{ask, begin_upload, digest_of, get};

#[tokio::test]
async fn errors_have_the_body_that_one_meets() {
    let server = FaultServer::start(Profile::spec()).await;
    for (status, code) in [
        (401, "UNAUTHORIZED"),
        (403, "DENIED"),
        (404, "NAME_UNKNOWN"),
        (429, "TOOMANYREQUESTS"),
        (500, "UNKNOWN"),
    ] {
        server.fail(Fault::status(StatusCode::from_u16(status).expect("a status")));
        let reply = get(&server.url(), "/v2/").send().await;
        assert_eq!((reply.status.as_u16(), reply.code().as_str()), (status, code));
    }
    for status in [502, 503, 504] {
        server.fail(Fault::status(StatusCode::from_u16(status).expect("a status")));
        let reply = get(&server.url(), "/v2/").send().await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("content-type")),
            (status, Some("text/html"))
        );
    }
}

#[tokio::test]
async fn retry_after_is_told_in_seconds_as_a_date_or_not_at_all() {
    let server = FaultServer::start(Profile::spec()).await;
    server.fail(Fault::too_many_requests(RetryAfter::Seconds(7)));
    server.fail(Fault::too_many_requests(RetryAfter::DateIn(3600)).nth(2));
    server.fail(Fault::too_many_requests(RetryAfter::Unsaid).nth(3));
    server.fail(
        Fault::status(StatusCode::SERVICE_UNAVAILABLE)
            .retry_after(RetryAfter::Seconds(1))
            .nth(4),
    );
    let ask = || get(&server.url(), "/v2/").send();
    assert_eq!(ask().await.header("retry-after"), Some("7"));
    let dated = ask().await;
    let date = dated.header("retry-after").expect("a date");
    assert!(
        date.ends_with(" GMT") && date.len() == "Sun, 06 Nov 1994 08:49:37 GMT".len(),
        "{date}"
    );
    assert_eq!(ask().await.header("retry-after"), None);
    let unavailable = ask().await;
    assert_eq!(
        (unavailable.status.as_u16(), unavailable.header("retry-after")),
        (503, Some("1"))
    );
    assert!(SystemTime::now() > SystemTime::UNIX_EPOCH + Duration::from_secs(3600));
}

#[tokio::test]
async fn huge_errors_are_json_of_that_size() {
    let server = FaultServer::start(Profile::spec()).await;
    server.fail(Fault::huge_error(1 << 20));
    let reply = get(&server.url(), "/v2/").send().await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN")
    );
    assert!(reply.body.len().abs_diff(1 << 20) < 100, "{}", reply.body.len());
}

#[tokio::test]
async fn any_response_can_be_given() {
    let server = FaultServer::start(Profile::spec()).await;
    server.fail(Fault::respond(StatusCode::IM_A_TEAPOT, "text/plain", "short"));
    let reply = get(&server.url(), "/v2/").send().await;
    assert_eq!(
        (reply.status, reply.body.as_ref()),
        (StatusCode::IM_A_TEAPOT, b"short".as_slice())
    );
}

#[tokio::test]
async fn redirects_lead_elsewhere_in_chains_and_in_circles() {
    let (server, other) = (
        FaultServer::start(Profile::spec()).await,
        FaultServer::start(Profile::spec()).await,
    );
    server.fail(Fault::redirect_to_base(other.url()).with_status(StatusCode::FOUND));
    let reply = get(&server.url(), "/v2/?x=y").send().await;
    assert_eq!(reply.status, StatusCode::FOUND);
    assert_eq!(reply.location(), format!("{}/v2/?x=y", other.url()));
    server.fail(Fault::redirect("/elsewhere"));
    let reply = get(&server.url(), "/v2/").send().await;
    assert_eq!(
        (reply.status, reply.location()),
        (StatusCode::TEMPORARY_REDIRECT, "/elsewhere")
    );

    server.fail(Fault::redirect_chain(3));
    let (mut hops, mut target) = (0, "/v2/?n=1".to_owned());
    loop {
        let reply = get(&server.url(), &target).send().await;
        if reply.status == StatusCode::OK {
            break;
        }
        reply.location().clone_into(&mut target);
        hops += 1;
    }
    assert_eq!((hops, target.as_str()), (3, "/v2/?n=1&hop=1&hop=2&hop=3"));

    server.fail(Fault::redirect_loop());
    for _ in 0..50 {
        assert_eq!(
            get(&server.url(), "/v2/").send().await.status,
            StatusCode::TEMPORARY_REDIRECT
        );
    }
    server.heal();
    assert_eq!(get(&server.url(), "/v2/").send().await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_error_may_hide_the_effect() {
    let server = FaultServer::start(Profile::spec()).await;
    let target = format!("/v2/a/blobs/uploads/?digest={}", digest_of(b"x"));
    server.fail(
        Fault::status(StatusCode::BAD_GATEWAY)
            .on(Method::POST, "/v2/*/blobs/uploads/")
            .after_effect(),
    );
    let reply = ask(Method::POST, &server.url(), &target).body("x").send().await;
    assert_eq!(reply.status, StatusCode::BAD_GATEWAY);
    assert!(
        server
            .blob("a", &digest_of(b"x").parse().expect("a digest"))
            .is_some()
    );
}

#[tokio::test]
async fn chunks_are_kept_short_and_ranges_lag() {
    let server = FaultServer::start(Profile::spec()).await;
    let location = begin_upload(&server.url()).await;
    let patch = |range: &str, body: &str| {
        let body = body.to_owned();
        ask(Method::PATCH, &server.url(), &location)
            .header("content-range", range)
            .body(body)
            .send()
    };
    server.fail(Fault::short_accept(2));
    let short = patch("0-3", "abcd").await;
    assert_eq!(
        (short.status, short.header("range")),
        (StatusCode::ACCEPTED, Some("0-1"))
    );
    server.fail(Fault::stale_range(2));
    let stale = patch("2-5", "cdef").await;
    assert_eq!(
        (stale.status, stale.header("range")),
        (StatusCode::ACCEPTED, Some("0-3"))
    );
    server.fail(Fault::range_conflict());
    let conflict = patch("6-6", "g").await;
    assert_eq!(
        (conflict.status, conflict.header("range")),
        (StatusCode::RANGE_NOT_SATISFIABLE, Some("0-5"))
    );
    assert_eq!(conflict.location(), location);
    let put = format!("{location}?digest={}", digest_of(b"abcdef"));
    assert_eq!(
        ask(Method::PUT, &server.url(), &put).send().await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn faults_hit_whom_they_are_aimed_at_and_no_more() {
    let server = FaultServer::start(Profile::spec()).await;
    let digest = server.put_blob("a", "x");
    let blob = format!("/v2/a/blobs/{digest}");
    server.fail(
        Fault::status(StatusCode::BAD_GATEWAY)
            .on(Method::GET, "/v2/*/blobs/*")
            .nth(2)
            .times(2),
    );
    let status = |method: Method, target: &str| {
        let ask = ask(method, &server.url(), target);
        async { ask.send().await.status.as_u16() }
    };
    assert_eq!(status(Method::HEAD, &blob).await, 200);
    assert_eq!(status(Method::GET, "/v2/").await, 200);
    assert_eq!(status(Method::GET, &blob).await, 200);
    assert_eq!(server.pending_faults(), 1);
    assert_eq!(status(Method::GET, &blob).await, 502);
    assert_eq!(status(Method::GET, &blob).await, 502);
    assert_eq!(server.pending_faults(), 0);
    assert_eq!(status(Method::GET, &blob).await, 200);

    server.fail(Fault::status(StatusCode::BAD_GATEWAY).on_path("/v2/").always());
    assert_eq!(server.pending_faults(), 1);
    assert_eq!(status(Method::HEAD, "/v2/").await, 502);
    assert_eq!(server.pending_faults(), 0);
    server.heal();

    server.fail(Fault::status(StatusCode::BAD_GATEWAY).at(stevedore_fault_server::Origin::Storage));
    assert_eq!(status(Method::GET, "/v2/").await, 200);
    let hit: Vec<usize> = server.requests().iter().map(|request| request.faults).collect();
    assert_eq!(hit, [0, 0, 0, 1, 1, 0, 1, 0]);
    server.clear_log();
    assert!(server.log().summary().is_empty());
}
