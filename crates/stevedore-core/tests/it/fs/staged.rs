//! What goes on after a restart, and what is not believed.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::{Duration, SystemTime};

use stevedore_core::fs::{FsOptions, FsStore};
use stevedore_core::{
    Algorithm, Blob, CHUNK_SIZE, Clock, Descriptor, ErrorKind, Expected, IngestPlan, MediaType, Meter, Store,
    Supply, Takeover, supply,
};

use super::tools::{content, files, key, mine, only, read, store};

/// Stages the first half of some content under a key, as a store that is then gone.
async fn stage_half(root: &Path, whole: &bytes::Bytes) {
    let plan = IngestPlan::new(Algorithm::Sha256).with_key(key("upload"));
    let mut ingest = mine(store(root).ingest(plan).await.unwrap());
    ingest
        .append(whole.slice(..whole.len() / 2).into())
        .await
        .unwrap();
}

/// Goes on after a restart and commits; whatever happened to the files, the digest must be right.
async fn finish(root: &Path, whole: &bytes::Bytes) {
    let store = store(root);
    let mut ingest = mine(store.resume(&key("upload"), Takeover::IfIdle).await.unwrap());
    let offset = usize::try_from(ingest.offset().await.unwrap()).unwrap();
    ingest.append(whole.slice(offset..).into()).await.unwrap();
    let info = ingest
        .commit(Expected::digest(Algorithm::Sha256.digest(whole)))
        .await
        .unwrap();
    assert_eq!(read(&store, &info.digest).await, whole);
    assert_eq!(
        files(&root.join("staging")),
        [] as [&Path; 0],
        "nothing is left behind"
    );
}

#[tokio::test]
async fn goes_on_with_the_saved_hash() {
    let dir = tempfile::tempdir().unwrap();
    let whole = content(1, 900_000);
    stage_half(dir.path(), &whole).await;
    if cfg!(all(target_os = "linux", not(stevedore_portable))) {
        // Were the bytes read again, this change would be seen: so they are not.
        let part = only(dir.path(), "part");
        let staged = fs::read(&part).unwrap();
        fs::write(&part, vec![0; staged.len()]).unwrap();
        let store = store(dir.path());
        let mut ingest = mine(store.resume(&key("upload"), Takeover::IfIdle).await.unwrap());
        assert_eq!(ingest.offset().await.unwrap(), 450_000);
        drop(ingest);
        fs::write(&part, staged).unwrap();
        only(dir.path(), "hash");
    }
    finish(dir.path(), &whole).await;
}

#[tokio::test]
async fn a_damaged_state_is_not_believed() {
    let whole = content(2, 700_000);
    let damages: [fn(&Path); 4] = [
        |side| fs::remove_file(side).unwrap(),
        |side| fs::write(side, "").unwrap(),
        |side| {
            let mut state = fs::read(side).unwrap();
            let last = state.len() - 20;
            state[last] ^= 1;
            fs::write(side, state).unwrap();
        },
        // Another boot of the machine: a power cut may have taken bytes out of the middle.
        |side| {
            let mut state = fs::read(side).unwrap();
            state[0] = if state[0] == b'0' { b'1' } else { b'0' };
            fs::write(side, state).unwrap();
        },
    ];
    for damage in damages {
        let dir = tempfile::tempdir().unwrap();
        stage_half(dir.path(), &whole).await;
        if cfg!(all(target_os = "linux", not(stevedore_portable))) {
            damage(&only(dir.path(), "hash"));
        }
        finish(dir.path(), &whole).await;
    }
}

#[tokio::test]
async fn bytes_that_changed_in_another_boot_are_found_out() {
    let dir = tempfile::tempdir().unwrap();
    let whole = content(3, 700_000);
    stage_half(dir.path(), &whole).await;
    let part = only(dir.path(), "part");
    let mut staged = fs::read(&part).unwrap();
    staged[1000..5000].fill(0);
    fs::write(&part, staged).unwrap();
    for side in files(dir.path()) {
        if side.extension().is_some_and(|it| it == "hash") {
            let state = fs::read(&side).unwrap();
            fs::write(&side, [b"other-boot", &state[..]].concat()).unwrap();
        }
    }
    let store = store(dir.path());
    let mut ingest = mine(store.resume(&key("upload"), Takeover::IfIdle).await.unwrap());
    ingest.append(whole.slice(350_000..).into()).await.unwrap();
    let committed = ingest
        .commit(Expected::digest(Algorithm::Sha256.digest(&whole)))
        .await;
    assert_eq!(committed.unwrap_err().kind(), ErrorKind::Mismatch);
    assert_eq!(
        files(dir.path()),
        [] as [&Path; 0],
        "what did not fit is discarded"
    );
}

#[tokio::test]
async fn a_shorter_file_is_taken_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let whole = content(4, 700_000);
    stage_half(dir.path(), &whole).await;
    let part = only(dir.path(), "part");
    fs::OpenOptions::new()
        .write(true)
        .open(&part)
        .unwrap()
        .set_len(1234)
        .unwrap();
    let mut ingest = mine(
        store(dir.path())
            .resume(&key("upload"), Takeover::IfIdle)
            .await
            .unwrap(),
    );
    assert_eq!(ingest.offset().await.unwrap(), 1234);
    drop(ingest);
    finish(dir.path(), &whole).await;
}

/// As a power cut may leave it when the rename is on the disk but for the removal of the old name.
#[cfg(all(unix, not(stevedore_portable)))]
#[tokio::test]
async fn a_published_file_is_never_written() {
    let dir = tempfile::tempdir().unwrap();
    let whole = content(5, 50_000);
    stage_half(dir.path(), &whole).await;
    let staged = Algorithm::Sha256.digest(&whole[..25_000]);
    let blobs = dir.path().join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    fs::hard_link(only(dir.path(), "part"), blobs.join(staged.hex())).unwrap();
    let store = store(dir.path());
    let resumed = store.resume(&key("upload"), Takeover::IfIdle).await.unwrap();
    assert!(matches!(resumed, stevedore_core::Staging::None), "{resumed:?}");
    assert_eq!(read(&store, &staged).await, whole.slice(..25_000));
}

#[tokio::test]
async fn a_file_is_copied_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let whole = content(6, 1_500_001);
    let path = dir.path().join("source");
    fs::write(&path, &whole).unwrap();
    let file = Arc::new(fs::File::open(&path).unwrap());
    let store = store(dir.path());
    for range in [0..1_500_001, 0..10, 700_000..1_500_001, 3..3] {
        let meter = Arc::new(Meter::default());
        let part = whole.slice(usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap());
        let blob = Blob::from_file(Arc::clone(&file), path.clone(), range).with_meter(Arc::clone(&meter));
        let mut ingest = mine(store.ingest(IngestPlan::new(Algorithm::Sha512)).await.unwrap());
        ingest.append(blob).await.unwrap();
        assert_eq!(meter.bytes(), part.len() as u64);
        let info = ingest.commit(Expected::anything()).await.unwrap();
        assert_eq!(info.digest, Algorithm::Sha512.digest(&part));
        assert_eq!(read(&store, &info.digest).await, part);
    }
    let short = Blob::from_file(file, path, 1_500_000..1_500_002);
    let mut ingest = mine(store.ingest(IngestPlan::new(Algorithm::Sha256)).await.unwrap());
    assert_eq!(
        ingest.append(short).await.unwrap_err().kind(),
        ErrorKind::Interrupted
    );
    assert_eq!(ingest.offset().await.unwrap(), 1);
}

#[tokio::test]
async fn what_is_left_expires() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::manual();
    let options = FsOptions::new(dir.path().join("blobs"), dir.path().join("staging"));
    let store = FsStore::new(options.with_clock(clock.clone()));
    let plan = |name| IngestPlan::new(Algorithm::Sha256).with_key(key(name));
    let mut held = mine(store.ingest(plan("held")).await.unwrap());
    held.append("held".into()).await.unwrap();
    let mut left = mine(store.ingest(plan("left")).await.unwrap());
    left.append("left".into()).await.unwrap();
    drop(left);
    // A crash leaves files that nobody has locked.
    let stray = dir.path().join("staging/stray.tmp");
    fs::write(&stray, "x").unwrap();
    let past = clock.now() - Duration::from_secs(10);
    fs::File::open(&stray).unwrap().set_modified(past).unwrap();
    assert_eq!(store.expire(past).await.unwrap(), 0);
    assert_eq!(store.expire(clock.now()).await.unwrap(), 1, "the stray file");
    clock.advance(Duration::from_secs(1));
    assert_eq!(
        store.expire(clock.now()).await.unwrap(),
        1,
        "the one that was left"
    );
    assert_eq!(
        store
            .expire(SystemTime::now() + Duration::from_secs(60))
            .await
            .unwrap(),
        0
    );
    held.commit(Expected::digest(Algorithm::Sha256.digest(b"held")))
        .await
        .unwrap();
    assert_eq!(files(&dir.path().join("staging")), [] as [&Path; 0]);
}

/// The beginning of a blob, and then a cut.
struct Cut(bytes::Bytes);

#[async_trait::async_trait]
impl Supply for Cut {
    async fn open(&self, from: u64) -> stevedore_core::Result<Blob> {
        let from = usize::try_from(from).unwrap();
        let error = stevedore_core::Error::new(ErrorKind::Interrupted, "cut");
        let items = vec![Ok(self.0.slice(from..)), Err(error)];
        Ok(Blob::from_stream(stevedore_core::stream::iter(items), None))
    }
}

#[tokio::test]
async fn only_what_is_worth_going_on_with_outlasts_a_cut() {
    for (size, staged) in [(CHUNK_SIZE, 0), (CHUNK_SIZE + 1, 1)] {
        let dir = tempfile::tempdir().unwrap();
        let whole = content(9, size);
        let descriptor = Descriptor::new(
            MediaType::OCTET_STREAM,
            Algorithm::Sha256.digest(&whole),
            size as u64,
        );
        let supply = Cut(whole.slice(..size - 1));
        let store = store(dir.path());
        let cut = supply::put_blob(&store, &descriptor, &supply, || Box::pin(async { false }));
        assert_eq!(cut.await.unwrap_err().kind(), ErrorKind::Interrupted);
        let mut left = files(&dir.path().join("staging"));
        left.retain(|path| path.extension().is_some_and(|it| it == "part"));
        assert_eq!(left.len(), staged, "{size} bytes: {left:?}");
    }
}

#[tokio::test]
async fn a_small_file_is_not_written_before_it_is_committed() {
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("from");
    for (size, written) in [(CHUNK_SIZE, 0), (CHUNK_SIZE + 1, 1)] {
        let whole = content(10, size);
        fs::write(&from, &whole).unwrap();
        let store = store(dir.path());
        let plan = IngestPlan::new(Algorithm::Sha256);
        let mut ingest = mine(store.ingest(plan).await.unwrap());
        let file = Arc::new(fs::File::open(&from).unwrap());
        let meter = Arc::new(Meter::default());
        let blob = Blob::from_file(file, from.clone(), 0..size as u64).with_meter(Arc::clone(&meter));
        ingest.append(blob).await.unwrap();
        assert_eq!(meter.bytes(), size as u64);
        assert_eq!(files(&dir.path().join("staging")).len(), written, "{size} bytes");
        let info = ingest.commit(Expected::anything()).await.unwrap();
        assert_eq!(read(&store, &info.digest).await, whole);
    }
}

#[tokio::test]
async fn no_more_files_are_copied_at_once_than_there_are_cores() {
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("from");
    let size = 8 << 20;
    fs::write(&from, content(11, size)).unwrap();
    let store = store(dir.path());
    let cores = std::thread::available_parallelism().unwrap().get();
    let mut appends = Vec::new();
    for _ in 0..=cores {
        let mut ingest = mine(store.ingest(IngestPlan::new(Algorithm::Sha256)).await.unwrap());
        let file = Arc::new(fs::File::open(&from).unwrap());
        let blob = Blob::from_file(file, from.clone(), 0..size as u64);
        appends.push(Box::pin(
            async move { ingest.append(blob).await.map(|()| ingest) },
        ));
    }
    // Whoever began and is not asked for its outcome is not done, and all but the last began.
    let mut context = Context::from_waker(Waker::noop());
    for append in &mut appends {
        assert!(append.as_mut().poll(&mut context).is_pending());
    }
    while files(&dir.path().join("staging")).len() < cores {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert_eq!(files(&dir.path().join("staging")).len(), cores);
    for append in appends {
        append.await.unwrap();
    }
}
