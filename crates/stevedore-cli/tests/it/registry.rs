//! A registry in this process, for the program to talk to.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::ops::Deref;

use stevedore_core::samples::Sample;
use stevedore_fault_server::{FaultServer, Origin, Profile, Request};
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

    /// Waits until the registry has accepted all that connected so far, and counted all that it sent. Gives a number
    /// that the connections so far are below or at, and later ones above.
    pub(crate) fn settle(&self) -> u64 {
        // One thread serves all, in turn. After the first answer every connection before it was accepted, and before the
        // second one had its turn.
        self.ask();
        self.ask();
        let log = self.log();
        let asked = log
            .requests()
            .iter()
            .rev()
            .find(|request| request.path() == PROBE);
        asked.expect("it was asked").connection
    }

    /// The requests that came on later connections than one.
    pub(crate) fn requests_after(&self, connection: u64) -> Vec<Request> {
        let mut requests = self.requests();
        requests.retain(|request| request.connection > connection && request.path() != PROBE);
        requests
    }

    /// Asks for something on a connection of its own, and waits for the answer.
    fn ask(&self) {
        let mut stream = TcpStream::connect(self.address(Origin::Registry)).expect("it listens");
        let request = format!("GET {PROBE} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("it answers");
        assert!(answer.starts_with(b"HTTP/1.1 "), "{}", answer.escape_ascii());
    }
}

/// What only [`Registry::settle`] asks for.
const PROBE: &str = "/v2/settle/tags/list";

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
