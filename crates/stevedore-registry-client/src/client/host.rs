//! One registry, as a client knows it.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

use stevedore_core::reference::Registry;
use tokio::sync::OnceCell;

use super::Inner;
use crate::auth::authorizer::AuthState;
use crate::error::{Error, Result};
use crate::http::{Peer, Reach};
use crate::settings::RegistrySettings;
use crate::url::Origin;

/// One registry: its settings, and what was learnt about it.
pub(crate) struct Host {
    registry: Registry,
    settings: RegistrySettings,
    origin: OnceCell<Origin>,
    auth: AuthState,
    /// The other end of the last connection with it.
    peer: Mutex<Option<Peer>>,
    habits: Habits,
}

/// What a registry was seen not to do, so that it is not asked again.
#[derive(Default)]
pub(crate) struct Habits {
    refuses_single_post: AtomicBool,
    refuses_mount_from_anywhere: AtomicBool,
    /// [`HAS`], [`LACKS`], or 0 for not known.
    referrers: AtomicU8,
}

impl Host {
    pub(super) fn new(registry: Registry, settings: RegistrySettings) -> Self {
        Self {
            registry,
            settings,
            origin: OnceCell::new(),
            auth: AuthState::default(),
            peer: Mutex::default(),
            habits: Habits::default(),
        }
    }

    /// The name under which users, files and helpers know it.
    pub(crate) fn name(&self) -> &str {
        self.registry.as_str()
    }

    pub(crate) fn settings(&self) -> &RegistrySettings {
        &self.settings
    }

    pub(crate) fn auth(&self) -> &AuthState {
        &self.auth
    }

    pub(crate) fn habits(&self) -> &Habits {
        &self.habits
    }

    /// Notes the other end of a connection with the registry.
    pub(crate) fn met(&self, peer: Option<Peer>) {
        *self.peer.lock().unwrap_or_else(PoisonError::into_inner) = peer;
    }

    /// How far one may go whom the registry sends elsewhere.
    pub(crate) fn beyond(&self) -> Reach {
        if self.settings.private_targets {
            return Reach::Private;
        }
        Reach::beyond(*self.peer.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The origin, once it is known.
    pub(crate) fn known_origin(&self) -> Option<&Origin> {
        self.origin.get()
    }

    /// The origin of the registry. Without TLS is spoken where the settings say so, and where they say nothing, if
    /// the registry is on loopback or insecure, and does not answer to TLS.
    pub(crate) async fn origin(&self, client: &Inner) -> Result<&Origin> {
        let find = async || {
            let origin = |secure| {
                Origin::parse(secure, self.registry.api_host()).map_err(|error| {
                    Error::setting(format!(
                        "the registry {} cannot be reached: {error}",
                        self.registry
                    ))
                })
            };
            let secure = if let Some(plain) = self.settings.plain_http {
                !plain
            } else {
                let secure = origin(true)?;
                let may_be_plain = secure.is_loopback() || self.settings.insecure;
                !may_be_plain || client.http.speaks_tls(&secure).await || {
                    // A registry without a port is one at 443 or at 80.
                    let plain = origin(false)?;
                    plain.port == 80 && !client.http.takes_connections(&plain).await
                }
            };
            origin(secure)
        };
        self.origin.get_or_try_init(find).await
    }
}

impl Habits {
    /// Whether a blob may come with the request that begins an upload.
    pub(crate) fn takes_single_post(&self) -> bool {
        !self.refuses_single_post.load(Ordering::Relaxed)
    }

    pub(crate) fn set_takes_single_post(&self, takes: bool) {
        self.refuses_single_post.store(!takes, Ordering::Relaxed);
    }

    /// Whether a mount may leave out where from.
    pub(crate) fn mounts_from_anywhere(&self) -> bool {
        !self.refuses_mount_from_anywhere.load(Ordering::Relaxed)
    }

    pub(crate) fn set_mounts_from_anywhere(&self, mounts: bool) {
        self.refuses_mount_from_anywhere.store(!mounts, Ordering::Relaxed);
    }

    /// Whether the registry lists referrers itself, where that is known.
    pub(crate) fn has_referrers(&self) -> Option<bool> {
        match self.referrers.load(Ordering::Relaxed) {
            HAS => Some(true),
            LACKS => Some(false),
            _ => None,
        }
    }

    pub(crate) fn set_has_referrers(&self, has: bool) {
        self.referrers
            .store(if has { HAS } else { LACKS }, Ordering::Relaxed);
    }
}

const HAS: u8 = 1;
const LACKS: u8 = 2;
