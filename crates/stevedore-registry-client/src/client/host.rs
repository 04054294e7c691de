//! One registry, as a client knows it.

use std::sync::{Mutex, PoisonError};

use stevedore_core::Registry;
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
}

impl Host {
    pub(super) fn new(registry: Registry, settings: RegistrySettings) -> Self {
        Self {
            registry,
            settings,
            origin: OnceCell::new(),
            auth: AuthState::default(),
            peer: Mutex::default(),
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
