//! The server: its origins, its life, and what a test does with it.

mod accept;
mod exchange;
mod origin;
mod shared;
#[cfg(feature = "tls")]
mod tls;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use stevedore_core::{Algorithm, Digest};

use crate::fault::Fault;
use crate::log::{Log, Request};
use crate::profile::Profile;
use crate::registry::Manifest;
use accept::Listeners;
pub use origin::Origin;
use shared::{Shared, lock};

/// How long nothing has to come until a server has [settled](FaultServer::settle).
const SETTLING: Duration = Duration::from_millis(4);

/// A registry in this process, on free ports of the loopback interface. It stops, with all its connections, when
/// it is dropped.
///
/// Everything can be called while clients are at it; a fault hits from the next request on.
#[derive(Debug)]
pub struct FaultServer {
    shared: Arc<Shared>,
    listeners: Mutex<Listeners>,
}

/// How a server is to listen.
#[derive(Debug)]
#[must_use]
pub struct Builder {
    profile: Profile,
    address: IpAddr,
    #[cfg(feature = "tls")]
    tls: bool,
}

impl Builder {
    /// Listens on `[::1]`, not on 127.0.0.1.
    pub fn ipv6(mut self) -> Self {
        self.address = Ipv6Addr::LOCALHOST.into();
        self
    }

    /// Speaks HTTPS on all origins, with a certificate of an authority made for this server, which
    /// [`FaultServer::ca_pem`] gives.
    #[cfg(feature = "tls")]
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Starts the server. It takes connections when this returns.
    ///
    /// # Errors
    /// If the loopback interface has no free port or no such address.
    #[allow(
        clippy::unused_async,
        reason = "makes sure that a runtime is there, which the listeners need"
    )]
    pub async fn start(self) -> io::Result<FaultServer> {
        #[cfg(feature = "tls")]
        let tls = if self.tls {
            Some(tls::Tls::new(self.address)?)
        } else {
            None
        };
        let shared = Shared::new(self.profile);
        #[cfg(feature = "tls")]
        let shared = shared.with_tls(tls);
        let (shared, listeners) = Listeners::start(shared, self.address)?;
        Ok(FaultServer {
            shared,
            listeners: Mutex::new(listeners),
        })
    }
}

impl FaultServer {
    /// Starts a server on 127.0.0.1, in clear.
    ///
    /// # Panics
    /// If there is no free port.
    pub async fn start(profile: Profile) -> Self {
        Self::builder(profile)
            .start()
            .await
            .expect("the loopback interface has free ports")
    }

    /// A server with more to say about it.
    pub fn builder(profile: Profile) -> Builder {
        Builder {
            profile,
            address: Ipv4Addr::LOCALHOST.into(),
            #[cfg(feature = "tls")]
            tls: false,
        }
    }

    /// The registry's base: `http://127.0.0.1:port`, without a slash at the end.
    pub fn url(&self) -> String {
        self.url_of(Origin::Registry)
    }

    /// The base of one of the origins.
    pub fn url_of(&self, origin: Origin) -> String {
        self.shared.base(origin)
    }

    /// The registry's host and port, as a reference has them: `127.0.0.1:port` or `[::1]:port`.
    pub fn host(&self) -> String {
        self.address(Origin::Registry).to_string()
    }

    /// The address of one of the origins.
    pub fn address(&self, origin: Origin) -> SocketAddr {
        self.shared.address(origin)
    }

    /// The certificate of the authority in PEM, if the server speaks HTTPS.
    #[cfg(feature = "tls")]
    pub fn ca_pem(&self) -> Option<&str> {
        self.shared.ca_pem()
    }

    /// The profile that the server was started with.
    pub fn profile(&self) -> &Profile {
        &self.shared.profile
    }
}

/// # Content
impl FaultServer {
    /// Puts a blob into a repository, which is made if need be. Gives its SHA-256 digest.
    pub fn put_blob(&self, repository: &str, bytes: impl Into<Bytes>) -> Digest {
        self.put_blob_as(Algorithm::Sha256, repository, bytes)
    }

    /// As [`put_blob`](Self::put_blob), by another algorithm.
    pub fn put_blob_as(&self, algorithm: Algorithm, repository: &str, bytes: impl Into<Bytes>) -> Digest {
        lock(&self.shared.registry).put_blob(repository, algorithm, bytes.into())
    }

    /// Puts a manifest, unchecked, under its SHA-256 digest and under these tags. Gives the digest.
    pub fn put_manifest(
        &self,
        repository: &str,
        tags: &[&str],
        media_type: &str,
        bytes: impl Into<Bytes>,
    ) -> Digest {
        let bytes = bytes.into();
        let digest = Algorithm::Sha256.digest(&bytes);
        let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
        let manifest = Manifest {
            media_type: media_type.to_owned(),
            bytes,
        };
        lock(&self.shared.registry).store_manifest(repository, digest, &tags, manifest);
        digest
    }

    /// Makes an empty repository.
    pub fn create_repository(&self, repository: &str) {
        lock(&self.shared.registry).create(repository);
    }

    /// The blob, if the repository has it.
    pub fn blob(&self, repository: &str, digest: &Digest) -> Option<Bytes> {
        lock(&self.shared.registry).blob(repository, digest)
    }

    /// Media type and bytes of a manifest by tag or digest.
    pub fn manifest(&self, repository: &str, reference: &str) -> Option<(String, Bytes)> {
        let (_, manifest) = lock(&self.shared.registry).manifest(repository, reference)?;
        Some((manifest.media_type, manifest.bytes))
    }

    /// The tags of a repository, sorted.
    pub fn tags(&self, repository: &str) -> Vec<String> {
        lock(&self.shared.registry).tags(repository)
    }

    /// Changes the first byte of a manifest or blob where it lies; its size and digest stay. Gives whether the
    /// repository has something of that digest that is not empty.
    pub fn damage(&self, repository: &str, digest: &Digest) -> bool {
        lock(&self.shared.registry).damage(repository, digest)
    }

    /// How many upload sessions are open.
    pub fn open_uploads(&self) -> usize {
        lock(&self.shared.registry).open_uploads()
    }

    /// Forgets all upload sessions, as a registry does that was restarted.
    pub fn drop_uploads(&self) {
        lock(&self.shared.registry).drop_uploads();
    }
}

/// # Faults
impl FaultServer {
    /// Puts a fault into force, after those that are already.
    pub fn fail(&self, fault: Fault) {
        lock(&self.shared.plan).add(fault);
    }

    /// Takes all faults out of force.
    pub fn heal(&self) {
        lock(&self.shared.plan).clear();
    }

    /// How many faults have not hit as often as they should (0 after a test that met them all).
    pub fn pending_faults(&self) -> usize {
        lock(&self.shared.plan).pending()
    }

    /// Lets all bearer tokens run out that were given so far.
    pub fn expire_tokens(&self) {
        lock(&self.shared.tokens).expire_all();
    }

    /// Makes a refresh token for a user, as a credential file may hold it (`identitytoken`).
    pub fn refresh_token(&self, user: &str) -> String {
        lock(&self.shared.tokens).refresh_token(user)
    }

    /// Forgets all refresh tokens.
    pub fn forget_refresh_tokens(&self) {
        lock(&self.shared.tokens).forget_refresh_tokens();
    }

    /// Makes a user, or gives one a new password. The old one has then run out.
    pub fn rotate_password(&self, user: &str, password: &str) {
        lock(&self.shared.tokens).add_user(user, password);
    }

    /// Lets all signed URLs run out that were given so far.
    pub fn expire_signed_urls(&self) {
        lock(&self.shared.registry).expire_signatures();
    }

    /// Closes the listening sockets: connections are refused from now on. Those that are open go on.
    pub fn refuse_connections(&self) {
        lock(&self.listeners).stop_listening();
    }

    /// Listens again, on the same ports.
    ///
    /// # Errors
    /// If somebody else has taken one of them meanwhile.
    #[allow(
        clippy::unused_async,
        reason = "makes sure that a runtime is there, which the listeners need"
    )]
    pub async fn accept_connections(&self) -> io::Result<()> {
        lock(&self.listeners).listen(&self.shared)
    }
}

/// # What happened
impl FaultServer {
    /// All requests so far.
    pub fn log(&self) -> Log {
        lock(&self.shared.log).clone()
    }

    /// All requests so far, as a list.
    pub fn requests(&self) -> Vec<Request> {
        self.log().requests().to_vec()
    }

    /// Waits until nobody asks anything any more: no request is under way, and for a while no new one came. For
    /// what clients that gave up had sent already. A request that hangs is waited for.
    pub async fn settle(&self) {
        let mut before = None;
        loop {
            let (busy, now) = self.shared.traffic();
            if busy == 0 && before == Some(now) {
                return;
            }
            before = Some(now);
            tokio::time::sleep(SETTLING).await;
        }
    }

    /// Forgets the requests so far, so that the log tells of what follows only.
    pub fn clear_log(&self) {
        lock(&self.shared.log).clear();
    }
}
