//! Walk 5: a layer made from a directory straight into a registry.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use stevedore_core::{
    Algorithm, Blob, BlobInfo, ByteRange, Descriptor, Document, Expected, ImageConfig, ImageManifest,
    IngestPlan, MediaType, Platform, Raw, Repositories, Result, Role, Selector, Sink, Source, Staging,
};

use crate::tar;

/// The files of a directory as a tar, written by a blocking thread into a bounded channel.
fn tar_of(dir: &Path) -> impl futures_util::Stream<Item = Result<Bytes>> + Send + 'static {
    let (sender, receiver) = tokio::sync::mpsc::channel(2);
    let dir = dir.to_owned();
    tokio::task::spawn_blocking(move || {
        let mut names: Vec<_> = std::fs::read_dir(&dir)
            .expect("the directory")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        names.sort();
        for path in names {
            let content = std::fs::read(&path).expect("a file");
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .expect("a plain name");
            for piece in tar::entry(name, &content) {
                // Nobody listens any more: the ingest was dropped.
                if sender.blocking_send(Ok(piece)).is_err() {
                    return;
                }
            }
        }
        drop(sender.blocking_send(Ok(tar::end())));
    });
    stream::unfold(receiver, |mut receiver| async move {
        Some((receiver.recv().await?, receiver))
    })
}

/// Lets a sink take what is made of a directory, whose digest nobody knows yet.
async fn ingested(sink: &dyn Sink, dir: &Path) -> BlobInfo {
    let staging = sink.ingest(IngestPlan::new(Algorithm::Sha256)).await;
    let Some(Staging::Mine(mut ingest)) = staging.expect("a session") else {
        panic!("this registry takes bytes of unknown digest")
    };
    let layer = Blob::from_stream(tar_of(dir), None);
    ingest.append(layer).await.expect("the layer");
    let info = ingest.commit(Expected::anything()).await;
    info.expect("the layer is there")
}

async fn put_bytes(sink: &dyn Sink, media_type: MediaType, bytes: Bytes) -> Descriptor {
    let descriptor = stevedore_core::samples::describe(media_type, &bytes);
    sink.put_blob(&descriptor, &[], &bytes)
        .await
        .expect("the blob is put");
    descriptor
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_no_local_copy_and_no_digest_beforehand() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("greeting"), "hello\n").expect("a file");
    std::fs::write(dir.path().join("numbers"), "0123456789".repeat(30_000)).expect("a file");
    let registry: Arc<dyn Sink> = Arc::new(Repositories::in_memory().open("app").expect("a name"));

    // The recipe runs in one pass, into an upload session of the registry.
    let info = ingested(&*registry, dir.path()).await;

    // Config, manifest and name are closed over the result.
    let mut config = ImageConfig::new(&Platform::new("linux", "amd64"));
    config.rootfs.diff_ids = vec![info.digest.into()];
    let config = Raw::encode(&config, MediaType::OCI_CONFIG, Algorithm::Sha256).expect("a config");
    let config = put_bytes(&*registry, MediaType::OCI_CONFIG, config.bytes().clone()).await;
    let layer = Descriptor::new(MediaType::OCI_LAYER, info.digest, info.size);
    let manifest = ImageManifest::new(config, [layer.clone()]);
    let manifest = Raw::encode(&manifest, MediaType::OCI_MANIFEST, Algorithm::Sha256).expect("a manifest");
    let role = Role::Root {
        names: vec!["v1".parse().expect("a name")],
        replace: true,
    };
    registry
        .put_document(&Document::Image(manifest), role)
        .await
        .expect("the manifest");
    registry.finish().await.expect("the end");
}

/// The same, read back: the layer is the repository's own, under the digest of the tar.
#[tokio::test(flavor = "multi_thread")]
async fn is_the_repositorys_own_at_once() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("greeting"), "hello\n").expect("a file");
    let repositories = Repositories::in_memory();
    let app = repositories.open("app").expect("a name");
    let info = ingested(&app, dir.path()).await;

    let layer = Descriptor::new(MediaType::OCI_LAYER, info.digest, info.size);
    assert!(app.has(&layer).await.expect("an answer"));
    assert!(
        !repositories
            .open("other")
            .expect("a name")
            .has(&layer)
            .await
            .expect("an answer")
    );
    let read = app
        .blob(&layer, ByteRange::FULL)
        .await
        .expect("it opens")
        .into_bytes(1 << 20)
        .await;
    let read = read.expect("it reads");
    assert_eq!(
        tar::entries(&read),
        [("greeting".to_owned(), Bytes::from("hello\n"))]
    );
    assert!(
        app.root(&Selector::Only)
            .await
            .expect_err("no document yet")
            .is_not_found()
    );
}
