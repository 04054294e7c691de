//! Images in directories of their own.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use stevedore_core::samples::Sample;
use stevedore_core::stream::next;
use stevedore_core::{
    ByteRange, ErrorKind, Platform, ReferrerFilter, Repositories, Repository, Result, Role, Selector, Sink,
    Source,
};
use stevedore_transport::{Copied, Directory, Engine, Job, Platforms, WriteOptions};
use tempfile::TempDir;

const KIND: &str = "application/vnd.example.signature";

fn image(layer: &'static str) -> Sample {
    Sample::image_of([layer.into()], &Platform::new("linux", "amd64"))
}

/// An index of two images, one of which shares its layer with `image("shared")`, with referrers.
fn family() -> Sample {
    let one = image("shared").with_referrer(KIND, "of an image");
    let other = Sample::image_of(["other".into()], &Platform::new("linux", "arm64"));
    Sample::index(vec![one, other]).with_referrer(KIND, "of the index")
}

async fn stored(sample: &Sample) -> Arc<Repository> {
    let repository = Repositories::in_memory().open("app").expect("a repository");
    sample.put(&repository, &["latest"]).await.expect("written");
    Arc::new(repository)
}

fn open(dir: &Path) -> Directory {
    Directory::create(dir, WriteOptions::default()).expect("a directory")
}

fn job(source: Arc<dyn Source>, selector: Selector, sink: impl Sink) -> Job {
    let mut job = Job::new(source, selector, Arc::new(sink));
    job.platforms = Platforms::All;
    job
}

async fn copy(job: Job) -> Result<Copied> {
    Engine::new().copy(job).await
}

async fn write(sample: &Sample, dir: &Path) -> Copied {
    let source = stored(sample).await;
    let latest = Selector::Name("latest".parse().expect("a name"));
    let mut job = job(source, latest, open(dir));
    job.referrers = true;
    copy(job).await.expect("a copy")
}

fn files(dir: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(dir).expect("a directory");
    entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("a text")
        })
        .collect()
}

/// What lies in a directory that holds just this, without referrers.
fn expected(sample: &Sample) -> BTreeSet<String> {
    let mut names = BTreeSet::from(["version".to_owned(), "manifest.json".to_owned()]);
    for part in sample.all() {
        let digest = part.document().digest();
        if digest != sample.document().digest() {
            names.insert(format!("{}.manifest.json", digest.hex()));
        }
        let blobs = part.blobs().iter();
        names.extend(blobs.map(|(blob, _)| blob.known_digest().expect("a digest").hex()));
    }
    names
}

async fn holds(dir: &Path, sample: &Sample) {
    let directory = Directory::open(dir).expect("an image");
    let root = directory.root(&Selector::Only).await.expect("the image");
    assert_eq!(&root, sample.document());
    for part in sample.all() {
        let descriptor = part.descriptor();
        let document = directory.document(&descriptor).await.expect("a document");
        assert_eq!(&document, part.document());
        let digest = Selector::Digest(part.document().digest());
        assert_eq!(
            &directory.root(&digest).await.expect("by digest"),
            part.document()
        );
        for (blob, bytes) in part.blobs() {
            let found = directory.blob(blob, ByteRange::FULL).await.expect("a blob");
            assert!(found.into_bytes(1 << 20).await.expect("its bytes") == *bytes);
        }
        let mut referrers = directory.referrers(&part.document().digest(), ReferrerFilter::all());
        let mut listed = BTreeSet::new();
        while let Some(referrer) = next(&mut referrers).await {
            listed.insert(referrer.expect("a referrer").digest.to_string());
        }
        let mine: BTreeSet<_> = part
            .referrers()
            .iter()
            .map(|referrer| referrer.document().digest().to_string())
            .collect();
        assert_eq!(listed, mine);
    }
}

#[tokio::test]
async fn an_image_lies_in_files_called_by_digits() {
    let temporary = TempDir::new().expect("a directory");
    let dir = temporary.path().join("image");
    let sample = image("layer");
    write(&sample, &dir).await;
    assert_eq!(files(&dir), expected(&sample));
    assert_eq!(
        sample.document().bytes(),
        &fs::read(dir.join("manifest.json")).expect("a file")
    );
    let version = fs::read_to_string(dir.join("version")).expect("a file");
    assert_eq!(version, "Directory Transport Version: 1.1\n");
    holds(&dir, &sample).await;
}

#[tokio::test]
async fn an_index_with_its_images_and_referrers_goes_there_and_back() {
    let temporary = TempDir::new().expect("a directory");
    let dir = temporary.path().join("image");
    let sample = family();
    write(&sample, &dir).await;
    assert_eq!(files(&dir), expected(&sample));
    holds(&dir, &sample).await;

    let back = Arc::new(Repositories::in_memory().open("back").expect("a repository"));
    let source = Arc::new(Directory::open(&dir).expect("an image"));
    let mut job = job(source, Selector::Only, (*back).clone());
    job.names = vec!["latest".parse().expect("a name")];
    job.referrers = true;
    copy(job).await.expect("a copy");
    let again = temporary.path().join("again");
    let latest = Selector::Name("latest".parse().expect("a name"));
    let mut onwards = self::job(back, latest, open(&again));
    onwards.referrers = true;
    copy(onwards).await.expect("a copy");
    holds(&again, &sample).await;
}

#[tokio::test]
async fn another_image_takes_the_place_and_leaves_nothing_behind() {
    let temporary = TempDir::new().expect("a directory");
    let dir = temporary.path().join("image");
    write(&family(), &dir).await;
    fs::write(dir.join("signature-1"), "of the old image").expect("written");
    fs::write(dir.join("notes.txt"), "mine").expect("written");
    let sample = image("shared");
    let copied = write(&sample, &dir).await;
    assert_eq!(
        (copied.present, copied.written),
        (2, 0),
        "what both have is not written again"
    );
    let mut left = expected(&sample);
    left.insert("notes.txt".to_owned());
    assert_eq!(files(&dir), left);
    holds(&dir, &sample).await;
}

#[tokio::test]
async fn signatures_stay_with_the_image_that_is_copied_again() {
    let temporary = TempDir::new().expect("a directory");
    let dir = temporary.path().join("image");
    let sample = image("layer");
    write(&sample, &dir).await;
    fs::write(dir.join("signature-1"), "of this image").expect("written");
    write(&sample, &dir).await;
    assert!(dir.join("signature-1").exists());
}

#[tokio::test]
async fn a_copy_that_fails_leaves_the_image_that_was_there() {
    let temporary = TempDir::new().expect("a directory");
    let dir = temporary.path().join("image");
    let (old, new) = (image("old"), image("new"));
    write(&old, &dir).await;
    let source = stored(&new).await;
    // The document is asked for under a name that the directory cannot have.
    let mut job = job(
        source,
        Selector::Name("latest".parse().expect("a name")),
        open(&dir),
    );
    job.names = vec!["v1".parse().expect("a name")];
    let error = copy(job).await.expect_err("there are no names");
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    holds(&dir, &old).await;
    write(&new, &dir).await;
    assert_eq!(files(&dir), expected(&new));
}

#[tokio::test]
async fn an_image_that_is_there_is_not_replaced_unasked() {
    let temporary = TempDir::new().expect("a directory");
    let dir = temporary.path().join("image");
    let (old, new) = (image("old"), image("new"));
    write(&old, &dir).await;
    for (sample, kind) in [(&old, None), (&new, Some(ErrorKind::Conflict))] {
        let latest = Selector::Name("latest".parse().expect("a name"));
        let mut job = job(stored(sample).await, latest, open(&dir));
        job.replace = false;
        assert_eq!(copy(job).await.err().map(|error| error.kind()), kind);
        holds(&dir, &old).await;
    }
}

#[tokio::test]
async fn a_second_writer_is_refused_while_one_writes() {
    let temporary = TempDir::new().expect("a directory");
    let dir = temporary.path().join("image");
    let (one, other) = (open(&dir), open(&dir));
    let sample = image("layer");
    let (blob, bytes) = &sample.blobs()[0];
    one.put_blob(blob, &[], bytes).await.expect("written");
    let error = other.put_blob(blob, &[], bytes).await.expect_err("one writes");
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    assert!(error.to_string().contains("version"), "{error}");
    drop(one);
    other
        .put_blob(blob, &[], bytes)
        .await
        .expect("nobody else writes");
}

#[tokio::test]
async fn what_is_not_ours_is_not_written_to() {
    let temporary = TempDir::new().expect("a directory");
    fs::write(temporary.path().join("thesis.tex"), "\\begin").expect("written");
    let error = Directory::create(temporary.path(), WriteOptions::default()).expect_err("a thesis");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("is not empty"), "{error}");
    fs::write(temporary.path().join("version"), "2.0.1\n").expect("written");
    let error = Directory::create(temporary.path(), WriteOptions::default()).expect_err("a program");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(files(temporary.path()).len(), 2);
}

#[tokio::test]
async fn what_is_no_image_says_so() {
    let temporary = TempDir::new().expect("a directory");
    let error = Directory::open(temporary.path().join("nowhere")).expect_err("not there");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("there is no directory"), "{error}");
    let error = Directory::open(temporary.path()).expect_err("empty");
    assert!(error.to_string().contains("it has no manifest.json"), "{error}");

    let manifest = temporary.path().join("manifest.json");
    for (content, kind) in [("{", ErrorKind::Invalid), ("[]", ErrorKind::Invalid)] {
        fs::write(&manifest, content).expect("written");
        let directory = Directory::open(temporary.path()).expect("a file");
        let error = directory.root(&Selector::Only).await.expect_err("no manifest");
        assert_eq!(error.kind(), kind, "{content}");
        assert!(error.to_string().contains("manifest.json"), "{error}");
    }
    fs::write(&manifest, " ".repeat(5 << 20)).expect("written");
    let directory = Directory::open(temporary.path()).expect("a file");
    let error = directory.root(&Selector::Only).await.expect_err("too large");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_no_file_in_place_of_a_document_is_refused() {
    let temporary = TempDir::new().expect("a directory");
    let socket = temporary.path().join("manifest.json");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
    let directory = Directory::open(temporary.path()).expect("something");
    let error = directory.root(&Selector::Only).await.expect_err("a socket");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("is no file"), "{error}");
}

#[tokio::test]
async fn damaged_content_is_found_and_mended_by_force() {
    let temporary = TempDir::new().expect("a directory");
    let dir = temporary.path().join("image");
    let sample = family();
    write(&sample, &dir).await;
    let child = sample.all()[1].document().digest();
    let child = if child == sample.document().digest() {
        sample.all()[0].document().digest()
    } else {
        child
    };
    fs::write(dir.join(format!("{}.manifest.json", child.hex())), "{}").expect("damaged");
    let directory = Directory::open(&dir).expect("an image");
    let error = directory
        .root(&Selector::Digest(child))
        .await
        .expect_err("damaged");
    assert_eq!(error.kind(), ErrorKind::Mismatch, "{error}");

    let (blob, bytes) = &sample.all()[0].blobs()[0];
    let path = dir.join(blob.known_digest().expect("a digest").hex());
    let mut other = bytes.to_vec();
    other[0] ^= 1;
    fs::write(&path, other).expect("damaged");
    let options = |check| {
        let mut options = WriteOptions::default();
        options.check_present = check;
        options
    };
    let unchecked = Directory::create(&dir, options(false)).expect("a directory");
    let checked = Directory::create(&dir, options(true)).expect("a directory");
    assert!(unchecked.has(blob).await.expect("looked"));
    assert!(!checked.has(blob).await.expect("looked"));
    let latest = Selector::Name("latest".parse().expect("a name"));
    let mut job = job(stored(&sample).await, latest, checked);
    job.referrers = true;
    job.force = true;
    copy(job).await.expect("a copy");
    holds(&dir, &sample).await;
}

#[tokio::test]
async fn a_root_that_came_by_its_digest_first_has_one_file() {
    let temporary = TempDir::new().expect("a directory");
    let dir = temporary.path().join("image");
    let sample = image("layer");
    let directory = open(&dir);
    directory
        .put_document(sample.document(), Role::Child)
        .await
        .expect("written");
    sample.put(&directory, &[]).await.expect("written");
    directory.finish().await.expect("whole");
    assert_eq!(files(&dir), expected(&sample));
}

#[tokio::test]
async fn nothing_goes_of_an_image_that_was_not_replaced() {
    let temporary = TempDir::new().expect("a directory");
    let dir = temporary.path().join("image");
    let (sample, other) = (image("layer"), image("other"));
    write(&sample, &dir).await;
    open(&dir).finish().await.expect("nothing was written");
    holds(&dir, &sample).await;
    let directory = open(&dir);
    let (blob, bytes) = &other.blobs()[0];
    directory.put_blob(blob, &[], bytes).await.expect("written");
    directory.finish().await.expect("a part was written");
    holds(&dir, &sample).await;
}

#[tokio::test]
async fn nothing_is_removed_from_it() {
    let temporary = TempDir::new().expect("a directory");
    let dir = temporary.path().join("image");
    write(&image("layer"), &dir).await;
    let error = open(&dir)
        .remove(&Selector::Only)
        .await
        .expect_err("it is one image");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}
