//! GNU tar.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

pub(super) fn is_there() -> bool {
    static IS_THERE: LazyLock<bool> = LazyLock::new(|| {
        let version = Command::new("tar").arg("--version").output();
        version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("GNU tar"))
    });
    *IS_THERE
}

/// Runs it; what it prints has to be all good.
#[track_caller]
pub(super) fn run<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Vec<u8> {
    let output = Command::new("tar")
        .env("LC_ALL", "C")
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    // It has no word for attributes that a file system does not take.
    let is_fine = |line: &str| line.contains("xattr") || line.contains("Removing leading");
    assert!(said.lines().all(is_fine), "{said}");
    output.stdout
}

/// The blocks of headers of entries, by the entries' paths.
pub(super) fn blocks(archive: &Path) -> BTreeMap<Vec<u8>, u64> {
    let listed = run([
        OsStr::new("--list"),
        OsStr::new("--block-number"),
        OsStr::new("--quoting-style=literal"),
        OsStr::new("--show-stored-names"),
        OsStr::new("--null"),
        OsStr::new("--file"),
        archive.as_os_str(),
    ]);
    let listed = listed.strip_suffix(b"\n").unwrap_or(&listed).to_vec();
    // Names have newlines in them, and every line of a name begins with its block.
    let mut found = BTreeMap::new();
    let text = [b"\n", &listed[..]].concat();
    let starts: Vec<usize> = (0..text.len())
        .filter(|at| text[*at..].starts_with(b"\nblock "))
        .collect();
    for (at, start) in starts.iter().enumerate() {
        let end = starts.get(at + 1).copied().unwrap_or(text.len());
        let line = &text[start + 7..end];
        let colon = line.iter().position(|byte| *byte == b':').unwrap();
        let block = String::from_utf8_lossy(&line[..colon]).parse().unwrap();
        let path = &line[colon + 2..];
        if path != b"** Block of NULs **" {
            found.insert(path.to_vec(), block);
        }
    }
    found
}
