//! How a client is made.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::http::HeaderValue;
use stevedore_core::reference::Registry;

use super::{Client, Inner};
use crate::auth::CredentialSources;
use crate::auth::token::Tokens;
use crate::certificates::CertificateDirectories;
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::http::{Http, Trust, Wiring};
use crate::proxies::Proxies;
use crate::registries::RegistriesConf;
use crate::request::{Limiter, Show, ShowRetry, Warning, Warnings};
use crate::settings::{RegistrySettings, RetryPolicy, Roots, Timeouts};
use crate::url::Origin;

/// How the client names itself.
const USER_AGENT: &str = concat!("stevedore/", env!("CARGO_PKG_VERSION"));

/// How many reads, and how many writes, go to one host at once.
const CONCURRENCY: usize = 8;

/// From which age on a token or password that a registry refuses is taken to have expired.
const RENEW_AFTER: Duration = Duration::from_secs(60);

/// Collects what a [`Client`] is to be like.
///
/// ```
/// use stevedore_core::reference::Registry;
/// use stevedore_registry_client::auth::{Credential, CredentialSources};
/// use stevedore_registry_client::{Client, RegistrySettings};
///
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let registry: Registry = "registry.lan:5000".parse()?;
/// let client = Client::builder()
///     .credentials(CredentialSources::none().with_credential("registry.lan:5000", Credential::basic("me", "secret")))
///     .registry(&registry, RegistrySettings::new().with_plain_http(true))
///     .on_warning(|warning| eprintln!("{warning}"))
///     .build()?;
/// # drop(client);
/// # Ok(())
/// # }
/// # example().unwrap();
/// ```
#[must_use = "a client is made by `build`"]
pub struct ClientBuilder {
    sources: Option<CredentialSources>,
    roots: Option<Roots>,
    directories: Option<CertificateDirectories>,
    proxies: Option<Proxies>,
    registries: RegistriesConf,
    settings: BTreeMap<String, (Registry, RegistrySettings)>,
    timeouts: Timeouts,
    retry: RetryPolicy,
    concurrency: usize,
    renew_after: Duration,
    user_agent: String,
    addresses: BTreeMap<(String, u16), Vec<SocketAddr>>,
    on_warning: Option<Show>,
    on_retry: Option<ShowRetry>,
}

impl ClientBuilder {
    pub(super) fn new() -> Self {
        Self {
            sources: None,
            roots: None,
            directories: None,
            proxies: None,
            registries: RegistriesConf::default(),
            settings: BTreeMap::new(),
            timeouts: Timeouts::default(),
            retry: RetryPolicy::default(),
            concurrency: CONCURRENCY,
            renew_after: RENEW_AFTER,
            user_agent: USER_AGENT.to_owned(),
            addresses: BTreeMap::new(),
            on_warning: None,
            on_retry: None,
        }
    }

    /// Where credentials come from. Without this: the files and helpers that the process's environment leads to.
    pub fn credentials(mut self, sources: CredentialSources) -> Self {
        self.sources = Some(sources);
        self
    }

    /// Which certification authorities are trusted. Without this: the system's, or what the process's
    /// `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
    pub fn roots(mut self, roots: Roots) -> Self {
        self.roots = Some(roots);
        self
    }

    /// Where directories with certificates of registries are looked for. Without this: where the process's
    /// environment leads to. A registry whose settings name a directory has no other.
    pub fn certificate_directories(mut self, directories: CertificateDirectories) -> Self {
        self.directories = Some(directories);
        self
    }

    /// Through which proxies servers are reached. Without this: those that the process's environment names.
    pub fn proxies(mut self, proxies: Proxies) -> Self {
        self.proxies = Some(proxies);
        self
    }

    /// Where images are: mirrors, other locations, and what is blocked. It decides for
    /// [`Client::source`] and [`Client::destination`]; whatever is asked of a registry or repository by name is asked
    /// of just that one. What it calls insecure is told by [`Endpoint::insecure`](crate::Endpoint::insecure), and done
    /// where [`registry`](Self::registry) says so, for that holds for a registry as a whole. Without this: every image
    /// is where its name says.
    pub fn registries(mut self, registries: RegistriesConf) -> Self {
        self.registries = registries;
        self
    }

    /// How a registry is spoken to.
    pub fn registry(mut self, registry: &Registry, settings: RegistrySettings) -> Self {
        self.settings
            .insert(registry.as_str().to_owned(), (registry.clone(), settings));
        self
    }

    /// How long is waited for what.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// How calls are repeated.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// How many reads, and how many writes, go to one host at once; 8 each if nothing is said. 0 counts as 1.
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.concurrency = calls;
        self
    }

    /// From which age on a token or a helper's password that is refused is taken to have expired, and asked for
    /// again; 60 seconds if nothing is said. What is younger is taken to be refused for good.
    pub fn renew_after(mut self, age: Duration) -> Self {
        self.renew_after = age;
        self
    }

    /// How the client names itself.
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.user_agent = name.into();
        self
    }

    /// The addresses of a host and port; nothing else is asked for them. What is reached through a proxy is found by
    /// the proxy; what is said here then holds for the proxy's own host.
    pub fn resolve(mut self, host: &str, port: u16, addresses: impl IntoIterator<Item = SocketAddr>) -> Self {
        let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
        self.addresses
            .insert((host, port), addresses.into_iter().collect());
        self
    }

    /// What is done with a registry's warnings; each comes once.
    pub fn on_warning(mut self, show: impl Fn(&Warning) + Send + Sync + 'static) -> Self {
        self.on_warning = Some(Arc::new(show));
        self
    }

    /// What is done before each further try of a request: it is told what became of the last one, and how long is
    /// waited now.
    pub fn on_retry(mut self, show: impl Fn(&Error, Duration) + Send + Sync + 'static) -> Self {
        self.on_retry = Some(Arc::new(show));
        self
    }

    /// The client. Nothing is read or connected to yet.
    ///
    /// # Errors
    /// [`Error::Setting`] for a user agent or a registry that cannot be.
    pub fn build(self) -> Result<Client> {
        let user_agent = HeaderValue::from_str(&self.user_agent)
            .map_err(|_| Error::setting("the user agent has characters that no header has"))?;
        let mut hosts = BTreeMap::new();
        for (registry, settings) in self.settings.values() {
            // With TLS, for what is kept here is about TLS.
            let origin = Origin::parse(true, registry.api_host()).map_err(|error| {
                Error::setting(format!("the registry {registry} cannot be reached: {error}"))
            })?;
            hosts.insert((origin.host, origin.port), settings.clone());
        }
        let roots = self
            .roots
            .unwrap_or_else(|| Roots::from_environment(&Environment::from_process()));
        let sources = self
            .sources
            .unwrap_or_else(|| CredentialSources::new(Environment::from_process()));
        let directories = self
            .directories
            .unwrap_or_else(|| CertificateDirectories::from_environment(&Environment::from_process()));
        let wiring = Wiring {
            trust: Trust::new(roots, directories, hosts),
            timeouts: self.timeouts,
            user_agent,
            addresses: self.addresses,
            proxies: self
                .proxies
                .unwrap_or_else(|| Proxies::from_environment(&Environment::from_process())),
        };
        let inner = Inner {
            http: Http::new(wiring),
            sources,
            tokens: Tokens::default(),
            limiter: Limiter::new(self.concurrency),
            retry: self.retry,
            warnings: Warnings::new(self.on_warning),
            on_retry: self.on_retry,
            renew_after: self.renew_after,
            settings: self
                .settings
                .into_iter()
                .map(|(name, (_, settings))| (name, settings))
                .collect(),
            hosts: Mutex::default(),
            registries: self.registries,
        };
        Ok(Client {
            inner: Arc::new(inner),
        })
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
