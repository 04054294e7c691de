//! One repository of a registry.

mod blobs;
mod documents;
mod fallback;
mod ingest;
mod outgoing;
mod pages;
mod push;
mod referrers;
mod resume;
mod seams;
mod session;
mod tags;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use ::http::{HeaderValue, Method};
use stevedore_core::reference::{self, Registry};
use stevedore_core::{Document, Place};

use crate::auth::Scopes;
use crate::client::{Host, Inner};
use crate::error::{Error, Result};
use crate::request::{Call, Identity};
use crate::url::Url;

/// A repository of a registry: a [`Source`](stevedore_core::Source) and a [`Sink`](stevedore_core::Sink).
/// Cheap to clone.
///
/// What it reads by digest is verified: documents here, blobs by whoever takes them
/// ([`Blob::verified`](stevedore_core::Blob::verified)), as the seam says. What it writes is hashed while it is sent,
/// and the last bytes go out only once the hash fits: registries exist that never check. A blob that breaks off on
/// its way in is fetched on from there, one that breaks off on its way out is sent on from what the registry has.
///
/// ```no_run
/// use stevedore_core::{Selector, Source};
/// use stevedore_core::reference::{Registry, Repository};
/// use stevedore_registry_client::Client;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::builder().build()?;
/// let registry: Registry = "registry.example.com".parse()?;
/// let repository: Repository = "team/app".parse()?;
/// let app = client.repository(&registry, &repository);
/// let descriptor = app.resolve(&Selector::Name("latest".parse()?)).await?;
/// println!("{}", descriptor.digest);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Repository {
    shared: Arc<Shared>,
}

struct Shared {
    client: Arc<Inner>,
    host: Arc<Host>,
    registry: Registry,
    name: reference::Repository,
    /// Whether what is not given here may be asked for elsewhere.
    is_mirror: bool,
    pull: Scopes,
    push: Scopes,
    /// What tags named when they were last asked, with the `ETag` for asking whether they still do.
    seen: Mutex<BTreeMap<String, (HeaderValue, Document)>>,
}

impl Repository {
    pub(crate) fn new(client: Arc<Inner>, registry: &Registry, name: &reference::Repository) -> Self {
        Self::open(client, registry, name, false)
    }

    /// A repository behind which there is another one to ask: a registry that takes no connections is not waited for.
    pub(crate) fn mirror(client: Arc<Inner>, registry: &Registry, name: &reference::Repository) -> Self {
        Self::open(client, registry, name, true)
    }

    fn open(client: Arc<Inner>, registry: &Registry, name: &reference::Repository, is_mirror: bool) -> Self {
        let shared = Shared {
            host: client.host(registry),
            client,
            registry: registry.clone(),
            name: name.clone(),
            is_mirror,
            pull: Scopes::pull(name.as_str()),
            push: Scopes::push(name.as_str()),
            seen: Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// The registry.
    pub fn registry(&self) -> &Registry {
        &self.shared.registry
    }

    /// The name of the repository.
    pub fn name(&self) -> &reference::Repository {
        &self.shared.name
    }

    /// Where blobs of this repository lie.
    fn here(&self) -> Place {
        Place::Repository {
            registry: self.registry().as_str().to_owned(),
            repository: self.name().as_str().to_owned(),
        }
    }

    fn client(&self) -> &Inner {
        &self.shared.client
    }

    fn host(&self) -> &Arc<Host> {
        &self.shared.host
    }

    /// The URL of a path below the repository.
    async fn url(&self, path: &str) -> Result<Url> {
        let origin = self.host().origin(self.client()).await?;
        Url::at(origin, &format!("/v2/{}/{path}", self.name()))
            .map_err(|error| Error::setting(format!("{path} cannot be asked for: {error}")))
    }

    /// A call that reads.
    fn reads(&self, method: Method, url: Url) -> Call<'_> {
        self.call(method, url, &self.shared.pull)
    }

    /// A call that writes.
    fn writes(&self, method: Method, url: Url) -> Call<'_> {
        self.call(method, url, &self.shared.push)
    }

    fn call<'a>(&'a self, method: Method, url: Url, scopes: &'a Scopes) -> Call<'a> {
        let identity = Identity::Registry {
            host: self.host(),
            repository: self.name().as_str(),
            scopes,
        };
        let mut call = Call::new(method, url, identity);
        call.has_alternative = self.shared.is_mirror;
        if self.host().known_origin() != Some(call.url.origin()) {
            // The registry named another place, for an upload or a page: it gets no credentials, see `Inner::send`.
            call.reach = self.host().beyond();
        }
        call
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry(), self.name())
    }
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Repository({self})")
    }
}
