//! Only what was promised is published, and what was not promised as it is.

use super::*;

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
            for chunk in [None, Some(1024 * 1024)] {
                // A long one whose beginning fits is cut where it should end.
                if what == "long" && length > 64 * 1024 {
                    continue;
                }
                let server = FaultServer::start(Profile::spec()).await;
                let app = in_chunks(&server, chunk);
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
async fn bytes_of_an_unknown_digest_are_written_as_they_come() {
    let bytes = noise(9 * 1024 * 1024 + 5);
    let digest = Algorithm::Sha256.digest(&bytes);
    for fault in [
        None,
        Some(Fault::close().after_effect().nth(2)),
        Some(Fault::short_accept(1_000_000)),
        Some(Fault::status(StatusCode::BAD_GATEWAY)),
    ] {
        let server = FaultServer::start(Profile::spec()).await;
        let what = format!("{fault:?}");
        if let Some(fault) = fault {
            server.fail(fault.on(Method::PATCH, UPLOADS));
        }
        let app = repository(&server);
        let mut ingest = begin(&app).await;
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
    let mut ingest = begin(&app).await;
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
