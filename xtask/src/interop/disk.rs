//! What lies in the folder of the checks.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::{Bench, Checked};
use crate::Failure;

/// The location of an image in a layout.
pub(super) fn oci(layout: &str, name: &str) -> String {
    format!("oci:{layout}:{name}")
}

/// The entries of a layout's index.
pub(super) fn entries(bench: &Bench, layout: &str) -> Result<Vec<serde_json::Value>, Failure> {
    let index = fs::read(bench.dir.join(layout).join("index.json"))?;
    let index: serde_json::Value = serde_json::from_slice(&index)?;
    Ok(index["manifests"].as_array().cloned().unwrap_or_default())
}

/// What a file is: its mode, where it points to, its content.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct File {
    mode: u32,
    target: Option<PathBuf>,
    bytes: Vec<u8>,
}

/// Checks that two folders hold the same files.
pub(super) fn same_files(bench: &Bench, one: &str, other: &str) -> Checked {
    let (ours, theirs) = (files(&bench.dir.join(one))?, files(&bench.dir.join(other))?);
    let mut paths = ours.keys().chain(theirs.keys());
    match paths.find(|path| ours.get(*path) != theirs.get(*path)) {
        None => Ok(()),
        Some(path) => Err(format!("{} is not the same in {one} and {other}", path.display()).into()),
    }
}

/// All files below a folder by their paths.
pub(super) fn files(dir: &Path) -> Result<BTreeMap<PathBuf, File>, Failure> {
    let mut files = BTreeMap::new();
    let mut waiting = vec![dir.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(&next)? {
            let path = entry?.path();
            let metadata = path.symlink_metadata()?;
            let mut file = File {
                mode: metadata.permissions().mode(),
                target: None,
                bytes: Vec::new(),
            };
            if metadata.is_dir() {
                waiting.push(path.clone());
            } else if metadata.is_symlink() {
                file.target = Some(path.read_link()?);
            } else {
                file.bytes = fs::read(&path)?;
            }
            files.insert(path.strip_prefix(dir)?.to_owned(), file);
        }
    }
    Ok(files)
}

/// Removes layouts, and other folders, that may be there.
pub(super) fn remove(bench: &Bench, layouts: &[&str]) -> Checked {
    for layout in layouts {
        let dir = bench.dir.join(layout);
        if dir.exists() {
            fs::remove_dir_all(dir)?;
        }
    }
    Ok(())
}
