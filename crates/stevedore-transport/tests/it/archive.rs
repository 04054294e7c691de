//! Images in one file.

mod broken;
mod legacy;
mod names;
mod pipes;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use stevedore_core::samples::Sample;
use stevedore_core::stream::next;
use stevedore_core::{
    ByteRange, Error, ErrorKind, Platform, ReferrerFilter, Repositories, Repository, Result, Selector, Sink,
    Source,
};
use stevedore_transport::{Archive, ArchiveForm, ArchiveSink, Copied, Engine, Job, Platforms, WriteOptions};
use tempfile::TempDir;

const FORMS: [ArchiveForm; 2] = [ArchiveForm::Oci, ArchiveForm::Docker];

const KIND: &str = "application/vnd.example.signature";

/// What Docker calls an image, written out.
const APP: &str = "docker.io/library/app:v1";

fn image(layer: &'static str) -> Sample {
    Sample::image_of([layer.into(), "second".into()], &Platform::new("linux", "amd64"))
}

fn family() -> Sample {
    let one = image("shared").with_referrer(KIND, "of an image");
    let other = Sample::image_of(["shared".into()], &Platform::new("linux", "arm64"));
    Sample::index(vec![one, other]).with_referrer(KIND, "of the index")
}

/// A folder, and an archive in it that is not there yet.
struct Place {
    dir: TempDir,
    path: PathBuf,
}

impl Place {
    fn new() -> Self {
        let dir = TempDir::new().expect("a directory");
        let path = dir.path().join("image.tar");
        Self { dir, path }
    }

    /// The names of all files beside the archive, and its own.
    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir.path()).expect("a directory");
        let mut names: Vec<_> = entries
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .into_string()
                    .expect("a text")
            })
            .collect();
        names.sort();
        names
    }
}

async fn stored(sample: &Sample) -> Arc<Repository> {
    let repository = Repositories::in_memory().open("app").expect("a repository");
    sample.put(&repository, &["latest"]).await.expect("written");
    Arc::new(repository)
}

fn sink(path: &Path, form: ArchiveForm) -> ArchiveSink {
    ArchiveSink::create(path, form, WriteOptions::default()).expect("an archive")
}

fn job(source: Arc<dyn Source>, selector: Selector, sink: impl Sink, names: &[&str]) -> Job {
    let mut job = Job::new(source, selector, Arc::new(sink));
    job.platforms = Platforms::All;
    job.referrers = true;
    job.names = names.iter().map(|name| name.parse().expect("a name")).collect();
    job
}

async fn copy(job: Job) -> Result<Copied> {
    Engine::new().copy(job).await
}

fn latest() -> Selector {
    named("latest")
}

fn named(name: &str) -> Selector {
    Selector::Name(name.parse().expect("a name"))
}

async fn write(sample: &Sample, path: &Path, form: ArchiveForm, names: &[&str]) -> Copied {
    let job = job(stored(sample).await, latest(), sink(path, form), names);
    copy(job).await.expect("a copy")
}

fn open(path: &Path, form: ArchiveForm) -> Archive {
    Archive::open(path, form).expect("an archive")
}

async fn names(archive: &Archive) -> Vec<String> {
    let (mut names, mut found) = (archive.names(), Vec::new());
    while let Some(named) = next(&mut names).await {
        found.push(named.expect("a name").name.to_string());
    }
    found
}

/// Fails unless a selector names a sample, with all below it and all that refers to it and to its parts.
async fn has(archive: &Archive, selector: &Selector, sample: &Sample) {
    let root = archive.root(selector).await.expect("the image");
    assert_eq!(&root, sample.document());
    for part in sample.all() {
        let document = archive.document(&part.descriptor()).await.expect("a document");
        assert_eq!(&document, part.document());
        for (blob, bytes) in part.blobs() {
            let found = archive.blob(blob, ByteRange::FULL).await.expect("a blob");
            assert!(found.into_bytes(1 << 20).await.expect("its bytes") == *bytes);
            let tail = archive
                .blob(blob, ByteRange::from(1))
                .await
                .expect("a part of it");
            assert!(tail.into_bytes(1 << 20).await.expect("its bytes") == bytes.slice(1..));
        }
        let mut referrers = archive.referrers(&part.document().digest(), ReferrerFilter::all());
        let mut listed = Vec::new();
        while let Some(referrer) = next(&mut referrers).await {
            listed.push(referrer.expect("a referrer").digest.to_string());
        }
        listed.sort();
        let mut mine: Vec<_> = part
            .referrers()
            .iter()
            .map(|referrer| referrer.document().digest().to_string())
            .collect();
        mine.sort();
        assert_eq!(listed, mine);
    }
}

#[tokio::test]
async fn an_index_with_its_images_and_referrers_goes_there_and_back() {
    for form in FORMS {
        let place = Place::new();
        let sample = family();
        write(&sample, &place.path, form, &[APP]).await;
        assert_eq!(place.files(), ["image.tar"], "nothing else stays");
        let archive = open(&place.path, form);
        has(&archive, &named(APP), &sample).await;
        has(&archive, &Selector::Only, &sample).await;
        has(&archive, &Selector::Digest(sample.document().digest()), &sample).await;
        assert_eq!(names(&archive).await, [APP]);

        let again = place.dir.path().join("again.tar");
        let onwards = job(Arc::new(archive), Selector::Only, sink(&again, form), &[APP]);
        copy(onwards).await.expect("a copy");
        has(&open(&again, form), &Selector::Only, &sample).await;
        assert!(fs::read(&again).expect("a file") == fs::read(&place.path).expect("a file"));
    }
}

#[tokio::test]
async fn equal_images_give_equal_bytes_and_each_blob_once() {
    for form in FORMS {
        let (one, other) = (Place::new(), Place::new());
        write(&family(), &one.path, form, &[APP]).await;
        write(&family(), &other.path, form, &[APP]).await;
        let bytes = fs::read(&one.path).expect("a file");
        assert!(bytes == fs::read(&other.path).expect("a file"));
        let paths = list(&bytes);
        let mut once = paths.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), paths.len(), "{paths:?}");
        assert_eq!(paths.first().map(String::as_str), Some("oci-layout"));
        assert_eq!(paths.last().map(String::as_str), Some("index.json"));
        assert_eq!(
            paths.contains(&"manifest.json".to_owned()),
            form == ArchiveForm::Docker
        );
        for (number, path) in paths.iter().enumerate() {
            for (slash, _) in path
                .match_indices('/')
                .filter(|(slash, _)| slash + 1 < path.len())
            {
                let dir = path[..=slash].to_owned();
                assert!(paths[..number].contains(&dir), "{dir} comes before {path}");
            }
        }
    }
}

/// The paths of a tar's entries, in their order.
fn list(bytes: &[u8]) -> Vec<String> {
    let mut reader = stevedore_archive::tar::Reader::new(bytes);
    let mut paths = Vec::new();
    while let Some(member) = reader.next_entry().expect("a tar") {
        paths.push(String::from_utf8(member.entry().path.clone()).expect("a text"));
    }
    paths
}

#[tokio::test]
async fn an_archive_that_is_there_is_replaced_only_by_a_whole_one() {
    for form in FORMS {
        let place = Place::new();
        let (old, new) = (image("old"), image("new"));
        write(&old, &place.path, form, &[APP]).await;
        let (blob, bytes) = &new.blobs()[0];
        let half = sink(&place.path, form);
        half.put_blob(blob, &[], bytes).await.expect("written");
        assert_eq!(place.files().len(), 2, "the new one under a name of its own");
        drop(half);
        assert_eq!(place.files(), ["image.tar"]);
        has(&open(&place.path, form), &Selector::Only, &old).await;
        write(&new, &place.path, form, &[APP]).await;
        has(&open(&place.path, form), &Selector::Only, &new).await;

        let mut options = WriteOptions::default();
        options.replace = false;
        let error = ArchiveSink::create(&place.path, form, options).expect_err("there is one");
        assert_eq!(error.kind(), ErrorKind::Conflict);
        let elsewhere = place.dir.path().join("elsewhere.tar");
        let careful = ArchiveSink::create(&elsewhere, form, options).expect("there is none");
        let job = job(stored(&new).await, latest(), careful, &[APP]);
        fs::write(&elsewhere, "meanwhile").expect("written");
        assert_eq!(
            copy(job).await.expect_err("there is one by now").kind(),
            ErrorKind::Conflict
        );
        assert_eq!(fs::read(&elsewhere).expect("a file"), b"meanwhile");
    }
}

#[tokio::test]
async fn two_do_not_write_one_archive() {
    let place = Place::new();
    let sample = image("layer");
    let (blob, bytes) = &sample.blobs()[0];
    let (one, other) = (
        sink(&place.path, ArchiveForm::Oci),
        sink(&place.path, ArchiveForm::Oci),
    );
    one.put_blob(blob, &[], bytes).await.expect("written");
    let error = other.put_blob(blob, &[], bytes).await.expect_err("one writes");
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    drop(one);
    other
        .put_blob(blob, &[], bytes)
        .await
        .expect("nobody else writes");
}

#[tokio::test]
async fn what_a_kill_left_is_begun_again() {
    let place = Place::new();
    fs::write(
        place.dir.path().join(".image.tar.stevedore-partial"),
        vec![7; 1 << 20],
    )
    .expect("written");
    let sample = image("layer");
    write(&sample, &place.path, ArchiveForm::Oci, &[APP]).await;
    assert_eq!(place.files(), ["image.tar"]);
    has(&open(&place.path, ArchiveForm::Oci), &Selector::Only, &sample).await;
    let fresh = Place::new();
    write(&sample, &fresh.path, ArchiveForm::Oci, &[APP]).await;
    let bytes = |place: &Place| fs::read(&place.path).expect("a file");
    assert!(
        bytes(&place) == bytes(&fresh),
        "nothing of the old one is behind it"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_under_the_name_of_an_unfinished_archive_is_not_followed() {
    let place = Place::new();
    let precious = place.dir.path().join("precious");
    fs::write(&precious, "precious").expect("written");
    let link = place.dir.path().join(".image.tar.stevedore-partial");
    std::os::unix::fs::symlink(&precious, &link).expect("a link");
    let sample = image("layer");
    write(&sample, &place.path, ArchiveForm::Oci, &[APP]).await;
    assert_eq!(fs::read(&precious).expect("a file"), b"precious");
    assert_eq!(place.files(), ["image.tar", "precious"]);
    assert!(fs::symlink_metadata(&place.path).expect("a file").is_file());
    has(&open(&place.path, ArchiveForm::Oci), &Selector::Only, &sample).await;
}

#[tokio::test]
async fn a_name_is_that_of_whom_it_was_given_last() {
    for form in FORMS {
        let place = Place::new();
        let archive = sink(&place.path, form);
        let (one, other) = (image("one"), image("other"));
        one.put(&archive, &[APP]).await.expect("written");
        other.put(&archive, &[APP]).await.expect("written");
        archive.finish().await.expect("whole");
        has(&open(&place.path, form), &named(APP), &other).await;
    }
}

#[tokio::test]
async fn an_archive_is_not_changed() {
    let place = Place::new();
    let archive = sink(&place.path, ArchiveForm::Oci);
    let error = archive
        .remove(&Selector::Only)
        .await
        .expect_err("it is written whole");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    write(&image("layer"), &place.path, ArchiveForm::Oci, &[]).await;
    let sample = image("layer");
    let done = sink(&place.path, ArchiveForm::Oci);
    sample.put(&done, &[]).await.expect("written");
    done.finish().await.expect("whole");
    let error = done
        .put_document(sample.document(), stevedore_core::Role::Child)
        .await;
    assert_eq!(error.expect_err("it is finished").kind(), ErrorKind::Conflict);
}

fn invalid(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
