//! Runs the real program in a directory of its own, and looks at what it leaves there.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use bytes::Bytes;
use stevedore_core::samples::{Sample, describe};
use stevedore_core::{Algorithm, Digest, ImageIndex, MediaType, Platform};
use stevedore_transport::{Layout, WriteOptions};
use tempfile::TempDir;

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

/// An image for the host with layers of random bytes.
pub(crate) fn image(seed: u64, sizes: &[usize]) -> Sample {
    let layers = sizes.iter().zip(seed..).map(|(size, seed)| random(seed, *size));
    Sample::image_of(layers, &Platform::host())
}

/// Bytes that follow from a seed, and that nothing makes smaller.
pub(crate) fn random(seed: u64, size: usize) -> Bytes {
    let mut random = Random::new(seed);
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        bytes.extend(random.next().to_le_bytes());
    }
    bytes.truncate(size);
    bytes.into()
}

/// Numbers that follow from a seed (xorshift64*).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        // Not 0, which would stay 0.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below another.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// The file of a blob.
pub(crate) fn blob(layout: &Path, digest: &Digest) -> PathBuf {
    layout
        .join("blobs")
        .join(digest.algorithm().as_str())
        .join(digest.hex())
}

/// The digest and path of each file under `blobs`.
pub(crate) fn blobs(layout: &Path) -> Vec<(Digest, PathBuf)> {
    let mut found = Vec::new();
    for algorithm in entries(&layout.join("blobs")) {
        let name = algorithm
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        for path in entries(&algorithm) {
            let hex = path.file_name().expect("a name").to_string_lossy().into_owned();
            let digest = format!("{name}:{hex}").parse();
            found.push((
                digest.unwrap_or_else(|_| panic!("{} is no blob", path.display())),
                path,
            ));
        }
    }
    found
}

/// What is in a directory; nothing where there is none.
pub(crate) fn entries(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

/// What must hold of a layout at any time, however its writers ended: it is none yet and has nothing but what is
/// staged and perhaps an index, or it opens, and every blob has the bytes of its digest.
#[track_caller]
pub(crate) fn assert_sound(world: &World, layout: &str) {
    let dir = world.path(layout);
    if !dir.join("oci-layout").exists() {
        for path in entries(&dir) {
            assert!(
                path.ends_with(".stevedore") || path.ends_with("index.json"),
                "{} came before the layout",
                path.display()
            );
        }
        return;
    }
    for (digest, path) in blobs(&dir) {
        let bytes = fs::read(&path).expect("a blob");
        assert_eq!(Algorithm::Sha256.digest(&bytes), digest, "{} bytes", bytes.len());
    }
    world.result(&["ls", &format!("oci:{layout}")]);
}

/// The files of a tree with their bytes, for comparing what was before with what is after.
pub(crate) fn tree(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut waiting = vec![dir.to_owned()];
    while let Some(next) = waiting.pop() {
        for path in entries(&next) {
            if path.is_dir() {
                waiting.push(path);
            } else {
                let bytes = fs::read(&path).expect("a file");
                files.push((path, bytes));
            }
        }
    }
    files.sort();
    files
}
