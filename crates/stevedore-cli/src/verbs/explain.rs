//! `explain`: how an image is reached, and which file, flag or variable says so. Nobody is asked anything.

mod shown;

use anyhow::Context as _;
use stevedore_core::Reference;
use stevedore_registry_client::auth::{Candidate, CredentialSources};
use stevedore_registry_client::{
    CertificateDirectories, CertificateDirectory, Endpoint, Environment, Proxies, Roots,
};
use stevedore_transport::Location;

use self::shown::{Certificates, ClientCertificate, Explained, Place, Protocol, Proxy, Who};
use crate::access::{self, Host};
use crate::args::{self, Access, Explain, Identity};
use crate::exit::Failure;
use crate::output;
use crate::settings::{RegistryTable, Settings};

/// What everything here follows from.
struct Basis<'s> {
    environment: Environment,
    settings: &'s Settings,
    sources: CredentialSources,
    access: Access,
}

pub(crate) fn run(args: Explain, settings: &Settings) -> Result<(), Failure> {
    let (image, because) = named(&args.image)?;
    let access = Access::from(args.access);
    let basis = Basis {
        environment: Environment::from_process(),
        settings,
        sources: access::existing_sources(access.authfile.as_deref())?,
        access,
    };
    let conf = access::registries_conf()?;
    let endpoints = access::endpoints(&conf, &image)?;
    let hosts = Host::merged(Host::all(&image, &endpoints, &basis.access));
    let places = endpoints.iter().filter_map(|endpoint| {
        let host = hosts.get(endpoint.reference.registry().as_str())?;
        Some(basis.place(endpoint, host, &image))
    });
    let explained = Explained {
        reference: image.to_string(),
        because,
        registries_conf: conf
            .files()
            .iter()
            .map(|path| path.display().to_string())
            .collect(),
        places: places.collect::<Result<_, Failure>>()?,
    };
    if settings.json {
        output::json(&explained)
    } else {
        output::line(&explained.to_string())
    }
}

/// The image that was typed, and why it is that one.
fn named(text: &str) -> Result<(Reference, String), Failure> {
    if let Some(found) = args::short_name(text).map_err(Failure::usage)? {
        return Ok((found.reference, found.because));
    }
    match args::exact_location(text).map_err(Failure::usage)? {
        Location::Registry(reference) => Ok((reference, "as it was typed".to_owned())),
        other => Err(Failure::usage(format!("{other} is in no registry"))),
    }
}

impl Basis<'_> {
    fn place(&self, endpoint: &Endpoint, host: &Host, image: &Reference) -> Result<Place, Failure> {
        let table = self.settings.table(&host.registry);
        let protocol = self.protocol(host, &table, endpoint);
        let is_typed = host.registry == *image.registry();
        Ok(Place {
            reference: endpoint.reference.to_string(),
            is_mirror: endpoint.is_mirror,
            because: endpoint.because.clone(),
            host: host.registry.api_host().to_owned(),
            credentials: self.credentials(endpoint, is_typed)?,
            certificates: self.certificates(host, &table)?,
            proxy: self.proxy(host, protocol.scheme != "http")?,
            protocol,
        })
    }

    /// What the file of settings is called where something is from it.
    fn file(&self, key: &str) -> String {
        let path = self.settings.file.as_ref().map(|path| path.display().to_string());
        format!("{key} in {}", path.unwrap_or_default())
    }

    fn protocol(&self, host: &Host, table: &RegistryTable, endpoint: &Endpoint) -> Protocol {
        let (verified, why_verified) = match (host.access.tls_verify, table.tls_verify, host.insecure) {
            (Some(verify), ..) => (verify, format!("--tls-verify={verify}")),
            (None, Some(verify), _) => (verify, self.file("tls-verify")),
            (None, None, Some(true)) => (false, endpoint.because.clone()),
            (None, None, _) if endpoint.insecure => {
                (true, "another place at this registry is not insecure".to_owned())
            }
            (None, None, _) => (true, "nothing says otherwise".to_owned()),
        };
        let (scheme, because) = if host.access.plain_http {
            ("http", "--plain-http".to_owned())
        } else {
            match table.plain_http {
                Some(true) => ("http", self.file("plain-http")),
                Some(false) => ("https", self.file("plain-http")),
                None if !verified => ("https-or-http", why_verified.clone()),
                None if host.registry.is_loopback() => ("https-or-http", "it is this machine".to_owned()),
                None => ("https", "nothing says otherwise".to_owned()),
            }
        };
        Protocol {
            scheme,
            because,
            verified: verified && scheme != "http",
            verified_because: why_verified,
        }
    }

    fn credentials(&self, endpoint: &Endpoint, is_typed: bool) -> Result<Vec<Who>, Failure> {
        let typed = self.access.identity.as_ref().filter(|_| is_typed);
        if let Some(identity) = typed {
            let username = match identity {
                Identity::Nobody => return Ok(Vec::new()),
                Identity::User { name, .. } => Some(name.clone()),
                Identity::Token(_) => None,
            };
            return Ok(vec![Who {
                from: "what was typed".to_owned(),
                entry: None,
                username,
                is_helper: false,
            }]);
        }
        let (registry, repository) = (endpoint.reference.registry(), endpoint.reference.repository());
        let found = self.sources.explain(registry.as_str(), repository.as_str())?;
        let who = |candidate: Candidate| Who {
            from: candidate.origin,
            entry: Some(candidate.entry),
            username: candidate.username,
            is_helper: candidate.is_helper,
        };
        Ok(found.into_iter().map(who).collect())
    }

    /// The directory with certificates, and why it is that one.
    fn directory(
        &self,
        host: &Host,
        table: &RegistryTable,
    ) -> Result<(Option<CertificateDirectory>, String), Failure> {
        let (path, because) = match (&host.access.cert_dir, &table.cert_dir) {
            (Some(path), _) => (path, "--cert-dir".to_owned()),
            (None, Some(path)) => (path, self.file("cert-dir")),
            (None, None) => {
                let directories = CertificateDirectories::from_environment(&self.environment);
                let found = directories.find(&host.registry);
                let found = found.context("cannot find the certificates of the registry")?;
                return Ok((found, "it is the first certs.d that has one".to_owned()));
            }
        };
        let directory = CertificateDirectory::open(path);
        let directory = directory.map_err(|error| Failure::usage_because(error.into()))?;
        Ok((Some(directory), because))
    }

    fn certificates(&self, host: &Host, table: &RegistryTable) -> Result<Certificates, Failure> {
        let (directory, because) = self.directory(host, table)?;
        let ca_files = if host.access.ca_files.is_empty() {
            table.ca_file.as_slice()
        } else {
            &host.access.ca_files
        };
        let shown = |path: &std::path::PathBuf| path.display().to_string();
        let listed = directory.iter().flat_map(CertificateDirectory::authorities);
        let pairs = directory.iter().flat_map(CertificateDirectory::identities);
        let pairs = host.access.pair.iter().chain(pairs);
        Ok(Certificates {
            roots: self.roots(),
            authorities: ca_files.iter().chain(listed).map(shown).collect(),
            directory: directory
                .as_ref()
                .map(|directory| directory.path().display().to_string()),
            directory_because: directory.as_ref().map(|_| because),
            client: pairs
                .map(|(certificate, key)| ClientCertificate {
                    certificate: shown(certificate),
                    key: shown(key),
                })
                .collect(),
        })
    }

    /// Whom everybody believes who has nobody else.
    fn roots(&self) -> String {
        match Roots::from_environment(&self.environment) {
            Roots::Files { file, directories } => {
                let paths = file.into_iter().chain(directories);
                let paths: Vec<String> = paths.map(|path| path.display().to_string()).collect();
                format!("{} (SSL_CERT_FILE, SSL_CERT_DIR)", paths.join(", "))
            }
            _ => "those of the system".to_owned(),
        }
    }

    fn proxy(&self, host: &Host, secure: bool) -> Result<Proxy, Failure> {
        let proxies = Proxies::from_environment(&self.environment);
        let route = proxies.route(secure, host.registry.api_host())?;
        Ok(Proxy {
            url: route.proxy,
            because: route.because,
        })
    }
}
