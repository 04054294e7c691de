//! Archives through pipes, and bodies that break off.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures_util::stream;
use stevedore_core::{Algorithm, Blob, Descriptor, MediaType, Supply};

use super::*;

/// Gives a half of what is asked for at first, then the rest.
struct Breaking {
    bytes: bytes::Bytes,
    opened: AtomicUsize,
    from: AtomicUsize,
}

impl Breaking {
    fn new() -> Self {
        Self {
            bytes: vec![5; 300_000].into(),
            opened: AtomicUsize::new(0),
            from: AtomicUsize::new(0),
        }
    }

    fn descriptor(&self) -> Descriptor {
        let digest = Algorithm::Sha256.digest(&self.bytes);
        Descriptor::new(MediaType::OCI_LAYER, digest, self.bytes.len() as u64)
    }
}

#[async_trait]
impl Supply for Breaking {
    async fn open(&self, from: u64) -> Result<Blob> {
        let from = usize::try_from(from).expect("an offset");
        self.from.store(from, Ordering::Relaxed);
        if self.opened.fetch_add(1, Ordering::Relaxed) > 0 {
            return Ok(Blob::from(self.bytes.slice(from..)));
        }
        let half = self.bytes.slice(from..self.bytes.len() / 2);
        let broken = Error::new(ErrorKind::Interrupted, "the body was cut");
        Ok(Blob::from_stream(stream::iter([Ok(half), Err(broken)]), None))
    }
}

#[tokio::test]
async fn a_body_that_broke_off_goes_on_in_the_same_entry() {
    let place = Place::new();
    let (archive, supply) = (sink(&place.path, ArchiveForm::Oci), Breaking::new());
    let descriptor = supply.descriptor();
    let error = archive
        .put_blob(&descriptor, &[], &supply)
        .await
        .expect_err("cut");
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    archive
        .put_blob(&descriptor, &[], &supply)
        .await
        .expect("the rest");
    assert_eq!(supply.from.load(Ordering::Relaxed), 150_000);
    archive.finish().await.expect("whole");
    let found = open(&place.path, ArchiveForm::Oci)
        .blob(&descriptor, ByteRange::FULL)
        .await
        .expect("a blob");
    assert!(found.into_bytes(1 << 20).await.expect("bytes") == supply.bytes);
}

#[tokio::test]
async fn another_entry_takes_the_place_of_one_that_broke_off() {
    let place = Place::new();
    let (archive, supply) = (sink(&place.path, ArchiveForm::Oci), Breaking::new());
    archive
        .put_blob(&supply.descriptor(), &[], &supply)
        .await
        .expect_err("cut");
    let sample = image("layer");
    sample.put(&archive, &["v1"]).await.expect("written");
    archive.finish().await.expect("whole");
    has(&open(&place.path, ArchiveForm::Oci), &Selector::Only, &sample).await;
    let paths = list(&fs::read(&place.path).expect("a file"));
    assert!(
        !paths
            .iter()
            .any(|path| path.contains(&supply.descriptor().known_digest().expect("one").hex()))
    );
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn an_archive_goes_into_a_pipe_and_out_of_one() {
    let place = Place::new();
    let sample = family();
    write(&sample, &place.path, ArchiveForm::Docker, &[APP]).await;
    let (written, read) = (place.dir.path().join("written"), place.dir.path().join("read"));
    for pipe in [&written, &read] {
        let made = std::process::Command::new("mkfifo").arg(pipe).status();
        assert!(made.is_ok_and(|status| status.success()), "mkfifo is in POSIX");
    }
    let from = written.clone();
    let reader = tokio::task::spawn_blocking(move || fs::read(from).expect("the pipe"));
    write(&sample, &written, ArchiveForm::Docker, &[APP]).await;
    let through = reader.await.expect("read");
    assert!(through == fs::read(&place.path).expect("a file"));

    let to = read.clone();
    let writer = tokio::task::spawn_blocking(move || fs::write(to, through).expect("the pipe"));
    has(&open(&read, ArchiveForm::Docker), &named(APP), &sample).await;
    writer.await.expect("written");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_with_half_an_entry_is_not_gone_on_with() {
    let place = Place::new();
    let pipe = place.dir.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo is in POSIX");
    let from = pipe.clone();
    let reader = tokio::task::spawn_blocking(move || fs::read(from).expect("the pipe"));
    let (archive, supply) = (sink(&pipe, ArchiveForm::Oci), Breaking::new());
    archive
        .put_blob(&supply.descriptor(), &[], &supply)
        .await
        .expect_err("cut");
    let sample = image("layer");
    let (blob, bytes) = &sample.blobs()[0];
    let error = archive
        .put_blob(blob, &[], bytes)
        .await
        .expect_err("the entry before is not whole");
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    assert!(archive.finish().await.is_err());
    drop(archive);
    reader.await.expect("read");
}
