//! Which image of an archive is meant, and what it is called.

use super::*;

/// The parsed `manifest.json` of an archive.
fn saved(path: &Path) -> serde_json::Value {
    let bytes = fs::read(path).expect("a file");
    let mut reader = stevedore_archive::tar::Reader::new(&bytes[..]);
    while let Some(mut member) = reader.next_entry().expect("a tar") {
        if member.entry().path == b"manifest.json" {
            return serde_json::from_reader(&mut member).expect("JSON");
        }
    }
    panic!("there is none");
}

#[tokio::test]
async fn docker_finds_config_layers_and_names_of_an_image() {
    let place = Place::new();
    let sample = image("layer");
    write(
        &sample,
        &place.path,
        ArchiveForm::Docker,
        &[APP, "registry.example/app:v2"],
    )
    .await;
    let blobs: Vec<String> = sample
        .blobs()
        .iter()
        .map(|(blob, _)| format!("blobs/sha256/{}", blob.known_digest().expect("a digest").hex()))
        .collect();
    let expected = serde_json::json!([{
        "Config": blobs[0],
        "RepoTags": [APP, "registry.example/app:v2"],
        "Layers": blobs[1..],
    }]);
    assert_eq!(saved(&place.path), expected);
    let archive = open(&place.path, ArchiveForm::Docker);
    assert_eq!(names(&archive).await, [APP, "registry.example/app:v2"]);
    has(&archive, &named("registry.example/app:v2"), &sample).await;
    has(&archive, &Selector::Only, &sample).await;
    let error = archive
        .resolve(&named("docker.io/library/app:v3"))
        .await
        .expect_err("no such name");
    assert!(error.is_not_found(), "{error}");
    assert!(error.to_string().contains(APP), "{error}");
}

#[tokio::test]
async fn of_an_index_docker_gets_the_image_for_this_host_or_the_first() {
    let host = Platform::host();
    let other = Platform::new("plan9", "mips");
    let (of_host, of_other) = (
        Sample::image_of(["host".into()], &host),
        Sample::image_of(["other".into()], &other),
    );
    for (children, chosen) in [
        (vec![of_other.clone(), of_host.clone()], &of_host),
        (vec![of_other.clone()], &of_other),
    ] {
        let place = Place::new();
        write(&Sample::index(children), &place.path, ArchiveForm::Docker, &[APP]).await;
        let config = chosen.blobs()[0].0.known_digest().expect("a digest");
        let saved = saved(&place.path);
        assert_eq!(saved.as_array().expect("a list").len(), 1);
        assert_eq!(saved[0]["Config"], format!("blobs/sha256/{}", config.hex()));
    }
}

#[tokio::test]
async fn a_name_of_manifest_json_alone_is_found() {
    // As a `docker save` that writes layouts without the whole name; here an oci-archive, and the file beside.
    let place = Place::new();
    let sample = family();
    write(&sample, &place.path, ArchiveForm::Oci, &["v1"]).await;
    let config = sample.children()[0].blobs()[0]
        .0
        .known_digest()
        .expect("a digest");
    let manifest =
        serde_json::json!([{"Config": format!("blobs/sha256/{}", config.hex()), "RepoTags": ["app:v1"]}]);
    let bytes = with_file(
        &fs::read(&place.path).expect("a file"),
        "manifest.json",
        &manifest.to_string(),
    );
    fs::write(&place.path, bytes).expect("written");
    let archive = open(&place.path, ArchiveForm::Docker);
    assert_eq!(names(&archive).await, [APP]);
    has(&archive, &named(APP), &sample).await;
}

/// The same tar with one more file.
pub(super) fn with_file(tar: &[u8], path: &str, content: &str) -> Vec<u8> {
    use stevedore_archive::tar::{END, Entry, encode, padding};

    let mut longer = tar[..tar.len() - END.len()].to_vec();
    encode(&Entry::file(path, content.len() as u64), &mut longer).expect("an entry");
    longer.extend_from_slice(content.as_bytes());
    longer.extend_from_slice(padding(content.len() as u64));
    longer.extend_from_slice(END);
    longer
}

#[tokio::test]
async fn what_docker_cannot_load_is_refused_before_it_has_its_name() {
    let place = Place::new();
    let subject = image("layer").descriptor();
    let artifact = Sample::artifact(&subject, KIND, "payload");
    let refused = copy(job(
        stored(&artifact).await,
        latest(),
        sink(&place.path, ArchiveForm::Docker),
        &[APP],
    ))
    .await;
    let error = refused.expect_err("no image");
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert!(place.files().is_empty(), "{:?}", place.files());
    write(&artifact, &place.path, ArchiveForm::Oci, &["v1"]).await;
}

#[tokio::test]
async fn tags_made_of_a_digest_are_no_images_for_docker() {
    let place = Place::new();
    let (sample, signature) = (image("layer"), image("signature"));
    let source = stored(&sample).await;
    let tag = format!("sha256-{}.sig", sample.document().digest().hex());
    signature.put(&*source, &[&tag]).await.expect("written");
    let mut job = job(source, latest(), sink(&place.path, ArchiveForm::Docker), &[APP]);
    job.digest_tags = true;
    copy(job).await.expect("a copy");
    assert_eq!(saved(&place.path).as_array().expect("a list").len(), 1);
    let archive = open(&place.path, ArchiveForm::Docker);
    let root = archive.root(&named(&tag)).await.expect("under its tag");
    assert_eq!(&root, signature.document());
}
