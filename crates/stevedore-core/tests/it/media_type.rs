//! Media types: classification, the RFC 6838 grammar, and lenience inside documents.

use proptest::prelude::*;
use stevedore_core::media_type::{Compression, MediaType};

/// Each known media type with what it is: m(anifest), i(ndex), a(rtifact manifest), c(onfig), l(ayer), f(oreign), d(ocker), 1 (schema 1).
const CLASSES: &[(&str, &str)] = &[
    ("application/vnd.oci.image.manifest.v1+json", "m"),
    ("application/vnd.oci.image.index.v1+json", "i"),
    ("application/vnd.oci.image.config.v1+json", "c"),
    ("application/vnd.oci.image.layer.v1.tar", "l"),
    ("application/vnd.oci.image.layer.v1.tar+gzip", "l"),
    ("application/vnd.oci.image.layer.v1.tar+zstd", "l"),
    ("application/vnd.oci.image.layer.nondistributable.v1.tar", "lf"),
    (
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "lf",
    ),
    (
        "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
        "lf",
    ),
    ("application/vnd.oci.empty.v1+json", ""),
    ("application/vnd.oci.layout.header.v1+json", ""),
    ("application/vnd.oci.artifact.manifest.v1+json", "a"),
    ("application/vnd.docker.distribution.manifest.v2+json", "md"),
    ("application/vnd.docker.distribution.manifest.list.v2+json", "id"),
    ("application/vnd.docker.container.image.v1+json", "cd"),
    ("application/vnd.docker.image.rootfs.diff.tar", "ld"),
    ("application/vnd.docker.image.rootfs.diff.tar.gzip", "ld"),
    ("application/vnd.docker.image.rootfs.diff.tar.zstd", "ld"),
    ("application/vnd.docker.image.rootfs.foreign.diff.tar", "lfd"),
    ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "lfd"),
    ("application/vnd.docker.distribution.manifest.v1+json", "d1"),
    ("application/vnd.docker.distribution.manifest.v1+prettyjws", "d1"),
];

#[test]
fn known_media_types_are_classified() {
    assert_eq!(CLASSES.len(), MediaType::KNOWN.len());
    for (text, class) in CLASSES {
        let media_type: MediaType = text.parse().unwrap();
        assert!(MediaType::KNOWN.contains(&media_type), "{text}");
        let is = |letter| class.contains(letter);
        assert_eq!(media_type.is_image_manifest(), is('m'), "{text}");
        assert_eq!(media_type.is_index(), is('i'), "{text}");
        assert_eq!(media_type.is_artifact_manifest(), is('a'), "{text}");
        let is_document = is('m') || is('i') || is('a');
        assert_eq!(media_type.is_document(), is_document, "{text}");
        assert_eq!(MediaType::DOCUMENTS.contains(&media_type), is_document, "{text}");
        assert_eq!(media_type.is_config(), is('c'), "{text}");
        assert_eq!(media_type.is_layer(), is('l'), "{text}");
        assert_eq!(media_type.is_foreign_layer(), is('f'), "{text}");
        assert_eq!(media_type.is_docker(), is('d'), "{text}");
        assert_eq!(media_type.is_schema1(), is('1'), "{text}");
        let compression = match text {
            t if !is('l') => {
                assert!(!t.ends_with("gzip"));
                None
            }
            t if t.ends_with("gzip") => Some(Compression::Gzip),
            t if t.ends_with("zstd") => Some(Compression::Zstd),
            _ => Some(Compression::None),
        };
        assert_eq!(media_type.compression(), compression, "{text}");
    }
}

#[test]
fn other_types_are_nothing_we_know() {
    for text in [
        "application/json",
        "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
        "text/plain",
    ] {
        let media_type: MediaType = text.parse().unwrap();
        assert!(!media_type.is_document() && !media_type.is_layer() && !media_type.is_config());
        assert_eq!(media_type.compression(), None);
    }
}

#[test]
fn content_types_lose_parameters_and_case() {
    for header in [
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.manifest.v1+json; charset=utf-8",
        "application/vnd.oci.image.manifest.v1+json;charset=utf-8; x=\"a;b\"",
        "  APPLICATION/VND.OCI.Image.Manifest.v1+JSON\t;",
    ] {
        assert_eq!(
            MediaType::from_content_type(header).unwrap(),
            MediaType::OCI_MANIFEST,
            "{header:?}"
        );
    }
    assert_eq!(
        MediaType::from_content_type("Text/Html;q=1").unwrap(),
        "Text/Html"
    );
    for bad in [
        "",
        ";",
        "; charset=utf-8",
        "application",
        "application/",
        "/json",
        "a/b, c/d",
        "a/b/c",
        "a b/c",
    ] {
        assert!(MediaType::from_content_type(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn the_grammar_is_that_of_rfc_6838() {
    let long = "a".repeat(127);
    for good in [
        "a/b",
        "application/vnd.a-b_c.d+json",
        "x!#$&^/1",
        &format!("{long}/{long}"),
    ] {
        assert!(good.parse::<MediaType>().is_ok(), "{good}");
    }
    let longer = format!("{long}a");
    for bad in [
        "",
        "a",
        "a/",
        "/b",
        "a/b;q=1",
        ".a/b",
        "a/+b",
        "a/é",
        "a/*",
        &format!("a/{longer}"),
        &format!("{longer}/b"),
    ] {
        assert!(bad.parse::<MediaType>().is_err(), "{bad}");
    }
}

#[test]
fn documents_keep_a_media_type_as_it_stood() {
    for odd in [
        "",
        "no slash",
        "Application/VND.OCI.image.manifest.v1+json",
        "a/b; c=d",
    ] {
        let json = serde_json::to_string(odd).unwrap();
        let media_type: MediaType = serde_json::from_str(&json).unwrap();
        assert_eq!(media_type, odd);
        assert!(!media_type.is_document());
        assert_eq!(serde_json::to_string(&media_type).unwrap(), json);
    }
    assert!(serde_json::from_str::<MediaType>("null").is_err());
    assert!(MediaType::OCI_INDEX.is_well_formed() && !MediaType::verbatim("no slash").is_well_formed());
}

proptest! {
    #[test]
    fn whatever_parses_prints_as_it_stood(text in "\\PC{0,30}|[a-z]{1,9}/[a-z.+-]{1,20}") {
        if let Ok(media_type) = text.parse::<MediaType>() {
            prop_assert_eq!(media_type.as_str(), &text);
            prop_assert_eq!(MediaType::from_content_type(&text).unwrap(), media_type);
        }
    }

    #[test]
    fn no_header_panics(header in "\\PC{0,60}") {
        if let Ok(media_type) = MediaType::from_content_type(&header) {
            prop_assert!(media_type.is_well_formed());
        }
    }
}
