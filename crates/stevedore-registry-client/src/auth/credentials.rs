//! Where the credentials for a registry come from.

mod error;
mod file;
mod helper;
mod login;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

pub use self::error::CredentialError;
use self::file::{AuthFile, Entry};
use self::helper::Helper;
use super::Secret;
use crate::Environment;

/// What a client shows to a registry to say who it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Credential {
    /// Nothing: whatever is public.
    Anonymous,
    /// A user's name and password.
    Basic {
        /// The name, without a colon.
        username: String,
        /// The password, or what the registry takes for one.
        password: Secret,
    },
    /// An OAuth2 refresh token, which a token service changes for bearer tokens (Docker's `identitytoken`).
    Identity {
        /// The user's name, where it is known.
        username: Option<String>,
        /// The refresh token.
        token: Secret,
    },
    /// A token that the registry itself takes (Docker's `registrytoken`).
    Bearer {
        /// The token.
        token: Secret,
    },
}

/// A credential, and where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// The credential.
    pub credential: Credential,
    /// Where it comes from, for people: a path, a helper, a flag. Empty if there is none.
    pub origin: String,
}

/// A place that has, or may have, the credential for a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Candidate {
    /// The file, for people.
    pub origin: String,
    /// The entry in it, or the program that it names.
    pub entry: String,
    /// The user's name, where it is known.
    pub username: Option<String>,
    /// Whether it is a helper, which may have none.
    pub is_helper: bool,
}

/// The places where credentials are looked for, in this order; the first one that has some for a registry wins:
///
/// 1. a credential given for the registry or a part of it ([`with_credential`](Self::with_credential): flags);
/// 2. the file given by [`with_auth_file`](Self::with_auth_file) (a flag); no other file is looked at then;
/// 3. the file named by `REGISTRY_AUTH_FILE`;
/// 4. `$XDG_RUNTIME_DIR/containers/auth.json`;
/// 5. `$XDG_CONFIG_HOME/containers/auth.json`, or that under `~/.config`;
/// 6. `$DOCKER_CONFIG/config.json`, or that under `~/.docker`.
///
/// A file that is not there is no error, one that cannot be read or understood is. Within a file:
///
/// 1. the entry of `auths` with the longest key that leads to the repository (`host/a/b`, then `host/a`);
/// 2. the helper that `credHelpers` names for the host;
/// 3. the helper that `credsStore` names for all hosts;
/// 4. the entry of `auths` for the host, also under an old key as `https://host/v1/`.
///
/// A helper that fails is an error: to go on without credentials would only hide why something is not found.
///
/// ```
/// use stevedore_registry_client::Environment;
/// use stevedore_registry_client::auth::{Credential, CredentialSources};
///
/// # async fn example() -> Result<(), stevedore_registry_client::auth::CredentialError> {
/// let sources = CredentialSources::new(Environment::from_process());
/// let found = sources.find("registry.example.com", "team/app").await?;
/// if found.credential != Credential::Anonymous {
///     eprintln!("credentials from {}", found.origin);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct CredentialSources {
    given: BTreeMap<String, Credential>,
    auth_file: Option<PathBuf>,
    environment: Environment,
    helper_timeout: Duration,
    /// What helpers said, so that a hundred repositories of one registry ask once. Shared by clones.
    answers: Arc<Mutex<Answers>>,
}

/// By helper and server, with the time at which it was asked.
type Answers = BTreeMap<(String, String), (Instant, Option<Credential>)>;

/// How long a helper's answer is good without asking again.
const ANSWER_LIFE: Duration = Duration::from_secs(300);

/// How long a credential helper may take. Some ask a cloud's API, some a person.
const HELPER_TIMEOUT: Duration = Duration::from_secs(60);

impl CredentialSources {
    /// The files and helpers that an environment leads to.
    pub fn new(environment: Environment) -> Self {
        Self {
            given: BTreeMap::new(),
            auth_file: None,
            environment,
            helper_timeout: HELPER_TIMEOUT,
            answers: Arc::default(),
        }
    }

    /// No places at all: every registry is spoken to anonymously, but for credentials that are given.
    pub fn none() -> Self {
        Self::new(Environment::empty())
    }

    /// The same places, with a credential for a registry (`host`, `host:port`) or a part of it (`host/team`).
    /// [`Credential::Anonymous`] keeps the files from being asked.
    #[must_use]
    pub fn with_credential(mut self, key: &str, credential: Credential) -> Self {
        self.given.insert(file::normalise(key).to_owned_key(), credential);
        self
    }

    /// The same places, but of all files only this one.
    #[must_use]
    pub fn with_auth_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.auth_file = Some(path.into());
        self
    }

    /// The same places; a helper that takes longer is ended and an error. The default is 60 seconds.
    #[must_use]
    pub fn with_helper_timeout(mut self, timeout: Duration) -> Self {
        self.helper_timeout = timeout;
        self
    }

    /// The credential for a repository of a registry (`docker.io` for Docker Hub), or the anonymous one.
    ///
    /// # Errors
    /// [`CredentialError`] for a file that cannot be read or understood, and for a helper that fails. Neither shows
    /// what was in the file or what the helper said.
    pub async fn find(&self, registry: &str, repository: &str) -> Result<Found, CredentialError> {
        let keys = file::keys(registry, repository);
        if let Some(credential) = keys.iter().find_map(|key| self.given.get(key)) {
            return Ok(Found::new(
                credential.clone(),
                "what was given for this registry".to_owned(),
            ));
        }
        for path in self.files() {
            let Some(file) = AuthFile::read(&path)? else {
                continue;
            };
            if let Some(found) = self.find_in(&file, &path, &keys).await? {
                return Ok(found);
            }
        }
        Ok(Found::new(Credential::Anonymous, String::new()))
    }

    /// Where the credential for a repository comes from, without asking a helper and without the secret: each place in
    /// the order in which it is asked, up to the first that certainly has one. Empty where there is none.
    ///
    /// # Errors
    /// [`CredentialError`] for a file that cannot be read or understood.
    pub fn explain(&self, registry: &str, repository: &str) -> Result<Vec<Candidate>, CredentialError> {
        let keys = file::keys(registry, repository);
        if let Some((key, credential)) = keys.iter().find_map(|key| Some((key, self.given.get(key)?))) {
            return Ok(vec![Candidate::certain("what was given", key, credential)]);
        }
        let mut candidates = Vec::new();
        let Some((host, deeper)) = keys.split_last() else {
            return Ok(candidates);
        };
        for path in self.files() {
            let Some(file) = AuthFile::read(&path)? else {
                continue;
            };
            let origin = path.display().to_string();
            let entry = |key: &String| -> Result<Option<Candidate>, CredentialError> {
                let Some(entry) = file.entry(key) else {
                    return Ok(None);
                };
                let credential = entry.credential()?;
                Ok(credential.map(|credential| Candidate::certain(&origin, entry.key, &credential)))
            };
            for key in deeper {
                if let Some(candidate) = entry(key)? {
                    candidates.push(candidate);
                    return Ok(candidates);
                }
            }
            candidates.extend(file.helpers(host).into_iter().map(|name| Candidate {
                origin: origin.clone(),
                entry: format!("docker-credential-{name}"),
                username: None,
                is_helper: true,
            }));
            if let Some(candidate) = entry(host)? {
                candidates.push(candidate);
                return Ok(candidates);
            }
        }
        Ok(candidates)
    }

    async fn find_in(
        &self,
        file: &AuthFile,
        path: &Path,
        keys: &[String],
    ) -> Result<Option<Found>, CredentialError> {
        let from_file = |credential| Found::new(credential, path.display().to_string());
        let Some((host, deeper)) = keys.split_last() else {
            return Ok(None);
        };
        for key in deeper {
            if let Some(credential) = file.entry(key).map(Entry::credential).transpose()?.flatten() {
                return Ok(Some(from_file(credential)));
            }
        }
        for name in file.helpers(host) {
            let helper = self.helper(name)?;
            if let Some(credential) = self.ask(&helper, file::server_url(host)).await? {
                return Ok(Some(Found::new(credential, helper.describe(path))));
            }
        }
        let credential = file.entry(host).map(Entry::credential).transpose()?.flatten();
        Ok(credential.map(from_file))
    }

    /// What a helper says, or said a short while ago. Whoever asks meanwhile waits for the same answer.
    async fn ask(&self, helper: &Helper, server: &str) -> Result<Option<Credential>, CredentialError> {
        let mut answers = self.answers.lock().await;
        let question = (helper.name().to_owned(), server.to_owned());
        if let Some((asked, answer)) = answers.get(&question)
            && asked.elapsed() < ANSWER_LIFE
        {
            return Ok(answer.clone());
        }
        let answer = helper.get(server).await?;
        answers.insert(question, (Instant::now(), answer.clone()));
        Ok(answer)
    }

    /// Forgets what helpers said: some give out passwords that expire.
    pub(crate) async fn forget_answers(&self) {
        self.answers.lock().await.clear();
    }

    fn helper(&self, name: &str) -> Result<Helper, CredentialError> {
        Helper::find(name, self.environment.path.as_deref(), self.helper_timeout)
    }

    /// The files in order, whether they exist or not.
    fn files(&self) -> Vec<PathBuf> {
        match &self.auth_file {
            Some(path) => vec![path.clone()],
            None => self.environment.auth_files(),
        }
    }
}

impl Credential {
    /// A user's name and password.
    pub fn basic(username: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self::Basic {
            username: username.into(),
            password: password.into(),
        }
    }

    /// A token that the registry itself takes.
    pub fn bearer(token: impl Into<Secret>) -> Self {
        Self::Bearer { token: token.into() }
    }

    /// An OAuth2 refresh token.
    pub fn identity(token: impl Into<Secret>) -> Self {
        Self::Identity {
            username: None,
            token: token.into(),
        }
    }

    /// The user's name, where the credential has one.
    pub fn username(&self) -> Option<&str> {
        match self {
            Self::Basic { username, .. } => Some(username),
            Self::Identity { username, .. } => username.as_deref(),
            Self::Anonymous | Self::Bearer { .. } => None,
        }
    }
}

impl Candidate {
    fn certain(origin: &str, entry: &str, credential: &Credential) -> Self {
        Self {
            origin: origin.to_owned(),
            entry: entry.to_owned(),
            username: credential.username().map(str::to_owned),
            is_helper: false,
        }
    }
}

impl Found {
    fn new(credential: Credential, origin: String) -> Self {
        Self { credential, origin }
    }
}
