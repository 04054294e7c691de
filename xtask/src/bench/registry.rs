//! A registry of a bench, with nothing in it at first.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::time::Duration;

use super::folder::Folder;
use crate::Failure;
use crate::docker_registry::{DockerRegistry, Settings};

/// After which a server that does not answer never will.
const PATIENCE: Duration = Duration::from_secs(20);

/// It ends, and what it stored goes, when this is dropped.
#[derive(Debug)]
pub(super) struct Registry {
    server: DockerRegistry,
    /// Host and port.
    pub(super) host: String,
    _folder: Folder,
}

impl Registry {
    /// Starts it with its storage in a folder that is not there yet, and waits until it answers.
    pub(super) fn start(program: &Path, dir: &Path) -> Result<Self, Failure> {
        let folder = Folder::make(dir.to_owned())?;
        let settings = Settings {
            name: "registry",
            address: Ipv4Addr::LOCALHOST.into(),
            // What it would write of each request takes time of its own.
            log: "{level: error, accesslog: {disabled: true}}",
            storage: "{filesystem: {rootdirectory: data}, maintenance: {uploadpurging: {enabled: false}}}",
            more: "",
        };
        let server = DockerRegistry::start(program, dir, &settings)?;
        let registry = Self {
            host: server.address().to_string(),
            server,
            _folder: folder,
        };
        let answer = registry.head("/v2/")?;
        if !answer.starts_with("HTTP/1.1 200") {
            return Err(format!("{} does not serve: {answer}", program.display()).into());
        }
        Ok(registry)
    }

    pub(super) fn process(&self) -> u32 {
        self.server.process()
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
