//! Archives that are cut, garbled or something else: refused, with what and where.

use stevedore_archive::tar::{Entry, Kind, Writer};

use super::names::with_file;
use super::*;

fn tar(files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = Writer::new(Vec::new());
    for (path, content) in files {
        let entry = Entry::file(*path, content.len() as u64);
        tar.append_from(&entry, &mut content.as_bytes()).expect("memory");
    }
    tar.finish().expect("memory")
}

const HEADER: (&str, &str) = ("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);

const EMPTY: (&str, &str) = ("index.json", r#"{"schemaVersion":2,"manifests":[]}"#);

/// The error of reading these bytes.
async fn refused(bytes: &[u8], form: ArchiveForm) -> Error {
    let place = Place::new();
    fs::write(&place.path, bytes).expect("written");
    let archive = open(&place.path, form);
    let error = archive.resolve(&Selector::Only).await.expect_err("no archive");
    assert!(error.to_string().contains("image.tar"), "{}", invalid(&error));
    error
}

#[tokio::test]
async fn what_is_no_such_archive_says_what_is_missing() {
    let cases = [
        (
            tar(&[]),
            ArchiveForm::Oci,
            "it is no oci-archive: it has no index.json",
        ),
        (tar(&[EMPTY]), ArchiveForm::Oci, "it has no index.json"),
        (
            tar(&[HEADER, EMPTY]),
            ArchiveForm::Docker,
            "it can be read as oci-archive:",
        ),
        (
            tar(&[("manifest.json", "[]")]),
            ArchiveForm::Oci,
            "it can be read as docker-archive:",
        ),
        (
            tar(&[("manifest.json", "[]")]),
            ArchiveForm::Docker,
            "names no image",
        ),
        (
            tar(&[("manifest.json", "{}")]),
            ArchiveForm::Docker,
            "is not what docker save writes",
        ),
        (tar(&[("repositories", "{}")]), ArchiveForm::Docker, "before 2016"),
        (
            tar(&[("oci-layout", "{}"), EMPTY]),
            ArchiveForm::Oci,
            "its oci-layout is no layout header",
        ),
        (
            tar(&[HEADER, ("index.json", "[")]),
            ArchiveForm::Oci,
            "its index.json",
        ),
        (
            b"<html>not found</html>".repeat(100),
            ArchiveForm::Oci,
            "header at byte 0",
        ),
    ];
    for (bytes, form, reason) in cases {
        let error = refused(&bytes, form).await;
        assert_eq!(error.kind(), ErrorKind::Invalid, "{}", invalid(&error));
        assert!(
            invalid(&error).contains(reason),
            "{} has no {reason}",
            invalid(&error)
        );
    }
    let other = tar(&[("oci-layout", r#"{"imageLayoutVersion":"2.0"}"#), EMPTY]);
    assert_eq!(
        refused(&other, ArchiveForm::Oci).await.kind(),
        ErrorKind::Unsupported
    );
}

#[tokio::test]
async fn one_that_is_cut_anywhere_is_refused_or_lacks_nothing_that_was_asked_for() {
    let place = Place::new();
    let sample = image("layer");
    write(&sample, &place.path, ArchiveForm::Oci, &["v1"]).await;
    let whole = fs::read(&place.path).expect("a file");
    // `index.json` comes last: without its end nothing is named.
    let index_ends = whole.len() - stevedore_archive::tar::END.len();
    for cut in (0..whole.len()).step_by(97) {
        fs::write(&place.path, &whole[..cut]).expect("written");
        let found = open(&place.path, ArchiveForm::Oci).root(&Selector::Only).await;
        match found {
            Ok(root) => {
                assert!(cut >= index_ends, "{cut}");
                assert_eq!(&root, sample.document());
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::Invalid, "{cut}: {}", invalid(&error)),
        }
    }
}

#[tokio::test]
async fn links_out_of_the_archive_and_special_files_are_not_followed() {
    for (kind, target, reason) in [
        (Kind::SymbolicLink, "/etc/passwd", "is not there"),
        (Kind::SymbolicLink, "../../outside", "leads out of the archive"),
        (Kind::SymbolicLink, "index.json", "links on the way"),
        (Kind::HardLink, "nowhere", "has no index.json"),
    ] {
        let mut tar = Writer::new(Vec::new());
        let entry = Entry::file(HEADER.0, HEADER.1.len() as u64);
        tar.append_from(&entry, &mut HEADER.1.as_bytes()).expect("memory");
        tar.append(&Entry::link(kind, "index.json", target))
            .expect("memory");
        let error = refused(&tar.finish().expect("memory"), ArchiveForm::Oci).await;
        assert_eq!(error.kind(), ErrorKind::Invalid, "{}", invalid(&error));
        if reason != "is not there" {
            assert!(
                invalid(&error).contains(reason),
                "{} has no {reason}",
                invalid(&error)
            );
        }
    }
    let mut tar = Writer::new(Vec::new());
    let entry = Entry::file(HEADER.0, HEADER.1.len() as u64);
    tar.append_from(&entry, &mut HEADER.1.as_bytes()).expect("memory");
    tar.append(&Entry::new(Kind::Fifo, "index.json")).expect("memory");
    let error = refused(&tar.finish().expect("memory"), ArchiveForm::Oci).await;
    assert!(
        invalid(&error).contains("is no plain file"),
        "{}",
        invalid(&error)
    );
}

#[tokio::test]
async fn a_file_that_is_too_large_to_be_what_it_is_called_is_not_read() {
    let large = " ".repeat(17 << 20);
    let error = refused(&tar(&[("oci-layout", &large), EMPTY]), ArchiveForm::Oci).await;
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{}", invalid(&error));
    assert!(invalid(&error).contains("its oci-layout"), "{}", invalid(&error));
}

#[tokio::test]
async fn a_blob_with_other_bytes_is_refused_when_it_is_copied() {
    let place = Place::new();
    let sample = image("layer");
    write(&sample, &place.path, ArchiveForm::Oci, &["v1"]).await;
    let bytes = fs::read(&place.path).expect("a file");
    let (blob, _) = &sample.blobs()[1];
    let path = format!("blobs/sha256/{}", blob.known_digest().expect("a digest").hex());
    // The last of several entries counts.
    let other = "x".repeat(usize::try_from(blob.size).expect("a size"));
    fs::write(&place.path, with_file(&bytes, &path, &other)).expect("written");
    let copied = place.dir.path().join("copied.tar");
    let source = Arc::new(open(&place.path, ArchiveForm::Oci));
    let error = copy(job(
        source,
        Selector::Only,
        sink(&copied, ArchiveForm::Docker),
        &[APP],
    ))
    .await;
    assert_eq!(error.expect_err("other bytes").kind(), ErrorKind::Mismatch);
    assert_eq!(place.files(), ["image.tar"], "nothing half-written");
}

#[tokio::test]
async fn a_compressed_one_is_read_and_a_damaged_one_names_the_place() {
    use stevedore_archive::codec::{Encoder, Profile};

    let place = Place::new();
    let sample = image("layer");
    write(&sample, &place.path, ArchiveForm::Docker, &[APP]).await;
    let plain = fs::read(&place.path).expect("a file");
    for profile in [Profile::GZIP, Profile::ZSTD] {
        let mut encoder = Encoder::new(Vec::new(), profile, std::num::NonZero::<usize>::MIN);
        std::io::Write::write_all(&mut encoder, &plain).expect("memory");
        let mut packed = encoder.finish().expect("memory");
        fs::write(&place.path, &packed).expect("written");
        has(&open(&place.path, ArchiveForm::Docker), &named(APP), &sample).await;
        let middle = packed.len() / 2;
        packed[middle] ^= 0xff;
        let error = refused(&packed, ArchiveForm::Docker).await;
        assert_eq!(error.kind(), ErrorKind::Invalid, "{}", invalid(&error));
        assert!(invalid(&error).contains("stream"), "{}", invalid(&error));
        packed.truncate(middle);
        let error = refused(&packed, ArchiveForm::Docker).await;
        assert!(
            invalid(&error).contains("cut off") || invalid(&error).contains("damaged"),
            "{}",
            invalid(&error)
        );
    }
}

#[tokio::test]
async fn what_is_not_there_or_a_directory_is_no_archive() {
    let place = Place::new();
    let error = Archive::open(&place.path, ArchiveForm::Oci).expect_err("not there");
    assert!(error.is_not_found(), "{error}");
    let error = Archive::open(place.dir.path(), ArchiveForm::Oci).expect_err("a directory");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let into = place.dir.path().join("missing/image.tar");
    let sample = image("layer");
    let error = copy(job(
        stored(&sample).await,
        latest(),
        sink(&into, ArchiveForm::Oci),
        &["v1"],
    ))
    .await;
    let error = error.expect_err("no such directory");
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(invalid(&error).contains("missing"), "{}", invalid(&error));
}
