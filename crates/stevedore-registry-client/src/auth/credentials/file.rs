//! Credential files: Docker's `config.json`, and `auth.json` of the containers tools, which has the same form.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use super::{Credential, CredentialError};
use crate::auth::Secret;

/// The bytes of a credential file that are read; a larger one is an error.
pub(super) const FILE_LIMIT: u64 = 1024 * 1024;

/// The user name that stands for "the secret is an identity token".
pub(super) const TOKEN_USER: &str = "<token>";

/// The key that Docker's tools file Docker Hub under.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// Base64 as Docker writes it; padding may be missing.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The part of a credential file that says who to be.
#[derive(Debug)]
pub(super) struct AuthFile {
    path: PathBuf,
    shape: Shape,
}

/// One entry of `auths`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'f> {
    path: &'f Path,
    pub(super) key: &'f str,
    fields: &'f Fields,
}

// No `Debug` that shows a field: they are secrets.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    #[serde(default, deserialize_with = "null_is_empty")]
    auths: BTreeMap<String, Option<Fields>>,
    #[serde(default, deserialize_with = "null_is_empty")]
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
struct Fields {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

/// A key of `auths` in the form in which keys are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key<'k> {
    host: Cow<'k, str>,
    /// The path with its leading slash, or nothing.
    path: &'k str,
    /// Whether it was a URL, as old Docker versions wrote them: such a key has no path.
    url: bool,
}

impl AuthFile {
    /// Reads a file, or says that there is none.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, CredentialError> {
        match read_bytes(path)? {
            Some(bytes) => Self::parse(path, &bytes).map(Some),
            None => Ok(None),
        }
    }

    /// Reads what is in a file. An empty file is one without entries.
    pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Self, CredentialError> {
        let shape = if bytes.trim_ascii().is_empty() {
            Shape::default()
        } else {
            // The error of serde_json quotes the value that it did not expect: it is dropped, but for the place.
            serde_json::from_slice(bytes).map_err(|error| CredentialError::Syntax {
                path: path.to_owned(),
                line: error.line(),
                column: error.column(),
            })?
        };
        Ok(Self {
            path: path.to_owned(),
            shape,
        })
    }

    /// The entry of `auths` for a normalised key. Where several spellings mean the same, one that is no URL goes
    /// first, then one that says something.
    pub(super) fn entry(&self, wanted: &str) -> Option<Entry<'_>> {
        let same = self.shape.auths.iter().filter_map(|(key, fields)| {
            let normal = normalise(key);
            (normal.text() == wanted).then_some((normal.url, key, fields.as_ref()))
        });
        let (_, key, fields) = same.min_by_key(|(url, _, fields)| {
            let empty = fields.is_none_or(Fields::is_empty);
            (empty, *url)
        })?;
        Some(Entry {
            path: &self.path,
            key,
            fields: fields?,
        })
    }

    /// All spellings under which a normalised key stands in `auths`, whatever their entries hold.
    pub(super) fn spellings(&self, wanted: &str) -> Vec<&str> {
        let keys = self.shape.auths.keys().map(String::as_str);
        keys.filter(|key| normalise(key).text() == wanted).collect()
    }

    /// The helpers to ask about a host, in order: the one that `credHelpers` names for it (an empty name there says
    /// that no helper is to be asked), then the one for all hosts.
    pub(super) fn helpers(&self, host: &str) -> Vec<&str> {
        let mut named = self.shape.cred_helpers.iter();
        let own = named
            .find(|(key, _)| normalise(key).text() == host)
            .map(|(_, name)| name.as_str());
        if own == Some("") {
            return Vec::new();
        }
        let store = self.shape.creds_store.as_deref().filter(|name| !name.is_empty());
        own.into_iter().chain(store).collect()
    }

    /// All helpers that the file names.
    pub(super) fn all_helpers(&self) -> BTreeSet<&str> {
        let named = self.shape.cred_helpers.values().map(String::as_str);
        named
            .chain(self.shape.creds_store.as_deref())
            .filter(|name| !name.is_empty())
            .collect()
    }

    /// All hosts and repositories that `auths` has a user for, with the user's name.
    pub(super) fn users(&self) -> impl Iterator<Item = (String, Option<String>)> {
        let keys = self.shape.auths.keys();
        keys.filter_map(|key| {
            let entry = self.entry(&normalise(key).text())?;
            let credential = entry.credential().ok().flatten()?;
            Some((
                normalise(key).to_owned_key(),
                credential.username().map(str::to_owned),
            ))
        })
    }
}

impl Entry<'_> {
    /// The credential of the entry; an entry that only marks that a helper knows more has none.
    pub(super) fn credential(self) -> Result<Option<Credential>, CredentialError> {
        let filled = |field: &Option<String>| field.clone().filter(|text| !text.is_empty());
        let user = match filled(&self.fields.auth) {
            Some(auth) => Some(self.decode(&auth)?),
            None => filled(&self.fields.username).map(|name| (name, filled(&self.fields.password))),
        };
        if let Some(token) = filled(&self.fields.identitytoken) {
            let username = user.map(|(name, _)| name).filter(|name| !name.is_empty());
            return Ok(Some(Credential::Identity {
                username,
                token: Secret::from(token),
            }));
        }
        if let Some(token) = filled(&self.fields.registrytoken) {
            return Ok(Some(Credential::bearer(token)));
        }
        Ok(user.map(|(name, password)| from_user(name, password.unwrap_or_default())))
    }

    fn decode(self, auth: &str) -> Result<(String, Option<String>), CredentialError> {
        let decode = || {
            let bytes = BASE64.decode(auth.trim()).ok()?;
            let text = String::from_utf8(bytes).ok()?;
            let (name, password) = text.split_once(':')?;
            // Old versions of Docker padded the password with zero bytes.
            Some((name.to_owned(), Some(password.trim_matches('\0').to_owned())))
        };
        decode().ok_or_else(|| CredentialError::Entry {
            path: self.path.to_owned(),
            key: self.key.to_owned(),
        })
    }
}

impl Fields {
    fn is_empty(&self) -> bool {
        [
            &self.auth,
            &self.username,
            &self.identitytoken,
            &self.registrytoken,
        ]
        .into_iter()
        .all(|field| field.as_ref().is_none_or(String::is_empty))
    }
}

impl Key<'_> {
    fn text(&self) -> Cow<'_, str> {
        if self.path.is_empty() {
            Cow::Borrowed(self.host.as_ref())
        } else {
            Cow::Owned(format!("{}{}", self.host, self.path))
        }
    }

    pub(super) fn to_owned_key(&self) -> String {
        self.text().into_owned()
    }
}

impl std::fmt::Debug for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shape")
            .field("auths", &self.auths.keys())
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Fields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fields(…)")
    }
}

/// The bytes of a file, or `None` where there is none.
pub(super) fn read_bytes(path: &Path) -> Result<Option<Vec<u8>>, CredentialError> {
    let failed = |source| CredentialError::Read {
        path: path.to_owned(),
        source,
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = Vec::new();
    file.take(FILE_LIMIT + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(CredentialError::TooLarge {
            path: path.to_owned(),
            limit: FILE_LIMIT,
        });
    }
    Ok(Some(bytes))
}

/// A name and a secret as helpers and files give them.
pub(super) fn from_user(username: String, secret: String) -> Credential {
    if username == TOKEN_USER {
        Credential::identity(secret)
    } else {
        Credential::basic(username, secret)
    }
}

pub(super) fn encode_user(username: &str, password: &str) -> String {
    BASE64.encode(format!("{username}:{password}"))
}

/// A key as it is compared: without scheme, host in lower case, all names of Docker Hub the same.
pub(super) fn normalise(key: &str) -> Key<'_> {
    let stripped = key
        .strip_prefix("https://")
        .or_else(|| key.strip_prefix("http://"));
    let url = stripped.is_some();
    let text = stripped.unwrap_or(key).trim_end_matches('/');
    let (host, path) = text.split_at(text.find('/').unwrap_or(text.len()));
    let host = if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(host.to_ascii_lowercase())
    } else {
        Cow::Borrowed(host)
    };
    let (host, hub) = match host.as_ref() {
        "index.docker.io" | "registry-1.docker.io" | "docker.io" => (Cow::Borrowed("docker.io"), true),
        _ => (host, false),
    };
    let path = if url || hub && matches!(path, "/v1" | "/v2") {
        ""
    } else {
        path
    };
    Key { host, path, url }
}

/// The keys that may hold a credential for a repository, the longest first, the host alone last.
pub(super) fn keys(registry: &str, repository: &str) -> Vec<String> {
    let host = normalise(registry).to_owned_key();
    let mut keys = Vec::new();
    let mut path = repository.trim_matches('/');
    while !path.is_empty() {
        keys.push(format!("{host}/{path}"));
        path = path.rfind('/').map_or("", |slash| &path[..slash]);
    }
    keys.push(host);
    keys
}

/// What a helper is asked for: the host, but for Docker Hub the URL that Docker always used.
pub(super) fn server_url(host: &str) -> &str {
    if host == "docker.io" { DOCKER_HUB_KEY } else { host }
}

fn null_is_empty<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests;
