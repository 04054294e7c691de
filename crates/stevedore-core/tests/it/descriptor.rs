//! Descriptors: the image-spec's example, what occurs in the wild, and what is refused.

use proptest::prelude::*;
use stevedore_core::{Algorithm, Annotations, AnyDigest, Descriptor, MediaType, Platform};

const HEX: &str = "5b0bcabd1ed22e9fb1310cf6c2dec7cdef19f0ad69efa1f392e94a4333501270";

fn parse(json: &str) -> serde_json::Result<Descriptor> {
    serde_json::from_str(&json.replace("HEX", HEX))
}

#[test]
fn a_full_descriptor_is_read_and_written() {
    let json = format!(
        r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:{HEX}","size":7682,"urls":["https://example.com/example-manifest"],"annotations":{{"a":"b"}},"data":"e30=","platform":{{"architecture":"amd64","os":"windows","os.version":"10.0.17763","os.features":["win32k"],"variant":"v2","features":["sse4"]}},"artifactType":"application/x"}}"#
    );
    let descriptor: Descriptor = serde_json::from_str(&json).unwrap();
    assert_eq!(descriptor.media_type, MediaType::OCI_MANIFEST);
    assert_eq!(descriptor.known_digest().unwrap().hex(), HEX);
    assert_eq!(descriptor.size, 7682);
    let mut platform = Platform::new("windows", "amd64")
        .with_os_version("10.0.17763")
        .with_os_features(["win32k"])
        .with_variant("v2");
    platform.features = vec!["sse4".into()];
    let built = Descriptor::new(MediaType::OCI_MANIFEST, descriptor.digest.clone(), 7682)
        .with_urls(["https://example.com/example-manifest"])
        .with_annotations(Annotations::from([("a".into(), "b".into())]))
        .with_data("e30=")
        .with_platform(platform)
        .with_artifact_type("application/x".parse().unwrap());
    assert_eq!(descriptor, built);
    assert_eq!(serde_json::to_string(&built).unwrap(), json);
}

#[test]
fn what_is_optional_is_not_written_when_absent() {
    let descriptor = Descriptor::new(MediaType::OCI_EMPTY, Algorithm::Sha256.digest(b"{}"), 2);
    let json = serde_json::to_string(&descriptor).unwrap();
    assert_eq!(
        json,
        r#"{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}"#
    );
    assert_eq!(serde_json::from_str::<Descriptor>(&json).unwrap(), descriptor);
}

#[test]
fn null_is_an_absent_option() {
    let descriptor = parse(
        r#"{"mediaType":"a/b","digest":"sha256:HEX","size":1,"urls":null,"annotations":null,"data":null,"platform":null,"artifactType":null}"#,
    );
    let plain = parse(r#"{"mediaType":"a/b","digest":"sha256:HEX","size":1}"#);
    assert_eq!(descriptor.unwrap(), plain.unwrap());
    let platform: Platform = serde_json::from_str(
        r#"{"architecture":"arm","os":null,"os.version":null,"os.features":null,"variant":null,"features":null}"#,
    )
    .unwrap();
    assert_eq!(platform, Platform::new("", "arm"));
}

#[test]
fn unknown_keys_are_passed_over_and_odd_values_carried() {
    let descriptor = parse(r#"{"x":[1],"mediaType":"","digest":"md5:00","size":0}"#).unwrap();
    assert_eq!(descriptor.media_type, "");
    assert_eq!(descriptor.known_digest().unwrap_err().algorithm, "md5");
    assert!(matches!(descriptor.digest, AnyDigest::Other(_)));
}

#[test]
fn a_descriptor_that_points_nowhere_is_refused() {
    for bad in [
        r"{}",
        r#"{"digest":"sha256:HEX","size":1}"#,
        r#"{"mediaType":"a/b","size":1}"#,
        r#"{"mediaType":"a/b","digest":"sha256:HEX"}"#,
        r#"{"mediaType":null,"digest":"sha256:HEX","size":1}"#,
        r#"{"mediaType":"a/b","digest":null,"size":1}"#,
        r#"{"mediaType":"a/b","digest":"sha256:00","size":1}"#,
        r#"{"mediaType":"a/b","digest":"HEX","size":1}"#,
        r#"{"mediaType":"a/b","digest":"sha256:HEX","size":null}"#,
        r#"{"mediaType":"a/b","digest":"sha256:HEX","size":-1}"#,
        r#"{"mediaType":"a/b","digest":"sha256:HEX","size":1.0}"#,
        r#"{"mediaType":"a/b","digest":"sha256:HEX","size":1e3}"#,
        r#"{"mediaType":"a/b","digest":"sha256:HEX","size":"1"}"#,
        r#"{"mediaType":"a/b","digest":"sha256:HEX","size":9223372036854775808}"#,
        r#"{"mediaType":"a/b","digest":"sha256:HEX","size":99999999999999999999999}"#,
        r#"{"mediaType":"a/b","digest":"sha256:HEX","size":1,"size":2}"#,
        r#"{"mediaType":"a/b","digest":"sha256:HEX","size":1,"annotations":{"a":1}}"#,
        r#"{"mediaType":"a/b","digest":"sha256:HEX","size":1,"urls":"x"}"#,
    ] {
        assert!(parse(bad).is_err(), "{bad}");
    }
    assert!(parse(r#"{"mediaType":"a/b","digest":"sha256:HEX","size":9223372036854775807}"#).is_ok());
}

fn text() -> impl Strategy<Value = String> {
    "\\PC{0,12}"
}

prop_compose! {
    fn platform()(
        os in text(),
        architecture in text(),
        os_version in prop::option::of(text()),
        os_features in prop::collection::vec(text(), 0..3),
        variant in prop::option::of(text()),
        features in prop::collection::vec(text(), 0..3),
    ) -> Platform {
        let mut platform = Platform::new(os, architecture).with_os_features(os_features);
        platform.os_version = os_version;
        platform.variant = variant;
        platform.features = features;
        platform
    }
}

prop_compose! {
    fn descriptor()(
        media_type in text(),
        content: Vec<u8>,
        algorithm in prop::sample::select(Algorithm::ALL),
        size in 0..=i64::MAX.unsigned_abs(),
        urls in prop::collection::vec(text(), 0..3),
        annotations in prop::collection::btree_map(text(), text(), 0..4),
        data in prop::option::of(text()),
        platform in prop::option::of(platform()),
        artifact_type in prop::option::of(text()),
    ) -> Descriptor {
        let mut descriptor = Descriptor::new(MediaType::verbatim(&media_type), algorithm.digest(&content), size)
            .with_urls(urls)
            .with_annotations(annotations);
        descriptor.data = data;
        descriptor.platform = platform;
        descriptor.artifact_type = artifact_type.as_deref().map(MediaType::verbatim);
        descriptor
    }
}

proptest! {
    #[test]
    fn descriptors_survive_json(descriptor in descriptor()) {
        let json = serde_json::to_vec(&descriptor).unwrap();
        prop_assert_eq!(serde_json::from_slice::<Descriptor>(&json).unwrap(), descriptor);
    }
}
