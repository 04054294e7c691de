//! Programs of others, run in the folder of the checks.

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Failure;

/// A program, or what else is needed, if it is there.
#[derive(Clone, Debug)]
pub(crate) struct Tool {
    name: String,
    path: Option<PathBuf>,
    dir: PathBuf,
}

impl Tool {
    /// The program at a path.
    pub(super) fn at(path: PathBuf, dir: &Path) -> Self {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Self {
            name,
            path: Some(path),
            dir: dir.to_owned(),
        }
    }

    /// The program with a name on `PATH`, or else among those that .ci/peers laid out.
    pub(super) fn find(name: &str, dir: &Path) -> Self {
        let places = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::split_paths(&places)
            .chain(peers().map(|peers| peers.join("bin")))
            .map(|place| place.join(name))
            .find(|path| path.is_file());
        Self {
            name: name.to_owned(),
            path,
            dir: dir.to_owned(),
        }
    }

    /// Something under a name that is there or not, and is no program.
    pub(super) fn thing(name: &str, path: Option<PathBuf>) -> Self {
        Self {
            name: name.to_owned(),
            path,
            dir: PathBuf::new(),
        }
    }

    pub(super) fn is_there(&self) -> bool {
        self.path.is_some()
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn path(&self) -> &Path {
        self.path.as_deref().unwrap_or(Path::new(&self.name))
    }

    /// Runs it; what it prints is its result, what it complains about becomes the error.
    pub(super) fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<Vec<u8>, Failure> {
        self.run_on(arguments, Stdio::null())
    }

    /// The same, with a text that it reads.
    pub(super) fn run_with<A: AsRef<OsStr>>(&self, arguments: &[A], input: &str) -> Result<Vec<u8>, Failure> {
        // A file, for it may be longer than what a pipe holds while nobody reads.
        let file = self.dir.join("input");
        std::fs::write(&file, input)?;
        self.run_on(arguments, File::open(file)?.into())
    }

    fn run_on<A: AsRef<OsStr>>(&self, arguments: &[A], input: Stdio) -> Result<Vec<u8>, Failure> {
        let output = self.command(arguments).stdin(input).output()?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let line = self.line(arguments);
        Err(format!("`{line}` ended with {}: {}", output.status, said.trim()).into())
    }

    /// Runs it where it has to fail: its exit code and what it complains about are the result.
    pub(super) fn refused<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<(i32, String), Failure> {
        let output = self.command(arguments).stdin(Stdio::null()).output()?;
        match output.status.code() {
            Some(code) if code != 0 => Ok((code, String::from_utf8_lossy(&output.stderr).into_owned())),
            _ => Err(format!("`{}` ended with {}", self.line(arguments), output.status).into()),
        }
    }

    fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = Command::new(self.path());
        command.args(arguments).current_dir(&self.dir);
        command
    }

    /// What would be typed.
    fn line<A: AsRef<OsStr>>(&self, arguments: &[A]) -> String {
        let words = arguments.iter().map(|it| it.as_ref().to_string_lossy());
        let words: Vec<_> = [self.name.as_str().into()].into_iter().chain(words).collect();
        words.join(" ")
    }

    /// The same, as text without the space around it.
    pub(super) fn text<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<String, Failure> {
        Ok(String::from_utf8(self.run(arguments)?)?.trim().to_owned())
    }

    /// The same, as JSON.
    pub(super) fn json<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<serde_json::Value, Failure> {
        Ok(serde_json::from_slice(&self.run(arguments)?)?)
    }
}

/// With the version that it gives.
impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_there() {
            return write!(f, "{}: not there", self.name);
        }
        let version = self
            .text(&["--version"])
            .unwrap_or_else(|failure| failure.to_string());
        write!(f, "{}: {}", self.name, version.lines().next().unwrap_or_default())
    }
}

/// The folder that .ci/peers filled, if `STEVEDORE_PEERS` names it.
pub(super) fn peers() -> Option<PathBuf> {
    std::env::var_os("STEVEDORE_PEERS").map(PathBuf::from)
}

/// A Python that has a module: the system's, or the first on `PATH`.
pub(super) fn python_with(module: &str, dir: &Path) -> Tool {
    let candidates = [
        Tool::at("/usr/bin/python3".into(), dir),
        Tool::find("python3", dir),
    ];
    let has = |python: &&Tool| python.is_there() && python.run(&["-c", &format!("import {module}")]).is_ok();
    let found = candidates.iter().find(has);
    Tool {
        name: format!("python3 with {module}"),
        path: found.map(|python| python.path().to_owned()),
        dir: dir.to_owned(),
    }
}
