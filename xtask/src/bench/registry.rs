//! Debian's docker-registry on a port of its own, started here and ended here.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Failure;

/// After which a server that does not answer never will.
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(5);

/// A registry with nothing in it at first. It ends, and what it stored goes, when this is dropped.
#[derive(Debug)]
pub(super) struct Registry {
    server: Child,
    /// Host and port.
    pub(super) host: String,
    dir: PathBuf,
}

impl Registry {
    /// Starts it with its storage in a folder that is not there yet.
    ///
    /// The port is another one each time: skopeo remembers where it saw a blob, by host, and would try a mount.
    pub(super) fn start(program: &Path, dir: &Path) -> Result<Self, Failure> {
        fs::create_dir(dir)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let host = format!("127.0.0.1:{port}");
        let config = dir.join("config.yml");
        fs::write(
            &config,
            format!(
                "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
                 storage: {{filesystem: {{rootdirectory: {}}}, maintenance: {{uploadpurging: {{enabled: false}}}}}}\n\
                 http: {{addr: '{host}', secret: bench}}\n",
                dir.join("data").display()
            ),
        )?;
        let log = File::create(dir.join("log"))?;
        let server = Command::new(program)
            .arg("serve")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let mut registry = Self {
            server,
            host,
            dir: dir.to_owned(),
        };
        let began = Instant::now();
        while !matches!(registry.head("/v2/"), Ok(answer) if answer.starts_with("HTTP/1.1 200")) {
            if registry.server.try_wait()?.is_some() || began.elapsed() > PATIENCE {
                let log = fs::read_to_string(dir.join("log")).unwrap_or_default();
                return Err(format!("{} does not serve: {log}", program.display()).into());
            }
            std::thread::sleep(PAUSE);
        }
        Ok(registry)
    }

    pub(super) fn process(&self) -> u32 {
        self.server.id()
    }

    /// Fails if a tag does not name the manifest with the digest.
    pub(super) fn check(&self, repository: &str, tag: &str, digest: &str) -> Result<(), Failure> {
        let answer = self.head(&format!("/v2/{repository}/manifests/{tag}"))?;
        if answer.starts_with("HTTP/1.1 200") && answer.contains(digest) {
            return Ok(());
        }
        Err(format!("{repository}:{tag} is not {digest} in the registry, which says: {answer}").into())
    }

    /// The head of the answer to a HEAD request.
    fn head(&self, path: &str) -> Result<String, Failure> {
        let mut socket = TcpStream::connect(&self.host)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        write!(
            socket,
            "HEAD {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
             Accept: application/vnd.oci.image.manifest.v1+json\r\nAccept: application/vnd.docker.distribution.manifest.v2+json\r\n\r\n",
            self.host
        )?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It may have ended by itself; what it stored lies in a folder that goes in any case.
        drop(self.server.kill());
        drop(self.server.wait());
        drop(fs::remove_dir_all(&self.dir));
    }
}
