//! Walk 2: a layout to an archive on stdout.

use std::io::Write as _;
use std::sync::Arc;

use async_trait::async_trait;
use stevedore_core::samples::Sample;
use stevedore_core::{
    Descriptor, Document, Error, ErrorKind, IngestPlan, Place, Put, Result, Role, Selector, Sink, SinkTraits,
    Staging, Supply, stream,
};
use stevedore_transport::{Engine, Job, Layout, WriteOptions};
use tokio::sync::Mutex;

use crate::counting::Counting;
use crate::tar;

/// An archive that goes into a pipe: no seeking, nothing twice, and broken once an entry was cut.
#[derive(Debug, Default)]
struct Piped {
    archive: Mutex<Archive>,
}

#[derive(Debug, Default)]
struct Archive {
    out: Vec<u8>,
    /// Set while an entry is written: whoever finds it set knows that the writer before was dropped in the middle.
    within_entry: bool,
    written: Vec<stevedore_core::Digest>,
    root: Option<Descriptor>,
}

impl Archive {
    fn check(&self) -> Result<()> {
        if self.within_entry {
            let message = "the archive broke off within an entry: write it again from its beginning";
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        Ok(())
    }

    fn write_small(&mut self, name: &str, content: &[u8]) {
        for piece in tar::entry(name, content) {
            self.out.write_all(&piece).expect("memory takes it");
        }
    }
}

#[async_trait]
impl Sink for Piped {
    fn traits(&self) -> SinkTraits {
        SinkTraits::new().with_sequential()
    }

    async fn has(&self, descriptor: &Descriptor) -> Result<bool> {
        Ok(self
            .archive
            .lock()
            .await
            .written
            .iter()
            .any(|written| descriptor.digest == *written))
    }

    async fn put_blob(&self, descriptor: &Descriptor, _: &[Place], supply: &dyn Supply) -> Result<Put> {
        let mut archive = self.archive.lock().await;
        archive.check()?;
        let digest = descriptor.known_digest()?;
        if archive.written.contains(&digest) {
            return Ok(Put::Present);
        }
        let mut body = supply.open(0).await?.verified(descriptor)?.into_stream();
        archive.within_entry = true;
        let pieces = tar::entry(
            &digest.hex()[..60],
            &vec![0; usize::try_from(descriptor.size).expect("small")],
        );
        archive.out.extend_from_slice(&pieces[0]);
        while let Some(chunk) = stream::next(&mut body).await {
            archive.out.extend_from_slice(&chunk?);
        }
        let padded = archive.out.len().next_multiple_of(512);
        archive.out.resize(padded, 0);
        archive.within_entry = false;
        archive.written.push(digest);
        Ok(Put::Written)
    }

    async fn ingest(&self, _: IngestPlan) -> Result<Option<Staging>> {
        Ok(None)
    }

    async fn put_document(&self, document: &Document, role: Role) -> Result<()> {
        let mut archive = self.archive.lock().await;
        archive.check()?;
        archive.write_small(&document.digest().hex()[..60], document.bytes());
        archive.written.push(document.digest());
        if matches!(role, Role::Root { .. }) {
            archive.root = Some(document.descriptor());
        }
        Ok(())
    }

    async fn remove(&self, _: &Selector) -> Result<()> {
        Err(Error::new(
            ErrorKind::Unsupported,
            "nothing can be removed from a pipe",
        ))
    }

    async fn finish(&self) -> Result<()> {
        let mut archive = self.archive.lock().await;
        archive.check()?;
        let root = archive.root.clone().expect("a root was put");
        archive.write_small("index.json", root.digest.to_string().as_bytes());
        archive.out.extend_from_slice(&tar::end());
        Ok(())
    }
}

async fn layout_of(sample: &Sample, dir: &std::path::Path) -> Layout {
    let layout = Layout::create(dir.join("l"), WriteOptions::default()).expect("a layout");
    sample.put(&layout, &["v1"]).await.expect("the sample is written");
    layout
}

#[tokio::test(flavor = "multi_thread")]
async fn comes_in_the_order_of_the_manifest_with_the_root_last() {
    let dir = tempfile::tempdir().expect("a directory");
    let sample = Sample::image(&["first", "second", "first", "third"]);
    let layout = layout_of(&sample, dir.path()).await;
    let piped = Arc::new(Piped::default());
    Engine::new()
        .copy(Job::new(
            Arc::new(layout),
            Selector::Only,
            Arc::clone(&piped) as _,
        ))
        .await
        .expect("the copy ends");

    let archive = piped.archive.lock().await;
    let entries = tar::entries(&archive.out);
    let mut expected: Vec<String> = sample
        .blobs()
        .iter()
        .map(|(blob, _)| blob.known_digest().expect("known").hex()[..60].to_owned())
        .collect();
    expected.remove(3); // the first layer again
    expected.push(sample.document().digest().hex()[..60].to_owned());
    expected.push("index.json".to_owned());
    assert_eq!(
        entries.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(),
        expected
    );
    assert_eq!(entries[1].1, "first");
    assert_eq!(entries[expected.len() - 2].1, sample.document().bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn says_that_it_broke_when_a_write_was_dropped_within_an_entry() {
    let dir = tempfile::tempdir().expect("a directory");
    let sample = Sample::image(&[&"a long layer ".repeat(1_000), "second"]);
    let layout = layout_of(&sample, dir.path()).await;
    let piped = Arc::new(Piped::default());
    let stalling = Counting::new(Arc::new(layout.clone())).stalling_after(3_000);
    let engine = Engine::new();
    let copy = engine.copy(Job::new(
        Arc::new(stalling.clone()),
        Selector::Only,
        Arc::clone(&piped) as _,
    ));
    tokio::select! {
        copied = copy => panic!("the copy ended though the source stalls: {copied:?}"),
        () = stalling.stalled() => {}
    }
    let again = Engine::new()
        .copy(Job::new(
            Arc::new(layout),
            Selector::Only,
            Arc::clone(&piped) as _,
        ))
        .await;
    assert_eq!(again.expect_err("the pipe is broken").kind(), ErrorKind::Conflict);
}
