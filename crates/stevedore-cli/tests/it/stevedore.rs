//! Runs the real program in a directory of its own, and looks at what it leaves there.

mod layouts;
mod random;

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use stevedore_core::samples::{Sample, describe};
use stevedore_core::{ImageIndex, MediaType};
use stevedore_transport::{Layout, WriteOptions};
use tempfile::TempDir;

pub(crate) use layouts::{assert_sound, assert_whole, blob, blobs, entries, staged, tree};
pub(crate) use random::{Random, image, random};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_stevedore");

/// A directory for layouts, in which the program runs.
pub(crate) struct World {
    dir: TempDir,
}

/// How a run of the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().expect("a directory"),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Puts a sample into the layout in a directory, under these names.
    pub(crate) fn put(&self, layout: &str, sample: &Sample, names: &[&str]) {
        let layout = Layout::create(self.path(layout), WriteOptions::default()).expect("a layout");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime");
        let put = runtime.block_on(sample.put(&layout, names));
        put.expect("the sample is written");
    }

    /// Puts a document by its bytes, under the name `v1`, into a layout that has nothing else.
    pub(crate) fn put_document(&self, layout: &str, media_type: MediaType, document: &str) {
        let descriptor = describe(media_type, document.as_bytes());
        let digest = descriptor.known_digest().expect("of ours");
        let dir = self.path(layout);
        fs::create_dir_all(dir.join("blobs/sha256")).expect("a directory");
        fs::write(blob(&dir, &digest), document).expect("a blob");
        fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).expect("a header");
        let entry = descriptor.with_annotation("org.opencontainers.image.ref.name", "v1");
        let index = serde_json::to_vec(&ImageIndex::new([entry])).expect("JSON");
        fs::write(dir.join("index.json"), index).expect("an index");
    }

    /// The program, without the variables of whoever runs the tests.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .args(arguments)
            .current_dir(self.dir.path())
            .env_clear()
            .env("HOME", self.dir.path())
            // What this machine says about mirrors is not for tests.
            .env("CONTAINERS_REGISTRIES_CONF", "/dev/null")
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the program starts")
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(&mut self.command(arguments))
    }

    /// Runs what has to end with this code.
    #[track_caller]
    pub(crate) fn ends(&self, arguments: &[&str], code: i32) -> Ended {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(code), "{arguments:?}: {}", ended.stderr);
        ended
    }

    /// Runs what has to succeed, and gives its result.
    #[track_caller]
    pub(crate) fn result(&self, arguments: &[&str]) -> String {
        self.ends(arguments, 0).stdout
    }

    /// Runs what has to succeed, and gives its result as JSON.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let result = self.result(arguments);
        serde_json::from_str(&result).unwrap_or_else(|error| panic!("{arguments:?}: {error} in {result}"))
    }

    /// Runs what has to fail with this code, without a result.
    #[track_caller]
    pub(crate) fn refused(&self, arguments: &[&str], code: i32) -> Ended {
        let ended = self.ends(arguments, code);
        assert_eq!(ended.stdout, "", "{arguments:?}");
        ended
    }

    /// Runs what has to fail with this code, and say this.
    #[track_caller]
    pub(crate) fn fails(&self, arguments: &[&str], code: i32, stderr: &str) {
        assert_eq!(self.refused(arguments, code).stderr, stderr, "{arguments:?}");
    }
}

impl Ended {
    /// Runs a command to its end.
    pub(crate) fn of(command: &mut Command) -> Self {
        command.output().expect("the program runs").into()
    }

    /// What it said begins with this.
    #[track_caller]
    pub(crate) fn begins(&self, start: &str) {
        assert!(self.stderr.starts_with(start), "{start}: {}", self.stderr);
    }

    /// This is among what it said.
    #[track_caller]
    pub(crate) fn says(&self, part: &str) {
        assert!(self.stderr.contains(part), "{part}: {}", self.stderr);
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

/// Says that a test is not run on this machine, and what it needs.
pub(crate) fn not_run(test: &str, needs: &str) {
    // libtest does not capture what is written here directly. In one piece, for others write here too.
    let line = format!("NOT RUN (needs {needs}): {test}\n");
    std::io::stderr().write_all(line.as_bytes()).expect("stderr");
}
