//! A process that is killed.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use stevedore_core::fs::FsNames;
use stevedore_core::{Algorithm, Blob, Expected, IngestPlan, Key, Names, Store, Takeover, When};

use super::tools::{content, files, key, mine, put, read, store};

/// Where the child finds its directory.
const CHILD: &str = "STEVEDORE_FS_CRASH_DIR";

const LENGTH: usize = 3_000_000;

#[tokio::test]
async fn an_upload_goes_on_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "fs::crash::child_stages_until_killed", "--nocapture"])
        .env(CHILD, dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(
        lines.any(|line| line.unwrap().contains("staged")),
        "the child came that far"
    );
    let store = store(dir.path());
    let resumed = store.resume(&key("upload"), Takeover::IfIdle).await.unwrap();
    assert!(
        matches!(resumed, stevedore_core::Staging::Busy),
        "while it lives: {resumed:?}"
    );
    child.kill().unwrap();
    child.wait().unwrap();

    // What was acknowledged is there.
    let done = Algorithm::Sha256.digest(b"done");
    assert_eq!(read(&store, &done).await, "done");
    let names = FsNames::new(dir.path().join("names"), dir.path().join("staging"));
    let record = names.get(&Key::parse("a/B").unwrap()).await.unwrap();
    assert_eq!(record.unwrap().bytes, "record");

    // What was appended goes on.
    let whole = content(7, LENGTH);
    let mut ingest = mine(store.resume(&key("upload"), Takeover::IfIdle).await.unwrap());
    let offset = usize::try_from(ingest.offset().await.unwrap()).unwrap();
    assert!(offset >= 2_000_000, "{offset}");
    ingest.append(whole.slice(offset..).into()).await.unwrap();
    let digest = Algorithm::Sha256.digest(&whole);
    ingest.commit(Expected::digest(digest)).await.unwrap();
    assert_eq!(read(&store, &digest).await, whole);

    // What had no key is swept, and nothing else is left.
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(60);
    assert_eq!(store.expire(later).await.unwrap(), 1);
    assert_eq!(files(&dir.path().join("staging")), [] as [&Path; 0]);
}

/// Does nothing unless [`an_upload_goes_on_after_a_kill`] asks for it.
#[tokio::test]
async fn child_stages_until_killed() {
    let Some(dir) = std::env::var_os(CHILD) else {
        return;
    };
    let dir = Path::new(&dir);
    let store = store(dir);
    put(&store, "done").await;
    let names = FsNames::new(dir.join("names"), dir.join("staging"));
    names
        .put(&Key::parse("a/B").unwrap(), "record".into(), When::Absent)
        .await
        .unwrap();
    let whole = content(7, LENGTH);
    let plan = IngestPlan::new(Algorithm::Sha256);
    let mut unkeyed = mine(store.ingest(plan.clone()).await.unwrap());
    unkeyed.append(Blob::from(whole.slice(..500_000))).await.unwrap();
    let mut keyed = mine(store.ingest(plan.with_key(key("upload"))).await.unwrap());
    keyed.append(Blob::from(whole.slice(..1_000_000))).await.unwrap();
    keyed
        .append(Blob::from(whole.slice(1_000_000..2_000_000)))
        .await
        .unwrap();
    println!("staged");
    std::thread::sleep(std::time::Duration::from_secs(600));
}
