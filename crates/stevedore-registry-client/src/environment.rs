//! What the environment of a process says about registries.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

/// The variables and system directories that this crate looks at, taken out of the environment once, so that a program
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
    /// `http_proxy`, else `HTTP_PROXY`: the proxy for plain HTTP. The latter is not looked at where `REQUEST_METHOD`
    /// is set: in a CGI program it is what a client of it sent as a header `Proxy` (CVE-2016-5385).
    pub http_proxy: Option<Variable>,
    /// `https_proxy`, else `HTTPS_PROXY`: the proxy for HTTPS.
    pub https_proxy: Option<Variable>,
    /// `all_proxy`, else `ALL_PROXY`: the proxy for what has none of its own.
    pub all_proxy: Option<Variable>,
    /// `no_proxy`, else `NO_PROXY`: what is reached without a proxy.
    pub no_proxy: Option<Variable>,
    /// `CONTAINERS_REGISTRIES_CONF`: a file, in place of all others of its kind.
    pub registries_conf: Option<PathBuf>,
    /// `CONTAINERS_REGISTRIES_CONF_DIR`: a directory of drop-ins, in place of all others.
    pub registries_conf_dir: Option<PathBuf>,
    /// `CONTAINERS_REGISTRIES_CONF_OVERRIDE`: a file on top of all others.
    pub registries_conf_override: Option<PathBuf>,
    /// Where the system's configuration is: `/etc`.
    pub system_config: Option<PathBuf>,
    /// Where the configuration is that the system came with: `/usr/share`.
    pub vendor_config: Option<PathBuf>,
}

/// A variable, as it was found. `Debug` leaves the value out: the URL of a proxy may have a password in it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: OsString,
}

impl Variable {
    /// A variable of this name and value.
    pub fn new(name: impl Into<String>, value: impl Into<OsString>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
        }
    }
}

impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variable")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Environment {
    /// An environment without any variable or directory.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The environment of this process. A variable that is empty counts as not set.
    pub fn from_process() -> Self {
        Self {
            home: env::home_dir().filter(|home| !home.as_os_str().is_empty()),
            system_config: cfg!(unix).then(|| PathBuf::from("/etc")),
            vendor_config: cfg!(unix).then(|| PathBuf::from("/usr/share")),
            ..Self::from_variables(|name| env::var_os(name))
        }
    }

    /// The environment that has these variables, and no system directories. A variable that is empty counts as not
    /// set.
    ///
    /// ```
    /// use stevedore_registry_client::Environment;
    ///
    /// let environment = Environment::from_variables(|name| (name == "HOME").then(|| "/home/me".into()));
    /// assert_eq!(environment.home.as_deref(), Some("/home/me".as_ref()));
    /// ```
    pub fn from_variables(look_up: impl Fn(&str) -> Option<OsString>) -> Self {
        let variable = |name: &str| look_up(name).filter(|value| !value.is_empty());
        let first_of = |names: &[&str]| {
            let found = |name: &&str| Some(Variable::new(*name, variable(name)?));
            names.iter().find_map(found)
        };
        let http_names = if variable("REQUEST_METHOD").is_some() {
            &["http_proxy"][..]
        } else {
            &["http_proxy", "HTTP_PROXY"]
        };
        Self {
            home: variable("HOME").map(PathBuf::from),
            xdg_runtime_dir: variable("XDG_RUNTIME_DIR").map(PathBuf::from),
            xdg_config_home: variable("XDG_CONFIG_HOME").map(PathBuf::from),
            registry_auth_file: variable("REGISTRY_AUTH_FILE").map(PathBuf::from),
            docker_config: variable("DOCKER_CONFIG").map(PathBuf::from),
            path: variable("PATH"),
            ssl_cert_file: variable("SSL_CERT_FILE").map(PathBuf::from),
            ssl_cert_dir: variable("SSL_CERT_DIR"),
            http_proxy: first_of(http_names),
            https_proxy: first_of(&["https_proxy", "HTTPS_PROXY"]),
            all_proxy: first_of(&["all_proxy", "ALL_PROXY"]),
            no_proxy: first_of(&["no_proxy", "NO_PROXY"]),
            registries_conf: variable("CONTAINERS_REGISTRIES_CONF").map(PathBuf::from),
            registries_conf_dir: variable("CONTAINERS_REGISTRIES_CONF_DIR").map(PathBuf::from),
            registries_conf_override: variable("CONTAINERS_REGISTRIES_CONF_OVERRIDE").map(PathBuf::from),
            system_config: None,
            vendor_config: None,
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
        files.extend(
            self.config_home()
                .map(|directory| directory.join("containers/auth.json")),
        );
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

    /// Where the user's configuration is: `$XDG_CONFIG_HOME`, else `~/.config`.
    pub(crate) fn config_home(&self) -> Option<PathBuf> {
        self.xdg_config_home
            .clone()
            .or_else(|| Some(self.home.as_ref()?.join(".config")))
    }
}
