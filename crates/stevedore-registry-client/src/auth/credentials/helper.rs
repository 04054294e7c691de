//! Credential helpers: programs named `docker-credential-NAME` that answer over a pipe.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use futures_util::future::join;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use super::file::{TOKEN_USER, from_user};
use super::{Credential, CredentialError};
use crate::sys;

/// The bytes of a helper's answer that are read; a longer one is not understood.
const ANSWER_LIMIT: u64 = 1024 * 1024;

/// How often a helper is started anew whose file is just being written by somebody.
const BUSY_TRIES: u32 = 5;

/// What a helper prints, by the protocol, when it has nothing for a registry.
const NOT_FOUND: &str = "credentials not found in native keychain";

/// A helper that is installed.
#[derive(Debug)]
pub(super) struct Helper {
    name: String,
    program: PathBuf,
    timeout: Duration,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Stored<'s> {
    #[serde(rename = "ServerURL")]
    server_url: &'s str,
    username: &'s str,
    secret: &'s str,
}

impl Helper {
    /// Looks for a helper on a `PATH`. The name comes out of a file, so it must not lead anywhere else.
    pub(super) fn find(name: &str, path: Option<&OsStr>, timeout: Duration) -> Result<Self, CredentialError> {
        let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() || !name.bytes().all(valid) {
            return Err(CredentialError::HelperName {
                name: name.to_owned(),
            });
        }
        let file = sys::program_name(&format!("docker-credential-{name}"));
        let directories = path.into_iter().flat_map(std::env::split_paths);
        // A relative entry would make the meaning depend on the directory one is in.
        let mut programs = directories
            .filter(|directory| directory.is_absolute())
            .map(|dir| dir.join(&file));
        match programs.find(|program| sys::is_executable(program)) {
            Some(program) => Ok(Self {
                name: name.to_owned(),
                program,
                timeout,
            }),
            None => Err(CredentialError::HelperMissing {
                name: name.to_owned(),
            }),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Where credentials come from, for people.
    pub(super) fn describe(&self, file: &Path) -> String {
        format!("docker-credential-{}, which {} names", self.name, file.display())
    }

    /// The credential for a server, or `None` where the helper has none.
    pub(super) async fn get(&self, server: &str) -> Result<Option<Credential>, CredentialError> {
        let (status, output) = self.run("get", server.as_bytes()).await?;
        if !status.success() {
            return if says_not_found(&output) {
                Ok(None)
            } else {
                Err(self.failed("get", status))
            };
        }
        let answer: Answer = serde_json::from_slice(&output).map_err(|_| self.not_understood("get"))?;
        if answer.secret.is_empty() {
            return Ok(None);
        }
        Ok(Some(from_user(answer.username, answer.secret)))
    }

    /// Hands a credential over to the helper.
    pub(super) async fn store(&self, server: &str, credential: &Credential) -> Result<(), CredentialError> {
        let (username, secret) = match credential {
            Credential::Basic { username, password } => (username.as_str(), password.expose()),
            Credential::Identity { token, .. } => (TOKEN_USER, token.expose()),
            Credential::Anonymous | Credential::Bearer { .. } => {
                let reason = "a helper takes a user and a password, or an identity token";
                return Err(CredentialError::Unstorable { reason });
            }
        };
        let stored = Stored {
            server_url: server,
            username,
            secret,
        };
        let input = serde_json::to_vec(&stored).map_err(|_| self.not_understood("store"))?;
        match self.run("store", &input).await? {
            (status, _) if status.success() => Ok(()),
            (status, _) => Err(self.failed("store", status)),
        }
    }

    /// Makes the helper forget a server, and says whether it knew it.
    pub(super) async fn erase(&self, server: &str) -> Result<bool, CredentialError> {
        match self.run("erase", server.as_bytes()).await? {
            (status, _) if status.success() => Ok(true),
            (_, output) if says_not_found(&output) => Ok(false),
            (status, _) => Err(self.failed("erase", status)),
        }
    }

    /// The servers that the helper knows, with the users' names.
    pub(super) async fn list(&self) -> Result<Vec<(String, String)>, CredentialError> {
        let (status, output) = self.run("list", b"").await?;
        if !status.success() {
            return Err(self.failed("list", status));
        }
        let users: std::collections::BTreeMap<String, String> =
            serde_json::from_slice(&output).map_err(|_| self.not_understood("list"))?;
        Ok(users.into_iter().collect())
    }

    /// Runs the helper: the input on its stdin, its stdout back. Its stderr is not ours to show.
    async fn run(
        &self,
        action: &'static str,
        input: &[u8],
    ) -> Result<(ExitStatus, Vec<u8>), CredentialError> {
        match tokio::time::timeout(self.timeout, self.talk(action, input)).await {
            Ok(Ok((_, output))) if output.len() as u64 > ANSWER_LIMIT => Err(self.not_understood(action)),
            Ok(Ok(done)) => Ok(done),
            Ok(Err(source)) => Err(CredentialError::HelperRun {
                name: self.name.clone(),
                source,
            }),
            Err(_) => Err(CredentialError::HelperTimeout {
                name: self.name.clone(),
                after: self.timeout,
            }),
        }
    }

    async fn talk(&self, action: &str, input: &[u8]) -> io::Result<(ExitStatus, Vec<u8>)> {
        let mut command = Command::new(&self.program);
        command.arg(action);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        // The time-out drops this future, and the helper with it.
        command.kill_on_drop(true);
        let mut tries = 0;
        let mut child = loop {
            match command.spawn() {
                Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy && tries < BUSY_TRIES => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                spawned => break spawned?,
            }
        };
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let feed = async {
            if let Some(mut stdin) = stdin {
                // A helper that does not read its input answers nevertheless, or fails: that tells more.
                stdin.write_all(input).await.ok();
            }
        };
        let read = async {
            let mut output = Vec::new();
            if let Some(stdout) = stdout {
                stdout.take(ANSWER_LIMIT + 1).read_to_end(&mut output).await?;
            }
            io::Result::Ok(output)
        };
        let ((), output) = join(feed, read).await;
        Ok((child.wait().await?, output?))
    }

    fn failed(&self, action: &'static str, status: ExitStatus) -> CredentialError {
        CredentialError::HelperFailed {
            name: self.name.clone(),
            action,
            status: status.to_string(),
        }
    }

    fn not_understood(&self, action: &'static str) -> CredentialError {
        CredentialError::HelperAnswer {
            name: self.name.clone(),
            action,
        }
    }
}

fn says_not_found(output: &[u8]) -> bool {
    String::from_utf8_lossy(output)
        .trim()
        .eq_ignore_ascii_case(NOT_FOUND)
}
