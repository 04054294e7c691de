//! `login` and `logout`: credentials go into the files and helpers that [`CredentialSources`] reads them from.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use stevedore_core::edit::Edit;

use super::file::{self, AuthFile};
use super::{Credential, CredentialError, CredentialSources};

impl CredentialSources {
    /// Stores a credential for a registry (`host`, `host:port`) or a part of it (`host/team`), and says where.
    ///
    /// It goes to the file that already has an entry for it, else to the first file that exists, else into Docker's
    /// `config.json`, which nearly every tool reads; and from there to the helper, if the file names one for the
    /// host. A file is written anew beside itself, for its owner only (mode 0600), synced and renamed; everything
    /// else in it stays as it was, byte for byte. A file that is a link stays one.
    ///
    /// This does not ask the registry whether the credential is right.
    ///
    /// # Errors
    /// [`CredentialError::NoPlace`], [`CredentialError::Unstorable`], and what reading and writing files and running
    /// helpers can meet.
    pub async fn login(&self, key: &str, credential: &Credential) -> Result<String, CredentialError> {
        self.forget_answers().await;
        let wanted = file::normalise(key).to_owned_key();
        let path = self.place_for(&wanted)?;
        let file = AuthFile::read(&path)?;
        if !wanted.contains('/')
            && let Some(name) = file
                .as_ref()
                .and_then(|file| file.helpers(&wanted).first().copied())
        {
            let helper = self.helper(name)?;
            helper.store(file::server_url(&wanted), credential).await?;
            return Ok(helper.describe(&path));
        }
        let fields = Stored::new(credential)?;
        change(&path, |edit, file| {
            // The one that reading prefers, so that what was stored is also what is found.
            let known = file.entry(&wanted).map(|entry| entry.key);
            let known = known.or_else(|| file.spellings(&wanted).first().copied());
            let docker = path.file_name().is_some_and(|name| name == "config.json");
            let new = if docker {
                file::server_url(&wanted)
            } else {
                wanted.as_str()
            };
            let key = known.unwrap_or(new);
            let mut entry = edit
                .get(["auths", key])
                .and_then(|text| Edit::new(text.as_bytes()).ok());
            let entry = match &mut entry {
                Some(entry) => {
                    fields.put_into(entry)?;
                    entry.as_str().to_owned()
                }
                None => serde_json::to_string(&fields.0).map_err(io::Error::other)?,
            };
            edit.set_raw(["auths", key], entry).map_err(io::Error::other)?;
            Ok(true)
        })?;
        Ok(path.display().to_string())
    }

    /// Forgets the credential for a registry or a part of it, in all files and helpers that are read, and says where
    /// there was one: nothing is found for it afterwards but what is given or stored for something shorter.
    ///
    /// # Errors
    /// What reading and writing files and running helpers can meet.
    pub async fn logout(&self, key: &str) -> Result<Vec<String>, CredentialError> {
        self.forget_answers().await;
        let wanted = file::normalise(key).to_owned_key();
        let mut places = Vec::new();
        for path in self.files() {
            let Some(file) = AuthFile::read(&path)? else {
                continue;
            };
            if !wanted.contains('/') {
                for name in file.helpers(&wanted) {
                    let helper = self.helper(name)?;
                    let server = file::server_url(&wanted);
                    // Most helpers call it a success to erase what they never had.
                    if helper.get(server).await?.is_some() && helper.erase(server).await? {
                        places.push(helper.describe(&path));
                    }
                }
            }
            if file.spellings(&wanted).is_empty() {
                continue;
            }
            change(&path, |edit, file| {
                let mut changed = false;
                for key in file.spellings(&wanted) {
                    changed |= edit.remove(["auths", key]).map_err(io::Error::other)?;
                }
                Ok(changed)
            })?;
            places.push(path.display().to_string());
        }
        Ok(places)
    }

    /// The registries and parts of registries that the files and their helpers know a user for, with the user's
    /// name; where several places know one, the place that is asked first counts.
    ///
    /// # Errors
    /// What reading files and running helpers can meet.
    pub async fn users(&self) -> Result<BTreeMap<String, Option<String>>, CredentialError> {
        let mut users = BTreeMap::new();
        for path in self.files() {
            let Some(file) = AuthFile::read(&path)? else {
                continue;
            };
            for name in file.all_helpers() {
                for (server, user) in self.helper(name)?.list().await? {
                    let server = file::normalise(&server).to_owned_key();
                    users
                        .entry(server)
                        .or_insert_with(|| (user != file::TOKEN_USER).then_some(user));
                }
            }
            for (key, user) in file.users() {
                users.entry(key).or_insert(user);
            }
        }
        Ok(users)
    }

    fn place_for(&self, wanted: &str) -> Result<PathBuf, CredentialError> {
        let files = self.files();
        let mut first = None;
        for path in &files {
            if let Some(file) = AuthFile::read(path)? {
                if file.entry(wanted).is_some() {
                    return Ok(path.clone());
                }
                first = first.or(Some(path));
            }
        }
        let named = self
            .auth_file
            .clone()
            .or_else(|| self.environment.registry_auth_file.clone());
        let place = named
            .or_else(|| first.cloned())
            .or_else(|| self.environment.docker_file());
        place
            .or_else(|| files.first().cloned())
            .ok_or(CredentialError::NoPlace)
    }
}

/// The members of an entry of `auths`.
struct Stored(BTreeMap<&'static str, String>);

/// All members that say who to be: those that a new credential does not have must go.
const MEMBERS: [&str; 5] = ["auth", "username", "password", "identitytoken", "registrytoken"];

impl Stored {
    fn new(credential: &Credential) -> Result<Self, CredentialError> {
        let user = |username: &str, password: &str| {
            if username.contains(':') {
                let reason = "the user's name has a colon in it";
                return Err(CredentialError::Unstorable { reason });
            }
            Ok(("auth", file::encode_user(username, password)))
        };
        Ok(Self(match credential {
            Credential::Anonymous => {
                return Err(CredentialError::Unstorable {
                    reason: "it is the anonymous one",
                });
            }
            Credential::Basic { username, password } => [user(username, password.expose())?].into(),
            Credential::Identity { username, token } => {
                let username = username.as_deref().unwrap_or(file::TOKEN_USER);
                [user(username, "")?, ("identitytoken", token.expose().to_owned())].into()
            }
            Credential::Bearer { token } => [("registrytoken", token.expose().to_owned())].into(),
        }))
    }

    fn put_into(&self, entry: &mut Edit) -> io::Result<()> {
        for member in MEMBERS {
            match self.0.get(member) {
                Some(value) => entry.set([member], value).map_err(io::Error::other)?,
                None => drop(entry.remove([member]).map_err(io::Error::other)?),
            }
        }
        Ok(())
    }
}

impl Serialize for Stored {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// Changes a file under the lock of its directory, so that two of us at once lose nothing.
fn change(
    path: &Path,
    edit: impl FnOnce(&mut Edit, &AuthFile) -> io::Result<bool>,
) -> Result<(), CredentialError> {
    let failed = |source| CredentialError::Write {
        path: path.to_owned(),
        source,
    };
    // A file that is a link into somebody's dotfiles stays a link.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let directory = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    crate::sys::create_private_directories(directory).map_err(failed)?;
    let lock = File::open(directory).ok();
    if let Some(lock) = &lock {
        // Where directories cannot be locked there is no lock, and the rename alone has to do.
        lock.lock().ok();
    }
    let bytes = file::read_bytes(&target)?.unwrap_or_default();
    let file = AuthFile::parse(&target, &bytes)?;
    let empty = bytes.trim_ascii().is_empty();
    let mut document = Edit::new(if empty { b"{\n}\n" } else { &bytes }).map_err(|error| {
        // The error names keys and places, never values.
        failed(io::Error::other(error))
    })?;
    if edit(&mut document, &file).map_err(failed)? {
        replace(&target, directory, &document.into_bytes()).map_err(failed)?;
    }
    Ok(())
}

fn replace(target: &Path, directory: &Path, bytes: &[u8]) -> io::Result<()> {
    let random = RandomState::new().hash_one(std::process::id());
    let temporary = directory.join(format!(".stevedore-{random:016x}.tmp"));
    let written = write(&temporary, bytes).and_then(|()| fs::rename(&temporary, target));
    if written.is_err() {
        fs::remove_file(&temporary).ok();
    }
    written?;
    crate::sys::sync_directory(directory)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = crate::sys::create_private(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
