//! What is read: whole, in parts, after a cut, in pages.

use super::*;

#[tokio::test]
async fn a_blob_that_breaks_off_is_fetched_on() {
    let bytes = noise(2 * 1024 * 1024);
    let descriptor = layer(&bytes);
    let third = 700_000;
    for (what, fault) in [
        ("cut", Fault::cut_body_after(third)),
        ("reset", Fault::reset_body_after(third)),
        ("stalled", Fault::stall_body_after(third)),
        ("without a length", Fault::no_length()),
        ("chunked", Fault::chunked()),
        (
            "refused for a while",
            Fault::status(StatusCode::SERVICE_UNAVAILABLE),
        ),
    ] {
        let server = FaultServer::start(Profile::spec()).await;
        server.put_blob("team/app", bytes.clone());
        server.fail(fault.on(Method::GET, "/v2/*/blobs/*").times(2));
        let app = repository(&server);
        let blob = read(&app, &descriptor)
            .await
            .unwrap_or_else(|error| panic!("{what}: {}", chain(&error)));
        assert!(blob == bytes, "{what}");
        assert!(
            server.pending_faults() == 0 || what == "without a length" || what == "chunked",
            "{what}"
        );
        let sent = server.log().blob_bytes_sent();
        assert!(
            sent < bytes.len() as u64 * 3 / 2,
            "{what}: {sent} bytes were sent"
        );
    }
}

#[tokio::test]
async fn a_server_without_ranges_is_read_past_what_is_there() {
    let bytes = noise(2 * 1024 * 1024);
    let descriptor = layer(&bytes);
    let mut profile = Profile::spec();
    profile.pull.ranges = false;
    let server = FaultServer::start(profile).await;
    server.put_blob("team/app", bytes.clone());
    server.fail(Fault::cut_body_after(700_000).on(Method::GET, "/v2/*/blobs/*"));
    let app = repository(&server);
    assert!(read(&app, &descriptor).await.expect("a blob") == bytes);
    let part = app
        .blob(&descriptor, ByteRange::of(10..20))
        .await
        .expect("a part");
    assert!(part.into_bytes(10).await.expect("a part") == bytes.slice(10..20));
}

#[tokio::test]
async fn a_blob_that_is_another_one_is_noticed() {
    let bytes = noise(100_000);
    let descriptor = layer(&bytes);
    for (what, fault) in [
        ("flipped", Fault::flip_byte(5)),
        ("too long", Fault::longer_length(10)),
        ("too short", Fault::shorter_length(10)),
    ] {
        let server = FaultServer::start(Profile::spec()).await;
        server.put_blob("team/app", bytes.clone());
        server.fail(fault.on(Method::GET, "/v2/*/blobs/*").always());
        let error = read(&repository(&server), &descriptor).await.expect_err(what);
        assert_eq!(error.kind(), ErrorKind::Mismatch, "{what}: {}", chain(&error));
    }
    let server = FaultServer::start(Profile::spec()).await;
    let error = read(&repository(&server), &descriptor)
        .await
        .expect_err("not there");
    assert!(error.is_not_found(), "{}", chain(&error));
}

#[tokio::test]
async fn what_did_not_change_is_not_sent_again() {
    let server = FaultServer::start(Profile::spec()).await;
    let app = repository(&server);
    let sample = Sample::image(&["one"]);
    sample.put(&app, &["latest"]).await.expect("written");
    app.root(&name("latest")).await.expect("a document");
    server.clear_log();
    assert_eq!(
        &app.root(&name("latest")).await.expect("a document"),
        sample.document()
    );
    let asked = server.requests();
    assert_eq!(asked.len(), 1);
    if asked[0].header("if-none-match").is_some() {
        Sample::image(&["two"])
            .put(&app, &["latest"])
            .await
            .expect("written");
        assert_ne!(
            &app.root(&name("latest")).await.expect("a document"),
            sample.document()
        );
    } else {
        panic!(
            "the server gives an ETag, and nobody used it: {}",
            server.log().summary()
        );
    }
}

#[tokio::test]
async fn long_lists_come_in_pages() {
    for mut profile in [
        Profile::spec(),
        Profile::artifactory(),
        Profile::docker_hub(),
        Profile::gitlab(),
        Profile::quay(),
    ] {
        profile.lists.max_page = Some(100);
        let label = profile.name;
        let server = FaultServer::start(profile).await;
        let sample = Sample::image(&["one"]);
        let app = repository(&server);
        sample.put(&app, &["first"]).await.expect("written");
        for number in 0..250 {
            let bytes = sample.document().bytes().clone();
            let tag = format!("t{number:03}");
            server.put_manifest(
                "team/app",
                &[&tag],
                "application/vnd.oci.image.manifest.v1+json",
                bytes,
            );
        }
        let tags = all(app.names()).await;
        assert_eq!(tags.len(), 251, "{label}");
        assert!(tags.is_sorted_by_key(|named| named.name.to_string()));
        assert!(
            server.log().count(&Method::GET, "/v2/*/tags/list") >= 3,
            "{label}"
        );
    }
}

#[tokio::test]
async fn what_a_tag_names_is_asked_by_head_which_costs_no_quota() {
    let mut profile = Profile::docker_hub();
    profile.pull.quota = profile.pull.quota.map(|mut quota| {
        quota.limit = 1;
        quota
    });
    let server = FaultServer::start(profile).await;
    let sample = Sample::image(&["one"]);
    sample
        .put(&repository(&server), &["latest"])
        .await
        .expect("written");
    server.clear_log();
    let app = repository(&server);
    for _ in 0..3 {
        let found = app.resolve(&name("latest")).await.expect("no pull is counted");
        assert_eq!(found, sample.descriptor());
        assert!(app.has(&sample.descriptor()).await.expect("no pull is counted"));
    }
    let manifests = "/v2/team/app/manifests/*";
    let log = server.log();
    assert_eq!(log.count(&Method::GET, manifests), 0, "{}", log.summary());
    let heads = log.matching(&Method::HEAD, manifests);
    assert!(heads.len() >= 6, "{}", log.summary());
    app.root(&name("latest")).await.expect("the one that is left");
    let error = repository(&server).root(&name("latest")).await;
    assert_eq!(error.expect_err("none is left").kind(), ErrorKind::RateLimited);
    // Whatever the registry has may come.
    let log = server.log();
    let asked = log.matching(&Method::GET, manifests).into_iter().chain(heads);
    for request in asked {
        let accept = request.header("accept").expect("types");
        for media_type in MediaType::DOCUMENTS {
            assert!(accept.contains(media_type.as_str()), "{accept}");
        }
    }
}
