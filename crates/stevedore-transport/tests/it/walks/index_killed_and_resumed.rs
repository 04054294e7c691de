//! Walk 1: a multi-arch index with referrers from a registry to a layout, killed and resumed.

use std::sync::Arc;

use stevedore_core::samples::Sample;
use stevedore_core::{Platform, ReferrerFilter, Repositories, Selector, Source, Supply as _};
use stevedore_transport::{Engine, Job, Layout, Platforms, WriteOptions};

use crate::counting::Counting;

/// Two platforms with a layer in common, an attestation on one of them and a signature on the index.
fn sample() -> Sample {
    let big = "a layer of some length ".repeat(40_000);
    let amd64 = Sample::image(&[&big, "app on amd64"]).for_platform(&Platform::new("linux", "amd64"));
    let arm64 = Sample::image(&[&big, "app on arm64"]).for_platform(&Platform::new("linux", "arm64"));
    let amd64 = amd64.with_referrer("application/vnd.example.attestation", "made with care");
    Sample::index(vec![amd64, arm64]).with_referrer("application/vnd.example.signature", "signed")
}

fn blob_bytes(sample: &Sample) -> u64 {
    let mut sizes = std::collections::BTreeMap::new();
    for blob in sample.all().into_iter().flat_map(Sample::blobs) {
        sizes.insert(blob.0.digest.clone(), blob.0.size);
    }
    sizes.values().sum()
}

async fn assert_arrived(sample: &Sample, layout: &Layout) {
    let name = Selector::Name("v1".parse().expect("a name"));
    assert_eq!(
        layout.root(&name).await.expect("the root is there"),
        *sample.document()
    );
    for part in sample.all() {
        let found = layout
            .document(&part.descriptor())
            .await
            .expect("each document is there");
        assert_eq!(found, *part.document());
        for (descriptor, bytes) in part.blobs() {
            let blob = layout
                .blob(descriptor, stevedore_core::ByteRange::FULL)
                .await
                .expect("each blob is there");
            let read = blob.into_bytes(descriptor.size).await.expect("and can be read");
            assert_eq!(
                read,
                bytes
                    .open(0)
                    .await
                    .expect("bytes open")
                    .into_bytes(u64::MAX)
                    .await
                    .expect("bytes")
            );
        }
        for referrer in part.referrers() {
            let subject = part.document().digest();
            let mut found = layout.referrers(&subject, ReferrerFilter::all());
            let found = stevedore_core::stream::next(&mut found)
                .await
                .expect("one refers")
                .expect("and is read");
            assert_eq!(found.digest, referrer.descriptor().digest);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn arrives_whole_and_fetches_nothing_twice() {
    let sample = sample();
    let total = blob_bytes(&sample);
    // Killed after each of these numbers of bytes, then resumed.
    for cut in [0, 1, 1_000, 130_000, 400_000, 900_000, total - 2_000] {
        let repository = Repositories::in_memory().open("app").expect("a name");
        sample
            .put(&repository, &["v1"])
            .await
            .expect("the sample is written");
        let dir = tempfile::tempdir().expect("a directory");
        let counting = Counting::new(Arc::new(repository));

        let job = |source: Arc<dyn Source>, layout: &Layout| {
            let mut job = Job::new(
                source,
                Selector::Name("v1".parse().expect("a name")),
                Arc::new(layout.clone()),
            );
            job.names.push("v1".parse().expect("a name"));
            job.platforms = Platforms::All;
            job.referrers = true;
            job
        };
        {
            let layout = Layout::create(dir.path().join("l"), WriteOptions::default()).expect("a layout");
            let stalling = counting.stalling_after(cut);
            let engine = Engine::new();
            let copy = engine.copy(job(Arc::new(stalling.clone()), &layout));
            tokio::select! {
                copied = copy => panic!("the copy ended though the source stalls: {copied:?}"),
                () = stalling.stalled() => {}
            }
            // The copy was dropped here, in the middle of a body: as a process is by a kill.
            assert!(
                layout.root(&Selector::Only).await.is_err(),
                "no name before the end"
            );
        }
        // Another process: a new layout over the same directory, a new engine. A blocking thread of the first
        // may still write the chunk it had; it gives the staged file up right after.
        let layout = Layout::create(dir.path().join("l"), WriteOptions::default()).expect("a layout");
        Engine::new()
            .copy(job(Arc::new(counting.clone()), &layout))
            .await
            .expect("the copy ends");
        assert_arrived(&sample, &layout).await;
        // What was staged is not fetched again. Of the chunk that was under way when the copy was dropped, and of
        // what lay in a queue, the bytes were counted and lost.
        let lost_at_most = 6 * 4 * 1024 * 1024;
        assert!(
            counting.bytes() <= total + lost_at_most,
            "{} of {total} fetched",
            counting.bytes()
        );
    }
}
