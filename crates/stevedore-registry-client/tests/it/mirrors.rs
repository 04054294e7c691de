//! Reading through mirrors.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Method, StatusCode};
use stevedore_core::samples::Sample;
use stevedore_core::{ByteRange, ErrorKind, Place, ReferrerFilter, Selector, Source};
use stevedore_fault_server::{Fault, FaultServer, Profile};
use stevedore_registry_client::auth::{Credential, CredentialSources};
use stevedore_registry_client::{Client, RegistriesConf};

use crate::repository::all;
use crate::support::{chain, client, name};

const IMAGE: &str = "r.example/team/app:v1";

/// A mirror and the registry that it mirrors, both of which want to know who one is.
struct Pair {
    mirror: FaultServer,
    primary: FaultServer,
    client: Client,
    /// How often a request was sent again.
    retries: Arc<AtomicUsize>,
}

impl Pair {
    async fn start() -> Self {
        let start = async |password: &str| {
            let mut profile = Profile::spec().with_basic();
            profile.users = vec![("me".to_owned(), password.to_owned())];
            FaultServer::start(profile).await
        };
        let (mirror, primary) = (start("of-mirror").await, start("of-primary").await);
        mirror.create_repository("copies/team/app");
        primary.create_repository("team/app");
        let text = format!(
            "[[registry]]\nprefix = 'r.example'\nlocation = '{}'\n[[registry.mirror]]\nlocation = '{}/copies'",
            primary.host(),
            mirror.host()
        );
        let conf = RegistriesConf::default().with_file("r.conf".as_ref(), &text);
        let sources = CredentialSources::none()
            .with_credential(&mirror.host(), Credential::basic("me", "of-mirror"))
            .with_credential(&primary.host(), Credential::basic("me", "of-primary"));
        let retries = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&retries);
        let client = client()
            .credentials(sources)
            .registries(conf.expect("a configuration"))
            .on_retry(move |_, _| {
                counted.fetch_add(1, Ordering::Relaxed);
            })
            .build()
            .expect("a client");
        Self {
            mirror,
            primary,
            client,
            retries,
        }
    }

    fn source(&self) -> Arc<dyn Source> {
        self.client
            .source(&IMAGE.parse().expect("a reference"))
            .expect("a source")
    }

    /// How often the blobs of the mirror and of the registry were asked for.
    fn blobs_asked(&self) -> (usize, usize) {
        let asked = |server: &FaultServer| {
            // Without what was answered by a challenge.
            let log = server.log();
            let found = log.matching(&Method::GET, "/v2/**/blobs/*");
            found
                .iter()
                .filter(|request| request.authorization().is_some())
                .count()
        };
        (asked(&self.mirror), asked(&self.primary))
    }
}

fn put(server: &FaultServer, repository: &str, sample: &Sample, tags: &[&str]) {
    for (_, bytes) in sample.blobs() {
        server.put_blob(repository, bytes.clone());
    }
    let document = sample.document();
    server.put_manifest(
        repository,
        tags,
        document.media_type().as_str(),
        document.bytes().clone(),
    );
}

/// Reads an image to its last blob.
async fn pull(source: &dyn Source, sample: &Sample) -> stevedore_core::Result<()> {
    let root = source.root(&name("v1")).await?;
    assert_eq!(root.digest(), sample.document().digest());
    for (descriptor, bytes) in sample.blobs() {
        let blob = source
            .blob(descriptor, ByteRange::FULL)
            .await?
            .verified(descriptor)?;
        assert_eq!(&blob.into_bytes(1 << 20).await?, bytes);
    }
    Ok(())
}

#[tokio::test]
async fn everything_is_read_from_the_first_mirror_that_has_the_image() {
    let (pair, sample) = (Pair::start().await, Sample::image(&["a", "b"]));
    put(&pair.mirror, "copies/team/app", &sample, &["v1"]);
    put(&pair.primary, "team/app", &sample, &["v1"]);
    let source = pair.source();
    pull(&*source, &sample).await.expect("an image");
    assert_eq!(pair.blobs_asked(), (sample.blobs().len(), 0));
    assert!(pair.primary.requests().is_empty());
    let place = source.place(&sample.document().digest());
    let Some(Place::Repository { registry, repository }) = place else {
        panic!("{place:?}");
    };
    assert_eq!(
        (registry, repository.as_str()),
        (pair.mirror.host(), "copies/team/app")
    );
}

#[tokio::test]
async fn what_no_mirror_has_is_read_where_it_belongs() {
    let (pair, sample) = (Pair::start().await, Sample::image(&["a"]));
    put(&pair.primary, "team/app", &sample, &["v1"]);
    // Also where the mirror has the blobs.
    for (_, bytes) in sample.blobs() {
        pair.mirror.put_blob("copies/team/app", bytes.clone());
    }
    pull(&*pair.source(), &sample).await.expect("an image");
    assert_eq!(pair.blobs_asked(), (0, sample.blobs().len()));
    // Each was told its own password.
    for (server, other) in [(&pair.mirror, &pair.primary), (&pair.primary, &pair.mirror)] {
        let told = |server: &FaultServer| -> Vec<String> {
            let requests = server.requests();
            requests
                .iter()
                .filter_map(|it| it.authorization().map(str::to_owned))
                .collect()
        };
        let theirs = told(other);
        assert!(!told(server).is_empty());
        assert!(told(server).iter().all(|credential| !theirs.contains(credential)));
    }
}

#[tokio::test]
async fn a_mirror_that_is_gone_is_passed_over() {
    let (pair, sample) = (Pair::start().await, Sample::image(&["a"]));
    put(&pair.mirror, "copies/team/app", &sample, &["v1"]);
    put(&pair.primary, "team/app", &sample, &["v1"]);
    pair.mirror.refuse_connections();
    pull(&*pair.source(), &sample).await.expect("an image");
    assert_eq!(pair.blobs_asked(), (0, sample.blobs().len()));
    assert_eq!(pair.retries.load(Ordering::Relaxed), 0, "it is not waited for");
}

#[tokio::test]
async fn a_blob_that_a_mirror_lacks_is_read_at_the_next_place() {
    let (pair, sample) = (Pair::start().await, Sample::image(&["a", "b"]));
    put(&pair.mirror, "copies/team/app", &sample, &["v1"]);
    put(&pair.primary, "team/app", &sample, &["v1"]);
    let (lacked, _) = &sample.blobs()[0];
    let path = format!("/v2/copies/team/app/blobs/{}", lacked.digest);
    pair.mirror
        .fail(Fault::status(StatusCode::NOT_FOUND).on_path(&path).always());
    pull(&*pair.source(), &sample).await.expect("an image");
    assert_eq!(pair.blobs_asked(), (sample.blobs().len(), 1));
}

#[tokio::test]
async fn a_mirror_that_dies_is_not_waited_for_with_every_blob() {
    let (pair, sample) = (Pair::start().await, Sample::image(&["a", "b", "c"]));
    put(&pair.mirror, "copies/team/app", &sample, &["v1"]);
    put(&pair.primary, "team/app", &sample, &["v1"]);
    let fault = Fault::status(StatusCode::SERVICE_UNAVAILABLE);
    pair.mirror
        .fail(fault.on_path("/v2/copies/team/app/blobs/*").always());
    pull(&*pair.source(), &sample).await.expect("an image");
    let (mirror, primary) = pair.blobs_asked();
    assert_eq!(primary, sample.blobs().len());
    assert_eq!(mirror, 5, "the tries of the first blob, and no more");
}

#[tokio::test]
async fn a_blob_that_breaks_off_is_read_on_at_the_next_place() {
    let (pair, sample) = (
        Pair::start().await,
        Sample::image(&["a layer of some length", "b"]),
    );
    put(&pair.mirror, "copies/team/app", &sample, &["v1"]);
    put(&pair.primary, "team/app", &sample, &["v1"]);
    let source = pair.source();
    source.root(&name("v1")).await.expect("an image");
    let (descriptor, bytes) = &sample.blobs()[1];
    let path = format!("/v2/copies/team/app/blobs/{}", descriptor.digest);
    pair.mirror.fail(Fault::cut_body_after(5).on_path(&path));
    pair.mirror
        .fail(Fault::cut_body_after(0).on_path(&path).nth(2).always());
    let blob = source.blob(descriptor, ByteRange::FULL).await.expect("a blob");
    assert_eq!(blob.size, Some(descriptor.size));
    let blob = blob.verified(descriptor).expect("it can be");
    assert_eq!(&blob.into_bytes(1 << 20).await.expect("all of it"), bytes);
    let log = pair.primary.log();
    let asked = log.matching(&Method::GET, "/v2/**/blobs/*");
    let ranges: Vec<_> = asked
        .iter()
        .filter_map(|request| request.header("range"))
        .collect();
    assert!(
        ranges.iter().all(|range| range.starts_with("bytes=5-")) && !ranges.is_empty(),
        "{ranges:?}"
    );
    // A place that broke off is not gone back to.
    let (before, _) = pair.blobs_asked();
    pull(&*source, &sample).await.expect("an image");
    assert_eq!(pair.blobs_asked().0, before);
}

#[tokio::test]
async fn what_is_nowhere_is_not_found_and_all_failures_are_told() {
    let pair = Pair::start().await;
    let error = pair.source().root(&name("v1")).await.expect_err("it is nowhere");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let text = chain(&error);
    assert!(text.contains(&pair.mirror.host()), "{text}");
    assert!(text.contains(&pair.primary.host()), "{text}");
    let digest = Sample::image(&["a"]).document().digest();
    pair.source()
        .resolve(&Selector::Digest(digest))
        .await
        .expect_err("it is nowhere");
}

#[tokio::test]
async fn referrers_are_those_of_whoever_knows_some_and_names_those_of_the_repository() {
    let (pair, sample) = (Pair::start().await, Sample::image(&["a"]));
    put(&pair.mirror, "copies/team/app", &sample, &["v1", "only-here"]);
    put(&pair.primary, "team/app", &sample, &["v1"]);
    let digest = sample.document().digest();
    let referrer = Sample::artifact(&sample.descriptor(), "application/vnd.example", "s");
    put(&pair.primary, "team/app", &referrer, &[]);
    let source = pair.source();
    source.root(&name("v1")).await.expect("an image");
    let found = all(source.referrers(&digest, ReferrerFilter::default())).await;
    assert_eq!(found.len(), 1);
    let names: Vec<String> = all(source.names())
        .await
        .iter()
        .map(|named| named.name.to_string())
        .collect();
    assert_eq!(names, ["v1"]);
}

#[tokio::test]
async fn images_are_written_where_they_belong() {
    let pair = Pair::start().await;
    let image = IMAGE.parse().expect("a reference");
    let destination = pair.client.destination(&image).expect("a destination");
    assert_eq!(
        destination.to_string(),
        format!("{}/team/app", pair.primary.host())
    );
    // Whoever is named is asked.
    let named = pair.client.repository(
        &pair.primary.host().parse().expect("a registry"),
        &"x".parse().expect("a name"),
    );
    assert_eq!(named.to_string(), format!("{}/x", pair.primary.host()));
}

#[tokio::test]
async fn what_is_blocked_is_neither_read_nor_written() {
    let conf = RegistriesConf::default()
        .with_file(
            "r.conf".as_ref(),
            "[[registry]]\nlocation = 'r.example'\nblocked = true",
        )
        .expect("a configuration");
    let client = client().registries(conf).build().expect("a client");
    let image = IMAGE.parse().expect("a reference");
    for error in [
        client.source(&image).expect_err("blocked"),
        client.destination(&image).expect_err("blocked"),
    ] {
        assert_eq!(error.kind(), ErrorKind::Denied);
        assert_eq!(
            error.to_string(),
            "r.example/team/app:v1 is blocked by [[registry]] r.example in r.conf"
        );
    }
}
