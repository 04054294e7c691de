//! The protocol step by step: what each outcome looks like, and what a collection reports.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use stevedore_core::collect::{
    Collection, Mark, Member, Published, Report, check, collect, join, peek, publish,
};
use stevedore_core::suite::weak::{FsLike, Weather};
use stevedore_core::{
    Blob, BlobInfo, Clock, Digest, Error, ErrorKind, Expected, IngestPlan, Key, Life, Names, Result, Staging,
    Store, When,
};

use super::executor::{alone, poll};
use super::world::{content, digest, manifest_key, member};

const GRACE: Duration = Duration::from_secs(1000);

/// What a mark finds; or the error that it meets.
struct Needed(Option<Vec<Digest>>);

#[async_trait]
impl Mark for Needed {
    async fn mark(&self) -> Result<HashSet<Digest>> {
        let needed = self.0.clone();
        let unreadable = || Error::new(ErrorKind::Storage, "a manifest cannot be read");
        needed.map(HashSet::from_iter).ok_or_else(unreadable)
    }
}

fn disk() -> (Clock, FsLike) {
    let clock = Clock::manual();
    let fs = FsLike::new(clock.clone(), Arc::new(Weather::calm()), GRACE);
    (clock, fs)
}

fn push(store: &dyn Store, blob: usize) -> BlobInfo {
    alone(async {
        let plan = IngestPlan::of(digest(blob));
        let Staging::Mine(mut ingest) = store.ingest(plan).await.unwrap() else {
            panic!("blob {blob} cannot be pushed");
        };
        ingest.append(Blob::from(content(blob))).await.unwrap();
        ingest.commit(Expected::anything()).await.unwrap()
    })
}

fn collection(clock: &Clock) -> Collection {
    Collection::new(clock.now()).with_memberships(vec![Key::parse("b").unwrap()])
}

fn has(fs: &FsLike, member: &Member) -> bool {
    alone(peek(fs, fs, member)).unwrap().is_some()
}

#[test]
fn a_blob_joins_before_it_counts() {
    let (_, fs) = disk();
    let (here, there) = (member(0, 0), member(1, 0));
    assert_eq!(
        alone(join(&fs, &fs, &here)).unwrap(),
        None,
        "there is no blob yet"
    );
    let pushed = push(&fs, 0);
    assert!(alone(check(&fs, &fs, &here)).unwrap().is_none());
    assert_eq!(alone(join(&fs, &fs, &here)).unwrap().unwrap().life, pushed.life);
    assert_eq!(alone(check(&fs, &fs, &here)).unwrap().unwrap().life, pushed.life);
    assert!(!has(&fs, &there), "one repository's push shows in no other");
}

#[test]
fn a_check_renews_and_a_peek_does_not() {
    let (clock, fs) = disk();
    let pushed = push(&fs, 0);
    alone(join(&fs, &fs, &member(0, 0))).unwrap();
    clock.advance(GRACE);
    let peeked = alone(peek(&fs, &fs, &member(0, 0))).unwrap().unwrap();
    assert_eq!(peeked, pushed);
    let checked = alone(check(&fs, &fs, &member(0, 0))).unwrap().unwrap();
    assert!(checked.touched >= clock.now());
    assert_ne!(checked.version, pushed.version);
}

#[test]
fn a_membership_does_not_count_for_a_later_life() {
    let (clock, fs) = disk();
    let first = push(&fs, 0);
    alone(join(&fs, &fs, &member(0, 0))).unwrap();
    assert!(alone(fs.delete(&first)).unwrap());
    clock.advance(GRACE);
    push(&fs, 0);
    assert!(!has(&fs, &member(0, 0)));
    alone(join(&fs, &fs, &member(0, 0))).unwrap();
    assert!(has(&fs, &member(0, 0)));
}

#[test]
fn a_manifest_is_not_written_without_its_blobs() {
    let (_, fs) = disk();
    push(&fs, 0);
    alone(join(&fs, &fs, &member(0, 0))).unwrap();
    let (key, needed) = (manifest_key(0, 0), [member(0, 0), member(0, 1), member(0, 2)]);
    let published = alone(publish(&fs, &fs, &key, Bytes::from("m"), &needed)).unwrap();
    assert_eq!(published, Published::Missing(vec![digest(1), digest(2)]));
    assert_eq!(alone(Names::get(&fs, &key)).unwrap(), None);
}

/// A manifest whose blob goes at each point of its publication in turn: it is acknowledged only where the blob was
/// still there when it was looked at last, and what is not acknowledged is not left.
#[test]
fn a_manifest_is_taken_back_when_a_blob_goes_meanwhile() {
    let (mut missing, mut lost) = (0, 0);
    for polls in 0.. {
        let (_, fs) = disk();
        let pushed = push(&fs, 0);
        alone(join(&fs, &fs, &member(0, 0))).unwrap();
        let answer = Arc::new(std::sync::Mutex::new(None));
        let mut task: super::executor::Task = Box::pin({
            let (fs, answer) = (fs.clone(), Arc::clone(&answer));
            async move {
                let needed = [member(0, 0)];
                let published = publish(&fs, &fs, &manifest_key(0, 0), Bytes::from("m"), &needed).await;
                *answer.lock().unwrap() = Some(published.unwrap());
            }
        });
        if (0..polls).any(|_| poll(&mut task)) {
            break;
        }
        assert!(alone(fs.delete(&pushed)).unwrap());
        while !poll(&mut task) {}
        let answer = answer.lock().unwrap().take();
        let left = alone(Names::get(&fs, &manifest_key(0, 0))).unwrap();
        match answer.unwrap() {
            Published::Missing(blobs) => {
                assert_eq!((blobs, left), (vec![digest(0)], None));
                missing += 1;
            }
            Published::Lost(blobs) => {
                assert_eq!((blobs, left), (vec![digest(0)], None));
                lost += 1;
            }
            // The last look was over.
            _ => assert!(left.is_some()),
        }
    }
    assert!(
        missing > 0 && lost > 0,
        "{missing} times missing, {lost} times lost"
    );
}

#[test]
fn a_collection_takes_what_is_old_and_not_needed() {
    let (clock, fs) = disk();
    push(&fs, 0);
    push(&fs, 1);
    for blob in [0, 1] {
        alone(join(&fs, &fs, &member(0, blob))).unwrap();
    }
    clock.advance(2 * GRACE);
    push(&fs, 2);
    alone(join(&fs, &fs, &member(0, 2))).unwrap();
    let mark = Needed(Some(vec![digest(0)]));

    let plan = collection(&clock).with_dry_run(true);
    let dry = alone(collect(&fs, &fs, &mark, &plan)).unwrap();
    assert!(has(&fs, &member(0, 1)), "a dry run deletes nothing");

    let report = alone(collect(&fs, &fs, &mark, &collection(&clock))).unwrap();
    let mut wanted = Report::default();
    (wanted.listed, wanted.kept, wanted.deleted) = (3, 1, 1);
    wanted.bytes = content(1).len() as u64;
    // The blob is still there in a dry run, and so its membership counts.
    assert_eq!(dry, wanted);
    wanted.memberships = 1;
    assert_eq!(report, wanted);
    let there = [0, 1, 2].map(|blob| has(&fs, &member(0, blob)));
    assert_eq!(there, [true, false, true]);
    assert_eq!(alone(Names::get(&fs, &member(0, 1).key)).unwrap(), None);
}

#[test]
fn a_collection_without_all_marks_deletes_nothing() {
    let (clock, fs) = disk();
    push(&fs, 0);
    clock.advance(2 * GRACE);
    let error = alone(collect(&fs, &fs, &Needed(None), &collection(&clock))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(alone(fs.stat(&digest(0))).unwrap().is_some());
}

#[test]
fn a_blob_renewed_while_it_is_collected_is_spared() {
    /// Somebody touches the blob while the marks are read.
    struct Touching(FsLike);

    #[async_trait]
    impl Mark for Touching {
        async fn mark(&self) -> Result<HashSet<Digest>> {
            self.0.touch(&digest(0)).await?;
            Ok(HashSet::new())
        }
    }

    let (clock, fs) = disk();
    push(&fs, 0);
    clock.advance(2 * GRACE);
    let report = alone(collect(&fs, &fs, &Touching(fs.clone()), &collection(&clock))).unwrap();
    assert_eq!((report.spared, report.deleted), (1, 0));
    assert!(alone(fs.stat(&digest(0))).unwrap().is_some());
}

#[test]
fn a_collection_leaves_records_alone_that_are_no_memberships() {
    let (clock, fs) = disk();
    let life = Bytes::from(Life::new(7).to_string());
    let foreign = member(0, 1).key;
    let records = [
        ("b/0/notes", life.clone()),
        ("b/0/sha256:ab", life.clone()),
        (foreign.as_str(), Bytes::from("of another version")),
        ("c/sha256", life.clone()),
    ];
    for (key, bytes) in &records {
        let key = Key::parse(key).unwrap();
        alone(Names::put(&fs, &key, bytes.clone(), When::Absent)).unwrap();
    }
    alone(Names::put(&fs, &member(0, 0).key, life, When::Absent)).unwrap();
    let report = alone(collect(&fs, &fs, &Needed(Some(Vec::new())), &collection(&clock))).unwrap();
    assert_eq!(report.memberships, 1);
    for (key, bytes) in &records {
        let entry = alone(Names::get(&fs, &Key::parse(key).unwrap())).unwrap();
        assert_eq!(entry.unwrap().bytes, bytes, "{key}");
    }
}

#[test]
fn what_is_staged_outlives_the_grace_when_asked_for() {
    let (clock, fs) = disk();
    for _ in 0..2 {
        let key = stevedore_core::IngestKey::parse("upload").unwrap();
        let plan = IngestPlan::new(digest(0).algorithm()).with_key(key);
        let staging = alone(fs.ingest(plan)).unwrap();
        assert!(matches!(staging, Staging::Mine(_)));
    }
    clock.advance(2 * GRACE);
    let mark = Needed(Some(Vec::new()));
    let patient = collection(&clock).with_staged(3 * GRACE);
    assert_eq!(alone(collect(&fs, &fs, &mark, &patient)).unwrap().staged, 0);
    assert_eq!(
        alone(collect(&fs, &fs, &mark, &collection(&clock)))
            .unwrap()
            .staged,
        1
    );
    assert_eq!(fs.staged(), 0);
}
