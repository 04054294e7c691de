//! Whom a TLS connection trusts. The one module that knows the crypto provider.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_native_certs::CertificateResult;

use super::dial::DialError;
use super::reach::Reach;
use crate::certificates::CertificateDirectories;
use crate::settings::{Identity, RegistrySettings, Roots};

/// A host and port.
pub(crate) type Place = (String, u16);

/// What the settings say about certificates, and the TLS configurations that follow from it.
pub(crate) struct Trust {
    provider: Arc<CryptoProvider>,
    roots: Roots,
    system: OnceLock<RootCertStore>,
    directories: CertificateDirectories,
    hosts: BTreeMap<Place, RegistrySettings>,
    /// One configuration a host, kept for the sessions that it resumes; another one where it is not told who we are.
    made: Mutex<HashMap<(Place, bool), Arc<ClientConfig>>>,
}

/// Configurations that are kept. A CDN with a host a blob would make them many.
const MAX_MADE: usize = 256;

impl Trust {
    pub(crate) fn new(
        roots: Roots,
        directories: CertificateDirectories,
        hosts: BTreeMap<Place, RegistrySettings>,
    ) -> Self {
        Self {
            // Never the process-wide default: a library does not decide for a program.
            provider: Arc::new(rustls::crypto::ring::default_provider()),
            roots,
            system: OnceLock::new(),
            directories,
            hosts,
            made: Mutex::default(),
        }
    }

    /// The configuration for a host: with its own authorities and client certificates, which no other host sees. The
    /// certificates are for whom the user named; a host that a registry sends to could be one that takes them, and
    /// would then do what the registry wants in the user's name.
    pub(super) fn config(&self, place: &Place, reach: Reach) -> Result<Arc<ClientConfig>, DialError> {
        let settings = self.hosts.get(place);
        let directory = if settings.is_some_and(|settings| settings.directory_named) {
            None
        } else {
            self.directories
                .find_for(&place.0, place.1)
                .map_err(|error| DialError::setting(&error))?
        };
        let tells = reach == Reach::Own;
        // All hosts without settings of their own share a configuration, under a name that no host has.
        let known = match (settings, &directory) {
            (None, None) => (Place::default(), true),
            _ => (place.clone(), tells),
        };
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = made.get(&known) {
            return Ok(Arc::clone(config));
        }
        let mut settings = settings.cloned().unwrap_or_default();
        if let Some(directory) = directory {
            settings
                .add_directory(&directory)
                .map_err(|error| DialError::setting(&error))?;
        }
        if !tells {
            settings.identities.clear();
        }
        let config = Arc::new(self.make(settings)?);
        if made.len() >= MAX_MADE {
            made.clear();
        }
        made.insert(known, Arc::clone(&config));
        Ok(config)
    }

    /// The configuration for a proxy: the authorities of its host, and nothing but HTTP/1.1.
    pub(super) fn proxy_config(&self, place: &Place) -> Result<Arc<ClientConfig>, DialError> {
        let mut config = ClientConfig::clone(&*self.config(place, Reach::Own)?);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// A configuration to find out whether a server speaks TLS at all. Nothing is said over such a connection.
    pub(super) fn probe(&self) -> Result<Arc<ClientConfig>, DialError> {
        let settings = RegistrySettings::new().with_insecure(true);
        Ok(Arc::new(self.make(settings)?))
    }

    fn make(&self, settings: RegistrySettings) -> Result<ClientConfig, DialError> {
        let unusable = |what: &str, error: rustls::Error| DialError::Trust {
            what: format!("{what}: {error}"),
        };
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable("no TLS version can be spoken", error))?;
        let builder = if settings.insecure {
            let verifier = Arc::new(Unverified(Arc::clone(&self.provider)));
            builder.dangerous().with_custom_certificate_verifier(verifier)
        } else {
            builder.with_root_certificates(self.store(&settings)?)
        };
        let mut config = if settings.identities.is_empty() {
            builder.with_no_client_auth()
        } else {
            let identities = Identities::new(settings.identities, &self.provider);
            let identities =
                identities.map_err(|error| unusable("the client certificate cannot be used", error))?;
            builder.with_client_cert_resolver(Arc::new(identities))
        };
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    fn store(&self, settings: &RegistrySettings) -> Result<RootCertStore, DialError> {
        let mut store = self.system.get_or_init(|| load(&self.roots)).clone();
        for authority in &settings.authorities {
            store.add(authority.clone()).map_err(|error| DialError::Trust {
                what: format!("an authority of the settings cannot be used: {error}"),
            })?;
        }
        if store.is_empty() {
            let what = "no certification authority is known: install the system's CA certificates, or name a \
                        bundle by SSL_CERT_FILE";
            return Err(DialError::Trust {
                what: what.to_owned(),
            });
        }
        Ok(store)
    }
}

impl Roots {
    /// Those of files where variables name some, else the system's.
    pub fn from_environment(environment: &crate::Environment) -> Self {
        let file = environment.ssl_cert_file.clone();
        let directories = environment.ssl_cert_dir.as_ref();
        let directories: Vec<PathBuf> = directories
            .map(|list| std::env::split_paths(list).collect())
            .unwrap_or_default();
        if file.is_none() && directories.is_empty() {
            Self::System
        } else {
            Self::Files { file, directories }
        }
    }
}

/// Certificates that cannot be read are left out, as every other TLS client does: there are odd ones in real
/// bundles, and what is missing shows as an unknown issuer.
fn load(roots: &Roots) -> RootCertStore {
    let results: Vec<CertificateResult> = match roots {
        Roots::System => vec![rustls_native_certs::load_native_certs()],
        Roots::Files { file, directories } => {
            let file = file.as_deref();
            let file = file.map(|file| rustls_native_certs::load_certs_from_paths(Some(file), None));
            let directories = directories
                .iter()
                .map(|dir| rustls_native_certs::load_certs_from_paths(None, Some(dir)));
            file.into_iter().chain(directories).collect()
        }
        Roots::None => Vec::new(),
    };
    let mut store = RootCertStore::empty();
    for result in results {
        store.add_parsable_certificates(result.certs);
    }
    store
}

/// Who one may say to be. A server that asks names the authorities that it believes.
#[derive(Debug)]
struct Identities(Vec<Arc<CertifiedKey>>);

impl Identities {
    fn new(identities: Vec<Identity>, provider: &CryptoProvider) -> Result<Self, rustls::Error> {
        let certified = identities
            .into_iter()
            .map(|identity| CertifiedKey::from_der(identity.chain, identity.key, provider).map(Arc::new));
        certified.collect::<Result<_, _>>().map(Self)
    }
}

impl ResolvesClientCert for Identities {
    /// The first one that an authority of the server vouches for, else the first one.
    fn resolve(&self, authorities: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let usable = || {
            let signs = |it: &&Arc<CertifiedKey>| it.key.choose_scheme(schemes).is_some();
            self.0.iter().filter(signs)
        };
        // The name of who issued a certificate stands in it, in the same bytes as in the server's list.
        let is_vouched_for = |it: &&Arc<CertifiedKey>| {
            let names = |certificate: &CertificateDer<'_>| {
                authorities.iter().any(|name| {
                    !name.is_empty() && certificate.windows(name.len()).any(|window| window == *name)
                })
            };
            it.cert.iter().any(names)
        };
        usable().find(is_vouched_for).or_else(|| usable().next()).cloned()
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// Takes any certificate; that the server holds its key is checked nevertheless.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
