//! docker-registry, as Debian packages it, on a free port of this machine.

use std::fs::{self, File};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::path::{self, Path};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::Failure;

/// What is to be started, in the words of its settings.
#[derive(Debug)]
pub(crate) struct Settings<'a> {
    /// Its files in the folder begin with this name.
    pub(crate) name: &'a str,
    pub(crate) address: IpAddr,
    /// What stands under `log`.
    pub(crate) log: &'a str,
    /// What stands under `storage`; its paths begin at the folder.
    pub(crate) storage: &'a str,
    /// Lines that go on under `http`, and whatever comes behind it.
    pub(crate) more: &'a str,
}

/// A registry that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct DockerRegistry {
    process: Child,
    address: SocketAddr,
}

/// After which one that does not listen never will.
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(5);

impl DockerRegistry {
    /// Starts it in a folder, which gets its settings and its log, and waits until it listens.
    ///
    /// The port is another one each time: skopeo remembers where it saw a blob, by host, and would try a mount.
    pub(crate) fn start(program: &Path, dir: &Path, settings: &Settings<'_>) -> Result<Self, Failure> {
        let Settings {
            name,
            address,
            log,
            storage,
            more,
        } = settings;
        let address = TcpListener::bind((*address, 0))?.local_addr()?;
        let file = format!("{name}.yml");
        let text = format!(
            "version: 0.1\nlog: {log}\nstorage: {storage}\nhttp:\n  addr: '{address}'\n  secret: xtask\n{more}"
        );
        fs::write(dir.join(&file), text)?;
        let log = dir.join(format!("{name}.log"));
        let output = File::create(&log)?;
        // It is looked for from the folder.
        let process = Command::new(path::absolute(program)?)
            .args(["serve", &file])
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()?;
        let mut registry = Self { process, address };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            if registry.process.try_wait()?.is_some() || began.elapsed() > PATIENCE {
                let said = fs::read_to_string(log).unwrap_or_default();
                return Err(format!("{} does not listen: {}", program.display(), said.trim()).into());
            }
            thread::sleep(PAUSE);
        }
        Ok(registry)
    }

    /// Its host and port.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The id of its process.
    pub(crate) fn process(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing to do.
        if self.process.kill().is_ok() {
            drop(self.process.wait());
        }
    }
}
