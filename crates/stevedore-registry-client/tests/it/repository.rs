//! Repositories: pulls, pushes, tags, referrers, deletes, on registries with the habits of real ones.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};
use stevedore_core::samples::Sample;
use stevedore_core::stream::{BoxStream, next};
use stevedore_core::{
    Algorithm, Blob, ByteRange, Descriptor, Error, ErrorKind, Expected, IngestPlan, MediaType, Place, Put,
    ReferrerFilter, Role, Selector, Sink, Source, Staging, Supply,
};
use stevedore_fault_server::{Fault, FaultServer, Profile, RetryAfter};
use stevedore_registry_client::auth::{Credential, CredentialSources};
use stevedore_registry_client::{ClientBuilder, RegistrySettings, Repository, Timeouts};

use crate::connections::client;

fn builder(server: &FaultServer) -> ClientBuilder {
    let (user, password) = server.profile().users[0].clone();
    server.create_repository("team/app");
    let sources =
        CredentialSources::none().with_credential(&server.host(), Credential::basic(user, password));
    client()
        .credentials(sources)
        .timeouts(Timeouts::default().with_idle(Duration::from_secs(2)))
}

fn open(server: &FaultServer, builder: ClientBuilder, name: &str) -> Repository {
    let client = builder.build().expect("a client");
    client.repository(
        &server.host().parse().expect("a registry"),
        &name.parse().expect("a name"),
    )
}

fn repository(server: &FaultServer) -> Repository {
    open(server, builder(server), "team/app")
}

/// Bytes that no compressor or run would hide a shift in.
fn noise(length: usize) -> Bytes {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let bytes = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    bytes.flatten().take(length).collect::<Vec<u8>>().into()
}

fn layer(bytes: &Bytes) -> Descriptor {
    Descriptor::new(
        MediaType::OCI_LAYER,
        Algorithm::Sha256.digest(bytes),
        bytes.len() as u64,
    )
}

async fn all<T>(mut stream: BoxStream<Result<T, Error>>) -> Vec<T> {
    let mut items = Vec::new();
    while let Some(item) = next(&mut stream).await {
        items.push(item.expect("a list"));
    }
    items
}

async fn read(repository: &Repository, descriptor: &Descriptor) -> Result<Bytes, Error> {
    let blob = repository
        .blob(descriptor, ByteRange::FULL)
        .await?
        .verified(descriptor)?;
    blob.into_bytes(64 * 1024 * 1024).await
}

fn name(tag: &str) -> Selector {
    Selector::Name(tag.parse().expect("a name"))
}

/// A supply that counts how often it is opened.
struct Counted(Bytes, AtomicUsize);

#[async_trait::async_trait]
impl Supply for Counted {
    async fn open(&self, from: u64) -> stevedore_core::Result<Blob> {
        self.1.fetch_add(1, Ordering::Relaxed);
        // In pieces, as a network or file gives them.
        let from = usize::try_from(from).expect("an offset");
        let pieces: Vec<_> = self
            .0
            .slice(from..)
            .chunks(50_000)
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect();
        Ok(Blob::from_stream(stevedore_core::stream::iter(pieces), None))
    }
}

#[tokio::test]
async fn an_image_goes_out_and_comes_back_on_every_profile() {
    for profile in Profile::all() {
        let label = format!("{profile:?}").chars().take(60).collect::<String>();
        let server = FaultServer::start(profile).await;
        let app = repository(&server);
        let image = Sample::image(&["one", "two"]);
        let sample = Sample::index(vec![image.clone(), Sample::image(&["three"])])
            .with_referrer("application/vnd.example.sbom", "packages")
            .with_referrer("application/vnd.example.signature", "me");
        sample
            .put(&app, &["latest", "v1"])
            .await
            .unwrap_or_else(|error| panic!("{label}: {}", chain(&error)));

        // Another client, which has seen nothing of it.
        let app = repository(&server);
        let found = app
            .resolve(&name("latest"))
            .await
            .unwrap_or_else(|error| panic!("{label}: {}", chain(&error)));
        assert_eq!(found, sample.descriptor(), "{label}");
        for sample in sample.all() {
            let document = app.document(&sample.descriptor()).await.expect("a document");
            assert_eq!(&document, sample.document(), "{label}");
            for (descriptor, bytes) in sample.blobs() {
                let read = read(&app, descriptor)
                    .await
                    .unwrap_or_else(|error| panic!("{label}: {}", chain(&error)));
                assert_eq!(&read, bytes, "{label}");
            }
        }
        assert_eq!(
            &app.root(&name("v1")).await.expect("a document"),
            sample.document(),
            "{label}"
        );
        let tags: Vec<_> = all(app.names())
            .await
            .iter()
            .map(|named| named.name.to_string())
            .collect();
        let tags: Vec<_> = tags
            .iter()
            .map(String::as_str)
            .filter(|tag| !tag.starts_with("sha256-"))
            .collect();
        assert_eq!(tags, ["latest", "v1"], "{label}");

        let subject = sample.document().digest();
        let mut referrers = all(app.referrers(&subject, ReferrerFilter::all())).await;
        referrers.sort_by_key(|referrer| referrer.digest.to_string());
        let mut expected: Vec<_> = sample
            .referrers()
            .iter()
            .map(|sample| sample.document().digest().to_string())
            .collect();
        expected.sort();
        let digests: Vec<_> = referrers
            .iter()
            .map(|referrer| referrer.digest.to_string())
            .collect();
        assert_eq!(digests, expected, "{label}");
        let sbom = ReferrerFilter::artifact_type("application/vnd.example.sbom".parse().expect("a type"));
        assert_eq!(all(app.referrers(&subject, sbom)).await.len(), 1, "{label}");
        assert!(
            all(app.referrers(&image.document().digest(), ReferrerFilter::all()))
                .await
                .is_empty(),
            "{label}"
        );
    }
}

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
async fn large_blobs_go_out_and_come_back_on_every_profile() {
    let bytes = noise(9 * 1024 * 1024 + 17);
    let descriptor = layer(&bytes);
    for profile in Profile::all() {
        let label = format!("{profile:?}").chars().take(60).collect::<String>();
        for chunked in [None, Some(4 * 1024 * 1024)] {
            let server = FaultServer::start(profile.clone()).await;
            let mut settings = RegistrySettings::new();
            settings.chunk_size = chunked;
            let client = builder(&server).registry(&server.host().parse().expect("a registry"), settings);
            let app = open(&server, client, "team/app");
            let put = app.put_blob(&descriptor, &[], &bytes).await;
            let put = put.unwrap_or_else(|error| {
                panic!(
                    "{label} {chunked:?}: {}\n{}",
                    chain(&error),
                    server.log().summary()
                )
            });
            assert_eq!(put, Put::Written, "{label}");
            assert!(app.has(&descriptor).await.expect("an answer"), "{label}");
            assert_eq!(
                app.put_blob(&descriptor, &[], &bytes).await.expect("there"),
                Put::Present,
                "{label}"
            );
            assert!(read(&app, &descriptor).await.expect("a blob") == bytes, "{label}");
            let part = app
                .blob(&descriptor, ByteRange::of(1000..5000))
                .await
                .expect("a part");
            assert_eq!(part.size, Some(4000), "{label}");
            assert!(
                part.into_bytes(4000).await.expect("a part") == bytes.slice(1000..5000),
                "{label}"
            );
        }
    }
}

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
async fn referrers_written_at_once_under_the_fallback_tag_are_all_there() {
    let server = FaultServer::start(Profile::ghcr()).await;
    let subject = Sample::image(&["one"]);
    subject
        .put(&repository(&server), &["latest"])
        .await
        .expect("written");
    let artifacts: Vec<_> = (0..6)
        .map(|number| {
            Sample::artifact(
                &subject.descriptor(),
                "application/vnd.example.note",
                &format!("note {number}"),
            )
        })
        .collect();
    let writes = artifacts.iter().map(|artifact| {
        let app = repository(&server);
        async move { artifact.put(&app, &[]).await }
    });
    for written in futures_util::future::join_all(writes).await {
        // It may lose against the others; then it says so.
        if let Err(error) = written {
            assert_eq!(error.kind(), ErrorKind::Conflict, "{}", chain(&error));
            panic!("six writers are not that many: {}", chain(&error));
        }
    }
    let listed =
        all(repository(&server).referrers(&subject.document().digest(), ReferrerFilter::all())).await;
    assert_eq!(listed.len(), artifacts.len());
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
