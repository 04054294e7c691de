//! Registries, reached as flags, variables and the configuration file say.

mod host;
mod password;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use stevedore_core::reference::Registry;
use stevedore_core::{Error, Reference};
use stevedore_registry_client::auth::{Credential, CredentialSources};
use stevedore_registry_client::{
    Client, Endpoint, Environment, RegistriesConf, RegistrySettings, RetryPolicy,
};
use stevedore_transport::{Destination, Layout, Location, Places, WriteOptions};

pub(crate) use self::host::Host;
use crate::args::{Access, Identity};
use crate::exit::Failure;
use crate::settings::Settings;
use crate::{output, progress};

/// What opens locations. Whoever has it keeps it until the verb is done: then warnings of registries are shown.
#[derive(Debug)]
pub(crate) struct Reach {
    places: Places,
    /// Shown when the last one who has them is gone.
    _warnings: Arc<Warnings>,
}

/// What registries had to say, each thing once.
#[derive(Debug, Default)]
struct Warnings(Mutex<Vec<String>>);

/// A source and a destination, each reached in its own way.
#[derive(Debug)]
pub(crate) struct BothWays {
    pub(crate) source: Reach,
    pub(crate) destination: Reach,
}

impl Reach {
    /// Opens these locations, and nothing else.
    pub(crate) async fn new(
        access: Access,
        settings: &Settings,
        locations: &[&Location],
    ) -> Result<Self, Failure> {
        let warnings = Arc::default();
        let places = places(access, settings, settings.retry_times, locations, &warnings).await?;
        Ok(Self {
            places,
            _warnings: warnings,
        })
    }
}

impl std::ops::Deref for Reach {
    type Target = Places;

    fn deref(&self) -> &Places {
        &self.places
    }
}

impl BothWays {
    /// Something to write to.
    pub(crate) fn destination(
        &self,
        location: &Location,
        options: WriteOptions,
    ) -> Result<Destination, Error> {
        let Location::Layout { path, .. } = location else {
            let places = self.destination.places.clone().with_write_options(options);
            return places.destination(location);
        };
        let layout = Layout::create(path, options)?;
        // Also to the quiet, for it is more than a note: other names may be gone.
        layout.on_set_aside(|index, aside| {
            let (index, aside) = (index.display(), aside.display());
            let text = format!(
                "{index} was broken and is kept as {aside}: the names in it are gone from the layout"
            );
            progress::beside(|| output::note(&text));
        });
        Ok(layout.into())
    }

    /// Opens a source and a destination. Where both are reached in the same way one client serves both, so that they
    /// share connections, tokens and what was learnt about a registry.
    pub(crate) async fn new(
        (source, destination): (Access, Access),
        all: &Access,
        settings: &Settings,
        retry_times: Option<u32>,
        (from, to): (&Location, &Location),
    ) -> Result<Self, Failure> {
        if let (Location::Registry(from), Location::Registry(to)) = (from, to)
            && from.registry() != to.registry()
            && source.identity.is_none()
            && destination.identity.is_none()
            && matches!(all.identity, Some(Identity::User { .. } | Identity::Token(_)))
        {
            let message = format!(
                "{} and {} cannot both be told these credentials",
                from.registry(),
                to.registry()
            );
            return Err(
                Failure::usage(message).with_hint("--src-creds, --dest-creds, or what else begins so")
            );
        }
        let (source, destination) = (source.or(all), destination.or(all));
        let warnings = Arc::default();
        let (source, destination) = if source == destination {
            let both = places(source, settings, retry_times, &[from, to], &warnings).await?;
            (both.clone(), both)
        } else {
            if [&source, &destination].iter().all(|access| access.reads_stdin()) {
                return Err(Failure::usage("only one password can come from stdin"));
            }
            (
                places(source, settings, retry_times, &[from], &warnings).await?,
                places(destination, settings, retry_times, &[to], &warnings).await?,
            )
        };
        let reach = |places| Reach {
            places,
            _warnings: Arc::clone(&warnings),
        };
        Ok(Self {
            source: reach(source),
            destination: reach(destination),
        })
    }
}

async fn places(
    access: Access,
    settings: &Settings,
    retry_times: Option<u32>,
    locations: &[&Location],
    warnings: &Arc<Warnings>,
) -> Result<Places, Failure> {
    let images: Vec<&Reference> = locations
        .iter()
        .filter_map(|location| match location {
            Location::Registry(reference) => Some(reference),
            _ => None,
        })
        .collect();
    let Some(first) = images.first() else {
        return Ok(Places::new());
    };
    let mut sources = existing_sources(access.authfile.as_deref())?;
    if let Some(identity) = &access.identity {
        let credential = credential(identity, first.registry().as_str()).await?;
        for image in &images {
            sources = sources.with_credential(image.registry().as_str(), credential.clone());
        }
    }
    let conf = registries_conf()?;
    let mut hosts = Vec::new();
    for image in &images {
        hosts.extend(Host::all(image, &endpoints(&conf, image)?, &access));
    }
    let client = client(settings, retry_times, hosts, warnings)?;
    let client = client.credentials(sources).registries(conf).build()?;
    Ok(Places::new().with_client(client))
}

/// What `registries.conf` and its drop-ins say.
pub(crate) fn registries_conf() -> Result<RegistriesConf, Failure> {
    RegistriesConf::load(&Environment::from_process()).map_err(|error| Failure::usage_because(error.into()))
}

/// Where an image may be.
pub(crate) fn endpoints(conf: &RegistriesConf, image: &Reference) -> Result<Vec<Endpoint>, Failure> {
    conf.endpoints(image).map_err(|error| {
        let error = stevedore_registry_client::Error::from(error);
        Failure::from(error.while_doing(format!("cannot reach docker://{image}")))
    })
}

/// The files and helpers, or one file alone, which has to be there: who named it meant one.
pub(crate) fn existing_sources(authfile: Option<&Path>) -> Result<CredentialSources, Failure> {
    match authfile.filter(|path| !path.exists()) {
        Some(missing) => Err(Failure::usage(format!("there is no file {}", missing.display()))),
        None => Ok(sources(authfile)),
    }
}

/// The files and helpers, or one file alone.
pub(crate) fn sources(authfile: Option<&Path>) -> CredentialSources {
    let sources = CredentialSources::new(Environment::from_process());
    match authfile {
        Some(path) => sources.with_auth_file(path),
        None => sources,
    }
}

/// A client of one registry, for what is no verb of images.
pub(crate) fn client_of(
    registry: &Registry,
    access: &Access,
    settings: &Settings,
    sources: CredentialSources,
) -> Result<Client, Failure> {
    let insecure = registries_conf()?.is_insecure(registry).map_err(|error| {
        let error = stevedore_registry_client::Error::from(error);
        Failure::from(error.while_doing(format!("cannot reach {registry}")))
    })?;
    let hosts = vec![Host::whole(registry, access, insecure)];
    let client = client(settings, settings.retry_times, hosts, &Arc::default())?;
    Ok(client.credentials(sources).build()?)
}

fn client(
    settings: &Settings,
    retry_times: Option<u32>,
    hosts: Vec<Host>,
    warnings: &Arc<Warnings>,
) -> Result<stevedore_registry_client::ClientBuilder, Failure> {
    let heard = Arc::clone(warnings);
    let quiet = settings.quiet;
    let mut client = Client::builder().on_warning(move |warning| {
        if !quiet {
            heard
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(warning.to_string());
        }
    });
    if let Some(tell) = progress::of_requests(settings) {
        client = client.on_retry(move |error, wait| tell(error, wait));
    }
    if let Some(times) = retry_times {
        client = client.retry(RetryPolicy::default().with_attempts(times.saturating_add(1)));
    }
    for host in Host::merged(hosts).values() {
        // Files that were named, and cannot be used.
        let settings = registry_settings(host, settings).map_err(Failure::into_usage)?;
        client = client.registry(&host.registry, settings);
    }
    Ok(client)
}

/// What the files say about a registry, and what was typed on top of it.
fn registry_settings(host: &Host, settings: &Settings) -> Result<RegistrySettings, Failure> {
    let (access, table) = (&host.access, settings.table(&host.registry));
    let mut into = RegistrySettings::new();
    into.insecure = match access.tls_verify.or(table.tls_verify) {
        Some(verify) => !verify,
        None => host.insecure.unwrap_or(false),
    };
    into.plain_http = if access.plain_http {
        Some(true)
    } else {
        table.plain_http
    };
    into.private_targets = table.private_targets;
    into.chunk_size = table.chunk_size;
    into.trusted_realms = table.trusted_realms;
    into.trusted_realms.extend(access.trusted_realms.iter().cloned());
    let ca_files = table
        .ca_file
        .iter()
        .filter(|_| access.ca_files.is_empty())
        .chain(&access.ca_files);
    for path in ca_files {
        into = authorities(into, path)?;
    }
    if let Some(path) = access.cert_dir.as_ref().or(table.cert_dir.as_ref()) {
        into = into
            .with_certificate_directory(path)
            .map_err(|error| Failure::usage_because(error.into()))?;
    }
    match &access.pair {
        Some((chain, key)) => {
            let with_identity = into.with_identity_pem(&read(chain)?, &read(key)?);
            with_identity
                .with_context(|| format!("{} is no certificate to be used", chain.display()))
                .map_err(Failure::usage_because)
        }
        None => Ok(into),
    }
}

fn authorities(settings: RegistrySettings, path: &Path) -> Result<RegistrySettings, Failure> {
    let pem = read(path)?;
    let settings = settings.with_authorities_pem(&pem);
    settings
        .with_context(|| format!("{} has no certificates to be used", path.display()))
        .map_err(Failure::usage_because)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path)
        .with_context(|| format!("cannot read {}", path.display()))
        .map_err(Failure::usage_because)
}

/// Who was typed, with the password from wherever it is to come from.
pub(crate) async fn credential(identity: &Identity, registry: &str) -> Result<Credential, Failure> {
    match identity {
        Identity::Nobody => Ok(Credential::Anonymous),
        Identity::Token(token) => Ok(Credential::bearer(token.as_str())),
        Identity::User { name, .. } if name.is_empty() => {
            Err(Failure::usage("a password without a user's name").with_hint("--username USER beside it"))
        }
        Identity::User {
            name,
            password: Some(password),
            ..
        } => Ok(Credential::basic(name, password.as_str())),
        Identity::User {
            name,
            from_stdin: true,
            ..
        } => Ok(Credential::basic(name, password::from_stdin()?)),
        Identity::User { name, .. } => Ok(Credential::basic(name, password::ask(name, registry).await?)),
    }
}

/// Asks a person who to be.
pub(crate) async fn ask_who(registry: &str) -> Result<Credential, Failure> {
    let name = password::ask_name(registry).await?;
    let password = password::ask(&name, registry).await?;
    Ok(Credential::basic(name, password))
}

impl Access {
    fn reads_stdin(&self) -> bool {
        matches!(self.identity, Some(Identity::User { password: None, .. }))
    }
}

impl Drop for Warnings {
    fn drop(&mut self) {
        let heard = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        for warning in heard {
            output::note(warning);
        }
    }
}
