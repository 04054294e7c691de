//! What is written, whatever happens on its way.

use stevedore_fault_server::profile::Mount;

use super::*;

#[tokio::test]
async fn a_push_that_breaks_off_goes_on() {
    let bytes = noise(9 * 1024 * 1024);
    let descriptor = layer(&bytes);
    let uploads = "/v2/*/blobs/uploads/*";
    for (what, fault, chunked) in [
        (
            "cut PUT",
            Fault::cut_request_after(3_000_000).on(Method::PUT, uploads),
            false,
        ),
        (
            "refused PUT",
            Fault::status(StatusCode::BAD_GATEWAY).on(Method::PUT, uploads),
            false,
        ),
        (
            "lost answer to PUT",
            Fault::close().after_effect().on(Method::PUT, uploads),
            false,
        ),
        (
            "PUT too large",
            Fault::status(StatusCode::PAYLOAD_TOO_LARGE)
                .on(Method::PUT, uploads)
                .times(1),
            false,
        ),
        (
            "limited PUT",
            Fault::too_many_requests(RetryAfter::Seconds(0)).on(Method::PUT, uploads),
            false,
        ),
        (
            "cut PATCH",
            Fault::cut_request_after(3_000_000)
                .on(Method::PATCH, uploads)
                .nth(2),
            true,
        ),
        (
            "lost answer to PATCH",
            Fault::close().after_effect().on(Method::PATCH, uploads).nth(2),
            true,
        ),
        (
            "416 to PATCH",
            Fault::range_conflict().on(Method::PATCH, uploads).nth(2),
            true,
        ),
        (
            "PATCH taken in part",
            Fault::short_accept(1_000_000).on(Method::PATCH, uploads).nth(2),
            true,
        ),
        (
            "expired token",
            Fault::expire_token().on(Method::PATCH, uploads).nth(2),
            true,
        ),
        (
            "lost answer to the end",
            Fault::close().after_effect().on(Method::PUT, uploads),
            true,
        ),
        (
            "POST refused",
            Fault::status(StatusCode::SERVICE_UNAVAILABLE).on(Method::POST, "/v2/*/blobs/uploads/"),
            true,
        ),
    ] {
        let server = FaultServer::start(Profile::spec().with_tokens()).await;
        let mut settings = RegistrySettings::new();
        settings.chunk_size = chunked.then_some(4 * 1024 * 1024);
        let client = builder(&server).registry(&server.host().parse().expect("a registry"), settings);
        let app = open(&server, client, "team/app");
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
    let uploads = "/v2/*/blobs/uploads/*";
    server.fail(Fault::cut_request_after(3_000_000).on(Method::PUT, uploads));
    server.fail(Fault::status(StatusCode::NOT_FOUND).on(Method::GET, uploads));
    let app = repository(&server);
    app.put_blob(&descriptor, &[], &bytes)
        .await
        .unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert_eq!(
        server.log().count(&Method::POST, "/v2/*/blobs/uploads/"),
        2,
        "{}",
        server.log().summary()
    );
}

#[tokio::test]
async fn wrong_bytes_are_never_published() {
    for length in [10, 500_000, 9 * 1024 * 1024] {
        let good = noise(length);
        let descriptor = layer(&good);
        let mut wrong = good.to_vec();
        wrong[length / 2] ^= 1;
        let wrong = Bytes::from(wrong);
        let short = good.slice(..length - 1);
        let long = Bytes::from([good.as_ref(), b"x"].concat());
        for (what, bytes) in [("wrong", &wrong), ("short", &short), ("long", &long)] {
            for chunked in [false, true] {
                // A long one whose beginning fits is cut where it should end.
                if what == "long" && length > 64 * 1024 {
                    continue;
                }
                let server = FaultServer::start(Profile::spec()).await;
                let mut settings = RegistrySettings::new();
                settings.chunk_size = chunked.then_some(1024 * 1024);
                let client = builder(&server).registry(&server.host().parse().expect("a registry"), settings);
                let app = open(&server, client, "team/app");
                let supply = Counted(bytes.clone(), AtomicUsize::new(0));
                let error = app.put_blob(&descriptor, &[], &supply).await.expect_err(what);
                assert_eq!(
                    error.kind(),
                    ErrorKind::Mismatch,
                    "{what} {length}: {}",
                    chain(&error)
                );
                assert!(!app.has(&descriptor).await.expect("an answer"), "{what} {length}");
                // The last bytes never went out.
                let received = server.log().blob_bytes_received();
                assert!(received < length as u64, "{what} {length}: {received}");
            }
        }
    }
}

#[tokio::test]
async fn blobs_are_mounted_where_that_is_possible() {
    let bytes = noise(500_000);
    let descriptor = layer(&bytes);
    let server = FaultServer::start(Profile::spec().with_tokens()).await;
    server.put_blob("team/base", bytes.clone());
    let held_at = |repository: &str| Place::Repository {
        registry: server.host(),
        repository: repository.to_owned(),
    };
    let app = repository(&server);
    let put = app
        .put_blob(&descriptor, &[held_at("team/base")], &bytes)
        .await
        .expect("mounted");
    assert_eq!(put, Put::Mounted);
    assert_eq!(server.log().blob_bytes_received(), 0);

    // A 202 goes on in the session that it opened.
    let other = layer(&noise(400_000));
    let app = open(&server, builder(&server), "team/other");
    let put = app
        .put_blob(
            &other,
            &[held_at("team/base"), held_at("team/other")],
            &noise(400_000),
        )
        .await
        .expect("written");
    assert_eq!(put, Put::Written);
    let posts = server
        .log()
        .matching(&Method::POST, "/v2/team/other/blobs/uploads/")
        .len();
    assert_eq!(posts, 1, "{}", server.log().summary());
}

#[tokio::test]
async fn tags_are_written_once_each_and_not_taken_over_unasked() {
    let server = FaultServer::start(Profile::spec()).await;
    let app = repository(&server);
    let (one, two) = (Sample::image(&["one"]), Sample::image(&["two"]));
    one.put(&app, &["a", "b"]).await.expect("written");
    two.put(&app, &["c"]).await.expect("written");
    let root = |tag: &str, replace| Role::Root {
        names: vec![tag.parse().expect("a name")],
        replace,
    };
    app.put_document(one.document(), root("a", false))
        .await
        .expect("the same");
    let error = app
        .put_document(two.document(), root("a", false))
        .await
        .expect_err("another one");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(app.resolve(&name("a")).await.expect("a tag"), one.descriptor());
    app.put_document(two.document(), root("new", false))
        .await
        .expect("nobody has it");
    app.put_document(two.document(), root("a", true))
        .await
        .expect("taken over");
    assert_eq!(app.resolve(&name("a")).await.expect("a tag"), two.descriptor());
    for bad in ["../../other", "a/b", "", "a b", "-x"] {
        let error = app
            .root(&Selector::Name(stevedore_core::RefName::verbatim(bad)))
            .await
            .expect_err("no tag");
        assert_eq!(error.kind(), ErrorKind::Invalid, "{bad}");
    }
}

#[tokio::test]
async fn names_and_documents_are_removed() {
    let server = FaultServer::start(Profile::spec()).await;
    let app = repository(&server);
    let sample = Sample::image(&["one"]);
    sample.put(&app, &["a", "b"]).await.expect("written");
    app.remove(&name("a")).await.expect("removed");
    assert!(app.resolve(&name("a")).await.expect_err("gone").is_not_found());
    app.resolve(&name("b")).await.expect("still there");
    app.remove(&Selector::Digest(sample.document().digest()))
        .await
        .expect("removed");
    assert!(app.resolve(&name("b")).await.expect_err("gone").is_not_found());
    assert!(app.remove(&name("b")).await.expect_err("gone").is_not_found());
    let (descriptor, _) = &sample.blobs()[1];
    app.delete_blob(&descriptor.known_digest().expect("sha256"))
        .await
        .expect("removed");
    assert!(!app.has(descriptor).await.expect("an answer"));
}

#[tokio::test]
async fn bytes_of_an_unknown_digest_are_written_as_they_come() {
    let bytes = noise(9 * 1024 * 1024 + 5);
    let digest = Algorithm::Sha256.digest(&bytes);
    for fault in [
        None,
        Some(
            Fault::close()
                .after_effect()
                .on(Method::PATCH, "/v2/*/blobs/uploads/*")
                .nth(2),
        ),
        Some(Fault::short_accept(1_000_000).on(Method::PATCH, "/v2/*/blobs/uploads/*")),
        Some(Fault::status(StatusCode::BAD_GATEWAY).on(Method::PATCH, "/v2/*/blobs/uploads/*")),
    ] {
        let server = FaultServer::start(Profile::spec()).await;
        let what = format!("{fault:?}");
        if let Some(fault) = fault {
            server.fail(fault);
        }
        let app = repository(&server);
        let staging = app
            .ingest(IngestPlan::new(Algorithm::Sha256))
            .await
            .expect("begun")
            .expect("a registry can");
        let Staging::Mine(mut ingest) = staging else {
            panic!("it is ours")
        };
        for piece in bytes.chunks(1_000_003) {
            ingest
                .append(Blob::from(Bytes::copy_from_slice(piece)))
                .await
                .expect("taken");
        }
        assert_eq!(ingest.offset().await.expect("an offset"), bytes.len() as u64);
        let info = ingest
            .commit(Expected::anything())
            .await
            .unwrap_or_else(|error| panic!("{what}: {}", chain(&error)));
        assert_eq!((info.digest, info.size), (digest, bytes.len() as u64));
        assert!(
            server.blob("team/app", &digest).is_some_and(|blob| blob == bytes),
            "{what}"
        );
        let again = app.ingest(IngestPlan::of(digest)).await.expect("begun");
        assert!(matches!(again, Some(Staging::There(_))));
    }
}

#[tokio::test]
async fn an_ingest_that_is_not_what_was_expected_is_discarded() {
    let server = FaultServer::start(Profile::spec()).await;
    let app = repository(&server);
    let staging = app
        .ingest(IngestPlan::new(Algorithm::Sha256))
        .await
        .expect("begun");
    let Some(Staging::Mine(mut ingest)) = staging else {
        panic!("it is ours")
    };
    ingest.append(Blob::from("hello")).await.expect("taken");
    let error = ingest
        .commit(Expected::digest(Algorithm::Sha256.digest(b"other")))
        .await
        .expect_err("another one");
    assert_eq!(error.kind(), ErrorKind::Mismatch);
    assert_eq!(
        ingest
            .commit(Expected::anything())
            .await
            .expect_err("spent")
            .kind(),
        ErrorKind::Conflict
    );
    assert_eq!(server.open_uploads(), 0);
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
async fn an_answer_is_waited_for_from_when_the_request_went_out() {
    let server = FaultServer::start(Profile::spec()).await;
    server.fail(Fault::hang().on(Method::PUT, "/v2/*/blobs/uploads/*").always());
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
async fn chunks_are_as_large_as_the_registry_wants_them() {
    const LEAST: u64 = 6 * 1024 * 1024;
    let bytes = noise(13 * 1024 * 1024);
    let mut profile = Profile::spec();
    profile.push.min_chunk = Some(LEAST);
    let server = FaultServer::start(profile).await;
    let mut settings = RegistrySettings::new();
    settings.chunk_size = Some(1024 * 1024);
    let client = builder(&server).registry(&server.host().parse().expect("a registry"), settings);
    let app = open(&server, client, "team/app");
    app.put_blob(&layer(&bytes), &[], &bytes)
        .await
        .unwrap_or_else(|error| panic!("{}\n{}", chain(&error), server.log().summary()));
    let log = server.log();
    let patches = log.matching(&Method::PATCH, "/v2/*/blobs/uploads/*");
    let sizes: Vec<_> = patches.iter().map(|patch| patch.received).collect();
    assert_eq!(sizes, [LEAST, LEAST, bytes.len() as u64 - 2 * LEAST]);
}

#[tokio::test]
async fn a_mount_from_anywhere_is_granted_or_its_session_gone_on_with() {
    let bytes = noise(200_000);
    for (mount, put) in [(Mount::Anonymous, Put::Mounted), (Mount::From, Put::Written)] {
        let mut profile = Profile::spec();
        profile.push.mount = mount;
        let server = FaultServer::start(profile).await;
        server.put_blob("team/base", bytes.clone());
        let app = repository(&server);
        let came = app.put_blob(&layer(&bytes), &[], &bytes).await.expect("a blob");
        assert_eq!(came, put);
        let log = server.log();
        let posts = log.matching(&Method::POST, "/v2/*/blobs/uploads/");
        let queries: Vec<_> = posts.iter().map(|post| post.query()).collect();
        assert!(
            matches!(queries[..], [query] if query.starts_with("mount=") && !query.contains("from=")),
            "{queries:?}"
        );
        let sent = if put == Put::Mounted {
            0
        } else {
            bytes.len() as u64
        };
        assert_eq!(log.blob_bytes_received(), sent);
    }
}

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
    assert!(
        chain(&error).contains("the next bytes to send"),
        "{}",
        chain(&error)
    );
    assert!(
        started.elapsed() < Duration::from_secs(30),
        "{:?}",
        started.elapsed()
    );
}
