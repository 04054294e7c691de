//! What can be set about a client: for one registry, and for all.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::certificates::{CertificateDirectory, unreadable};
use crate::error::{Error, Result};

/// How one registry is spoken to. None of it touches any other host, also not one that the registry redirects to.
///
/// ```
/// use stevedore_registry_client::RegistrySettings;
///
/// let settings = RegistrySettings::new().with_plain_http(true).with_trusted_realm("auth.example.com");
/// assert!(!settings.insecure);
/// ```
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct RegistrySettings {
    /// Whether HTTP is spoken without TLS. Where nothing is said it is not, but for a registry on loopback (and one
    /// that is [`insecure`](Self::insecure)) that does not answer to TLS.
    pub plain_http: Option<bool>,
    /// Whether the certificate is not verified. Whoever sits in between can then read and change everything.
    pub insecure: bool,
    /// Hosts (`auth.example.com`, by https) and origins (`http://auth.lan:5001`) of token services that get the
    /// registry's credentials, beside those that do by [the rule](crate::auth).
    pub trusted_realms: Vec<String>,
    /// Whether a registry that is reached at a public address may send its clients to private ones, as a storage
    /// that is reached over a private link. A registry at a private address may.
    pub private_targets: bool,
    /// The size in bytes of the chunks that blobs are sent in, at most 16 MiB; without one they are sent whole where
    /// the registry takes that. For registries behind proxies that take no large requests and do not say so.
    pub chunk_size: Option<u64>,
    pub(crate) authorities: Vec<CertificateDer<'static>>,
    /// The first one that a server takes is shown.
    pub(crate) identities: Vec<Identity>,
    /// Whether a directory was named, so that none is looked for.
    pub(crate) directory_named: bool,
}

/// A client certificate with its chain, and its key.
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

/// How long is waited for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// For a connection: names, TCP on all addresses, TLS. 30 seconds.
    pub connect: Duration,
    /// For the head of an answer after a request was sent, and for the next bytes of a document or list. 60 seconds:
    /// some registries fetch from elsewhere first.
    pub response: Duration,
    /// The same for requests after which a registry has work to do, as the end of an upload: some assemble and
    /// hash it then. 10 minutes.
    pub commit: Duration,
    /// For the next bytes of a blob, in either direction. 60 seconds.
    pub idle: Duration,
}

/// How requests are repeated that failed for a reason that may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// How often a request is sent at most. 5.
    pub attempts: u32,
    /// The longest wait before the second try; it doubles with each further one. The wait is a random time up to
    /// it ("full jitter"). 500 milliseconds.
    pub first_wait: Duration,
    /// What the wait never exceeds where the registry did not ask for more. 30 seconds.
    pub longest_wait: Duration,
    /// The longest wait that a registry may ask for by `Retry-After`; for more the request fails, and says so.
    /// 2 minutes.
    pub longest_asked_wait: Duration,
    /// A call that was waited for so long in vain, over all tries, is not sent again: who says nothing for so long is
    /// not slow, but gone. 110 seconds.
    pub longest_silence: Duration,
}

/// Which certification authorities are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Roots {
    /// Those of the system, or of the files that `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
    #[default]
    System,
    /// Those of a file and of directories, in PEM.
    Files {
        /// A bundle.
        file: Option<PathBuf>,
        /// Directories.
        directories: Vec<PathBuf>,
    },
    /// None but those that the settings of a registry add.
    None,
}

impl RegistrySettings {
    /// HTTPS, verified against the system's authorities.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same settings, with or without TLS for certain.
    #[must_use]
    pub fn with_plain_http(mut self, plain: bool) -> Self {
        self.plain_http = Some(plain);
        self
    }

    /// The same settings, without verifying the certificate, and without TLS where the registry has none.
    #[must_use]
    pub fn with_insecure(mut self, insecure: bool) -> Self {
        self.insecure = insecure;
        self
    }

    /// The same settings, with a token service that gets the registry's credentials.
    #[must_use]
    pub fn with_trusted_realm(mut self, realm: impl Into<String>) -> Self {
        self.trusted_realms.push(realm.into());
        self
    }

    /// The same settings, following the registry also to private addresses.
    #[must_use]
    pub fn with_private_targets(mut self, private: bool) -> Self {
        self.private_targets = private;
        self
    }

    /// The same settings, sending blobs in chunks of so many bytes.
    #[must_use]
    pub fn with_chunk_size(mut self, bytes: u64) -> Self {
        self.chunk_size = Some(bytes);
        self
    }

    /// The same settings, trusting more certification authorities, in PEM.
    ///
    /// # Errors
    /// [`Error::Setting`] if there is no certificate in it, or a broken one.
    pub fn with_authorities_pem(mut self, pem: &[u8]) -> Result<Self> {
        self.authorities.extend(certificates(pem)?);
        Ok(self)
    }

    /// The same settings, with a client certificate (its chain behind it) and its key, in PEM. The registry gets it
    /// at its own host and port only, never whoever it sends to.
    ///
    /// # Errors
    /// [`Error::Setting`] if certificate or key are missing or broken.
    pub fn with_identity_pem(mut self, chain: &[u8], key: &[u8]) -> Result<Self> {
        // Before those of a directory.
        self.identities.insert(0, Identity::from_pem(chain, key)?);
        Ok(self)
    }

    /// The same settings, with the authorities and client certificates of a directory, and of no other
    /// ([`CertificateDirectories`](crate::CertificateDirectories)).
    ///
    /// # Errors
    /// [`Error::Setting`] if the directory or a file in it cannot be read or used.
    pub fn with_certificate_directory(mut self, path: impl AsRef<Path>) -> Result<Self> {
        self.directory_named = true;
        self.add_directory(&CertificateDirectory::open(path)?)?;
        Ok(self)
    }

    /// Adds what is in a directory.
    pub(crate) fn add_directory(&mut self, directory: &CertificateDirectory) -> Result<()> {
        for path in directory.authorities() {
            let found = certificates(&read(path)?).map_err(|error| unusable(path, error))?;
            self.authorities.extend(found);
        }
        for (chain, key) in directory.identities() {
            let identity = Identity::from_pem(&read(chain)?, &read(key)?);
            self.identities
                .push(identity.map_err(|error| unusable(chain, error))?);
        }
        Ok(())
    }
}

impl Identity {
    fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self> {
        let chain = certificates(chain)?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|_| Error::setting("the client key is not a private key in PEM"))?;
        Ok(Self { chain, key })
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| unreadable("read", path, error))
}

fn unusable(path: &Path, error: Error) -> Error {
    Error::Setting {
        what: format!("{} has no certificates to be used", path.display()),
        source: Some(Box::new(error)),
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(Error::setting("there is no certificate in the PEM text")),
        Err(source) => Err(Error::Setting {
            what: "the certificates are not understood".to_owned(),
            source: Some(Box::new(source)),
        }),
    }
}

impl Clone for Identity {
    fn clone(&self) -> Self {
        Self {
            chain: self.chain.clone(),
            key: self.key.clone_key(),
        }
    }
}

impl fmt::Debug for RegistrySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistrySettings")
            .field("plain_http", &self.plain_http)
            .field("insecure", &self.insecure)
            .field("trusted_realms", &self.trusted_realms)
            .field("private_targets", &self.private_targets)
            .field("chunk_size", &self.chunk_size)
            .field("authorities", &self.authorities.len())
            .field("identities", &self.identities.len())
            .field("directory_named", &self.directory_named)
            .finish()
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            response: Duration::from_secs(60),
            commit: Duration::from_secs(600),
            idle: Duration::from_secs(60),
        }
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 5,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(30),
            longest_asked_wait: Duration::from_secs(120),
            longest_silence: Duration::from_secs(110),
        }
    }
}

impl Timeouts {
    /// The same times, but for a connection.
    #[must_use]
    pub fn with_connect(mut self, connect: Duration) -> Self {
        self.connect = connect;
        self
    }

    /// The same times, but for the head of an answer.
    #[must_use]
    pub fn with_response(mut self, response: Duration) -> Self {
        self.response = response;
        self
    }

    /// The same times, but for the head of an answer that ends an upload.
    #[must_use]
    pub fn with_commit(mut self, commit: Duration) -> Self {
        self.commit = commit;
        self
    }

    /// The same times, but for the next bytes of a body.
    #[must_use]
    pub fn with_idle(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }
}

impl RetryPolicy {
    /// Every request is sent once.
    pub fn never() -> Self {
        Self::default().with_attempts(1)
    }

    /// The same policy with another number of attempts; 0 counts as 1.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// The same policy with another first and longest wait.
    #[must_use]
    pub fn with_waits(mut self, first: Duration, longest: Duration) -> Self {
        self.first_wait = first;
        self.longest_wait = longest;
        self
    }

    /// The same policy with another bound on how long a call is waited for in vain.
    #[must_use]
    pub fn with_longest_silence(mut self, longest: Duration) -> Self {
        self.longest_silence = longest;
        self
    }

    /// The same policy with another bound on what a registry may ask for.
    #[must_use]
    pub fn with_longest_asked_wait(mut self, longest: Duration) -> Self {
        self.longest_asked_wait = longest;
        self
    }
}
