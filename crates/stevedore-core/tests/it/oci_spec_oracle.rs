//! The `oci-spec` crate as an oracle: documents with modelled keys only read alike; where not, it is listed here.

use oci_spec::image as theirs;
use proptest::prelude::*;
use serde::Serialize;
use serde_json::{Map, Value, json};
use stevedore_core::raw::{CONFIG_LIMIT, MANIFEST_LIMIT, Model, ParseError};
use stevedore_core::{Algorithm, ImageConfig, ImageIndex, ImageManifest, MediaType, Raw};

fn ours<T: Model>(document: &Value, media_type: MediaType) -> Result<Raw<T>, ParseError> {
    Raw::parse(
        document.to_string().into(),
        media_type,
        Algorithm::Sha256,
        CONFIG_LIMIT,
    )
}

/// A document as its view is written, without what is empty: one side writes that and the other does not.
fn view(value: &impl Serialize) -> Value {
    fn prune(value: Value) -> Value {
        match value {
            Value::Object(members) => {
                let full = members.into_iter().map(|(key, value)| (key, prune(value)));
                full.filter(|(_, value)| !is_empty(value))
                    .collect::<Map<_, _>>()
                    .into()
            }
            Value::Array(elements) => elements.into_iter().map(prune).collect(),
            other => other,
        }
    }
    fn is_empty(value: &Value) -> bool {
        match value {
            Value::Object(members) => members.is_empty(),
            Value::Array(elements) => elements.is_empty(),
            Value::String(text) => text.is_empty(),
            other => other.is_null() || *other == Value::Bool(false),
        }
    }
    prune(serde_json::to_value(value).expect("because every view is JSON"))
}

/// Sets of one document's members: each there, or `null`, or absent.
fn optional(members: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    members
        .into_iter()
        .map(|(key, value)| {
            let there = prop_oneof![4 => value.prop_map(Some), 1 => Just(Some(Value::Null)), 3 => Just(None)];
            there.prop_map(move |value| value.map(|value| (key.to_owned(), value)))
        })
        .collect::<Vec<_>>()
        .prop_map(|members| members.into_iter().flatten().collect::<Map<_, _>>().into())
        .boxed()
}

fn merged(a: BoxedStrategy<Value>, b: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    let members = |value: Value| match value {
        Value::Object(members) => members,
        other => panic!("{other} is no object"),
    };
    (a, b)
        .prop_map(move |(a, b)| {
            members(a)
                .into_iter()
                .chain(members(b))
                .collect::<Map<_, _>>()
                .into()
        })
        .boxed()
}

fn word() -> BoxedStrategy<Value> {
    "[a-zA-Z0-9/:. é\\n\"]{0,12}".prop_map(Value::from).boxed()
}

fn list(element: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    prop::collection::vec(element, 0..4).prop_map(Value::from).boxed()
}

fn map(value: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    prop::collection::btree_map("[a-z./]{0,8}", value, 0..4)
        .prop_map(|map| map.into_iter().collect::<Map<_, _>>().into())
        .boxed()
}

fn media_type() -> BoxedStrategy<Value> {
    let known = prop::sample::select(MediaType::KNOWN).prop_map(|known| json!(known));
    prop_oneof![known, "[a-z]{1,5}/[a-z.+]{1,9}".prop_map(Value::from)].boxed()
}

fn digest() -> BoxedStrategy<Value> {
    prop_oneof![
        "sha256:[0-9a-f]{64}",
        "sha512:[0-9a-f]{128}",
        "[a-z0-9]{2,5}[+._-][a-z]{2,5}:[a-zA-Z0-9=_-]{1,9}"
    ]
    .prop_map(Value::from)
    .boxed()
}

fn descriptor() -> BoxedStrategy<Value> {
    let required = (media_type(), digest(), 0..=i64::MAX).prop_map(
        |(media_type, digest, size)| json!({"mediaType": media_type, "digest": digest, "size": size}),
    );
    let platform = merged(
        (word(), word())
            .prop_map(|(os, architecture)| json!({"os": os, "architecture": architecture}))
            .boxed(),
        optional(vec![("variant", word()), ("features", list(word()))]),
    );
    let optional = optional(vec![
        ("urls", list(word())),
        ("annotations", map(word())),
        ("data", word()),
        ("platform", platform),
        ("artifactType", media_type()),
    ]);
    merged(required.boxed(), optional)
}

fn document(media_type: &MediaType, listed: &'static str) -> BoxedStrategy<Value> {
    let required =
        list(descriptor()).prop_map(move |descriptors| json!({"schemaVersion": 2, listed: descriptors}));
    let optional = optional(vec![
        ("mediaType", Just(json!(media_type)).boxed()),
        ("artifactType", self::media_type()),
        ("subject", descriptor()),
        ("annotations", map(word())),
    ]);
    merged(required.boxed(), optional)
}

fn manifest() -> BoxedStrategy<Value> {
    let config = descriptor()
        .prop_map(|config| json!({ "config": config }))
        .boxed();
    merged(config, document(&MediaType::OCI_MANIFEST, "layers"))
}

fn config() -> BoxedStrategy<Value> {
    let set = || map(Just(json!({})).boxed());
    let container = optional(vec![
        ("User", word()),
        ("ExposedPorts", set()),
        ("Env", list(word())),
        ("Entrypoint", list(word())),
        ("Cmd", list(word())),
        ("Volumes", set()),
        ("WorkingDir", word()),
        ("Labels", map(word())),
        ("StopSignal", word()),
    ]);
    let history = optional(vec![
        ("created", word()),
        ("created_by", word()),
        ("author", word()),
        ("comment", word()),
        ("empty_layer", any::<bool>().prop_map(Value::from).boxed()),
    ]);
    let required = list(digest()).prop_map(
        |diff_ids| json!({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids}}),
    );
    let optional = optional(vec![
        ("created", word()),
        ("author", word()),
        ("os.version", word()),
        ("os.features", list(word())),
        ("variant", word()),
        ("config", container),
        ("history", list(history)),
    ]);
    merged(required.boxed(), optional)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn manifests_read_alike(document in manifest()) {
        let ours: Raw<ImageManifest> = ours(&document, MediaType::OCI_MANIFEST).unwrap();
        let theirs: theirs::ImageManifest = serde_json::from_value(document).unwrap();
        prop_assert_eq!(view(ours.value()), view(&theirs));
        #[cfg(feature = "oci-spec")]
        {
            prop_assert_eq!(&ImageManifest::try_from(&theirs).unwrap(), ours.value());
            prop_assert_eq!(view(&theirs::ImageManifest::try_from(ours.value()).unwrap()), view(&theirs));
        }
    }

    #[test]
    fn indexes_read_alike(document in document(&MediaType::OCI_INDEX, "manifests")) {
        let ours: Raw<ImageIndex> = ours(&document, MediaType::OCI_INDEX).unwrap();
        let theirs: theirs::ImageIndex = serde_json::from_value(document).unwrap();
        prop_assert_eq!(view(ours.value()), view(&theirs));
        #[cfg(feature = "oci-spec")]
        {
            prop_assert_eq!(&ImageIndex::try_from(&theirs).unwrap(), ours.value());
            prop_assert_eq!(view(&theirs::ImageIndex::try_from(ours.value()).unwrap()), view(&theirs));
        }
    }

    #[test]
    fn configs_read_alike(document in config()) {
        let ours: Raw<ImageConfig> = ours(&document, MediaType::OCI_CONFIG).unwrap();
        let theirs: theirs::ImageConfiguration = serde_json::from_value(document).unwrap();
        prop_assert_eq!(view(ours.value()), view(&theirs));
        #[cfg(feature = "oci-spec")]
        {
            prop_assert_eq!(&ImageConfig::try_from(&theirs).unwrap(), ours.value());
            prop_assert_eq!(view(&theirs::ImageConfiguration::try_from(ours.value()).unwrap()), view(&theirs));
        }
    }

    /// One value of a good document is replaced by something else.
    #[test]
    fn broken_manifests_are_refused_alike(
        document in manifest(),
        at: prop::sample::Index,
        other in prop::sample::select(vec![json!(-1), json!(1.5), json!(""), json!("sha256:AB"), json!([7]), json!(true)]),
    ) {
        let pointers = ["/config/digest", "/config/size", "/config/mediaType", "/layers", "/layers/0", "/layers/0/digest",
            "/layers/0/size", "/layers/0/urls", "/layers/0/platform", "/annotations", "/subject", "/artifactType"];
        let mut document = document;
        let Some(value) = document.pointer_mut(at.get::<&str>(&pointers)) else { return Ok(()) };
        *value = other;
        let ours = ours::<ImageManifest>(&document, MediaType::OCI_MANIFEST);
        let theirs = serde_json::from_value::<theirs::ImageManifest>(document.clone());
        prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{}: {:?} {:?}", document, ours, theirs);
    }
}

const DESCRIPTOR: &str = r#"{"mediaType":"application/x","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}"#;

fn descriptor_with(more: &str) -> String {
    DESCRIPTOR.replace('}', &format!(",{more}}}"))
}

/// Where this crate reads a manifest and `oci-spec` 0.10 does not, or the other way round, on purpose.
#[test]
fn what_is_accepted_differs_on_purpose() {
    let manifest = |members: &str| format!(r#"{{"schemaVersion":2,"config":{DESCRIPTOR}{members}}}"#);
    let with_config = |config: &str| format!(r#"{{"schemaVersion":2,"config":{config},"layers":[]}}"#);
    let size = |size: &str| with_config(&DESCRIPTOR.replace("\"size\":2", &format!("\"size\":{size}")));
    let cases = [
        // Read here, for they occur.
        ("null layers", manifest(r#","layers":null"#), true, false),
        ("no layers", manifest(""), true, false),
        (
            "half a platform",
            with_config(&descriptor_with(r#""platform":{"os":"linux"}"#)),
            true,
            false,
        ),
        // Refused here, for readers would differ, or as no other reader takes it.
        (
            "layers and manifests",
            manifest(r#","layers":[],"manifests":[]"#),
            false,
            true,
        ),
        (
            "layers and fsLayers",
            manifest(r#","layers":[],"fsLayers":[]"#),
            false,
            true,
        ),
        (
            "another type inside",
            manifest(&format!(r#","layers":[],"mediaType":"{}""#, MediaType::OCI_INDEX)),
            false,
            true,
        ),
        (
            "schema version 3",
            manifest(r#","layers":[]"#).replace(":2,\"c", ":3,\"c"),
            false,
            true,
        ),
        ("a size beyond int64", size("9223372036854775808"), false, true),
        (
            "an unknown key twice",
            manifest(r#","layers":[],"x":1,"x":1"#),
            false,
            true,
        ),
        (
            "an array for an object",
            with_config(&format!(
                r#"["application/x","sha256:{}",2,null,null,null,null,null]"#,
                "0".repeat(64)
            )),
            false,
            true,
        ),
        (
            "a short blake3",
            with_config(r#"{"mediaType":"a/b","digest":"blake3:00","size":2}"#),
            false,
            true,
        ),
        (
            "deep nesting",
            manifest(&format!(
                r#","layers":[],"x":{}{}"#,
                "[".repeat(100),
                "]".repeat(100)
            )),
            false,
            true,
        ),
        // Alike, though it might be expected to differ.
        (
            "a known key twice",
            manifest(r#","layers":[],"layers":[]"#),
            false,
            false,
        ),
        (
            "an unknown digest algorithm",
            with_config(r#"{"mediaType":"a/b","digest":"md5:00","size":2}"#),
            true,
            true,
        ),
        (
            "null annotations",
            manifest(r#","layers":[],"annotations":null"#),
            true,
            true,
        ),
    ];
    for (name, text, here, there) in cases {
        let ours = Raw::<ImageManifest>::parse(
            text.clone().into(),
            MediaType::OCI_MANIFEST,
            Algorithm::Sha256,
            MANIFEST_LIMIT,
        );
        let theirs = serde_json::from_str::<theirs::ImageManifest>(&text);
        assert_eq!(ours.is_ok(), here, "{name}: {ours:?}");
        assert_eq!(theirs.is_ok(), there, "{name}: {theirs:?}");
    }
}

/// What both accept, and only one sees.
#[test]
fn what_is_seen_differs_on_purpose() {
    let windows = descriptor_with(
        r#""platform":{"os":"windows","architecture":"amd64","os.version":"10.0","os.features":["win32k"]}"#,
    );
    let text = format!(r#"{{"schemaVersion":2,"manifests":[{windows}]}}"#);
    let ours: Raw<ImageIndex> = Raw::parse(
        text.clone().into(),
        MediaType::OCI_INDEX,
        Algorithm::Sha256,
        MANIFEST_LIMIT,
    )
    .unwrap();
    let platform = ours.manifests[0].platform.as_ref().unwrap();
    assert_eq!(
        (platform.os_version.as_deref(), platform.os_features.len()),
        (Some("10.0"), 1)
    );
    let theirs: theirs::ImageIndex = serde_json::from_str(&text).unwrap();
    let platform = theirs.manifests()[0].platform().as_ref().unwrap();
    assert_eq!((platform.os_version(), platform.os_features()), (&None, &None));

    let text = r#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},"config":{"ArgsEscaped":true,"Healthcheck":{"Test":["NONE"]},"OnBuild":["RUN x"],"Shell":["sh"]}}"#;
    let ours: Raw<ImageConfig> = Raw::parse(
        text.into(),
        MediaType::OCI_CONFIG,
        Algorithm::Sha256,
        CONFIG_LIMIT,
    )
    .unwrap();
    assert!(ours.config.args_escaped && ours.config.healthcheck.is_some() && !ours.config.shell.is_empty());
    let theirs: theirs::ImageConfiguration = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_value(&theirs).unwrap()["config"], json!({}));
}

#[cfg(feature = "oci-spec")]
mod convert {
    use stevedore_core::convert::ConvertError;
    use stevedore_core::{Descriptor, Platform};

    use super::*;

    #[test]
    fn the_version_and_features_of_an_operating_system_arrive_both_ways() {
        let platform: Platform = "windows(10.0.17763+win32k)/amd64".parse().unwrap();
        let ours = Descriptor::new(MediaType::OCI_MANIFEST, Algorithm::Sha256.digest(b""), 0)
            .with_platform(platform);
        let theirs = theirs::Descriptor::try_from(&ours).unwrap();
        assert_eq!(
            theirs.platform().as_ref().unwrap().os_version().as_deref(),
            Some("10.0.17763")
        );
        assert_eq!(Descriptor::try_from(&theirs).unwrap(), ours);
    }

    #[test]
    fn what_breaks_a_rule_here_is_not_converted() {
        let digest: theirs::Digest = format!("sha256:{}", "0".repeat(64)).parse().unwrap();
        let good = theirs::Descriptor::new(theirs::MediaType::ImageLayer, 2, digest.clone());
        let large = theirs::Descriptor::new(theirs::MediaType::ImageLayer, 1 << 63, digest);
        let short = theirs::Descriptor::new(
            theirs::MediaType::ImageLayer,
            2,
            "blake3:00".parse::<theirs::Digest>().unwrap(),
        );
        assert!(matches!(
            Descriptor::try_from(&large),
            Err(ConvertError::Size {
                size: 0x8000_0000_0000_0000,
                ..
            })
        ));
        assert!(matches!(
            Descriptor::try_from(&short),
            Err(ConvertError::Digest { .. })
        ));

        let mut manifest = theirs::ImageManifestBuilder::default()
            .schema_version(2_u32)
            .config(good)
            .layers([large])
            .build()
            .unwrap();
        assert!(matches!(
            ImageManifest::try_from(&manifest),
            Err(ConvertError::Size { .. })
        ));
        manifest.set_layers(Vec::new()).set_schema_version(1);
        assert!(matches!(
            ImageManifest::try_from(&manifest),
            Err(ConvertError::SchemaVersion { found: 1, .. })
        ));
        let index = theirs::ImageIndexBuilder::default()
            .schema_version(3_u32)
            .manifests([])
            .build()
            .unwrap();
        assert!(matches!(
            ImageIndex::try_from(&index),
            Err(ConvertError::SchemaVersion { found: 3, .. })
        ));

        let mut config = theirs::ImageConfiguration::default();
        config.rootfs_mut().diff_ids_mut().push("no digest".to_owned());
        assert!(matches!(
            ImageConfig::try_from(&config),
            Err(ConvertError::Config { .. })
        ));
    }

    #[test]
    fn a_config_loses_what_only_docker_has() {
        let text = r#"{"architecture":"amd64","os":"linux","config":{"User":"u","ArgsEscaped":true,"Healthcheck":{},"OnBuild":["x"],"Shell":["sh"]}}"#;
        let ours: Raw<ImageConfig> =
            ours(&serde_json::from_str(text).unwrap(), MediaType::OCI_CONFIG).unwrap();
        let back =
            ImageConfig::try_from(&theirs::ImageConfiguration::try_from(ours.value()).unwrap()).unwrap();
        let mut expected = ours.into_value();
        expected.config.args_escaped = false;
        expected.config.healthcheck = None;
        expected.config.on_build = Vec::new();
        expected.config.shell = Vec::new();
        assert_eq!(back, expected);
    }
}
