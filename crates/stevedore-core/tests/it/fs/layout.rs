//! What lies in the directories, with which rights, and who needs which.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;

use stevedore_core::fs::{FsNames, FsOptions, FsStore, InTheWay};
use stevedore_core::{
    Algorithm, Blob, ByteRange, Error, ErrorKind, Expected, IngestPlan, Key, Life, Names, Staging, Store,
    When, stream::next,
};

use super::tools::{content, files, put, read, store};

/// Where the child of a test finds its directory.
const CHILD: &str = "STEVEDORE_FS_MODES_DIR";

#[tokio::test]
async fn blobs_lie_as_in_a_layout() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let digest = put(&store, "hello").await;
    let path = dir.path().join("blobs/sha256").join(digest.hex());
    assert_eq!(fs::read(&path).unwrap(), b"hello");
    assert_eq!(
        files(dir.path()),
        [path],
        "nothing is left in the staging directory"
    );
}

#[tokio::test]
async fn strangers_in_the_directory_are_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let digest = put(&store, "hello").await;
    let blobs = dir.path().join("blobs");
    let other = Algorithm::Sha256.digest(b"other");
    fs::write(blobs.join("README"), "x").unwrap();
    fs::write(blobs.join("sha256/abc"), "x").unwrap();
    fs::write(blobs.join("sha256").join(other.hex().to_uppercase()), "x").unwrap();
    fs::create_dir(blobs.join("sha256").join(other.hex())).unwrap();
    let mut listing = store.list();
    let mut found = Vec::new();
    while let Some(info) = next(&mut listing).await {
        found.push(info.unwrap().digest);
    }
    assert_eq!(found, [digest]);
    assert_eq!(store.stat(&other).await.unwrap(), None);
    let opened = store.open(&other, ByteRange::FULL).await;
    assert!(opened.is_err());
}

/// Bazel makes layouts of symbolic links.
#[tokio::test]
async fn a_symbolic_link_is_followed() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let digest = Algorithm::Sha256.digest(b"linked");
    fs::write(dir.path().join("elsewhere"), "linked").unwrap();
    fs::create_dir_all(dir.path().join("blobs/sha256")).unwrap();
    std::os::unix::fs::symlink(
        dir.path().join("elsewhere"),
        dir.path().join("blobs/sha256").join(digest.hex()),
    )
    .unwrap();
    assert_eq!(read(&store, &digest).await, "linked");
    assert_eq!(store.stat(&digest).await.unwrap().unwrap().size, 6);
    let listed = next(&mut store.list()).await.unwrap().unwrap();
    assert_eq!((listed.digest, listed.size), (digest, 6));
}

#[tokio::test]
async fn what_is_no_file_is_told_before_the_bytes_come_and_an_empty_directory_may_go() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let digest = Algorithm::Sha256.digest(b"hello");
    let path = dir.path().join("blobs/sha256").join(digest.hex());
    fs::create_dir_all(path.join("something")).unwrap();
    let refusal = async || {
        let plan = IngestPlan::of(digest).with_size(5);
        let error = store.ingest(plan).await.expect_err("nothing can be put there");
        assert_eq!(error.kind(), ErrorKind::Storage);
        assert_eq!(error.to_string(), format!("cannot write {}", path.display()));
        let cause = std::error::Error::source(&error).expect("a cause");
        let cause = cause
            .downcast_ref::<InTheWay>()
            .expect("it says what is there")
            .clone();
        assert_eq!(cause.path, path);
        (cause.is_empty_dir, cause.to_string())
    };
    let full = "a directory with something in it is there, and no blob".to_owned();
    assert_eq!(refusal().await, (false, full));
    assert!(!store.clear_way(&digest).unwrap(), "it is not empty");
    // Also where the digest is known only at the end.
    let plan = IngestPlan::new(Algorithm::Sha256);
    let Staging::Mine(mut ingest) = store.ingest(plan).await.unwrap() else {
        panic!("nobody else stages it")
    };
    ingest.append(Blob::from("hello")).await.unwrap();
    let error = ingest.commit(Expected::anything()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot write {}", path.display()));

    fs::remove_dir(path.join("something")).unwrap();
    let empty = "an empty directory is there, and no blob".to_owned();
    assert_eq!(refusal().await, (true, empty));
    assert!(store.clear_way(&digest).unwrap());
    std::os::unix::fs::symlink("nowhere", &path).unwrap();
    let dangling = "a symbolic link that leads to no file is there, and no blob".to_owned();
    assert_eq!(refusal().await, (false, dangling));
    assert!(!store.clear_way(&digest).unwrap(), "it leads somewhere");
    fs::remove_file(&path).unwrap();
    assert!(!store.clear_way(&digest).unwrap(), "there is nothing");
    put(&store, "hello").await;
    assert!(!store.clear_way(&digest).unwrap(), "there is the blob");
    assert_eq!(read(&store, &digest).await, "hello");
}

/// A power cut under a tool that syncs nothing leaves such files.
#[tokio::test]
async fn a_blob_of_another_size_is_mended() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let digest = put(&store, "hello").await;
    let path = dir.path().join("blobs/sha256").join(digest.hex());
    let life = store.stat(&digest).await.unwrap().unwrap().life;
    fs::write(&path, "").unwrap();
    assert_eq!(put(&store, "hello").await, digest);
    assert_eq!(fs::read(&path).unwrap(), b"hello");
    assert!(store.stat(&digest).await.unwrap().unwrap().life > life);
}

#[tokio::test]
async fn reading_makes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("not there");
    let store = store(&root);
    let names = FsNames::new(root.join("names"), root.join("staging"));
    let digest = Algorithm::Sha256.digest(b"absent");
    let key = Key::parse("a/b").unwrap();
    assert_eq!(store.stat(&digest).await.unwrap(), None);
    assert_eq!(store.touch(&digest).await.unwrap(), None);
    let opened = store.open(&digest, ByteRange::FULL).await;
    assert_eq!(opened.unwrap_err().kind(), ErrorKind::NotFound);
    assert!(next(&mut store.list()).await.is_none());
    assert_eq!(store.expire(std::time::SystemTime::now()).await.unwrap(), 0);
    assert_eq!(names.get(&key).await.unwrap(), None);
    assert_eq!(names.list(&key, None, 10).await.unwrap(), []);
    assert!(!root.exists());
}

#[tokio::test]
async fn reading_needs_no_write_access() {
    let dir = tempfile::tempdir().unwrap();
    let digest = put(&store(dir.path()), "hello").await;
    let names = FsNames::new(dir.path().join("names"), dir.path().join("staging"));
    let key = Key::parse("a/b").unwrap();
    names.put(&key, "x".into(), When::Always).await.unwrap();
    let before = files(dir.path());
    read_only(dir.path(), true);
    let again = store(dir.path());
    assert_eq!(read(&again, &digest).await, "hello");
    assert_eq!(again.touch(&digest).await.unwrap().unwrap().digest, digest);
    assert_eq!(names.get(&key).await.unwrap().unwrap().bytes, "x");
    read_only(dir.path(), false);
    assert_eq!(files(dir.path()), before);
}

#[tokio::test]
async fn a_missing_right_names_the_path() {
    let dir = tempfile::tempdir().unwrap();
    if fs::metadata(dir.path()).unwrap().uid() == 0 {
        // libtest does not capture what is written like this.
        writeln!(
            io::stderr(),
            "NOT RUN (needs a user without rights): a_missing_right_names_the_path"
        )
        .unwrap();
        return;
    }
    let store = store(dir.path());
    let digest = put(&store, "hello").await;
    let names = FsNames::new(dir.path().join("names"), dir.path().join("staging"));
    let key = Key::parse("a/b").unwrap();
    names.put(&key, "x".into(), When::Always).await.unwrap();
    let seen = store.stat(&digest).await.unwrap().unwrap();
    read_only(dir.path(), true);
    let failures = [
        try_put(&store).await.unwrap_err(),
        store.delete(&seen).await.unwrap_err(),
        names.put(&key, "y".into(), When::Always).await.unwrap_err(),
        names.remove(&key, When::Always).await.unwrap_err(),
    ];
    read_only(dir.path(), false);
    for failure in failures {
        assert_eq!(failure.kind(), ErrorKind::Storage, "{failure:?}");
        assert!(
            failure.to_string().contains(dir.path().to_str().unwrap()),
            "{failure}"
        );
    }
    assert_eq!(read(&store, &digest).await, "hello");
    assert_eq!(names.get(&key).await.unwrap().unwrap().bytes, "x");
}

/// The umask is the whole process's, so a shell sets it for a child.
#[test]
fn modes_follow_the_umask() {
    for (umask, file, directory) in [
        ("022", 0o644, 0o755),
        ("027", 0o640, 0o750),
        ("002", 0o664, 0o775),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let status = Command::new("sh")
            .args(["-c", "umask $0; exec \"$@\"", umask])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "fs::layout::child_writes_all_kinds"])
            .env(CHILD, dir.path())
            .output()
            .unwrap();
        assert!(status.status.success(), "{status:?}");
        let written = files(dir.path());
        // The state of a hash is kept where a boot of the machine has an id.
        let states = usize::from(cfg!(all(target_os = "linux", not(stevedore_portable))));
        assert_eq!(
            written.len(),
            3 + states,
            "a blob, a record, a part and a state: {written:?}"
        );
        for path in written {
            assert_eq!(mode(&path), file, "{}", path.display());
            for parent in path.ancestors().skip(1).take_while(|it| *it != dir.path()) {
                assert_eq!(mode(parent), directory, "{}", parent.display());
            }
        }
    }
}

/// Does nothing unless [`modes_follow_the_umask`] asks for it.
#[tokio::test]
async fn child_writes_all_kinds() {
    let Some(dir) = std::env::var_os(CHILD) else {
        return;
    };
    let dir = Path::new(&dir);
    let store = store(dir);
    put(&store, "hello").await;
    let names = FsNames::new(dir.join("names"), dir.join("staging"));
    names
        .put(&Key::parse("a/b").unwrap(), "x".into(), When::Always)
        .await
        .unwrap();
    let plan = IngestPlan::new(Algorithm::Sha256).with_key(super::tools::key("k"));
    let mut ingest = super::tools::mine(store.ingest(plan).await.unwrap());
    ingest.append(Blob::from(content(1, 1000))).await.unwrap();
}

#[tokio::test]
async fn a_layout_needs_no_touching() {
    let dir = tempfile::tempdir().unwrap();
    let digest = put(&store(dir.path()), "hello").await;
    let before = store(dir.path()).stat(&digest).await.unwrap();
    assert_eq!(
        store(dir.path()).touch(&digest).await.unwrap(),
        before,
        "without a grace nothing is renewed"
    );
    let grace = std::time::Duration::from_nanos(2);
    let options = FsOptions::new(dir.path().join("blobs"), dir.path().join("staging")).with_grace(grace);
    let touched = FsStore::new(options).touch(&digest).await.unwrap().unwrap();
    let before = before.unwrap();
    assert!(touched.touched > before.touched && touched.version != before.version);
}

async fn try_put(store: &FsStore) -> Result<(), Error> {
    let plan = IngestPlan::new(Algorithm::Sha256);
    let mut ingest = super::tools::mine(store.ingest(plan).await?);
    ingest.append("other".into()).await?;
    ingest.commit(Expected::anything()).await.map(|_| ())
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Takes the right to write from all directories, or gives it back.
fn read_only(dir: &Path, on: bool) {
    fs::set_permissions(dir, fs::Permissions::from_mode(if on { 0o555 } else { 0o755 })).unwrap();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_only(&path, on);
        }
    }
}

/// Power may have been lost in between, and with it the times that were set.
#[tokio::test]
async fn with_a_grace_what_was_there_before_is_of_an_earlier_life() {
    let dir = tempfile::tempdir().unwrap();
    let grace = std::time::Duration::from_secs(60);
    let clock = stevedore_core::Clock::manual();
    let options = FsOptions::new(dir.path().join("blobs"), dir.path().join("staging"));
    let options = options.with_grace(grace).with_clock(clock.clone());
    let first = FsStore::new(options.clone());
    let digest = put(&first, "hello").await;
    let before = first.stat(&digest).await.unwrap().unwrap();
    assert_ne!(before.life, Life::EARLIER);
    clock.advance(grace * 10);
    let second = FsStore::new(options);
    let after = second.stat(&digest).await.unwrap().unwrap();
    assert_eq!(
        (after.life, after.touched),
        (Life::EARLIER, clock.now()),
        "the grace begins again"
    );
    assert_eq!(next(&mut second.list()).await.unwrap().unwrap(), after);
    assert!(second.delete(&after).await.unwrap());
    let again = put(&second, "hello").await;
    let again = second.stat(&again).await.unwrap().unwrap();
    assert!(again.life != Life::EARLIER && again.life > before.life);
}
