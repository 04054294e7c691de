//! Files on disk to make archives of.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

/// What a format can hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    Short,
    Long,
}

/// Makes files of every kind that needs no rights.
pub(super) fn make(root: &Path, names: Names) {
    fs::create_dir_all(root.join("dir/sub")).unwrap();
    for (name, length) in [
        ("empty", 0),
        ("one", 1),
        ("block", 512),
        ("more", 513),
        ("dir/large", 300_000),
    ] {
        let content: Vec<u8> = (0..length)
            .map(|at: u32| at.to_le_bytes()[at as usize % 3])
            .collect();
        fs::write(root.join(name), content).unwrap();
    }
    fs::write(root.join("dir/sub/file"), b"content").unwrap();
    fs::set_permissions(root.join("dir/sub/file"), fs::Permissions::from_mode(0o4751)).unwrap();
    fs::write(root.join(OsStr::from_bytes(b"n\xc3\xbc\xff\nline")), b"odd").unwrap();
    fs::hard_link(root.join("one"), root.join("other")).unwrap();
    symlink("dir/sub/file", root.join("symbolic")).unwrap();
    if names == Names::Long {
        let deep = root.join("d/".repeat(60));
        fs::create_dir_all(&deep).unwrap();
        fs::write(deep.join("n".repeat(200)), b"deep").unwrap();
        symlink("t/".repeat(150), root.join("far")).unwrap();
        fs::hard_link(deep.join("n".repeat(200)), root.join("to-deep")).unwrap();
    }
    set_time(&root.join("one"), Duration::from_millis(1_500_000_000_250));
}

/// A file with this many islands of data in holes.
pub(super) fn make_sparse(path: &Path, islands: u64) {
    let file = File::create(path).unwrap();
    for island in 0..islands {
        file.write_all_at(b"an island", island * 20_000 + 10_000).unwrap();
    }
    file.set_len(islands * 20_000 + 15_000).unwrap();
}

pub(super) fn set_time(path: &Path, since_epoch: Duration) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(UNIX_EPOCH + since_epoch).unwrap();
}

/// Seconds before the epoch.
pub(super) fn set_early_time(path: &Path, before_epoch: Duration) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(UNIX_EPOCH - before_epoch).unwrap();
}
