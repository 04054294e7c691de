//! The client: one a process, shared by everything that talks to registries.

mod builder;
mod host;
mod ping;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::http::Method;
use stevedore_core::reference::{self, Registry};
use stevedore_core::{Blob, Reference, Source};

pub use self::builder::ClientBuilder;
pub(crate) use self::host::Host;
use crate::auth::token::Tokens;
use crate::auth::{CredentialSources, Scopes};
use crate::error::{Error, Result};
use crate::http::{Http, Reach};
use crate::mirrors::Mirrors;
use crate::registries::RegistriesConf;
use crate::repository::Repository;
use crate::request::{Call, Identity, Limiter, ShowRetry, Warnings};
use crate::settings::{RegistrySettings, RetryPolicy};
use crate::url::Url;

/// A client of registries: its connections, tokens, credentials and limits. One a process is right: clones share
/// all of it.
///
/// ```no_run
/// use stevedore_core::reference::Registry;
/// use stevedore_registry_client::Client;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::builder().build()?;
/// let registry: Registry = "registry.example.com".parse()?;
/// client.ping(&registry).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

/// What all calls share.
pub(crate) struct Inner {
    pub(crate) http: Http,
    pub(crate) sources: CredentialSources,
    pub(crate) tokens: Tokens,
    pub(crate) limiter: Limiter,
    pub(crate) retry: RetryPolicy,
    pub(crate) warnings: Warnings,
    pub(crate) on_retry: Option<ShowRetry>,
    /// From which age on a token or password is taken to have expired when a registry refuses it.
    pub(crate) renew_after: Duration,
    /// By the name of the registry.
    settings: BTreeMap<String, RegistrySettings>,
    hosts: Mutex<BTreeMap<String, Arc<Host>>>,
    registries: RegistriesConf,
}

impl Client {
    /// A client with the process's own credentials and certificates, as far as nothing else is set.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// A repository of a registry. Nothing is asked yet.
    pub fn repository(&self, registry: &Registry, name: &reference::Repository) -> Repository {
        Repository::new(Arc::clone(&self.inner), registry, name)
    }

    /// Where an image is read: the first of its mirrors that has it, or the repository itself, as the
    /// [`RegistriesConf`] of this client says. Nothing is asked yet. Each place is shown the credentials for its own
    /// host.
    ///
    /// # Errors
    /// [`Error::Registries`] where the image is blocked.
    pub fn source(&self, image: &Reference) -> Result<Arc<dyn Source>> {
        let endpoints = self.inner.registries.endpoints(image)?;
        let mirrors = endpoints
            .iter()
            .filter(|endpoint| endpoint.is_mirror)
            .map(|mirror| {
                let (registry, name) = (mirror.reference.registry(), mirror.reference.repository());
                Repository::mirror(Arc::clone(&self.inner), registry, name)
            });
        let mirrors: Vec<Repository> = mirrors.collect();
        let repository = self.destination(image)?;
        if mirrors.is_empty() {
            Ok(Arc::new(repository))
        } else {
            Ok(Arc::new(Mirrors::new(mirrors, repository)))
        }
    }

    /// Where an image is written: the repository itself, never a mirror, at the location that the [`RegistriesConf`]
    /// of this client has for it. Nothing is asked yet.
    ///
    /// # Errors
    /// [`Error::Registries`] where the image is blocked.
    pub fn destination(&self, image: &Reference) -> Result<Repository> {
        let endpoint = self.inner.registries.primary(image)?;
        Ok(self.repository(endpoint.reference.registry(), endpoint.reference.repository()))
    }

    /// Asks a registry whether it speaks the protocol and knows who this is (distribution-spec, end-1): what a login
    /// does before it stores anything.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] where the credentials are refused, [`Error::Protocol`] where a success has nothing of a
    /// registry, as the page of a portal, and whatever can go wrong on the way.
    pub async fn ping(&self, registry: &Registry) -> Result<()> {
        let host = self.inner.host(registry);
        let origin = host.origin(&self.inner).await?;
        let url =
            Url::at(origin, "/v2/").map_err(|error| Error::setting(format!("the path /v2/: {error}")))?;
        let scopes = Scopes::none();
        let identity = Identity::Registry {
            host: &host,
            repository: "",
            scopes: &scopes,
        };
        ping::ping(&self.inner, &Call::new(Method::GET, url, identity)).await
    }

    /// Reads a path of a registry, with the credentials for the registry as a whole: for what no other method knows
    /// about, as the lists of vendors. The path begins with a slash and may have a query. The body is neither
    /// bounded nor verified here.
    ///
    /// # Errors
    /// [`Error::Refused`] where the registry answers with anything but a success, and whatever can go wrong on the
    /// way.
    pub async fn get(&self, registry: &Registry, path: &str, scopes: &Scopes) -> Result<Blob> {
        let host = self.inner.host(registry);
        let origin = host.origin(&self.inner).await?;
        let url =
            Url::at(origin, path).map_err(|error| Error::setting(format!("the path {path}: {error}")))?;
        let identity = Identity::Registry {
            host: &host,
            repository: "",
            scopes,
        };
        Ok(self
            .inner
            .send(&Call::new(Method::GET, url, identity))
            .await?
            .into_blob())
    }

    /// Reads a URL that is none of a registry's, as that of a foreign layer: without any credentials. Where a
    /// registry of the public network named it, or nobody did, it must not lead to a private address. The body is
    /// neither bounded nor verified here.
    ///
    /// # Errors
    /// [`Error::Refused`] where the answer is anything but a success, and whatever can go wrong on the way.
    pub async fn get_foreign(&self, url: &str, named_by: Option<&Registry>) -> Result<Blob> {
        let url = Url::parse(url)
            .map_err(|error| Error::setting(format!("the URL of a foreign layer cannot be used: {error}")))?;
        let mut call = Call::new(Method::GET, url, Identity::Nobody);
        call.reach = named_by.map_or(Reach::Public, |registry| self.inner.host(registry).beyond());
        Ok(self.inner.send(&call).await?.into_blob())
    }
}

impl Inner {
    /// What is known about a registry.
    pub(crate) fn host(&self, registry: &Registry) -> Arc<Host> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let settings = self.settings.get(registry.as_str()).cloned().unwrap_or_default();
            Arc::new(Host::new(registry.clone(), settings))
        };
        Arc::clone(hosts.entry(registry.as_str().to_owned()).or_insert_with(make))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("sources", &self.inner.sources)
            .finish_non_exhaustive()
    }
}
