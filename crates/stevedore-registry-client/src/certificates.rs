//! Directories with certificates for one registry, as containers tools and Docker have them.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use stevedore_core::reference::Registry;

use crate::Environment;
use crate::error::{Error, Result};
use crate::url::Origin;

/// Where directories with certificates of registries are looked for. In each of these places a registry has a
/// directory that is called like it, `host` or `host:port`; the first one that exists is used, and no other:
///
/// 1. `$XDG_CONFIG_HOME/containers/certs.d`, or that under `~/.config`;
/// 2. `/etc/containers/certs.d`;
/// 3. `$XDG_CONFIG_HOME/docker/certs.d`, or that under `~/.config` (Docker without root);
/// 4. `~/.docker/certs.d`;
/// 5. `/etc/docker/certs.d`.
///
/// A directory that may not be looked at is passed over, as containers tools do: `/etc/docker` is closed to users on
/// many machines. Whatever else keeps one from being read is an error. The port 443 may be left out, and for Docker
/// Hub the directory is `docker.io`.
///
/// ```
/// use stevedore_registry_client::{CertificateDirectories, Environment};
///
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let directories = CertificateDirectories::from_environment(&Environment::from_process());
/// if let Some(found) = directories.find(&"registry.lan:5000".parse()?)? {
///     println!("{}: {} authorities", found.path().display(), found.authorities().len());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateDirectories {
    places: Vec<PathBuf>,
}

/// A directory with certificates for one registry: `*.crt` are certification authorities, `NAME.cert` a client
/// certificate (its chain behind it) and `NAME.key` the key to it, all in PEM. Other files are none of its business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateDirectory {
    path: PathBuf,
    authorities: Vec<PathBuf>,
    identities: Vec<(PathBuf, PathBuf)>,
}

impl CertificateDirectories {
    /// The places that an environment leads to.
    pub fn from_environment(environment: &Environment) -> Self {
        let (config, system) = (environment.config_home(), environment.system_config.as_ref());
        let docker = environment.home.as_ref().map(|home| home.join(".docker"));
        let places = [
            config.as_ref().map(|config| config.join("containers")),
            system.map(|system| system.join("containers")),
            config.as_ref().map(|config| config.join("docker")),
            docker,
            system.map(|system| system.join("docker")),
        ];
        Self {
            places: places
                .into_iter()
                .flatten()
                .map(|it| it.join("certs.d"))
                .collect(),
        }
    }

    /// No places at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// The directory of a registry, where it has one. The files in it are not read yet.
    ///
    /// # Errors
    /// [`Error::Setting`] where a directory cannot be listed, or half of a client certificate is missing.
    pub fn find(&self, registry: &Registry) -> Result<Option<CertificateDirectory>> {
        match Origin::parse(true, registry.api_host()) {
            Ok(origin) => self.find_for(&origin.host, origin.port),
            Err(_) => Ok(None),
        }
    }

    /// The directory for a host and port.
    pub(crate) fn find_for(&self, host: &str, port: u16) -> Result<Option<CertificateDirectory>> {
        let names = names(host, port);
        for place in &self.places {
            for path in names.iter().map(|name| place.join(name)) {
                match path.metadata() {
                    Ok(_) => return CertificateDirectory::list(&path, true).map(Some),
                    Err(error) if is_passed_over(&error) => {}
                    Err(error) => return Err(unreadable("look at", &path, error)),
                }
            }
        }
        Ok(None)
    }
}

impl CertificateDirectory {
    /// Lists a directory that somebody named. The files in it are not read yet.
    ///
    /// # Errors
    /// [`Error::Setting`] where it cannot be listed, or half of a client certificate is missing.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::list(path.as_ref(), false)
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The files with certification authorities, by name.
    pub fn authorities(&self) -> &[PathBuf] {
        &self.authorities
    }

    /// The files with client certificates, each with that of its key, by name.
    pub fn identities(&self) -> &[(PathBuf, PathBuf)] {
        &self.identities
    }

    fn list(path: &Path, may_be_closed: bool) -> Result<Self> {
        let entries = || -> io::Result<Vec<PathBuf>> {
            let entries = std::fs::read_dir(path)?;
            entries.map(|entry| entry.map(|it| it.path())).collect()
        };
        let mut files = match entries() {
            Ok(files) => files,
            Err(error) if may_be_closed && is_passed_over(&error) => Vec::new(),
            Err(error) => return Err(unreadable("list", path, error)),
        };
        files.sort();
        let with_ending = |ending: &'static str| {
            let ends = move |file: &&PathBuf| file.extension() == Some(OsStr::new(ending));
            files.iter().filter(ends)
        };
        let half = |there: &Path, missing: &Path, what: &str| {
            let (there, missing) = (there.display(), missing.display());
            Err(Error::setting(format!(
                "there is {there}, but not {missing}, {what}"
            )))
        };
        for key in with_ending("key") {
            let chain = key.with_extension("cert");
            if !files.contains(&chain) {
                return half(key, &chain, "the client certificate to it");
            }
        }
        let mut identities = Vec::new();
        for chain in with_ending("cert") {
            let key = chain.with_extension("key");
            if !files.contains(&key) {
                return half(
                    chain,
                    &key,
                    "its key; a certification authority would end in .crt",
                );
            }
            identities.push((chain.clone(), key));
        }
        Ok(Self {
            path: path.to_owned(),
            authorities: with_ending("crt").cloned().collect(),
            identities,
        })
    }
}

/// What the directory of a host and port may be called.
fn names(host: &str, port: u16) -> Vec<String> {
    // A host comes from a URL as well, and must not lead out of the place.
    if host.starts_with('.') {
        return Vec::new();
    }
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    let hub = Registry::docker_hub();
    let familiar = (port == 443 && host == hub.api_host()).then(|| hub.as_str().to_owned());
    let with_port = format!("{host}:{port}");
    let bare = (port == 443).then_some(host);
    familiar.into_iter().chain(bare).chain([with_port]).collect()
}

/// What containers tools take for a directory that is not there.
fn is_passed_over(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
    )
}

/// A file or directory that a setting leads to, and that cannot be read.
pub(crate) fn unreadable(what: &str, path: &Path, source: io::Error) -> Error {
    Error::Setting {
        what: format!("cannot {what} {}", path.display()),
        source: Some(Box::new(source)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// An environment whose directories are all below one.
    fn environment(root: &Path) -> Environment {
        let mut environment = Environment::empty();
        environment.home = Some(root.join("home"));
        environment.system_config = Some(root.join("etc"));
        environment
    }

    fn found(root: &Path, registry: &str) -> Option<PathBuf> {
        let directories = CertificateDirectories::from_environment(&environment(root));
        let registry = registry.parse().expect("a registry");
        let found = directories.find(&registry).expect("it is found out");
        found.map(|directory| directory.path().strip_prefix(root).expect("below").to_owned())
    }

    #[test]
    fn the_first_directory_of_a_registry_wins() {
        let root = tempfile::tempdir().expect("a directory");
        let places = [
            "etc/docker",
            "home/.docker",
            "home/.config/docker",
            "etc/containers",
            "home/.config/containers",
        ];
        assert_eq!(found(root.path(), "h.example:5000"), None);
        for place in places {
            let path = Path::new(place).join("certs.d/h.example:5000");
            fs::create_dir_all(root.path().join(&path)).expect("a directory");
            assert_eq!(found(root.path(), "h.example:5000"), Some(path));
        }
        let mut moved = environment(root.path());
        moved.xdg_config_home = Some(root.path().join("xdg"));
        let directories = CertificateDirectories::from_environment(&moved);
        let other = directories.find(&"h.example:5000".parse().expect("a registry"));
        let other = other.expect("it is found out").expect("one in /etc");
        assert!(
            other.path().starts_with(root.path().join("etc/containers")),
            "{other:?}"
        );
    }

    #[test]
    fn a_directory_is_for_its_host_and_port_alone() {
        let root = tempfile::tempdir().expect("a directory");
        let place = root.path().join("etc/docker/certs.d");
        for name in ["h.example", "docker.io", "[::1]:5000", "p.example:443"] {
            fs::create_dir_all(place.join(name)).expect("a directory");
        }
        let name = |registry| {
            let found = found(root.path(), registry)?;
            Some(
                found
                    .file_name()
                    .expect("a name")
                    .to_str()
                    .expect("UTF-8")
                    .to_owned(),
            )
        };
        assert_eq!(name("h.example").as_deref(), Some("h.example"));
        assert_eq!(name("h.example:443").as_deref(), Some("h.example"));
        assert_eq!(name("p.example").as_deref(), Some("p.example:443"));
        assert_eq!(name("docker.io").as_deref(), Some("docker.io"));
        assert_eq!(name("[::1]:5000").as_deref(), Some("[::1]:5000"));
        for other in ["h.example:5000", "a.h.example", "[::1]:5001"] {
            assert_eq!(name(other), None, "{other}");
        }
        let directories = CertificateDirectories::from_environment(&environment(root.path()));
        assert_eq!(directories.find_for("..", 443).expect("nothing"), None);
    }

    #[test]
    fn half_of_a_client_certificate_is_named() {
        let root = tempfile::tempdir().expect("a directory");
        let path = root.path().join("h.example");
        fs::create_dir(&path).expect("a directory");
        fs::write(path.join("ca.crt"), "").expect("a file");
        fs::write(path.join("README"), "").expect("a file");
        fs::write(path.join("me.cert"), "").expect("a file");
        let error = CertificateDirectory::open(&path).expect_err("no key").to_string();
        assert!(error.contains("me.key, its key"), "{error}");
        fs::write(path.join("me.key"), "").expect("a file");
        let listed = CertificateDirectory::open(&path).expect("both");
        assert_eq!(listed.authorities(), [path.join("ca.crt")]);
        assert_eq!(listed.identities(), [(path.join("me.cert"), path.join("me.key"))]);
        fs::remove_file(path.join("me.cert")).expect("it is there");
        let error = CertificateDirectory::open(&path)
            .expect_err("no certificate")
            .to_string();
        assert!(error.contains("me.cert, the client certificate to it"), "{error}");
    }

    #[test]
    fn a_directory_that_was_named_has_to_be_there() {
        let error = CertificateDirectory::open("/none/such")
            .expect_err("none")
            .to_string();
        assert_eq!(error, "cannot list /none/such");
    }

    #[test]
    fn what_is_in_the_way_is_an_error() {
        let root = tempfile::tempdir().expect("a directory");
        let place = root.path().join("etc/containers/certs.d");
        fs::create_dir_all(&place).expect("a directory");
        fs::write(place.join("h.example"), "a file").expect("a file");
        let directories = CertificateDirectories::from_environment(&environment(root.path()));
        let error = directories.find(&"h.example".parse().expect("a registry"));
        let error = error.expect_err("it is no directory").to_string();
        assert!(
            error.starts_with("cannot list ") && error.ends_with("h.example"),
            "{error}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_closed_directory_is_passed_over() {
        use std::os::unix::fs::PermissionsExt as _;

        let root = tempfile::tempdir().expect("a directory");
        let closed = root.path().join("etc/containers");
        fs::create_dir_all(closed.join("certs.d/h.example")).expect("a directory");
        fs::create_dir_all(root.path().join("etc/docker/certs.d/h.example")).expect("a directory");
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).expect("mine");
        // Root may look everywhere.
        let may_look = fs::read_dir(&closed).is_ok();
        let found = found(root.path(), "h.example");
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).expect("mine");
        let expected = if may_look { "etc/containers" } else { "etc/docker" };
        assert_eq!(found, Some(Path::new(expected).join("certs.d/h.example")));
    }
}
