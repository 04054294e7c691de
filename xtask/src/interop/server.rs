//! The registries of the checks.

use std::fs;
use std::net::{IpAddr, SocketAddr};

use super::tools::Tool;
use super::{Bench, certificate, relay};
use crate::Failure;
use crate::docker_registry::{DockerRegistry, Settings};

/// What is to be started.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// Its files have this name.
    pub(super) name: &'static str,
    pub(super) address: IpAddr,
    /// Whether it speaks TLS and asks for [`USER`] and [`PASSWORD`].
    pub(super) guarded: bool,
}

/// Who may use what is guarded.
pub(super) const USER: &str = "me";
pub(super) const PASSWORD: &str = "secret";

/// The same in a line of htpasswd, by the only function that this registry takes: bcrypt.
const HTPASSWD: &str = "me:$2b$05$Zd697/5e4ZxOnK0PbAQwJ.pQzDLaK0dU9XOyQ9Q1ChDmUKzEAU7NC\n";

/// A registry that runs until this is dropped.
#[derive(Debug)]
pub(super) struct Server {
    _registry: DockerRegistry,
    plan: Plan,
    host: String,
    called: String,
}

impl Server {
    /// Starts it with nothing in it, and waits until it listens.
    ///
    /// What is guarded needs the certificate that [`certificate::make`] makes.
    pub(super) fn start(bench: &Bench, docker_registry: &Tool, plan: Plan) -> Result<Self, Failure> {
        let guard = if plan.guarded {
            fs::write(bench.dir.join("htpasswd"), HTPASSWD)?;
            let (certificate, key) = (certificate::SERVER, certificate::KEY);
            format!(
                r"  tls: {{certificate: {certificate}, key: {key}}}
auth:
  htpasswd: {{realm: interop, path: htpasswd}}
"
            )
        } else {
            String::new()
        };
        let settings = Settings {
            name: plan.name,
            address: plan.address,
            log: "{level: info}",
            storage: &format!(
                "{{filesystem: {{rootdirectory: {}}}, delete: {{enabled: true}}}}",
                plan.storage()
            ),
            more: &guard,
        };
        let registry = DockerRegistry::start(docker_registry.path(), &bench.dir, &settings)?;
        let address = registry.address();
        let called = match address {
            SocketAddr::V6(_) => relay::open(address)?,
            SocketAddr::V4(_) => address,
        };
        Ok(Self {
            _registry: registry,
            plan,
            host: address.to_string(),
            called: called.to_string(),
        })
    }

    /// The name of what was planned.
    pub(super) fn name(&self) -> &'static str {
        self.plan.name
    }

    /// Whether it speaks TLS and asks who one is.
    pub(super) fn is_guarded(&self) -> bool {
        self.plan.guarded
    }

    /// Its host and port.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// The same, as skopeo says it: its references have no IPv6 addresses.
    pub(super) fn called(&self) -> &str {
        &self.called
    }
}

impl Plan {
    /// The folder of its files, in that of the checks.
    pub(super) fn storage(self) -> String {
        format!("registry-{}", self.name)
    }
}
