//! Copies from and to registries with the habits of known ones.

mod advisories;
mod faults;
mod order;
mod referrers;

use std::sync::Arc;
use std::time::Duration;

use stevedore_core::samples::Sample;
use stevedore_core::stream::next;
use stevedore_core::{
    ByteRange, Error, ErrorKind, RefName, ReferrerFilter, Repositories, Repository, Result, Selector, Source,
};
use stevedore_fault_server::{FaultServer, Profile};
use stevedore_registry_client::auth::{Credential, CredentialSources};
use stevedore_registry_client::{Client, RegistrySettings, RetryPolicy, Roots, Timeouts};
use stevedore_transport::{Copied, Engine, Job, Platforms};

/// The repository of a registry that all copies here are about.
const APP: &str = "team/app";

/// How long a client here waits for an answer or the next bytes.
const PATIENCE: Duration = Duration::from_millis(400);

/// Longer than any copy here takes, whatever is tried again.
const AN_AGE: Duration = Duration::from_secs(20);

/// More than any blob here has.
const ENOUGH: u64 = 64 * 1024 * 1024;

/// A registry without anything in it but an empty repository.
async fn start(profile: Profile) -> FaultServer {
    let server = FaultServer::start(profile).await;
    server.create_repository(APP);
    server
}

/// The repository by a client of its own, which looks at nothing of this machine and repeats quickly.
fn open(server: &FaultServer) -> Arc<stevedore_registry_client::Repository> {
    open_in_chunks(server, None)
}

/// The same, sending blobs in chunks of so many bytes.
fn open_in_chunks(server: &FaultServer, chunk: Option<u64>) -> Arc<stevedore_registry_client::Repository> {
    let (user, password) = server.profile().users[0].clone();
    let sources =
        CredentialSources::none().with_credential(&server.host(), Credential::basic(user, password));
    let registry = server.host().parse().expect("an address is a registry");
    let mut settings = RegistrySettings::new().with_plain_http(true);
    settings.chunk_size = chunk;
    let timeouts = Timeouts::default()
        .with_connect(PATIENCE)
        .with_response(PATIENCE)
        .with_commit(PATIENCE)
        .with_idle(PATIENCE);
    let client = Client::builder()
        .credentials(sources)
        .roots(Roots::None)
        .registry(&registry, settings)
        .retry(RetryPolicy::default().with_waits(Duration::from_millis(1), Duration::from_millis(5)))
        .timeouts(timeouts)
        .build()
        .expect("a client");
    Arc::new(client.repository(&registry, &APP.parse().expect("a repository")))
}

/// A repository in memory.
fn memory() -> Arc<Repository> {
    Arc::new(Repositories::in_memory().open("app").expect("a repository"))
}

fn latest() -> RefName {
    "latest".parse().expect("a name")
}

/// A copy of all that `latest` names and of what refers to it, to the same name.
fn job(source: Arc<dyn Source>, sink: Arc<dyn stevedore_core::Sink>) -> Job {
    let mut job = Job::new(source, Selector::Name(latest()), sink);
    job.names = vec![latest()];
    job.platforms = Platforms::All;
    job.referrers = true;
    job
}

async fn copy(job: Job) -> Result<Copied> {
    let copied = tokio::time::timeout(AN_AGE, Engine::new().copy(job)).await;
    copied.unwrap_or_else(|_| Err(Error::new(ErrorKind::Other, "the copy never ended")))
}

/// Fails unless `latest` is a sample, with all below it and all that refers to it and to its parts.
async fn has_all(source: &dyn Source, sample: &Sample, label: &str) {
    let root = source.root(&Selector::Name(latest())).await;
    let root = root.unwrap_or_else(|error| panic!("{label}: {}", chain(&error)));
    assert_eq!(&root, sample.document(), "{label}");
    for part in sample.all() {
        let document = source.document(&part.descriptor()).await;
        let document = document.unwrap_or_else(|error| panic!("{label}: {}", chain(&error)));
        assert_eq!(&document, part.document(), "{label}");
        for (descriptor, bytes) in part.blobs() {
            let blob = source.blob(descriptor, ByteRange::FULL).await.expect("a blob");
            let found = blob.into_bytes(ENOUGH).await.expect("a whole blob");
            assert!(found == *bytes, "{label}: {}", descriptor.digest);
        }
        let subject = part.document().digest();
        let mut listed = Vec::new();
        let mut referrers = source.referrers(&subject, ReferrerFilter::all());
        while let Some(referrer) = next(&mut referrers).await {
            listed.push(referrer.expect("a list").digest.to_string());
        }
        listed.sort();
        let mut expected: Vec<_> = part.referrers().iter().map(digest).collect();
        expected.sort();
        assert_eq!(listed, expected, "{label}: the referrers of {subject}");
    }
}

fn digest(sample: &Sample) -> String {
    sample.document().digest().to_string()
}

/// All levels of an error.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text} / {error}");
        cause = error.source();
    }
    text
}
