//! Several that want the same.

use std::sync::Arc;

use stevedore_core::{
    Algorithm, Blob, Error, ErrorKind, Expected, IngestPlan, Staging, Store, Takeover, stream,
};
use tokio::task::JoinSet;

use super::tools::{content, files, key, mine, only, read, store};

/// Two stores over one directory lock as two processes do.
#[tokio::test]
async fn another_store_takes_over_by_force() {
    let dir = tempfile::tempdir().unwrap();
    let whole = content(1, 600_000);
    let (one, other) = (store(dir.path()), store(dir.path()));
    let plan = IngestPlan::new(Algorithm::Sha256).with_key(key("upload"));
    let mut first = mine(one.ingest(plan.clone()).await.unwrap());
    first.append(whole.slice(..400_000).into()).await.unwrap();

    assert!(matches!(other.ingest(plan).await.unwrap(), Staging::Busy));
    assert!(matches!(
        other.resume(&key("upload"), Takeover::IfIdle).await.unwrap(),
        Staging::Busy
    ));
    let mut second = mine(other.resume(&key("upload"), Takeover::Force).await.unwrap());
    assert_eq!(second.offset().await.unwrap(), 400_000);

    // The first one finds out, whatever it does, and what it does changes nothing.
    let late = first.append(content(9, 1000).into()).await;
    assert_eq!(late.unwrap_err().kind(), ErrorKind::Conflict);
    let late = first.commit(Expected::anything()).await;
    assert_eq!(late.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(first.offset().await.unwrap_err().kind(), ErrorKind::Conflict);
    drop(first);

    second.append(whole.slice(400_000..).into()).await.unwrap();
    let digest = Algorithm::Sha256.digest(&whole);
    second.commit(Expected::digest(digest)).await.unwrap();
    assert_eq!(read(&one, &digest).await, whole);
    assert_eq!(files(dir.path()).len(), 1);
}

/// The holder hangs in a body that does not come, as an upload whose client went away.
#[tokio::test]
async fn a_hanging_holder_is_taken_over_in_the_same_store() {
    let dir = tempfile::tempdir().unwrap();
    let whole = content(2, 3_000_000);
    let store = store(dir.path());
    let plan = IngestPlan::new(Algorithm::Sha256).with_key(key("upload"));
    let mut first = mine(store.ingest(plan).await.unwrap());
    let (came, rest) = (whole.slice(..2_000_000), whole.clone());
    let chunks = (0..20).map(move |i| Ok(came.slice(i * 100_000..(i + 1) * 100_000)));
    let body = Chained(Box::pin(stream::iter(chunks)));
    let hanging = tokio::spawn(async move { first.append(Blob::from_stream(body, None)).await });
    // All that came is written although nothing more comes.
    while std::fs::metadata(only(dir.path(), "part")).unwrap().len() < 2_000_000 {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    let mut second = mine(store.resume(&key("upload"), Takeover::Force).await.unwrap());
    assert_eq!(second.offset().await.unwrap(), 2_000_000);
    second.append(rest.slice(2_000_000..).into()).await.unwrap();
    let digest = Algorithm::Sha256.digest(&whole);
    second.commit(Expected::digest(digest)).await.unwrap();
    assert_eq!(read(&store, &digest).await, whole);
    hanging.abort();
    assert!(hanging.await.unwrap_err().is_cancelled(), "it still hung");
    assert_eq!(files(dir.path()).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_publish_one_digest() {
    let dir = tempfile::tempdir().unwrap();
    let whole = content(3, 300_000);
    let digest = Algorithm::Sha256.digest(&whole);
    // Four share a store, four have one each: as processes would.
    let shared = store(dir.path());
    let mut tasks = JoinSet::new();
    for index in 0..8 {
        let store = if index < 4 {
            shared.clone()
        } else {
            store(dir.path())
        };
        let whole = whole.clone();
        tasks.spawn(async move {
            let mut ingest = mine(store.ingest(IngestPlan::new(Algorithm::Sha256)).await.unwrap());
            ingest.append(whole.into()).await.unwrap();
            ingest.commit(Expected::digest(digest)).await.unwrap()
        });
    }
    let infos = tasks.join_all().await;
    let now = shared.stat(&digest).await.unwrap().unwrap();
    for info in infos {
        assert_eq!((info.digest, info.size), (digest, 300_000));
        if cfg!(all(target_os = "linux", not(stevedore_portable))) {
            assert_eq!(info.life, now.life, "one life, whoever published");
        }
    }
    assert_eq!(read(&shared, &digest).await, whole);
    assert_eq!(files(dir.path()).len(), 1);
}

#[tokio::test]
async fn a_body_that_breaks_keeps_what_came() {
    let dir = tempfile::tempdir().unwrap();
    let whole = content(4, 2_500_000);
    let store = store(dir.path());
    for came in [0, 1000, 140_000, 2_500_000] {
        let plan = IngestPlan::new(Algorithm::Sha256).with_key(key(&format!("k{came}")));
        let mut ingest = mine(store.ingest(plan).await.unwrap());
        let chunks: Vec<_> = whole
            .slice(..came)
            .chunks(60_000)
            .map(|chunk| Ok(chunk.to_vec().into()))
            .collect();
        let broken = Err(Error::new(ErrorKind::Network, "reset"));
        let body = stream::iter(chunks.into_iter().chain([broken]));
        let appended = ingest.append(Blob::from_stream(body, None)).await;
        assert_eq!(appended.unwrap_err().kind(), ErrorKind::Network);
        assert_eq!(ingest.offset().await.unwrap(), came as u64);
        ingest.append(whole.slice(came..).into()).await.unwrap();
        let info = ingest.commit(Expected::anything()).await.unwrap();
        assert_eq!(info.digest, Algorithm::Sha256.digest(&whole));
    }
}

/// Gives what a stream has, and then nothing any more, without an end.
struct Chained(stream::BoxStream<stevedore_core::Result<bytes::Bytes>>);

impl futures_core::Stream for Chained {
    type Item = stevedore_core::Result<bytes::Bytes>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        match self.0.as_mut().poll_next(context) {
            std::task::Poll::Ready(None) => std::task::Poll::Pending,
            other => other,
        }
    }
}

#[tokio::test]
async fn clones_are_one_store() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(store(dir.path()));
    let plan = IngestPlan::new(Algorithm::Sha256).with_key(key("k"));
    let held = mine(store.ingest(plan.clone()).await.unwrap());
    let clone = stevedore_core::fs::FsStore::clone(&store);
    assert!(matches!(clone.ingest(plan).await.unwrap(), Staging::Busy));
    held.abort().await.unwrap();
    assert_eq!(files(dir.path()), [] as [&std::path::Path; 0]);
}
