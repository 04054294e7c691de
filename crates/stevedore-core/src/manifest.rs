//! The image manifest: a config and the layers of one image, or the blobs of an artifact.

use serde::{Deserialize, Serialize};

use crate::annotations::Annotations;
use crate::descriptor::Descriptor;
use crate::json::typed;
use crate::media_type::MediaType;
use crate::raw::{IMAGE, MANIFEST_LIMIT, Model, ParseError, SCHEMA_VERSION, Shape, sealed};
use crate::text::null_as_default;

/// The typed view of an image manifest, OCI or Docker schema 2 (image-spec, "OCI Image Manifest Specification").
///
/// It is read by [`Raw::parse`](crate::raw::Raw::parse) or [`Document::parse`](crate::document::Document::parse),
/// which keep the bytes beside it, and written by [`Raw::encode`](crate::raw::Raw::encode). Keys that are not
/// modelled here live on in the raw document.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(into = "Wire")]
#[non_exhaustive]
pub struct ImageManifest {
    /// The type that the manifest declares inside. It is optional; the type a manifest was served under is
    /// [`Raw::media_type`](crate::raw::Raw::media_type).
    pub media_type: Option<MediaType>,
    /// What kind of artifact it is, if it is none of a container image.
    pub artifact_type: Option<MediaType>,
    /// The config: of a container image, or the empty object.
    pub config: Descriptor,
    /// The layers, the lowest first. In the wild, `null` and a missing key stand for none.
    pub layers: Vec<Descriptor>,
    /// The manifest that this one refers to, as a signature does.
    pub subject: Option<Descriptor>,
    /// What is said about it.
    pub annotations: Annotations,
}

impl ImageManifest {
    /// An OCI manifest of a config and layers, with nothing optional.
    pub fn new(config: Descriptor, layers: impl IntoIterator<Item = Descriptor>) -> Self {
        Self {
            media_type: Some(MediaType::OCI_MANIFEST),
            artifact_type: None,
            config,
            layers: layers.into_iter().collect(),
            subject: None,
            annotations: Annotations::new(),
        }
    }

    /// Sets the type that the manifest declares inside.
    #[must_use]
    pub fn with_media_type(mut self, media_type: impl Into<Option<MediaType>>) -> Self {
        self.media_type = media_type.into();
        self
    }

    /// Sets what kind of artifact it is.
    #[must_use]
    pub fn with_artifact_type(mut self, artifact_type: MediaType) -> Self {
        self.artifact_type = Some(artifact_type);
        self
    }

    /// Sets the manifest that this one refers to.
    #[must_use]
    pub fn with_subject(mut self, subject: Descriptor) -> Self {
        self.subject = Some(subject);
        self
    }

    /// Sets one annotation and leaves the others.
    #[must_use]
    pub fn with_annotation(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.annotations.insert(key.into(), value.into());
        self
    }
}

impl Model for ImageManifest {}

impl sealed::Model for ImageManifest {
    const LIMIT: usize = MANIFEST_LIMIT;
    const DECLARES_TYPE: bool = true;

    fn decode(bytes: &[u8], media_type: &MediaType) -> Result<Self, ParseError> {
        let shape = Shape::of(bytes)?;
        shape.expect_image(media_type)?;
        let Wire {
            media_type,
            artifact_type,
            config,
            layers,
            subject,
            annotations,
            ..
        } = typed(shape.root())?;
        let config = config.ok_or(ParseError::Missing {
            kind: IMAGE,
            key: "config",
        })?;
        Ok(Self {
            media_type,
            artifact_type,
            config,
            layers,
            subject,
            annotations,
        })
    }
}

/// The keys, in the order of the specification.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    schema_version: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<MediaType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<MediaType>,
    config: Option<Descriptor>,
    #[serde(default, deserialize_with = "null_as_default")]
    layers: Vec<Descriptor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<Descriptor>,
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Annotations::is_empty"
    )]
    annotations: Annotations,
}

impl From<ImageManifest> for Wire {
    fn from(manifest: ImageManifest) -> Self {
        let ImageManifest {
            media_type,
            artifact_type,
            config,
            layers,
            subject,
            annotations,
        } = manifest;
        let config = Some(config);
        Self {
            schema_version: SCHEMA_VERSION,
            media_type,
            artifact_type,
            config,
            layers,
            subject,
            annotations,
        }
    }
}
