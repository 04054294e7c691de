//! docker-registry, as Debian packages it, on a free port of this machine.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use super::tools::Tool;
use super::{Bench, certificate, relay};
use crate::Failure;

/// What is to be started.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// Its files have this name.
    pub(super) name: &'static str,
    /// As in a URL.
    pub(super) address: &'static str,
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
    process: Child,
    plan: Plan,
    host: String,
    called: String,
}

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(20);

impl Server {
    /// Starts it with nothing in it, and waits until it listens.
    ///
    /// What is guarded needs the certificate that [`certificate::make`] makes.
    pub(super) fn start(bench: &Bench, docker_registry: &Tool, plan: Plan) -> Result<Self, Failure> {
        let Plan {
            name,
            address,
            guarded,
        } = plan;
        let guard = if guarded {
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
        let settings = format!(
            r#"version: 0.1
log: {{level: info}}
storage:
  filesystem: {{rootdirectory: {storage}}}
  delete: {{enabled: true}}
http:
  addr: "{address}:0"
  secret: interop
{guard}"#,
            storage = plan.storage(),
        );
        fs::write(bench.dir.join(format!("{name}.yml")), settings)?;
        let log = bench.dir.join(format!("{name}.log"));
        let process = docker_registry.start(&["serve", &format!("{name}.yml")], &log)?;
        let mut server = Self {
            process,
            plan,
            host: String::new(),
            called: String::new(),
        };
        server.host = server.listening(&log)?;
        server.called = match server.host.parse()? {
            address @ SocketAddr::V6(_) => relay::open(address)?.to_string(),
            address @ SocketAddr::V4(_) => address.to_string(),
        };
        Ok(server)
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

    /// What it writes to its log once the port is open.
    fn listening(&mut self, log: &Path) -> Result<String, Failure> {
        let began = Instant::now();
        loop {
            let said = fs::read_to_string(log)?;
            let address = said
                .split_once("listening on ")
                .and_then(|(_, rest)| rest.split_once(['"', ',']));
            if let Some((address, _)) = address {
                return Ok(address.to_owned());
            }
            if self.process.try_wait()?.is_some() || began.elapsed() > PATIENCE {
                return Err(format!("docker-registry does not listen: {}", said.trim()).into());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Plan {
    /// The folder of its files, in that of the checks.
    pub(super) fn storage(self) -> String {
        format!("registry-{}", self.name)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing to do.
        if self.process.kill().is_ok() {
            drop(self.process.wait());
        }
    }
}
