//! Documents of any kind: how the kind is found, and what they point to.

use bytes::Bytes;
use proptest::prelude::*;
use stevedore_core::document::ChildKind;
use stevedore_core::raw::{MANIFEST_LIMIT, ParseError};
use stevedore_core::{Algorithm, Descriptor, Document, ImageIndex, ImageManifest, MediaType, Platform, Raw};

use crate::json_text;

fn parse(text: &str, media_type: Option<MediaType>) -> Result<Document, ParseError> {
    let config = r#""config":{"mediaType":"application/x","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}"#;
    let text = text.replace(r#""config":C"#, config);
    Document::parse(text.into(), media_type, Algorithm::Sha256, MANIFEST_LIMIT)
}

fn blob(name: &str) -> Descriptor {
    Descriptor::new(
        MediaType::from_static("application/x"),
        Algorithm::Sha256.digest(name.as_bytes()),
        1,
    )
}

#[test]
fn the_type_served_decides() {
    let image = r#"{"schemaVersion":2,"config":C}"#;
    assert!(matches!(
        parse(image, Some(MediaType::OCI_MANIFEST)),
        Ok(Document::Image(_))
    ));
    assert!(matches!(
        parse(image, Some(MediaType::DOCKER_MANIFEST)),
        Ok(Document::Image(_))
    ));
    assert!(matches!(
        parse(r#"{"schemaVersion":2}"#, Some(MediaType::OCI_INDEX)),
        Ok(Document::Index(_))
    ));
    assert!(matches!(
        parse(r#"{"schemaVersion":2}"#, Some(MediaType::DOCKER_MANIFEST_LIST)),
        Ok(Document::Index(_))
    ));
    assert!(matches!(
        parse(image, Some(MediaType::OCI_INDEX)),
        Err(ParseError::Ambiguous { key: "config", .. })
    ));
    let unknown = MediaType::from_static("application/vnd.example");
    assert!(matches!(parse(image, Some(unknown)), Ok(Document::Other(_))));
    for old in [MediaType::DOCKER_SCHEMA1, MediaType::DOCKER_SCHEMA1_SIGNED] {
        assert_eq!(parse("{}", Some(old)), Err(ParseError::SchemaOne));
    }
}

#[test]
fn without_a_type_the_content_decides() {
    let found = |text: &str| parse(text, None).map(|document| document.media_type().to_string());
    let declared = |media_type: MediaType, rest: &str| {
        format!(r#"{{"schemaVersion":2,"mediaType":"{media_type}"{rest}}}"#)
    };
    for media_type in [MediaType::OCI_INDEX, MediaType::DOCKER_MANIFEST_LIST] {
        assert_eq!(
            found(&declared(media_type.clone(), "")),
            Ok(media_type.to_string())
        );
        let mixed = found(&declared(media_type, r#","layers":[]"#));
        assert!(
            matches!(mixed, Err(ParseError::Ambiguous { key: "layers", .. })),
            "{mixed:?}"
        );
    }
    for media_type in [MediaType::OCI_MANIFEST, MediaType::DOCKER_MANIFEST] {
        assert_eq!(
            found(&declared(media_type.clone(), r#","config":C"#)),
            Ok(media_type.to_string())
        );
    }
    let cases = [
        (
            r#"{"schemaVersion":2,"manifests":[]}"#,
            "application/vnd.oci.image.index.v1+json",
        ),
        (
            r#"{"schemaVersion":2,"config":C}"#,
            "application/vnd.oci.image.manifest.v1+json",
        ),
        (
            r#"{"schemaVersion":2,"config":C,"layers":[],"mediaType":null}"#,
            "application/vnd.oci.image.manifest.v1+json",
        ),
        (
            r#"{"mediaType":"application/vnd.example","layers":[],"manifests":[]}"#,
            "application/vnd.example",
        ),
        (r#"{"mediaType":"two\r\nlines"}"#, "application/octet-stream"),
        (r#"{"schemaVersion":2}"#, "application/octet-stream"),
        ("[]", "application/octet-stream"),
        ("no JSON", "application/octet-stream"),
        ("", "application/octet-stream"),
    ];
    for (text, media_type) in cases {
        assert_eq!(found(text), Ok(media_type.to_owned()), "{text}");
        for generic in [
            "",
            "application/json",
            "application/octet-stream",
            "binary/octet-stream",
            "text/plain",
        ] {
            let served = parse(text, Some(MediaType::from_static(generic))).unwrap();
            assert_eq!(*served.media_type(), *media_type, "{text} as {generic}");
        }
    }
    let mixed = found(r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#);
    assert!(
        matches!(mixed, Err(ParseError::Ambiguous { key: "layers", .. })),
        "{mixed:?}"
    );
    assert!(matches!(
        found(r#"{"schemaVersion":2,"layers":[]}"#),
        Err(ParseError::Missing { key: "config", .. })
    ));
    assert_eq!(
        found(r#"{"schemaVersion":1,"fsLayers":[]}"#),
        Err(ParseError::SchemaOne)
    );
    assert!(matches!(
        found(r#"{"manifests":[],"manifests":[]}"#),
        Err(ParseError::DuplicateKey { .. })
    ));
    // What is over the limit is not looked at, or it would be refused for the key.
    let large = Bytes::from_static(br#"{"a":1,"a":1}"#);
    let large = Document::parse(large, None, Algorithm::Sha256, 12);
    assert!(
        matches!(
            large,
            Err(ParseError::TooLarge {
                size: 13,
                limit: 12,
                ..
            })
        ),
        "{large:?}"
    );
}

#[test]
fn children_are_what_a_copy_takes_along() {
    let image = ImageManifest::new(blob("c"), [blob("l1"), blob("l2")]).with_subject(blob("s"));
    let image = Document::from(Raw::encode(&image, MediaType::OCI_MANIFEST, Algorithm::Sha256).unwrap());
    let kinds = |document: &Document| {
        document
            .children()
            .map(|child| (child.kind, child.descriptor.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        kinds(&image),
        [
            (ChildKind::Config, blob("c")),
            (ChildKind::Layer, blob("l1")),
            (ChildKind::Layer, blob("l2"))
        ]
    );
    assert_eq!(image.subject(), Some(&blob("s")));

    let index = ImageIndex::new([blob("m1"), blob("m2")]).with_subject(blob("s"));
    let index = Document::from(Raw::encode(&index, MediaType::OCI_INDEX, Algorithm::Sha256).unwrap());
    assert_eq!(
        kinds(&index),
        [
            (ChildKind::Manifest, blob("m1")),
            (ChildKind::Manifest, blob("m2"))
        ]
    );
    assert_eq!(index.subject(), Some(&blob("s")));

    let artifact = artifact_manifest(r#""blobs":[B],"subject":B,"annotations":{"a":"b"}"#).unwrap();
    assert_eq!(kinds(&artifact), [(ChildKind::Layer, blob("b"))]);
    assert_eq!(artifact.subject(), Some(&blob("s")));

    let other = parse(
        r#"{"config":C,"subject":{}}"#,
        Some(MediaType::from_static("application/vnd.example")),
    )
    .unwrap();
    assert_eq!((kinds(&other), other.subject()), (vec![], None));
}

/// An artifact manifest with these members; `B` and `S` are descriptors of the blobs `b` and `s`.
fn artifact_manifest(members: &str) -> Result<Document, ParseError> {
    let json = |name| serde_json::to_string(&blob(name)).unwrap();
    let members = members
        .replace(":B", &format!(":{}", json("s")))
        .replace("[B]", &format!("[{}]", json("b")));
    parse(&format!("{{{members}}}"), Some(MediaType::OCI_ARTIFACT_MANIFEST))
}

#[test]
fn an_artifact_manifest_needs_no_version_and_has_no_keys_of_another_kind() {
    let declared = |media_type: MediaType| artifact_manifest(&format!(r#""mediaType":"{media_type}""#));
    assert!(matches!(
        declared(MediaType::OCI_ARTIFACT_MANIFEST),
        Ok(Document::Artifact(_))
    ));
    assert!(matches!(
        declared(MediaType::OCI_INDEX),
        Err(ParseError::MediaTypeMismatch { .. })
    ));
    for key in ["config", "layers", "manifests"] {
        let mixed = artifact_manifest(&format!(r#""{key}":[]"#));
        assert!(matches!(mixed, Err(ParseError::Ambiguous { .. })), "{mixed:?}");
    }
    let artifact = artifact_manifest(r#""artifactType":"a/b","annotations":{"a":"b"}"#).unwrap();
    assert_eq!(artifact.artifact_type(), Some(&MediaType::from_static("a/b")));
    assert_eq!(artifact.annotations().get("a").map(String::as_str), Some("b"));
}

#[test]
fn what_is_of_no_known_kind_is_told_from_what_is() {
    let other = |text: &str| parse(text, Some(MediaType::from_static("application/vnd.example"))).unwrap();
    let why = |document: &Document| document.ensure_known_kind().unwrap_err().to_string();
    assert!(why(&other("{}")).ends_with("manifest: it is of type application/vnd.example"));
    assert!(why(&other("<html>")).ends_with("of type application/vnd.example, and not JSON"));
    let known = [
        parse(r#"{"schemaVersion":2,"config":C}"#, None),
        parse(r#"{"schemaVersion":2,"manifests":[]}"#, None),
        artifact_manifest(""),
    ];
    for document in known {
        document.unwrap().ensure_known_kind().unwrap();
    }
}

#[test]
fn edges_that_are_not_known_are_seen() {
    let other = |text: &str| parse(text, Some(MediaType::from_static("application/vnd.example"))).unwrap();
    for edges in [r#"{"config":C}"#, r#"{"a":{"b":[1,{"config":C}]}}"#] {
        assert!(other(edges).ensure_known_edges().is_err(), "{edges}");
    }
    for none in [
        "<html>",
        "[]",
        r#"{"digest":"sha256:00","size":1}"#,
        r#"{"mediaType":"a/b"}"#,
    ] {
        assert!(other(none).ensure_known_edges().is_ok(), "{none}");
    }
    let image = parse(r#"{"schemaVersion":2,"config":C}"#, None).unwrap();
    assert!(image.ensure_known_edges().is_ok());
}

#[test]
fn a_referrer_is_listed_with_its_kind_and_annotations() {
    let artifact = MediaType::from_static("application/vnd.example.sbom");
    let image = |manifest: ImageManifest| {
        Document::from(Raw::encode(&manifest, MediaType::OCI_MANIFEST, Algorithm::Sha256).unwrap())
    };
    let typed = image(
        ImageManifest::new(blob("c"), [])
            .with_artifact_type(artifact.clone())
            .with_annotation("a", "b"),
    );
    let listed = typed.referrer_descriptor();
    assert_eq!(
        listed,
        typed
            .descriptor()
            .with_artifact_type(artifact.clone())
            .with_annotation("a", "b")
    );
    assert_eq!(
        (listed.size, listed.digest.clone()),
        (typed.size(), typed.digest().into())
    );

    for untyped in [
        ImageManifest::new(blob("c"), []),
        ImageManifest::new(blob("c"), []).with_artifact_type(MediaType::from_static("")),
    ] {
        let untyped = image(untyped);
        assert_eq!(untyped.artifact_type(), None);
        assert_eq!(
            untyped.referrer_descriptor().artifact_type,
            Some(blob("c").media_type)
        );
    }
    let index = |index: ImageIndex| {
        Document::from(Raw::encode(&index, MediaType::OCI_INDEX, Algorithm::Sha256).unwrap())
    };
    assert_eq!(
        index(ImageIndex::new([])).referrer_descriptor().artifact_type,
        None
    );
    let typed = index(ImageIndex::new([]).with_artifact_type(artifact.clone()));
    assert_eq!(typed.referrer_descriptor().artifact_type, Some(artifact));
}

#[test]
fn an_index_gives_the_entry_for_a_platform() {
    let entry = |name: &str, platform: &str| blob(name).with_platform(platform.parse().unwrap());
    let index = ImageIndex::new([
        blob("none"),
        entry("arm", "linux/arm64"),
        entry("amd", "linux/amd64"),
    ]);
    let wanted = |text: &str| index.select(&text.parse().unwrap()).cloned();
    assert_eq!(wanted("linux/amd64"), Some(entry("amd", "linux/amd64")));
    assert_eq!(wanted("linux/arm64"), Some(entry("arm", "linux/arm64")));
    assert_eq!(wanted("linux/s390x"), None);
    let platforms: Vec<_> = index.platforms().map(Platform::to_string).collect();
    assert_eq!(platforms, ["linux/arm64", "linux/amd64"]);
}

proptest! {
    #[test]
    fn any_bytes_are_a_document_or_refused(bytes in json_text::mutated(json_text::text())) {
        let bytes = Bytes::from(bytes);
        let served = MediaType::from_static("application/vnd.example");
        let carried = Document::parse(bytes.clone(), Some(served), Algorithm::Sha256, MANIFEST_LIMIT).unwrap();
        prop_assert_eq!(carried.bytes(), &bytes);
        prop_assert_eq!(carried.digest(), Algorithm::Sha256.digest(&bytes));
        for media_type in [None, Some(MediaType::OCI_MANIFEST), Some(MediaType::OCI_INDEX)] {
            if let Ok(document) = Document::parse(bytes.clone(), media_type, Algorithm::Sha512, MANIFEST_LIMIT) {
                prop_assert_eq!(document.digest(), Algorithm::Sha512.digest(document.bytes()));
            }
        }
    }
}
