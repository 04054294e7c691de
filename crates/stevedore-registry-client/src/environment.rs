//! What the environment of a process says about registries.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// The variables that this crate looks at, taken out of the environment once, so that a program
/// (or a test) can say something else.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Environment {
    /// `HOME`.
    pub home: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`.
    pub xdg_runtime_dir: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`.
    pub xdg_config_home: Option<PathBuf>,
    /// `REGISTRY_AUTH_FILE`: a file.
    pub registry_auth_file: Option<PathBuf>,
    /// `DOCKER_CONFIG`: a directory.
    pub docker_config: Option<PathBuf>,
    /// `PATH`, where credential helpers are looked for.
    pub path: Option<OsString>,
    /// `SSL_CERT_FILE`: a file of CA certificates in PEM, instead of the system's.
    pub ssl_cert_file: Option<PathBuf>,
    /// `SSL_CERT_DIR`: directories of CA certificates in PEM, separated as in `PATH`, instead of the system's.
    pub ssl_cert_dir: Option<OsString>,
}

impl Environment {
    /// An environment without any variable.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The environment of this process. A variable that is empty counts as not set.
    pub fn from_process() -> Self {
        let variable = |name| env::var_os(name).filter(|value| !value.is_empty());
        Self {
            home: env::home_dir().filter(|home| !home.as_os_str().is_empty()),
            xdg_runtime_dir: variable("XDG_RUNTIME_DIR").map(PathBuf::from),
            xdg_config_home: variable("XDG_CONFIG_HOME").map(PathBuf::from),
            registry_auth_file: variable("REGISTRY_AUTH_FILE").map(PathBuf::from),
            docker_config: variable("DOCKER_CONFIG").map(PathBuf::from),
            path: variable("PATH"),
            ssl_cert_file: variable("SSL_CERT_FILE").map(PathBuf::from),
            ssl_cert_dir: variable("SSL_CERT_DIR"),
        }
    }

    /// The credential files in the order in which they are asked.
    pub(crate) fn auth_files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        files.extend(self.registry_auth_file.clone());
        files.extend(
            self.xdg_runtime_dir
                .as_ref()
                .map(|directory| directory.join("containers/auth.json")),
        );
        let config = self
            .xdg_config_home
            .clone()
            .or_else(|| Some(self.home.as_ref()?.join(".config")));
        files.extend(config.map(|directory| directory.join("containers/auth.json")));
        files.extend(self.docker_file());
        files
    }

    /// Docker's file, which nearly every tool reads.
    pub(crate) fn docker_file(&self) -> Option<PathBuf> {
        let directory = self
            .docker_config
            .clone()
            .or_else(|| Some(self.home.as_ref()?.join(".docker")))?;
        Some(directory.join("config.json"))
    }
}
