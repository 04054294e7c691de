//! Disks that fail: at each call in turn, a full disk, a sync that fails, a file system without locks.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::calls::Call;
use super::calls::hooks;
use super::staging::UNLOCKED_IDLE;
use super::{FsNames, FsOptions, FsStore};
use crate::{
    Algorithm, ByteRange, ErrorKind, Expected, Ingest, IngestKey, IngestPlan, Key, Names, Staging, Store,
    Takeover, When,
};

fn store(root: &Path) -> FsStore {
    FsStore::new(FsOptions::new(root.join("blobs"), root.join("staging")))
}

fn plan(key: Option<&str>) -> IngestPlan {
    let plan = IngestPlan::new(Algorithm::Sha256);
    match key {
        Some(key) => plan.with_key(IngestKey::parse(key).unwrap()),
        None => plan,
    }
}

fn mine(staging: Staging) -> Box<dyn Ingest> {
    match staging {
        Staging::Mine(ingest) => ingest,
        other => panic!("expected an ingest, got {other:?}"),
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect()
}

/// Whether a call is one of those whose failure is nobody's business: it only tidies up or saves time.
fn is_optional(call: &Call<'_>) -> bool {
    match call {
        Call::Unlink(_) | Call::RemoveDir(_) | Call::Clone { .. } => true,
        Call::Create(path) | Call::Write { path, .. } | Call::Truncate { path, .. } => {
            path.extension().is_some_and(|it| it == "hash")
        }
        // Where a directory is already, making it again fails anyway.
        Call::MakeDir(path) => path.is_dir(),
        _ => false,
    }
}

/// Pushes a blob in two appends; what fails is called again, until nothing more fails. Gives how many calls
/// failed.
async fn push(store: &FsStore, key: Option<&str>, whole: &Bytes) -> u32 {
    let mut failures = 0;
    let mut failed = |error: crate::Error| {
        assert_eq!(error.kind(), ErrorKind::Storage, "{error:?}");
        failures += 1;
        assert!(failures < 10, "it fails for ever: {error:?}");
    };
    let mut ingest = loop {
        match store.ingest(plan(key)).await {
            Ok(staging) => break mine(staging),
            Err(error) => failed(error),
        }
    };
    while ingest.offset().await.unwrap() < whole.len() as u64 {
        let offset = usize::try_from(ingest.offset().await.unwrap()).unwrap();
        let end = whole.len().min(offset + whole.len() / 2 + 1);
        if let Err(error) = ingest.append(whole.slice(offset..end).into()).await {
            failed(error);
        }
    }
    let digest = Algorithm::Sha256.digest(whole);
    while let Err(error) = ingest.commit(Expected::digest(digest)).await {
        failed(error);
    }
    failures
}

/// Counts calls, and fails the one of a number.
fn fail_one(root: &Path, number: u32, kind: io::ErrorKind) -> (hooks::Hooked, Arc<AtomicU32>) {
    let count = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&count);
    let hooked = hooks::set(root, move |call| {
        if !is_optional(call) && counted.fetch_add(1, Ordering::SeqCst) == number {
            return Err(kind.into());
        }
        Ok(())
    });
    (hooked, count)
}

#[tokio::test]
async fn a_failure_at_any_call_can_be_tried_again() {
    let whole = Bytes::from(vec![7; 400_000]);
    let digest = Algorithm::Sha256.digest(&whole);
    for key in [None, Some("upload")] {
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::Other] {
            for number in 0.. {
                let dir = tempfile::tempdir().unwrap();
                let store = store(dir.path());
                let (hooked, count) = fail_one(dir.path(), number, kind);
                let failures = push(&store, key, &whole).await;
                drop(hooked);
                let blob = store.open(&digest, ByteRange::FULL).await.unwrap();
                assert_eq!(blob.into_bytes(u64::MAX).await.unwrap(), whole);
                assert_eq!(
                    files(dir.path()).len(),
                    1,
                    "{key:?} {kind} {number}: {:?}",
                    files(dir.path())
                );
                if count.load(Ordering::SeqCst) <= number {
                    assert!(failures == 0 && number > 8, "all calls had their turn");
                    break;
                }
                assert_eq!(failures, 1, "{key:?} {kind} {number}");
            }
        }
    }
}

/// What could not be synced may be gone although it still reads well: so it is written anew.
#[tokio::test]
async fn what_could_not_be_synced_is_written_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let whole = Bytes::from(vec![1; 300_000]);
    let synced = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = Arc::clone(&synced);
    let hooked = hooks::set(dir.path(), move |call| {
        if let Call::SyncFile(path) = call {
            let mut seen = seen.lock().unwrap();
            seen.push(path.to_path_buf());
            if seen.len() == 1 {
                return Err(io::ErrorKind::Other.into());
            }
        }
        Ok(())
    });
    assert_eq!(push(&store, Some("upload"), &whole).await, 1);
    drop(hooked);
    let synced = synced.lock().unwrap();
    assert_eq!(synced.len(), 2);
    assert_ne!(synced[0], synced[1], "another file was synced, and published");
}

#[tokio::test]
async fn a_full_disk_keeps_what_fitted() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let room = 600_000;
    let hooked = hooks::set(dir.path(), move |call| match call {
        Call::Write { offset, bytes, .. } if offset + bytes.len() as u64 > room => {
            Err(io::ErrorKind::StorageFull.into())
        }
        _ => Ok(()),
    });
    let mut ingest = mine(store.ingest(plan(Some("upload"))).await.unwrap());
    let whole = Bytes::from(vec![3; 1_000_000]);
    let failure = ingest.append(whole.clone().into()).await.unwrap_err();
    assert_eq!(failure.kind(), ErrorKind::Storage);
    assert!(failure.to_string().contains("upload"), "{failure}");
    let offset = ingest.offset().await.unwrap();
    assert!((room - 300_000..=room).contains(&offset), "{offset}");
    drop(ingest);
    drop(hooked);
    // There is room again, in another process.
    let store = self::store(dir.path());
    let mut ingest = mine(store.ingest(plan(Some("upload"))).await.unwrap());
    assert_eq!(ingest.offset().await.unwrap(), offset);
    ingest
        .append(whole.slice(usize::try_from(offset).unwrap()..).into())
        .await
        .unwrap();
    let info = ingest.commit(Expected::anything()).await.unwrap();
    assert_eq!(info.digest, Algorithm::Sha256.digest(&whole));
}

#[tokio::test]
async fn a_record_is_whole_or_as_before_whatever_fails() {
    let key = Key::parse("a/b").unwrap();
    for number in 0.. {
        let dir = tempfile::tempdir().unwrap();
        let names = FsNames::new(dir.path().join("names"), dir.path().join("staging"));
        let before = names.put(&key, "before".into(), When::Absent).await.unwrap();
        let (hooked, count) = fail_one(dir.path(), number, io::ErrorKind::StorageFull);
        let put = names.put(&key, "after".into(), When::Is(before.clone())).await;
        drop(hooked);
        let entry = names.get(&key).await.unwrap().unwrap();
        assert!(files(&dir.path().join("staging")).is_empty());
        match put {
            Ok(version) => {
                assert_eq!((&entry.bytes[..], entry.version), (&b"after"[..], version));
                if count.load(Ordering::SeqCst) <= number {
                    assert!(number > 4, "all calls had their turn");
                    return;
                }
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Storage);
                // Only the sync behind the rename can fail when it is done.
                assert_eq!(entry.bytes == "before", entry.version == before);
            }
        }
    }
}

fn without_locks(root: &Path) -> hooks::Hooked {
    hooks::set(root, |call| match call {
        Call::Lock(_) => Err(io::ErrorKind::Unsupported.into()),
        _ => Ok(()),
    })
}

#[tokio::test]
async fn without_locks_idle_is_what_was_not_written_for_a_while() {
    let dir = tempfile::tempdir().unwrap();
    let _hooked = without_locks(dir.path());
    let whole = Bytes::from(vec![5; 500_000]);
    let key = IngestKey::parse("upload").unwrap();
    let one = store(dir.path());
    let mut first = mine(one.ingest(plan(Some("upload"))).await.unwrap());
    first.append(whole.slice(..200_000).into()).await.unwrap();
    let other = store(dir.path());
    assert!(matches!(
        other.resume(&key, Takeover::IfIdle).await.unwrap(),
        Staging::Busy
    ));
    assert!(matches!(
        one.resume(&key, Takeover::IfIdle).await.unwrap(),
        Staging::Busy
    ));
    // Its own are known to the store without locks.
    drop(first);
    let mut first = mine(one.resume(&key, Takeover::IfIdle).await.unwrap());
    assert_eq!(first.offset().await.unwrap(), 200_000);

    let part = files(&dir.path().join("staging"))
        .into_iter()
        .find(|it| it.extension().unwrap() == "part");
    let long_ago = SystemTime::now() - UNLOCKED_IDLE - Duration::from_secs(1);
    fs::File::open(part.unwrap())
        .unwrap()
        .set_modified(long_ago)
        .unwrap();
    let mut second = mine(other.resume(&key, Takeover::IfIdle).await.unwrap());
    assert_eq!(second.offset().await.unwrap(), 200_000);
    // The first one only slept; it cannot write into what the second one has.
    let late = first.append(whole.slice(..1).into()).await;
    assert_eq!(late.unwrap_err().kind(), ErrorKind::Conflict);
    second.append(whole.slice(200_000..).into()).await.unwrap();
    let digest = Algorithm::Sha256.digest(&whole);
    second.commit(Expected::digest(digest)).await.unwrap();
    drop(first);
    assert_eq!(files(dir.path()).len(), 1);
}

/// The calls of a small push: what it may cost. One more is a decision.
#[tokio::test]
async fn a_small_blob_costs_few_calls() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    push(&store, None, &Bytes::from_static(b"first: makes the directories")).await;
    let calls = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = Arc::clone(&calls);
    let hooked = hooks::set(dir.path(), move |call| {
        let call = format!("{call:?}");
        let name = call.split([' ', '(']).next().unwrap_or_default().to_owned();
        seen.lock().unwrap().push(name);
        Ok(())
    });
    push(&store, None, &Bytes::from_static(b"second")).await;
    drop(hooked);
    let calls = calls.lock().unwrap();
    let expected = [
        "Create", "Lock", "Write", "Write", "SyncFile", "SetTimes", "Rename", "SyncDir",
    ];
    assert_eq!(*calls, expected);
}
