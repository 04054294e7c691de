//! Layouts under the suite for sources and sinks.

use std::sync::Arc;

use async_trait::async_trait;
use stevedore_core::suite::{Neighbour, TransportFixture};
use stevedore_core::{Digest, Result, Sink, Source};
use stevedore_transport::{Layout, LayoutOptions};
use tempfile::TempDir;

/// A layout that every call opens anew, as another process does.
struct OnDisk(TempDir);

impl OnDisk {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    fn open(&self) -> Result<Layout> {
        Layout::create(self.0.path().join("layout"), LayoutOptions::default())
    }
}

#[async_trait]
impl TransportFixture for OnDisk {
    async fn sink(&self) -> Result<Arc<dyn Sink>> {
        Ok(Arc::new(self.open()?))
    }

    async fn source(&self) -> Result<Arc<dyn Source>> {
        Ok(Arc::new(self.open()?))
    }

    async fn slow_sink(&self) -> Result<Arc<dyn Sink>> {
        self.sink().await
    }

    async fn neighbour(&self) -> Result<Option<Neighbour>> {
        Ok(None)
    }

    async fn damage(&self, digest: &Digest) -> Result<bool> {
        let path = self.0.path().join("layout/blobs").join(digest.algorithm().as_str()).join(digest.hex());
        let mut bytes = std::fs::read(&path).expect("the blob is there");
        bytes[0] ^= 0x20;
        std::fs::write(&path, bytes).expect("it can be damaged");
        Ok(true)
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().expect("a runtime")
}

stevedore_core::transport_suite!(OnDisk::new(), |case| runtime().block_on(case));
