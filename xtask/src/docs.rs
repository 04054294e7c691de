//! `cargo xtask docs`: manual pages and completions, made by an example of the crate whose program they are about.

use crate::workspace::Workspace;
use crate::{Failure, cargo};

/// Writes them to `docs` in the target folder.
pub(crate) fn run() -> Result<bool, Failure> {
    let root = Workspace::load()?.root;
    let dir = cargo::target_dir(&root)?.join("docs");
    let Some(path) = dir.to_str() else {
        return Err(format!("{} is not Unicode", dir.display()).into());
    };
    let example = [
        "run",
        "--quiet",
        "--locked",
        "-p",
        "stevedore-cli",
        "--example",
        "docs",
        "--",
        path,
    ];
    let done = cargo::succeeds(&root, &example)?;
    if done {
        println!("{path}");
    }
    Ok(done)
}
