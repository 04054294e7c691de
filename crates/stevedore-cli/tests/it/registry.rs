//! A registry in this process, for the program to talk to.

use std::ops::Deref;

use stevedore_core::samples::Sample;
use stevedore_fault_server::{FaultServer, Profile};
use tokio::runtime::Runtime;

/// A registry that runs beside a test.
pub(crate) struct Registry {
    server: FaultServer,
    _runtime: Runtime,
}

impl Registry {
    pub(crate) fn start(profile: Profile) -> Self {
        let runtime = runtime();
        let server = runtime.block_on(FaultServer::start(profile));
        Self {
            server,
            _runtime: runtime,
        }
    }

    pub(crate) fn start_tls(profile: Profile) -> Self {
        let runtime = runtime();
        let server = runtime.block_on(FaultServer::builder(profile).tls().start());
        Self {
            server: server.expect("a server"),
            _runtime: runtime,
        }
    }

    /// A location in it.
    pub(crate) fn at(&self, rest: &str) -> String {
        format!("docker://{}/{rest}", self.host())
    }

    /// Puts a sample there, not by the program.
    pub(crate) fn put(&self, repository: &str, sample: &Sample, tags: &[&str]) {
        for part in sample.all() {
            for (_, bytes) in part.blobs() {
                self.put_blob(repository, bytes.clone());
            }
            let document = part.document();
            let tags = if std::ptr::eq(part, sample) { tags } else { &[] };
            let media_type = document.media_type().as_str();
            self.put_manifest(repository, tags, media_type, document.bytes().clone());
        }
    }
}

impl Deref for Registry {
    type Target = FaultServer;

    fn deref(&self) -> &FaultServer {
        &self.server
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime")
}
