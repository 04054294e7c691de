//! docker-registry, as Debian packages it, on a free port of this machine.

use std::fs;
use std::path::PathBuf;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use super::Bench;
use super::tools::Tool;
use crate::Failure;

/// What is to be started.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// Its files have this name.
    pub(super) name: &'static str,
    /// As in a URL.
    pub(super) address: &'static str,
}

/// A registry that runs until this is dropped.
#[derive(Debug)]
pub(super) struct Server {
    process: Child,
    host: String,
}

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(20);

impl Server {
    /// Starts it with nothing in it, and waits until it listens.
    pub(super) fn start(bench: &Bench, docker_registry: &Tool, plan: Plan) -> Result<Self, Failure> {
        let Plan { name, address } = plan;
        let settings = format!(
            r#"version: 0.1
log: {{level: info}}
storage:
  filesystem: {{rootdirectory: {storage}}}
  delete: {{enabled: true}}
http:
  addr: "{address}:0"
  secret: interop
"#,
            storage = plan.storage(),
        );
        fs::write(bench.dir.join(format!("{name}.yml")), settings)?;
        let log = bench.dir.join(format!("{name}.log"));
        let process = docker_registry.start(&["serve", &format!("{name}.yml")], &log)?;
        let mut server = Self {
            process,
            host: String::new(),
        };
        server.host = server.listening(&log)?;
        Ok(server)
    }

    /// Its host and port.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// What it writes to its log once the port is open.
    fn listening(&mut self, log: &PathBuf) -> Result<String, Failure> {
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
