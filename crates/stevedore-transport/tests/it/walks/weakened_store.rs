//! Walk 4: the same server over the weakened store: two instances, a collector running.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use stevedore_core::collect::{Collection, Member, check, collect, join};
use stevedore_core::samples::Sample;
use stevedore_core::suite::Yielding;
use stevedore_core::suite::weak::{Bucket, WeakNames, WeakStore, Weather};
use stevedore_core::{
    Algorithm, Blob, ByteRange, Clock, Error, Expected, Ingest, IngestKey, IngestPlan, Names, Repositories,
    Result, Selector, Source, Staging, Store, Takeover,
};

const GRACE: Duration = Duration::from_secs(3600);
const LATENESS: Duration = Duration::from_secs(60);

/// One process of the server.
struct Instance {
    repositories: Repositories,
    store: Arc<dyn Store>,
    names: Arc<dyn Names>,
}

impl Instance {
    fn new(bucket: &Arc<Bucket>, seed: u64) -> Self {
        let store: Arc<dyn Store> = Arc::new(WeakStore::new(Arc::clone(bucket), GRACE, seed));
        let names: Arc<dyn Names> = Arc::new(WeakNames::new(Arc::clone(bucket), seed ^ 0x5eed));
        // Every call gives the others a turn.
        let store: Arc<dyn Store> = Arc::new(Yielding::new(store));
        let names: Arc<dyn Names> = Arc::new(Yielding::new(names));
        Self {
            repositories: Repositories::new(Arc::clone(&store), Arc::clone(&names)),
            store,
            names,
        }
    }

    async fn collect(&self, clock: &Clock) -> Result<()> {
        let collection =
            Collection::new(clock.now()).with_memberships(vec![self.repositories.root_key().clone()]);
        collect(&*self.store, &*self.names, &self.repositories, &collection)
            .await
            .map(drop)
    }
}

fn mine(staging: Staging) -> Result<Box<dyn Ingest>> {
    match staging {
        Staging::Mine(ingest) => Ok(ingest),
        other => Err(Error::new(
            stevedore_core::ErrorKind::Conflict,
            format!("not ours: {other:?}"),
        )),
    }
}

/// What a client does whose request failed without an answer: the same again.
async fn insist<T>(mut step: impl AsyncFnMut() -> Result<T>) -> T {
    for _ in 0..100 {
        if let Ok(done) = step().await {
            return done;
        }
    }
    panic!("nothing got through in 100 tries")
}

/// POST and half of the patches at one instance, the rest and the PUT, naming sha512, at the other.
async fn upload(one: &Instance, other: &Instance, content: &Bytes) {
    let upload = IngestKey::parse("app:1b7e").expect("a key");
    let digest = Algorithm::Sha512.digest(content);
    insist(async || {
        let plan = IngestPlan::new(Algorithm::Sha256).with_key(upload.clone());
        let mut patch = match one.store.resume(&upload, Takeover::Force).await? {
            Staging::None => mine(one.store.ingest(plan).await?)?,
            staging => mine(staging)?,
        };
        let at = usize::try_from(patch.offset().await?).expect("small");
        if at < content.len() / 2 {
            patch
                .append(Blob::from(content.slice(at..content.len() / 2)))
                .await?;
        }
        Ok(())
    })
    .await;
    insist(async || {
        let member = Member::new(&"r/app/blobs".parse()?, digest)?;
        if check(&*other.store, &*other.names, &member).await?.is_some() {
            return Ok(());
        }
        let plan = IngestPlan::new(Algorithm::Sha256).with_key(upload.clone());
        let mut put = match other.store.resume(&upload, Takeover::Force).await? {
            // The PUT before this one ended it, and its answer was lost.
            Staging::None => mine(other.store.ingest(plan).await?)?,
            staging => mine(staging)?,
        };
        let at = usize::try_from(put.offset().await?).expect("small");
        put.append(Blob::from(content.slice(at..))).await?;
        put.commit(Expected::digest(digest)).await?;
        let joined = join(&*other.store, &*other.names, &member).await?;
        joined
            .map(drop)
            .ok_or_else(|| Error::new(stevedore_core::ErrorKind::Conflict, "it was collected"))
    })
    .await;
}

async fn run(seed: u64) {
    let clock = Clock::manual();
    let weather = Arc::new(Weather::stormy(seed));
    let bucket = Arc::new(Bucket::new(clock.clone(), Arc::clone(&weather), LATENESS));
    let (one, other) = (
        Instance::new(&bucket, 2 * seed),
        Instance::new(&bucket, 2 * seed + 1),
    );
    let content = Bytes::from(format!("upload {seed} ").repeat(500));
    let image = Sample::image(&["a layer", &format!("another {seed}")]);
    let done = AtomicBool::new(false);

    let clients = async {
        upload(&one, &other, &content).await;
        let app = one.repositories.open("app").expect("a name");
        insist(async || image.put(&app, &["v1"]).await).await;
        // Acknowledged: the other instance has it, whatever the collector does from here on.
        let app = other.repositories.open("app").expect("a name");
        for _ in 0..5 {
            let name = Selector::Name("v1".parse().expect("a name"));
            let root = insist(async || app.root(&name).await).await;
            assert_eq!(root, *image.document(), "seed {seed}");
            for (layer, bytes) in image.blobs() {
                let blob = insist(async || app.blob(layer, ByteRange::FULL).await).await;
                assert_eq!(
                    blob.into_bytes(1 << 20).await.expect("the bytes"),
                    *bytes,
                    "seed {seed}"
                );
            }
            clock.advance(GRACE / 3);
        }
        done.store(true, Ordering::SeqCst);
    };
    let collector = async {
        while !done.load(Ordering::SeqCst) {
            clock.advance(GRACE / 50);
            // Any collection may fail; the next one goes on.
            drop(one.collect(&clock).await);
            drop(other.collect(&clock).await);
        }
    };
    futures_util::future::join(clients, collector).await;

    // The uploaded blob is part of no image: once a grace has passed it goes. The image stays.
    weather.set_stormy(false);
    bucket.settle();
    for _ in 0..4 {
        clock.advance(GRACE * 2);
        other
            .collect(&clock)
            .await
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
    let digest = Algorithm::Sha512.digest(&content);
    assert!(
        one.store.stat(&digest).await.expect("an answer").is_none(),
        "seed {seed}: garbage stays"
    );
    let app = one.repositories.open("app").expect("a name");
    let name = Selector::Name("v1".parse().expect("a name"));
    assert_eq!(app.root(&name).await.expect("the image stays"), *image.document());
}

#[tokio::test]
async fn loses_nothing_that_was_acknowledged_and_keeps_no_garbage() {
    for seed in 0..40 {
        run(seed).await;
    }
}
