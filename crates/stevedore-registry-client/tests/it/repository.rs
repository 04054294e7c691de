//! Repositories: pulls, pushes, tags, referrers, deletes, on registries with the habits of real ones.

mod distrust;
mod pull;
mod push;
mod referrers;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};
use stevedore_core::samples::Sample;
use stevedore_core::stream::{BoxStream, next};
use stevedore_core::{
    Algorithm, Blob, ByteRange, Descriptor, Error, ErrorKind, Expected, Ingest, IngestPlan, MediaType, Place,
    Put, ReferrerFilter, Role, Selector, Sink, Source, Staging, Supply,
};
use stevedore_fault_server::{Fault, FaultServer, Profile, RetryAfter};
use stevedore_registry_client::auth::{Credential, CredentialSources};
use stevedore_registry_client::{ClientBuilder, RegistrySettings, Repository, RetryPolicy, Timeouts};

use crate::support::{Reply, Seen, Server, app, chain, client, layer, name, noise, registry, says};

pub(crate) fn builder(server: &FaultServer) -> ClientBuilder {
    let (user, password) = server.profile().users[0].clone();
    server.create_repository("team/app");
    let sources =
        CredentialSources::none().with_credential(&server.host(), Credential::basic(user, password));
    client()
        .credentials(sources)
        .timeouts(Timeouts::default().with_idle(Duration::from_secs(2)))
}

pub(crate) fn open(server: &FaultServer, builder: ClientBuilder, name: &str) -> Repository {
    let client = builder.build().expect("a client");
    client.repository(&registry(&server.host()), &name.parse().expect("a name"))
}

fn repository(server: &FaultServer) -> Repository {
    open(server, builder(server), "team/app")
}

/// The same, which sends blobs in chunks of so many bytes.
fn in_chunks(server: &FaultServer, chunk: Option<u64>) -> Repository {
    let mut settings = RegistrySettings::new();
    settings.chunk_size = chunk;
    let client = builder(server).registry(&registry(&server.host()), settings);
    open(server, client, "team/app")
}

/// All registries, with those that changed their habits or have others elsewhere.
fn profiles() -> Vec<Profile> {
    let mut profiles = Profile::all();
    profiles.extend([
        Profile::ghcr_2024(),
        Profile::ecr_public(),
        Profile::quay_2022(),
        Profile::harbor_behind_proxy(),
        Profile::harbor_2_7(),
        Profile::harbor_2_8(),
        Profile::spec().with_basic(),
    ]);
    profiles
}

pub(crate) async fn all<T>(mut stream: BoxStream<Result<T, Error>>) -> Vec<T> {
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

/// Begins to write something of which nothing is known.
async fn begin(app: &Repository) -> Box<dyn Ingest> {
    let staging = app
        .ingest(IngestPlan::new(Algorithm::Sha256))
        .await
        .expect("begun");
    let Some(Staging::Mine(ingest)) = staging else {
        panic!("it is ours")
    };
    ingest
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
    for profile in profiles() {
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

#[tokio::test]
async fn large_blobs_go_out_and_come_back_on_every_profile() {
    let bytes = noise(9 * 1024 * 1024 + 17);
    let descriptor = layer(&bytes);
    for profile in profiles() {
        let label = format!("{profile:?}").chars().take(60).collect::<String>();
        for chunked in [None, Some(4 * 1024 * 1024)] {
            let server = FaultServer::start(profile.clone()).await;
            let app = in_chunks(&server, chunked);
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
