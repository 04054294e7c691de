//! What all connections share.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Origin;
use crate::auth::Tokens;
use crate::fault::Plan;
use crate::log::Log;
use crate::profile::Profile;
use crate::registry::Registry;

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) profile: Profile,
    pub(crate) registry: Mutex<Registry>,
    pub(crate) tokens: Mutex<Tokens>,
    pub(crate) plan: Mutex<Plan>,
    pub(crate) log: Mutex<Log>,
    pub(crate) connections: AtomicU64,
    /// Requests so far, and those of them that are under way.
    asked: AtomicU64,
    busy: AtomicU64,
    /// In the order of [`Origin::ALL`].
    pub(super) addresses: [SocketAddr; 3],
    #[cfg(feature = "tls")]
    pub(super) tls: Option<super::tls::Tls>,
}

impl Shared {
    pub(super) fn new(profile: Profile) -> Self {
        Self {
            registry: Mutex::default(),
            tokens: Mutex::new(Tokens::new(&profile)),
            plan: Mutex::default(),
            log: Mutex::default(),
            connections: AtomicU64::new(0),
            asked: AtomicU64::new(0),
            busy: AtomicU64::new(0),
            addresses: [SocketAddr::from(([127, 0, 0, 1], 0)); 3],
            #[cfg(feature = "tls")]
            tls: None,
            profile,
        }
    }

    #[cfg(feature = "tls")]
    pub(super) fn with_tls(mut self, tls: Option<super::tls::Tls>) -> Self {
        self.tls = tls;
        self
    }

    /// Notes a request that is under way until what this gives is dropped.
    pub(super) fn under_way(&self) -> UnderWay<'_> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.busy.fetch_add(1, Ordering::SeqCst);
        UnderWay(&self.busy)
    }

    /// How many requests are under way, and how many connections and requests there were.
    pub(super) fn traffic(&self) -> (u64, (u64, u64)) {
        let read = |count: &AtomicU64| count.load(Ordering::SeqCst);
        (read(&self.busy), (read(&self.connections), read(&self.asked)))
    }

    pub(super) fn address(&self, origin: Origin) -> SocketAddr {
        match origin {
            Origin::Registry => self.addresses[0],
            Origin::Storage => self.addresses[1],
            Origin::Auth => self.addresses[2],
        }
    }

    pub(crate) fn base(&self, origin: Origin) -> String {
        #[cfg(feature = "tls")]
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        #[cfg(not(feature = "tls"))]
        let scheme = "http";
        format!("{scheme}://{}", self.address(origin))
    }

    #[cfg(feature = "tls")]
    pub(super) fn ca_pem(&self) -> Option<&str> {
        self.tls.as_ref().map(super::tls::Tls::ca_pem)
    }
}

/// A request that is under way.
pub(super) struct UnderWay<'a>(&'a AtomicU64);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Takes a lock, also after a panic of another holder: what is in it is only ever changed in whole steps.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
