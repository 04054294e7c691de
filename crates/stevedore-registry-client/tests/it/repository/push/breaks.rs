//! Pushes that break off, and how they go on.

use super::*;

const CHUNK: Option<u64> = Some(4 * 1024 * 1024);

#[tokio::test]
async fn a_push_that_breaks_off_goes_on() {
    let bytes = noise(9 * 1024 * 1024);
    let descriptor = layer(&bytes);
    let put = |fault: Fault| (fault.on(Method::PUT, UPLOADS), None);
    // The second one, so that something is there already.
    let patch = |fault: Fault| (fault.on(Method::PATCH, UPLOADS).nth(2), CHUNK);
    let lost = || Fault::close().after_effect();
    for (what, (fault, chunk)) in [
        ("cut PUT", put(Fault::cut_request_after(3_000_000))),
        ("refused PUT", put(Fault::status(StatusCode::BAD_GATEWAY))),
        ("lost answer to PUT", put(lost())),
        ("PUT too large", put(Fault::status(StatusCode::PAYLOAD_TOO_LARGE))),
        (
            "limited PUT",
            put(Fault::too_many_requests(RetryAfter::Seconds(0))),
        ),
        ("cut PATCH", patch(Fault::cut_request_after(3_000_000))),
        ("lost answer to PATCH", patch(lost())),
        ("416 to PATCH", patch(Fault::range_conflict())),
        ("PATCH taken in part", patch(Fault::short_accept(1_000_000))),
        ("expired token", patch(Fault::expire_token())),
        ("lost answer to the end", (lost().on(Method::PUT, UPLOADS), CHUNK)),
        (
            "POST refused",
            (
                Fault::status(StatusCode::SERVICE_UNAVAILABLE).on(Method::POST, BEGINNINGS),
                CHUNK,
            ),
        ),
    ] {
        let server = FaultServer::start(Profile::spec().with_tokens()).await;
        let app = in_chunks(&server, chunk);
        server.fail(fault);
        let supply = Counted(bytes.clone(), AtomicUsize::new(0));
        let put = app.put_blob(&descriptor, &[], &supply).await;
        put.unwrap_or_else(|error| panic!("{what}: {}\n{}", chain(&error), server.log().summary()));
        assert_eq!(server.pending_faults(), 0, "{what}\n{}", server.log().summary());
        let digest = descriptor.known_digest().expect("sha256");
        assert!(
            server.blob("team/app", &digest).is_some_and(|blob| blob == bytes),
            "{what}"
        );
        let received = server.log().blob_bytes_received();
        assert!(received <= bytes.len() as u64 * 2, "{what}: {received}");
    }
}

#[tokio::test]
async fn a_session_that_is_gone_is_begun_again() {
    let bytes = noise(9 * 1024 * 1024);
    let descriptor = layer(&bytes);
    let server = FaultServer::start(Profile::spec()).await;
    server.fail(Fault::cut_request_after(3_000_000).on(Method::PUT, UPLOADS));
    server.fail(Fault::status(StatusCode::NOT_FOUND).on(Method::GET, UPLOADS));
    let app = repository(&server);
    app.put_blob(&descriptor, &[], &bytes)
        .await
        .unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert_eq!(
        server.log().count(&Method::POST, BEGINNINGS),
        2,
        "{}",
        server.log().summary()
    );
}

#[tokio::test]
async fn tokens_that_run_out_are_renewed_on_the_way() {
    // Each is good for three requests only.
    let profile = Profile::spec()
        .with_tokens()
        .with_token_life(Duration::from_secs(300), Some(3));
    let server = FaultServer::start(profile).await;
    let app = repository(&server);
    let sample = Sample::index(vec![
        Sample::image(&["one", "two", "three"]),
        Sample::image(&["four"]),
    ]);
    sample
        .put(&app, &["latest"])
        .await
        .unwrap_or_else(|error| panic!("{}", chain(&error)));
    for sample in sample.all() {
        for (descriptor, bytes) in sample.blobs() {
            assert_eq!(&read(&app, descriptor).await.expect("a blob"), bytes);
        }
    }
}

#[tokio::test]
async fn chunks_are_as_large_as_the_registry_wants_them() {
    const LEAST: u64 = 6 * 1024 * 1024;
    let bytes = noise(13 * 1024 * 1024);
    let mut profile = Profile::spec();
    profile.push.min_chunk = Some(LEAST);
    let server = FaultServer::start(profile).await;
    let app = in_chunks(&server, Some(1024 * 1024));
    app.put_blob(&layer(&bytes), &[], &bytes)
        .await
        .unwrap_or_else(|error| panic!("{}\n{}", chain(&error), server.log().summary()));
    let log = server.log();
    let patches = log.matching(&Method::PATCH, UPLOADS);
    let sizes: Vec<_> = patches.iter().map(|patch| patch.received).collect();
    assert_eq!(sizes, [LEAST, LEAST, bytes.len() as u64 - 2 * LEAST]);
}
