//! `cargo xtask interop`: what other tools wrote to layouts and registries is read by us, and the other way round, digest
//! for digest.
//!
//! A tool that is not there is named, and what it was needed for counts as not run. The last line sums up. What Debian
//! does not install is laid out by `.ci/peers FOLDER`, and found where `STEVEDORE_PEERS` names that folder.

mod archives;
mod certificate;
mod debian;
mod directories;
mod disk;
mod images;
mod layouts;
mod logins;
mod meeting;
mod mirrors;
mod references;
mod referrers;
mod registries;
mod relay;
mod schemas;
mod server;
mod tools;

use std::fmt;
use std::fs;
use std::path::PathBuf;

use crate::workspace::Workspace;
use crate::{Failure, cargo};

use tools::Tool;

/// What a check fails with: a sentence.
type Checked = Result<(), Failure>;

/// Where the checks run and with what.
pub(crate) struct Bench {
    /// A folder for layouts, in which every tool runs.
    dir: PathBuf,
    stevedore: Tool,
    /// Debian's, and a newer one beside it: .ci/peers lays it out.
    umocis: [Tool; 2],
    skopeos: [Tool; 2],
}

/// How the checks went.
#[derive(Debug, Default)]
struct Tally {
    passed: usize,
    failed: usize,
    skipped: usize,
}

/// Runs all checks, prints a line for each, and gives whether none failed.
pub(crate) fn run() -> Result<bool, Failure> {
    let root = Workspace::load()?.root;
    let target = cargo::target_dir(&root)?;
    let built = [
        ["-p", "stevedore-cli", "--bin", "stevedore"],
        ["-p", "stevedore-transport", "--example", "assemble"],
        ["-p", "stevedore-core", "--example", "references"],
    ];
    for what in built {
        if !cargo::succeeds(&root, &[&["build", "--quiet", "--locked"], &what[..]].concat())? {
            return Err("what is to be checked cannot be built".into());
        }
    }
    let dir = target.join("interop");
    if dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    fs::create_dir(&dir)?;
    let tool = |name: &str| Tool::find(name, &dir);
    let bench = Bench {
        stevedore: Tool::at(target.join("debug/stevedore"), &dir),
        umocis: [tool("umoci"), tool("umoci-sid")],
        skopeos: [tool("skopeo"), tool("skopeo-sid")],
        dir: dir.clone(),
    };
    let docker_registry = tool("docker-registry");
    for tool in bench
        .skopeos
        .iter()
        .chain(&bench.umocis)
        .chain([&docker_registry])
    {
        println!("{tool}");
    }
    let mut tally = Tally::default();
    let assemble = Tool::at(target.join("debug/examples/assemble"), &dir);
    let umoci = &bench.umocis[0];
    if tally.check("images by umoci", &[umoci, &tool("busybox")], || {
        images::make(&bench, &assemble)
    }) {
        let root = debian::root();
        tally.check("a Debian by mmdebstrap and umoci", &[umoci, &root], || {
            debian::make(&bench, &assemble, &root)
        });
        layouts::check(&bench, &mut tally);
        directories::check(&bench, &mut tally);
        archives::check(&bench, &mut tally);
        mirrors::check(&bench, &mut tally);
        let registries = registries::check(&bench, &mut tally);
        let python = tools::python_with("jsonschema", &dir);
        let schemas = schemas::folder();
        tally.check("schemas", &[&python, &schemas], || {
            schemas::check(&bench, &python, &registries)
        });
    }
    let references = Tool::at(target.join("debug/examples/references"), &dir);
    let (go, published) = (tool("go-references"), references::published());
    tally.check("references are what Go says", &[&go, &published], || {
        references::check(&references, &go, &published)
    });
    println!(
        "{} passed, {} failed, {} skipped",
        tally.passed, tally.failed, tally.skipped
    );
    Ok(tally.failed == 0)
}

impl Tally {
    /// Runs a check if the tools for it are there. Gives whether it passed.
    fn check(&mut self, name: &str, needs: &[&Tool], check: impl FnOnce() -> Checked) -> bool {
        let missing: Vec<&str> = needs
            .iter()
            .filter(|tool| !tool.is_there())
            .map(|tool| tool.name())
            .collect();
        if !missing.is_empty() {
            println!("NOT RUN {name}: needs {}", missing.join(", "));
            self.skipped += 1;
            return false;
        }
        match check() {
            Ok(()) => {
                println!("ok {name}");
                self.passed += 1;
                true
            }
            Err(failure) => {
                println!("FAILED {name}: {failure}");
                self.failed += 1;
                false
            }
        }
    }
}

/// A check that two things are the same.
#[allow(
    clippy::needless_pass_by_value,
    reason = "what is compared is made for that, at the call"
)]
fn same<T: PartialEq + fmt::Debug>(what: &str, ours: T, theirs: T) -> Checked {
    /// Files are among what is compared: their bytes are for nobody to read.
    const SHOWN: usize = 400;
    if ours == theirs {
        return Ok(());
    }
    let show = |it: &T| format!("{it:?}").chars().take(SHOWN).collect::<String>();
    Err(format!("{what}: {} is not {}", show(&ours), show(&theirs)).into())
}
