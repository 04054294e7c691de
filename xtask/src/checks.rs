//! `cargo xtask ci`: what the tree must hold.
//!
//! A check is a pure function over parsed data in a module of its own; what is read for it is read here.

mod directions;
mod footprint;
mod lengths;
mod packaging;
mod silenced;

use std::path::{Path, PathBuf};

use crate::finding::Finding;
use crate::workspace::{Package, Workspace};
use crate::{Failure, cargo};

/// Folders at the root that may hold our Rust source.
const SOURCE_FOLDERS: [&str; 4] = ["crates", "fuzz", "tests", "xtask"];

/// Runs every check and returns what they find, in the order of files within a check.
pub(crate) fn run(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let mut findings = directions::check(workspace);
    let core = workspace
        .members
        .iter()
        .find(|package| package.name == footprint::CORE);
    let core = core.ok_or_else(|| format!("the workspace has no {}", footprint::CORE))?;
    let tree = [
        "tree",
        "-p",
        footprint::CORE,
        "-e",
        "normal",
        "--prefix",
        "none",
        "--locked",
    ];
    findings.extend(footprint::check(core, &cargo::output(&workspace.root, &tree)?));
    let license = std::fs::read_to_string(workspace.root.join("LICENSE"))?;
    for package in workspace.members.iter().filter(|package| package.publishable) {
        findings.extend(packaging::check(&packed(workspace, package)?, &license));
    }
    for file in rust_files(&workspace.root)? {
        let text = std::fs::read_to_string(workspace.root.join(&file))?;
        findings.extend(silenced::check(&file, &text));
        findings.extend(lengths::check(&file, &text));
    }
    Ok(findings)
}

fn packed<'a>(workspace: &Workspace, package: &'a Package) -> Result<packaging::Packed<'a>, Failure> {
    let folder = workspace.root.join(package.folder());
    let list = [
        "package",
        "--quiet",
        "--list",
        "--allow-dirty",
        "--locked",
        "-p",
        &package.name,
    ];
    Ok(packaging::Packed {
        package,
        files: cargo::output(&workspace.root, &list)?
            .lines()
            .map(str::to_owned)
            .collect(),
        license: std::fs::read_to_string(folder.join("LICENSE")).ok(),
        readme: std::fs::read_to_string(folder.join("README.md")).ok(),
        root_source: match &package.root_source {
            Some(file) => std::fs::read_to_string(workspace.root.join(file))?,
            None => String::new(),
        },
    })
}

/// Our `.rs` files, relative to the root, sorted; what cargo builds is left out.
fn rust_files(root: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    let mut folders: Vec<PathBuf> = SOURCE_FOLDERS.iter().map(PathBuf::from).collect();
    while let Some(folder) = folders.pop() {
        let entries = match root.join(&folder).read_dir() {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error.into()),
        };
        for entry in entries {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                if entry.file_name() != "target" {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}
