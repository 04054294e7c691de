//! Running the cargo that runs us.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Failure;

/// The standard output of `cargo <arguments>` in `directory`; its standard error goes to ours.
pub(crate) fn output(directory: &Path, arguments: &[&str]) -> Result<String, Failure> {
    let output = command(directory, arguments).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("`cargo {}` ended with {}", arguments.join(" "), output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Whether `cargo <arguments>` in `directory` succeeds; what it prints goes to our standard error and output.
pub(crate) fn succeeds(directory: &Path, arguments: &[&str]) -> Result<bool, Failure> {
    Ok(command(directory, arguments).status()?.success())
}

/// The folder that cargo builds in.
pub(crate) fn target_dir(root: &Path) -> Result<PathBuf, Failure> {
    let metadata = output(
        root,
        &["metadata", "--format-version", "1", "--no-deps", "--locked"],
    )?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
    let dir = metadata["target_directory"]
        .as_str()
        .ok_or("cargo names no target folder")?;
    Ok(PathBuf::from(dir))
}

fn command(directory: &Path, arguments: &[&str]) -> Command {
    // Cargo names itself here; the fallback serves a binary that is started by hand.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null());
    command
}
