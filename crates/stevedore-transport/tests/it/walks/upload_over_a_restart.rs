//! Walk 3: PATCH, restart, PUT naming another algorithm.

use bytes::Bytes;
use stevedore_core::collect::{Member, check, join};
use stevedore_core::memory::{MemoryNames, MemoryStore};
use stevedore_core::{
    Algorithm, Blob, ByteRange, ErrorKind, Expected, Ingest, IngestKey, IngestPlan, Key, Staging, Store,
    Takeover, stream,
};

fn mine(staging: Staging) -> Box<dyn Ingest> {
    match staging {
        Staging::Mine(ingest) => ingest,
        other => panic!("the session is not ours: {other:?}"),
    }
}

#[tokio::test]
async fn ends_under_the_digest_that_the_put_names() {
    let (store, names) = (MemoryStore::new(), MemoryNames::new());
    let upload = IngestKey::parse("app:7f3c").expect("a key");
    let content = Bytes::from("0123456789".repeat(50_000));

    // POST makes the session; nobody says what will come.
    drop(mine(
        store
            .ingest(IngestPlan::new(Algorithm::Sha256).with_key(upload.clone()))
            .await
            .expect("a session"),
    ));

    // PATCH, whose connection breaks half-way: what came before is acknowledged by the offset.
    let mut patch = mine(store.resume(&upload, Takeover::Force).await.expect("the session"));
    let cut = stevedore_core::Error::new(ErrorKind::Interrupted, "the connection broke");
    let body = stream::iter([Ok(content.slice(..200_000)), Err(cut)]);
    let broken = patch
        .append(Blob::from_stream(body, None))
        .await
        .expect_err("the body broke");
    assert_eq!(broken.kind(), ErrorKind::Interrupted);
    assert_eq!(patch.offset().await.expect("an offset"), 200_000);
    drop(patch);

    // The server starts again: another instance over the same store. The client asks where to go on.
    let store = store.clone();
    let mut patch = mine(store.resume(&upload, Takeover::Force).await.expect("the session"));
    assert_eq!(patch.offset().await.expect("an offset"), 200_000);
    patch
        .append(Blob::from(content.slice(200_000..)))
        .await
        .expect("the rest");

    // A PUT takes over from the PATCH whose client hung up, and names sha512.
    let mut put = mine(store.resume(&upload, Takeover::Force).await.expect("the session"));
    let digest = Algorithm::Sha512.digest(&content);
    let info = put
        .commit(Expected::digest(digest))
        .await
        .expect("it is what it is");
    assert_eq!((info.digest, info.size), (digest, content.len() as u64));
    assert_eq!(
        patch.offset().await.expect_err("it was taken over").kind(),
        ErrorKind::Conflict
    );

    // 201: the blob is the repository's, and a HEAD finds it.
    let member = Member::new(&Key::parse("r/app/blobs").expect("a key"), digest).expect("a key");
    assert!(
        check(&store, &names, &member).await.expect("an answer").is_none(),
        "not before it joined"
    );
    join(&store, &names, &member)
        .await
        .expect("an answer")
        .expect("it joined");
    assert!(check(&store, &names, &member).await.expect("an answer").is_some());
    let read = store
        .open(&digest, ByteRange::FULL)
        .await
        .expect("it opens")
        .into_bytes(1 << 20)
        .await;
    assert_eq!(read.expect("it reads"), content);
    assert!(matches!(
        store.resume(&upload, Takeover::Force).await.expect("an answer"),
        Staging::None
    ));
}
