//! What the tests of the file system stores share.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use stevedore_core::fs::{FsOptions, FsStore};
use stevedore_core::{Blob, ByteRange, Digest, Expected, Ingest, IngestKey, IngestPlan, Staging, Store};

pub(super) fn store(root: &Path) -> FsStore {
    FsStore::new(FsOptions::new(root.join("blobs"), root.join("staging")))
}

pub(super) fn key(text: &str) -> IngestKey {
    IngestKey::parse(text).unwrap()
}

/// Bytes that look random and follow from a seed.
pub(super) fn content(seed: u64, length: usize) -> Bytes {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes.into()
}

pub(super) fn mine(staging: Staging) -> Box<dyn Ingest> {
    match staging {
        Staging::Mine(ingest) => ingest,
        other => panic!("expected an ingest, got {other:?}"),
    }
}

pub(super) async fn put(store: &FsStore, bytes: impl Into<Bytes>) -> Digest {
    let mut ingest = mine(
        store
            .ingest(IngestPlan::new(stevedore_core::Algorithm::Sha256))
            .await
            .unwrap(),
    );
    ingest.append(Blob::from(bytes.into())).await.unwrap();
    ingest.commit(Expected::anything()).await.unwrap().digest
}

pub(super) async fn read(store: &FsStore, digest: &Digest) -> Bytes {
    let blob = store.open(digest, ByteRange::FULL).await.unwrap();
    blob.into_bytes(u64::MAX).await.unwrap()
}

/// All files below a directory, by their paths from there.
pub(super) fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        let Ok(entries) = fs::read_dir(&dir) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The only file below a directory with this extension.
pub(super) fn only(dir: &Path, extension: &str) -> PathBuf {
    let mut found = files(dir);
    found.retain(|path| path.extension().is_some_and(|it| it == extension));
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}
