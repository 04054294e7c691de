//! Walk 6: the config of one platform edited, pushed back with mounts.

use std::sync::Arc;

use stevedore_core::samples::Sample;
use stevedore_core::{
    Algorithm, ByteRange, Document, ImageConfig, MediaType, Platform, Put, Raw, Repositories, Role, Selector,
    Sink, Source,
};
use stevedore_transport::{Engine, Job, Platforms};

#[tokio::test(flavor = "multi_thread")]
async fn touches_nothing_but_what_it_means_to() {
    let amd64 = Sample::image(&["base", "app"]).for_platform(&Platform::new("linux", "amd64"));
    let arm64 = Sample::image(&["base", "app on arm"]).for_platform(&Platform::new("linux", "arm64"));
    let sample = Sample::index(vec![amd64, arm64.clone()]);
    let repositories = Repositories::in_memory();
    let from: Arc<dyn Source> = Arc::new(repositories.open("app").expect("a name"));
    sample
        .put(&repositories.open("app").expect("a name"), &["v1"])
        .await
        .expect("the sample is written");

    // The image of one platform, down from what was asked for.
    let root = from
        .root(&Selector::Name("v1".parse().expect("a name")))
        .await
        .expect("the index");
    let Document::Index(index) = root else {
        panic!("an index was pushed")
    };
    let wanted = Platform::new("linux", "arm64");
    let place = index
        .manifests
        .iter()
        .position(|entry| entry.platform.as_ref() == Some(&wanted))
        .expect("arm64");
    let Document::Image(image) = from.document(&index.manifests[place]).await.expect("the image") else {
        panic!("an image was pushed")
    };
    let blob = from
        .blob(&image.config, ByteRange::FULL)
        .await
        .expect("the config");
    let bytes = blob
        .verified(&image.config)
        .expect("a digest we know")
        .into_bytes(1 << 20)
        .await
        .expect("the bytes");
    let config: Raw<ImageConfig> =
        Raw::parse(bytes, MediaType::OCI_CONFIG, Algorithm::Sha256, 1 << 20).expect("a config");

    // One key of the config, and what follows from it upwards.
    let config = config
        .edit(|edit| edit.set(("config", "User"), "nobody"))
        .expect("the config takes a user");
    assert_eq!(config.config.user, "nobody");
    let image = image
        .edit(|edit| edit.set("config", &config.descriptor()))
        .expect("a new manifest");
    let mut entry = index.manifests[place].clone();
    (entry.digest, entry.size) = (image.digest().into(), image.size());
    let index = index
        .edit(|edit| edit.set(("manifests", place), &entry))
        .expect("a new index");

    // Pushed to another repository of the same registry: the other platform by the engine, this one by hand.
    let to = Arc::new(repositories.open("app-nobody").expect("a name"));
    let mut job = Job::new(
        Arc::clone(&from),
        Selector::Digest(index_child(&index, 1 - place)),
        Arc::clone(&to) as _,
    );
    job.platforms = Platforms::All;
    let copied = Engine::new().copy(job).await.expect("the other platform");
    assert_eq!(
        (copied.mounted, copied.written),
        (3, 0),
        "config and layers are mounted, none is sent"
    );

    let held_at: Vec<_> = from.place(&config.digest()).into_iter().collect();
    let put = to
        .put_blob(&config.descriptor(), &held_at, config.bytes())
        .await
        .expect("the config");
    assert_eq!(put, Put::Written, "the new config is nowhere yet");
    for layer in &image.layers {
        let unused = bytes::Bytes::new();
        let put = to.put_blob(layer, &held_at, &unused).await.expect("the layer");
        assert!(matches!(put, Put::Mounted | Put::Present), "{put:?}");
    }
    to.put_document(&Document::Image(image.clone()), Role::Child)
        .await
        .expect("the manifest");
    let role = Role::Root {
        names: vec!["v1".parse().expect("a name")],
        replace: true,
    };
    to.put_document(&Document::Index(index.clone()), role)
        .await
        .expect("the index");
    to.finish().await.expect("the end");

    // Read back by name, down to the key.
    let pushed = to
        .root(&Selector::Name("v1".parse().expect("a name")))
        .await
        .expect("the new index");
    assert_eq!(pushed.digest(), index.digest());
    let config = to.blob(&image.config, ByteRange::FULL).await.expect("the config");
    let config = config.into_bytes(1 << 20).await.expect("the bytes");
    assert!(config.windows(15).any(|window| window == br#""User":"nobody""#));
    assert_ne!(pushed.digest(), sample.document().digest());
    drop(arm64);
}

fn index_child(index: &Raw<stevedore_core::ImageIndex>, place: usize) -> stevedore_core::Digest {
    index.manifests[place].known_digest().expect("a digest we know")
}
