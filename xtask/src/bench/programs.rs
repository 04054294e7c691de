//! The programs that are measured side by side, and how each is told to do the same.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::corpus::{Image, TAG};
use super::operation::Operation;
use super::timer::Call;
use crate::Failure;

/// The library that makes the calls behind fsync do nothing, of the package libeatmydata1.
const UNSYNCED: &str = "libeatmydata.so";

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Who {
    /// Ours.
    Stevedore,
    /// Ours, with fsync made to do nothing: what it would take if it left out what most peers leave out.
    Unsynced,
    Skopeo,
    Oras,
    Regctl,
    Crane,
}

/// A program that may be there or not.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) who: Who,
    /// With the version, if it is there.
    pub(super) name: String,
    path: Option<PathBuf>,
    /// Loaded before anything else.
    preload: Option<PathBuf>,
}

/// What a program is to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job<'a> {
    pub(super) operation: Operation,
    pub(super) image: &'a Image,
    /// The layout where the image goes; there, or to be made.
    pub(super) destination: &'a Path,
    /// Host and port, then the repository.
    pub(super) host: &'a str,
    pub(super) repository: &'a str,
}

impl Who {
    const PEERS: [Self; 4] = [Self::Skopeo, Self::Oras, Self::Regctl, Self::Crane];

    /// The program's name; where there are two, the newer one first.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Stevedore | Self::Unsynced => &["stevedore"],
            Self::Skopeo => &["skopeo-sid", "skopeo"],
            Self::Oras => &["oras"],
            Self::Regctl => &["regctl"],
            Self::Crane => &["crane"],
        }
    }

    pub(super) fn is_ours(self) -> bool {
        matches!(self, Self::Stevedore | Self::Unsynced)
    }

    /// Whether it does without hashing the bytes that it reads: the server is then the first to see a damaged blob.
    pub(super) fn trusts(self, operation: Operation) -> bool {
        operation == Operation::Push && matches!(self, Self::Oras | Self::Crane)
    }

    /// What it leaves out of what ours does, in words.
    pub(super) fn leaves_out(self, operation: Operation) -> &'static str {
        match (self, operation) {
            (Self::Oras | Self::Crane, Operation::Push) => "hashing",
            (Self::Unsynced | Self::Oras | Self::Regctl | Self::Crane, Operation::Copy | Operation::Pull) => {
                "fsync"
            }
            _ => "",
        }
    }

    /// The command line, if it can do that at all.
    fn arguments(self, job: &Job<'_>) -> Option<Vec<String>> {
        use Operation::{Copy, CopyThere, Pull, PullThere, Push, PushThere, Start};
        let from = format!("{}:{TAG}", job.image.layout.display());
        let to = format!("{}:{TAG}", job.destination.display());
        let remote = format!("{}/{}:{TAG}", job.host, job.repository);
        let ends = |local: &str, far: &str| match job.operation {
            Start => None,
            Copy | CopyThere => Some([format!("{local}{from}"), format!("{local}{to}")]),
            Push | PushThere => Some([format!("{local}{from}"), format!("{far}{remote}")]),
            Pull | PullThere => Some([format!("{far}{remote}"), format!("{local}{to}")]),
        };
        let line = |before: &[&str], ends: &[String]| {
            before
                .iter()
                .map(|&it| it.to_owned())
                .chain(ends.iter().cloned())
                .collect()
        };
        Some(match (self, job.operation) {
            (Self::Stevedore | Self::Unsynced | Self::Oras | Self::Regctl | Self::Crane, Start) => {
                line(&["version"], &[])
            }
            (Self::Skopeo, Start) => line(&["--version"], &[]),
            (Self::Stevedore | Self::Unsynced, _) => line(&["copy", "--quiet"], &ends("oci:", "docker://")?),
            (Self::Skopeo, _) => {
                let before = [
                    "--insecure-policy",
                    "copy",
                    "--quiet",
                    "--src-tls-verify=false",
                    "--dest-tls-verify=false",
                ];
                line(&before, &ends("oci:", "docker://")?)
            }
            (Self::Oras, _) => {
                let [from, to] = ends("", "")?;
                let (from_flag, to_flag) = match job.operation {
                    Push | PushThere => ("--from-oci-layout", "--to-plain-http"),
                    Pull | PullThere => ("--from-plain-http", "--to-oci-layout"),
                    _ => ("--from-oci-layout", "--to-oci-layout"),
                };
                line(&["copy", "--no-tty", from_flag], &[from, to_flag.to_owned(), to])
            }
            (Self::Regctl, _) => {
                let host = format!("reg={},tls=disabled", job.host);
                line(&["--host", &host, "image", "copy"], &ends("ocidir://", "")?)
            }
            (Self::Crane, Copy | CopyThere) => return None,
            (Self::Crane, Push | PushThere) => line(
                &["push", "--insecure"],
                &[job.image.layout.display().to_string(), remote],
            ),
            (Self::Crane, Pull | PullThere) => {
                let destination = job.destination.display().to_string();
                line(&["pull", "--insecure", "--format=oci"], &[remote, destination])
            }
        })
    }
}

impl Program {
    /// Ours, ours without fsync, and the peers: of these some may not be there.
    pub(super) fn all(stevedore: PathBuf) -> Vec<Self> {
        let mut programs = vec![
            Self::at(Who::Stevedore, Some(stevedore.clone())),
            Self::at(Who::Unsynced, Some(stevedore)),
        ];
        programs[1].name += " without fsync";
        programs[1].preload = find(UNSYNCED);
        if programs[1].preload.is_none() {
            programs[1].path = None;
        }
        let peers = Who::PEERS
            .iter()
            .map(|&who| Self::at(who, who.names().iter().find_map(|name| find(name))));
        programs.extend(peers);
        programs
    }

    fn at(who: Who, path: Option<PathBuf>) -> Self {
        let mut program = Self {
            who,
            name: who.names().last().copied().unwrap_or_default().to_owned(),
            path,
            preload: None,
        };
        let flag = if who == Who::Skopeo {
            "--version"
        } else {
            "version"
        };
        if let Some(path) = &program.path {
            let call = Call {
                program: path.clone(),
                arguments: vec![flag.to_owned()],
                variables: Vec::new(),
            };
            let said = call.run().unwrap_or_default();
            program.name = format!(
                "{} {}",
                program.name,
                version_in(&said).unwrap_or("of unknown version")
            );
        }
        program
    }

    /// How it is called for a job: `None` if it can't do that.
    pub(super) fn call(&self, job: &Job<'_>, home: &Path) -> Option<Call> {
        // Nobody's own configuration, credentials or caches.
        let mut variables: Vec<(&'static str, OsString)> = vec![("HOME", home.into())];
        for name in [
            "XDG_CONFIG_HOME",
            "XDG_DATA_HOME",
            "XDG_CACHE_HOME",
            "DOCKER_CONFIG",
        ] {
            variables.push((name, home.join(name).into()));
        }
        variables.extend(
            self.preload
                .as_ref()
                .map(|library| ("LD_PRELOAD", library.into())),
        );
        Some(Call {
            program: self.path.clone()?,
            arguments: self.who.arguments(job)?,
            variables,
        })
    }

    /// What is to be said of it when it is not there.
    pub(super) fn missing(&self) -> Option<String> {
        let wanted = if self.who == Who::Unsynced {
            UNSYNCED
        } else {
            self.who.names()[0]
        };
        self.path.is_none().then(|| {
            format!(
                "{}: {wanted} is neither in STEVEDORE_PEERS nor on PATH",
                self.name
            )
        })
    }
}

/// The registry that all talk to.
pub(super) fn registry() -> Option<PathBuf> {
    find("docker-registry")
}

/// A registry's version, as it says it.
pub(super) fn version_of(program: &Path) -> Result<String, Failure> {
    let call = Call {
        program: program.to_owned(),
        arguments: vec!["--version".to_owned()],
        variables: Vec::new(),
    };
    Ok(version_in(&call.run()?)
        .unwrap_or("of unknown version")
        .to_owned())
}

/// A file in the folder that `STEVEDORE_PEERS` names, in its `bin`, or in one on `PATH`.
fn find(name: &str) -> Option<PathBuf> {
    let peers = std::env::var_os("STEVEDORE_PEERS").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = peers
        .into_iter()
        .flat_map(|peers| [peers.join("bin"), peers])
        .collect();
    places.extend(std::env::split_paths(&path));
    places
        .into_iter()
        .map(|place| place.join(name))
        .find(|path| path.is_file())
}

/// The first word that begins as a number does, after a `v` perhaps, and goes on after a point.
fn version_in(said: &str) -> Option<&str> {
    let words = said.split_whitespace().map(|word| word.trim_start_matches('v'));
    words
        .into_iter()
        .find(|word| word.starts_with(|first: char| first.is_ascii_digit()) && word.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_version_in_what_each_says() {
        assert_eq!(version_in("skopeo version 1.22.0\n"), Some("1.22.0"));
        assert_eq!(
            version_in("Version:    1.3.6\nGo version: go1.26.8\n"),
            Some("1.3.6")
        );
        assert_eq!(
            version_in("VCSTag:     v0.11.7\nVCSRef:     unknown\n"),
            Some("0.11.7")
        );
        assert_eq!(
            version_in("docker-registry github.com/docker/distribution 2.8.2+ds1"),
            Some("2.8.2+ds1")
        );
        assert_eq!(version_in("unknown"), None);
    }

    #[test]
    fn a_peer_that_does_not_hash_is_no_yardstick() {
        assert!(Who::Oras.trusts(Operation::Push));
        assert!(!Who::Oras.trusts(Operation::Copy));
        assert!(!Who::Regctl.trusts(Operation::Push));
    }
}
