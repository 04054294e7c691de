//! Layouts, as they lie on the disk.

use std::fs;
use std::path::{Path, PathBuf};

use stevedore_core::samples::Sample;
use stevedore_core::{Algorithm, Digest};

use super::World;

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

/// What must hold of a layout once a sample was copied there: it has all of it, byte for byte, under the name `v1`,
/// and nothing is left of the staging.
#[track_caller]
pub(crate) fn assert_whole(world: &World, layout: &str, sample: &Sample) {
    assert_sound(world, layout);
    let named = world.result(&["digest", &format!("oci:{layout}:v1")]);
    assert_eq!(named, format!("{}\n", sample.descriptor().digest));
    let dir = world.path(layout);
    for part in sample.all() {
        let document = (part.descriptor(), part.document().bytes().clone());
        for (descriptor, bytes) in part.blobs().iter().chain([&document]) {
            let path = blob(&dir, &descriptor.known_digest().expect("of ours"));
            let there = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert!(there == *bytes, "{} has other bytes", descriptor.digest);
        }
    }
    assert!(!dir.join(".stevedore").exists(), "nothing is left of the staging");
}

/// The files of what is staged in a layout.
pub(crate) fn staged(layout: &Path) -> Vec<PathBuf> {
    let staging = entries(&layout.join(".stevedore/staging"));
    let files = staging.iter().flat_map(|dir| entries(dir));
    files
        .filter(|path| path.extension().is_some_and(|it| it == "part"))
        .collect()
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
