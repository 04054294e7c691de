//! Archives of `docker save` without a layout.

use stevedore_archive::codec::{Encoder, Profile};
use stevedore_archive::tar::{Entry, Kind, Writer};
use stevedore_core::{Algorithm, Digest, Document};

use super::*;

/// Two layers, of which the archive has the second one gzipped, and the first one over a link.
struct Legacy {
    config: Vec<u8>,
    layers: [Vec<u8>; 2],
    gzipped: Vec<u8>,
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new(), Profile::GZIP, std::num::NonZero::<usize>::MIN);
    std::io::Write::write_all(&mut encoder, bytes).expect("memory");
    encoder.finish().expect("memory")
}

impl Legacy {
    fn new() -> Self {
        let layers = [b"the first tar".repeat(50), b"the second tar".repeat(50)];
        let diff_ids: Vec<String> = layers
            .iter()
            .map(|it| Algorithm::Sha256.digest(it).to_string())
            .collect();
        let config = serde_json::json!({
            "architecture": "arm64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids}
        });
        Self {
            config: config.to_string().into_bytes(),
            gzipped: gzip(&layers[1]),
            layers,
        }
    }

    fn write(&self, path: &Path, manifest: &serde_json::Value) {
        let mut tar = Writer::new(Vec::new());
        let mut file = |path: &str, bytes: &[u8]| {
            let entry = Entry::file(path, bytes.len() as u64);
            tar.append_from(&entry, &mut &*bytes).expect("memory");
        };
        file("config.json", &self.config);
        file("first/layer.tar", &self.layers[0]);
        file("second/layer.tar", &self.gzipped);
        tar.append(&Entry::link(
            Kind::SymbolicLink,
            "linked/layer.tar",
            "../first/layer.tar",
        ))
        .expect("memory");
        let manifest = manifest.to_string();
        let entry = Entry::file("manifest.json", manifest.len() as u64);
        tar.append_from(&entry, &mut manifest.as_bytes()).expect("memory");
        fs::write(path, tar.finish().expect("memory")).expect("written");
    }
}

fn manifest(layers: &[&str]) -> serde_json::Value {
    serde_json::json!([{"Config": "config.json", "RepoTags": ["app:v1", "app:latest"], "Layers": layers}])
}

#[tokio::test]
async fn a_manifest_is_made_of_what_is_there() {
    let (place, legacy) = (Place::new(), Legacy::new());
    legacy.write(&place.path, &manifest(&["linked/layer.tar", "second/layer.tar"]));
    let archive = open(&place.path, ArchiveForm::Docker);
    assert_eq!(names(&archive).await, ["docker.io/library/app:latest", APP]);
    let Document::Image(image) = archive.root(&named(APP)).await.expect("an image") else {
        panic!("it is an image")
    };
    let digest = |bytes: &[u8]| Algorithm::Sha256.digest(bytes);
    let layers: Vec<Digest> = image
        .layers
        .iter()
        .map(|it| it.known_digest().expect("one"))
        .collect();
    assert_eq!(layers, [digest(&legacy.layers[0]), digest(&legacy.gzipped)]);
    assert_eq!(image.config.digest, digest(&legacy.config));
    let types: Vec<_> = image
        .layers
        .iter()
        .map(|layer| layer.media_type.as_str())
        .collect();
    let tar = "application/vnd.oci.image.layer.v1.tar";
    assert_eq!(types, [tar, &format!("{tar}+gzip")]);

    // Verified on the way, and the same each time.
    let copied = place.dir.path().join("copied.tar");
    copy(job(
        Arc::new(archive),
        Selector::Only,
        sink(&copied, ArchiveForm::Oci),
        &["v1"],
    ))
    .await
    .expect("a copy");
    let again = open(&copied, ArchiveForm::Oci)
        .root(&Selector::Only)
        .await
        .expect("an image");
    assert_eq!(again.digest(), image.digest());
    let platform = open(&place.path, ArchiveForm::Docker)
        .resolve(&Selector::Only)
        .await
        .expect("an image")
        .platform;
    assert_eq!(platform, Some(Platform::new("linux", "arm64")));
}

#[tokio::test]
async fn a_layer_that_is_not_its_diff_id_is_refused_when_it_is_copied() {
    let (place, mut legacy) = (Place::new(), Legacy::new());
    legacy.layers[0][3] ^= 1;
    legacy.write(&place.path, &manifest(&["first/layer.tar", "second/layer.tar"]));
    let copied = place.dir.path().join("copied.tar");
    let source = Arc::new(open(&place.path, ArchiveForm::Docker));
    let error = copy(job(
        source,
        Selector::Only,
        sink(&copied, ArchiveForm::Oci),
        &["v1"],
    ))
    .await;
    assert_eq!(error.expect_err("other bytes").kind(), ErrorKind::Mismatch);
    assert_eq!(place.files(), ["image.tar"]);
}

#[tokio::test]
async fn what_contradicts_itself_is_refused_with_its_reason() {
    for (layers, reason) in [
        (&["first/layer.tar"][..], "it has 1 layers, and its config 2"),
        (
            &["first/layer.tar", "third/layer.tar"],
            "its layer third/layer.tar is not there",
        ),
        (&["first/layer.tar", "../outside"], "its ../outside"),
    ] {
        let (place, legacy) = (Place::new(), Legacy::new());
        legacy.write(&place.path, &manifest(layers));
        let error = open(&place.path, ArchiveForm::Docker)
            .resolve(&Selector::Only)
            .await
            .expect_err(reason);
        assert_eq!(error.kind(), ErrorKind::Invalid, "{}", invalid(&error));
        assert!(invalid(&error).contains(reason), "{}", invalid(&error));
        assert!(invalid(&error).contains("image.tar"), "{}", invalid(&error));
    }
}

#[tokio::test]
async fn more_images_or_layers_than_anybody_saves_are_refused() {
    let image = serde_json::json!({"Config": "config.json", "Layers": []});
    let layers = vec!["first/layer.tar"; 70_000];
    for (manifest, reason) in [
        (serde_json::Value::from(vec![image; 1025]), "names 1025 images"),
        (manifest(&layers), "names 70000 layers"),
    ] {
        let (place, legacy) = (Place::new(), Legacy::new());
        legacy.write(&place.path, &manifest);
        let error = open(&place.path, ArchiveForm::Docker)
            .resolve(&Selector::Only)
            .await
            .expect_err(reason);
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{}", invalid(&error));
        assert!(invalid(&error).contains(reason), "{}", invalid(&error));
    }
}
