//! Raw documents: what is refused and why, what is let pass, and that bytes, digest and view stay together.

use bytes::Bytes;
use proptest::prelude::*;
use stevedore_core::edit::{Edit, EditError, Path};
use stevedore_core::raw::{CONFIG_LIMIT, MANIFEST_LIMIT, Model, Opaque, ParseError};
use stevedore_core::{Algorithm, Descriptor, ImageConfig, ImageIndex, ImageManifest, MediaType, Raw};

use crate::json_text;

const DIGEST: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

/// Fills in `D`, a descriptor.
fn text(template: &str) -> Bytes {
    let descriptor = format!(r#"{{"mediaType":"application/x","digest":"{DIGEST}","size":2}}"#);
    template.replace('D', &descriptor).into()
}

fn parse<T: Model>(bytes: Bytes, media_type: MediaType) -> Result<Raw<T>, ParseError> {
    Raw::parse(bytes, media_type, Algorithm::Sha256, MANIFEST_LIMIT)
}

fn image(template: &str) -> Result<Raw<ImageManifest>, ParseError> {
    parse(text(template), MediaType::OCI_MANIFEST)
}

fn index(template: &str) -> Result<Raw<ImageIndex>, ParseError> {
    parse(text(template), MediaType::OCI_INDEX)
}

#[test]
fn images_are_refused_for_a_reason() {
    let cases = [
        (
            "",
            "not JSON at byte 0: the document ends where a value is expected",
        ),
        ("[D]", "the document is an array, not an object"),
        ("null", "the document is null, not an object"),
        (
            r#"{"schemaVersion":2,"config":D,"config":D}"#,
            "key `config` is there twice, again at byte 150",
        ),
        (
            r#"{"schemaVersion":2,"config":{"size":1,"siz\u0065":2}}"#,
            "key `config.size` is there twice, again at byte 38",
        ),
        (r#"{"schemaVersion":1,"config":D}"#, SCHEMA_ONE),
        (r#"{"schemaVersion":2,"fsLayers":[]}"#, SCHEMA_ONE),
        (
            r#"{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v1+prettyjws","config":D}"#,
            SCHEMA_ONE,
        ),
        (
            r#"{"schemaVersion":3,"config":D}"#,
            "schemaVersion is 3, expected 2",
        ),
        (
            r#"{"schemaVersion":2.0,"config":D}"#,
            "schemaVersion is 2.0, expected 2",
        ),
        (
            r#"{"schemaVersion":"2","config":D}"#,
            "schemaVersion is a string, expected 2",
        ),
        (
            r#"{"schemaVersion":null,"config":D}"#,
            "schemaVersion is missing, expected 2",
        ),
        (r#"{"config":D}"#, "schemaVersion is missing, expected 2"),
        (
            r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","config":D}"#,
            "served as application/vnd.oci.image.manifest.v1+json, but declares mediaType \
             application/vnd.oci.image.index.v1+json inside",
        ),
        (
            r#"{"schemaVersion":2,"mediaType":"","config":D}"#,
            "served as application/vnd.oci.image.manifest.v1+json, but declares mediaType  inside",
        ),
        (
            r#"{"schemaVersion":2,"mediaType":7,"config":D}"#,
            "bad value at byte 31, in `mediaType`: expected a media type, found integer `7`",
        ),
        (
            r#"{"schemaVersion":2,"config":D,"layers":[],"manifests":[]}"#,
            "an image manifest must not have `manifests`: it could be read as another kind of document",
        ),
        (
            r#"{"schemaVersion":2,"config":D,"layers":[],"fsLayers":[]}"#,
            "an image manifest must not have `fsLayers`: it could be read as another kind of document",
        ),
        (
            r#"{"schemaVersion":2,"layers":[]}"#,
            "an image manifest must have `config`",
        ),
        (
            r#"{"schemaVersion":2,"config":null,"layers":[]}"#,
            "an image manifest must have `config`",
        ),
        (
            r#"{"schemaVersion":2,"config":[]}"#,
            "bad value at byte 28, in `config`: expected an object, found an array",
        ),
        (
            r#"{"schemaVersion":2,"config":{}}"#,
            "bad value at byte 28, in `config`: missing field `mediaType`",
        ),
        (
            r#"{"schemaVersion":2,"config":["application/x","sha256:4413",2]}"#,
            "bad value at byte 28, in `config`: expected an object, found an array",
        ),
        (
            r#"{"schemaVersion":2,"config":D,"layers":{}}"#,
            "bad value at byte 159, in `layers`: expected a sequence, found an object",
        ),
        (
            r#"{"schemaVersion":2,"config":D,"layers":[D,null]}"#,
            "bad value at byte 282, in `layers[1]`: expected struct Descriptor, found null",
        ),
        (
            r#"{"schemaVersion":2,"config":D,"subject":7}"#,
            "bad value at byte 160, in `subject`: expected struct Descriptor, found integer `7`",
        ),
        (
            r#"{"schemaVersion":2,"config":D,"annotations":{"a.b":1}}"#,
            "bad value at byte 171, in `annotations[\"a.b\"]`: expected a string, found integer `1`",
        ),
    ];
    for (template, reason) in cases {
        let found = image(template).expect_err(template).to_string();
        assert_eq!(found, reason, "{template}");
    }
}

const SCHEMA_ONE: &str = "this is a Docker schema 1 manifest, which is not supported: pull and push the image again \
                          with a current tool to convert it";

#[test]
fn sizes_are_whole_and_fit() {
    let size = |size: &str| {
        let descriptor = format!(r#"{{"mediaType":"application/x","digest":"{DIGEST}","size":{size}}}"#);
        image(&format!(r#"{{"schemaVersion":2,"config":{descriptor}}}"#)).map(|image| image.config.size)
    };
    assert_eq!(size("0"), Ok(0));
    assert_eq!(size("9223372036854775807"), Ok(i64::MAX.unsigned_abs()));
    for bad in [
        "-1",
        "-0",
        "1.5",
        "2.0",
        "1e3",
        "9223372036854775808",
        "18446744073709551616",
        "1e999",
        "\"2\"",
        "null",
        "true",
    ] {
        match size(bad) {
            Err(ParseError::Invalid { path, .. }) => assert_eq!(path, "config.size", "{bad}"),
            other => panic!("{bad}: {other:?}"),
        }
    }
}

#[test]
fn indexes_are_refused_for_a_reason() {
    let cases = [
        (
            r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#,
            "an image index must not have `layers`: it could be read as another kind of document",
        ),
        (
            r#"{"schemaVersion":2,"manifests":[],"config":D}"#,
            "an image index must not have `config`: it could be read as another kind of document",
        ),
        (
            r#"{"schemaVersion":2,"manifests":[],"fsLayers":[]}"#,
            "an image index must not have `fsLayers`: it could be read as another kind of document",
        ),
        (r#"{"schemaVersion":1,"manifests":[]}"#, SCHEMA_ONE),
        (r#"{"manifests":[]}"#, "schemaVersion is missing, expected 2"),
        (
            r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","manifests":[]}"#,
            "served as application/vnd.oci.image.index.v1+json, but declares mediaType \
             application/vnd.oci.image.manifest.v1+json inside",
        ),
        (
            r#"{"schemaVersion":2,"manifests":[D,{"digest":"sha256:00"}]}"#,
            "bad value at byte 164, in `manifests[1].digest`: a sha256 digest has 64 hexadecimal digits, not 2",
        ),
    ];
    for (template, reason) in cases {
        let found = index(template).expect_err(template).to_string();
        assert_eq!(found, reason, "{template}");
    }
}

#[test]
fn a_document_is_refused_under_the_type_of_another_kind() {
    let image_text = text(r#"{"schemaVersion":2,"config":D}"#);
    for media_type in [
        MediaType::OCI_INDEX,
        MediaType::OCI_CONFIG,
        MediaType::from_static("application/json"),
    ] {
        let error = parse::<ImageManifest>(image_text.clone(), media_type.clone()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{media_type} is not the media type of an image manifest")
        );
    }
    let error = parse::<ImageIndex>(text(r#"{"schemaVersion":2}"#), MediaType::DOCKER_MANIFEST).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{} is not the media type of an image index",
            MediaType::DOCKER_MANIFEST
        )
    );
}

#[test]
fn what_is_over_the_limit_is_not_looked_at() {
    let bytes = Bytes::from_static(b"not JSON");
    let error = Raw::<ImageManifest>::parse(bytes.clone(), MediaType::OCI_MANIFEST, Algorithm::Sha256, 7)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "document has 8 bytes, more than the limit of 7"
    );
    let exact = Raw::<Opaque>::parse(bytes, MediaType::OCI_MANIFEST, Algorithm::Sha256, 8);
    assert_eq!(exact.unwrap().size(), 8);
}

#[test]
fn what_occurs_in_the_wild_is_read() {
    for template in [
        r#"{"schemaVersion":2,"config":D}"#,
        r#"{"schemaVersion":2,"config":D,"layers":null}"#,
        r#"{"schemaVersion":2,"config":D,"layers":[],"subject":null,"annotations":null,"artifactType":null,"mediaType":null,"manifests":null}"#,
    ] {
        let image = image(template).unwrap();
        assert!(image.layers.is_empty() && image.subject.is_none() && image.annotations.is_empty());
        assert_eq!(image.media_type, None);
    }
    for template in [
        r#"{"schemaVersion":2}"#,
        r#"{"schemaVersion":2,"manifests":null,"layers":null,"config":null}"#,
    ] {
        assert!(index(template).unwrap().manifests.is_empty());
    }
    let docker = text(&format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","config":D}}"#,
        MediaType::DOCKER_MANIFEST
    ));
    let docker: Raw<ImageManifest> = parse(docker, MediaType::DOCKER_MANIFEST).unwrap();
    assert_eq!(docker.media_type, Some(MediaType::DOCKER_MANIFEST));
}

#[test]
fn a_document_knows_itself() {
    let bytes = text(r#" {"schemaVersion" : 2,"config":D,"layers":[D], "unknown":{"x":2.50}} "#);
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let image: Raw<ImageManifest> =
            Raw::parse(bytes.clone(), MediaType::OCI_MANIFEST, algorithm, MANIFEST_LIMIT).unwrap();
        assert_eq!(image.bytes(), &bytes);
        assert_eq!(image.digest(), algorithm.digest(&bytes));
        assert_eq!(image.size(), bytes.len() as u64);
        assert_eq!(
            image.descriptor(),
            Descriptor::new(
                MediaType::OCI_MANIFEST,
                algorithm.digest(&bytes),
                bytes.len() as u64
            )
        );
        assert_eq!(image.layers.len(), 1);
        assert_eq!(image.value(), &image.clone().into_value());
        assert_eq!(image.edit(|_| Ok(())).unwrap(), image);
    }
}

#[test]
fn documents_are_equal_by_bytes_type_and_digest() {
    let parse = |text: &'static str, media_type, algorithm| {
        Raw::<Opaque>::parse(Bytes::from_static(text.as_bytes()), media_type, algorithm, 9).unwrap()
    };
    let one = parse("a", MediaType::OCI_LAYER, Algorithm::Sha256);
    assert_eq!(one, parse("a", MediaType::OCI_LAYER, Algorithm::Sha256));
    assert_ne!(one, parse("b", MediaType::OCI_LAYER, Algorithm::Sha256));
    assert_ne!(one, parse("a", MediaType::OCI_CONFIG, Algorithm::Sha256));
    assert_ne!(one, parse("a", MediaType::OCI_LAYER, Algorithm::Sha512));
}

#[test]
fn an_edit_keeps_the_rest_and_the_algorithm() {
    let bytes = text("{\n \"schemaVersion\": 2,\n \"config\": D,\n \"x\": 2.50\n}");
    let image: Raw<ImageManifest> = Raw::parse(
        bytes.clone(),
        MediaType::OCI_MANIFEST,
        Algorithm::Sha512,
        MANIFEST_LIMIT,
    )
    .unwrap();
    let layer = Descriptor::new(MediaType::OCI_LAYER, Algorithm::Sha256.digest(b"layer"), 5);
    let more = image.edit(|edit| edit.push("layers", &layer)).unwrap();
    assert_eq!(more.layers, [layer]);
    assert!(more.bytes().starts_with(&bytes[..bytes.len() - 2]));
    assert_eq!(more.digest(), Algorithm::Sha512.digest(more.bytes()));
    assert!(image.layers.is_empty());

    let error = more.edit(|edit| edit.remove("config").map(drop)).unwrap_err();
    assert!(
        matches!(
            error,
            EditError::Document {
                source: ParseError::Missing { key: "config", .. },
                ..
            }
        ),
        "{error:?}"
    );
    let error = more.edit(|edit| edit.set(["config", "size"], &-1)).unwrap_err();
    assert!(
        matches!(
            error,
            EditError::Document {
                source: ParseError::Invalid { .. },
                ..
            }
        ),
        "{error:?}"
    );
    let error = more.edit(|edit| edit.set(Path::root(), &0)).unwrap_err();
    assert!(
        matches!(
            error,
            EditError::Document {
                source: ParseError::NotAnObject { .. },
                ..
            }
        ),
        "{error:?}"
    );
}

#[test]
fn an_edit_of_the_type_inside_changes_the_type() {
    let image = image(r#"{"schemaVersion":2,"config":D}"#).unwrap();
    let docker = image
        .edit(|edit| edit.set("mediaType", &MediaType::DOCKER_MANIFEST))
        .unwrap();
    assert_eq!(*docker.media_type(), MediaType::DOCKER_MANIFEST);

    // Without one inside, only `edit_as` says so.
    let untyped = docker.edit(|edit| edit.remove("mediaType").map(drop)).unwrap();
    assert_eq!(*untyped.media_type(), MediaType::DOCKER_MANIFEST);
    let oci = docker
        .edit_as(MediaType::OCI_MANIFEST, |edit| edit.remove("mediaType").map(drop))
        .unwrap();
    assert_eq!(
        (oci.media_type(), oci.bytes()),
        (&MediaType::OCI_MANIFEST, image.bytes())
    );
    let error = docker.edit_as(MediaType::OCI_MANIFEST, |_| Ok(())).unwrap_err();
    assert!(
        matches!(
            error,
            EditError::Document {
                source: ParseError::MediaTypeMismatch { .. },
                ..
            }
        ),
        "{error:?}"
    );
    let error = image
        .edit(|edit| edit.set("mediaType", &MediaType::OCI_INDEX))
        .unwrap_err();
    assert!(
        matches!(
            error,
            EditError::Document {
                source: ParseError::WrongType { .. },
                ..
            }
        ),
        "{error:?}"
    );

    // In a config, `mediaType` is a key like any other.
    let config: Raw<ImageConfig> = parse(Bytes::from_static(b"{}"), MediaType::OCI_CONFIG).unwrap();
    let config = config
        .edit(|edit| edit.set("mediaType", "application/x"))
        .unwrap();
    assert_eq!(*config.media_type(), MediaType::OCI_CONFIG);
}

#[test]
fn an_edit_must_stay_within_the_limit() {
    let image = image(r#"{"schemaVersion":2,"config":D}"#).unwrap();
    let long = "x".repeat(MANIFEST_LIMIT);
    let error = image.edit(|edit| edit.set("x", &long)).unwrap_err();
    assert!(
        matches!(
            error,
            EditError::Document {
                source: ParseError::TooLarge { .. },
                ..
            }
        ),
        "{error:?}"
    );
    // What was let in larger may stay so.
    let bytes = text(&format!(r#"{{"schemaVersion":2,"config":D,"x":"{long}"}}"#));
    let large: Raw<ImageManifest> =
        Raw::parse(bytes, MediaType::OCI_MANIFEST, Algorithm::Sha256, CONFIG_LIMIT).unwrap();
    large.edit(|edit| edit.set(["config", "size"], &3)).unwrap();
}

#[test]
fn what_is_opaque_is_carried_but_edited_only_as_json() {
    let bytes = Bytes::from_static(b"\xff\x00 anything");
    let opaque: Raw<Opaque> = parse(bytes.clone(), MediaType::OCI_MANIFEST).unwrap();
    assert_eq!(
        (opaque.bytes(), opaque.digest()),
        (&bytes, Algorithm::Sha256.digest(&bytes))
    );
    let error = opaque.edit(|edit| edit.set("a", &1)).unwrap_err();
    assert!(
        matches!(
            error,
            EditError::Document {
                source: ParseError::Json { offset: 0, .. },
                ..
            }
        ),
        "{error:?}"
    );
}

#[test]
fn documents_of_ours_are_written_in_the_order_of_the_specification() {
    let blob = |name: &str| {
        Descriptor::new(
            MediaType::from_static("application/x"),
            Algorithm::Sha256.digest(name.as_bytes()),
            1,
        )
    };
    let json = |name: &str| serde_json::to_string(&blob(name)).unwrap();
    let image = ImageManifest::new(blob("c"), [blob("l")])
        .with_artifact_type(MediaType::from_static("application/y"))
        .with_subject(blob("s"))
        .with_annotation("b", "2")
        .with_annotation("a", "1");
    let raw = Raw::encode(&image, MediaType::OCI_MANIFEST, Algorithm::Sha256).unwrap();
    let expected = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/y","config":{},"layers":[{}],"subject":{},"annotations":{{"a":"1","b":"2"}}}}"#,
        json("c"),
        json("l"),
        json("s")
    );
    assert_eq!(raw.bytes(), &expected);
    assert_eq!(*raw, image);

    let index = ImageIndex::new([blob("m")])
        .with_artifact_type(MediaType::from_static("application/y"))
        .with_subject(blob("s"))
        .with_annotation("a", "1");
    let raw = Raw::encode(&index, MediaType::OCI_INDEX, Algorithm::Sha384).unwrap();
    let expected = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","artifactType":"application/y","manifests":[{}],"subject":{},"annotations":{{"a":"1"}}}}"#,
        json("m"),
        json("s")
    );
    assert_eq!(raw.bytes(), &expected);
    assert_eq!(*raw, index);
    assert_eq!(raw.digest().algorithm(), Algorithm::Sha384);

    let bare = ImageManifest::new(blob("c"), []).with_media_type(None);
    let raw = Raw::encode(&bare, MediaType::DOCKER_MANIFEST, Algorithm::Sha256).unwrap();
    assert_eq!(
        raw.bytes(),
        &format!(r#"{{"schemaVersion":2,"config":{},"layers":[]}}"#, json("c"))
    );
    let error = Raw::encode(&image, MediaType::DOCKER_MANIFEST, Algorithm::Sha256).unwrap_err();
    assert!(matches!(error, ParseError::MediaTypeMismatch { .. }), "{error:?}");
}

#[test]
fn debug_shows_no_bytes() {
    let shown = format!(
        "{:?}",
        image(r#"{"schemaVersion":2,"config":D,"secret":"hidden"}"#).unwrap()
    );
    assert!(!shown.contains("hidden") && shown.contains("sha256:"), "{shown}");
}

#[test]
fn a_long_value_does_not_flood_the_message() {
    let long = "x".repeat(100_000);
    let error = image(&format!(r#"{{"schemaVersion":2,"config":"{long}"}}"#)).unwrap_err();
    assert!(error.to_string().len() < 400, "{}", error.to_string().len());
}

/// A manifest with unknown members around the known ones.
fn manifest_text() -> impl Strategy<Value = String> {
    (json_text::text(), json_text::text(), json_text::text()).prop_map(|(a, b, c)| {
        let text = format!(r#"{{"x":{a}, "schemaVersion":2,"config":{{"y":{b},"mediaType":"application/x","digest":"{DIGEST}","size":2}} ,"z":{c} }}"#);
        text
    })
}

proptest! {
    #[test]
    fn unknown_members_survive_edits(text in manifest_text()) {
        let image: Raw<ImageManifest> = parse(text.clone().into(), MediaType::OCI_MANIFEST).unwrap();
        prop_assert_eq!(image.bytes(), &text);
        prop_assert_eq!(image.digest(), Algorithm::Sha256.digest(text.as_bytes()));
        let edited = image
            .edit(|edit| {
                edit.set(["config", "size"], &3)?;
                edit.set(["annotations", "a"], "b")
            })
            .unwrap();
        prop_assert_eq!((edited.config.size, &*edited.annotations["a"]), (3, "b"));
        let back = edited
            .edit(|edit| {
                edit.set(["config", "size"], &2)?;
                edit.remove("annotations").map(drop)
            })
            .unwrap();
        prop_assert_eq!(back, image);
    }

    #[test]
    fn damaged_documents_do_no_harm(bytes in json_text::mutated(manifest_text())) {
        let bytes = Bytes::from(bytes);
        if let Ok(image) = parse::<ImageManifest>(bytes.clone(), MediaType::OCI_MANIFEST) {
            prop_assert_eq!(image.digest(), Algorithm::Sha256.digest(&bytes));
            Edit::new(&bytes).unwrap();
        }
        drop(parse::<ImageIndex>(bytes.clone(), MediaType::OCI_INDEX));
        drop(parse::<ImageConfig>(bytes, MediaType::OCI_CONFIG));
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(bytes: Vec<u8>) {
        let bytes = Bytes::from(bytes);
        drop(parse::<ImageManifest>(bytes.clone(), MediaType::OCI_MANIFEST));
        drop(parse::<ImageIndex>(bytes.clone(), MediaType::OCI_INDEX));
        drop(parse::<ImageConfig>(bytes.clone(), MediaType::OCI_CONFIG));
        let opaque: Raw<Opaque> = parse(bytes.clone(), MediaType::OCI_MANIFEST).unwrap();
        prop_assert_eq!(opaque.digest(), Algorithm::Sha256.digest(&bytes));
    }
}
