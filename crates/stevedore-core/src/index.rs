//! The image index: one image for several platforms, or any set of manifests.

use serde::{Deserialize, Serialize};

use crate::annotations::Annotations;
use crate::descriptor::Descriptor;
use crate::json::typed;
use crate::media_type::MediaType;
use crate::platform::{self, Platform};
use crate::raw::{MANIFEST_LIMIT, Model, ParseError, SCHEMA_VERSION, Shape, sealed};
use crate::text::null_as_default;

/// The typed view of an image index or a Docker manifest list (image-spec, "OCI Image Index Specification").
///
/// It is read by [`Raw::parse`](crate::raw::Raw::parse) or [`Document::parse`](crate::document::Document::parse),
/// which keep the bytes beside it, and written by [`Raw::encode`](crate::raw::Raw::encode). Keys that are not
/// modelled here live on in the raw document.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(into = "Wire")]
#[non_exhaustive]
pub struct ImageIndex {
    /// The type that the index declares inside. It is optional; the type an index was served under is
    /// [`Raw::media_type`](crate::raw::Raw::media_type).
    pub media_type: Option<MediaType>,
    /// What kind of artifact it is, if it is none of a container image.
    pub artifact_type: Option<MediaType>,
    /// What it lists, mostly image manifests. In the wild, `null` and a missing key stand for none.
    pub manifests: Vec<Descriptor>,
    /// The manifest that this index refers to.
    pub subject: Option<Descriptor>,
    /// What is said about it.
    pub annotations: Annotations,
}

impl ImageIndex {
    /// An OCI index of manifests, with nothing optional.
    pub fn new(manifests: impl IntoIterator<Item = Descriptor>) -> Self {
        Self {
            media_type: Some(MediaType::OCI_INDEX),
            artifact_type: None,
            manifests: manifests.into_iter().collect(),
            subject: None,
            annotations: Annotations::new(),
        }
    }

    /// Sets the type that the index declares inside.
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

    /// Sets the manifest that this index refers to.
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

    /// The platforms of the entries that name one, in order.
    pub fn platforms(&self) -> impl Iterator<Item = &Platform> {
        self.manifests.iter().filter_map(|entry| entry.platform.as_ref())
    }

    /// The entry that suits a machine of the platform `wanted` best; see [`platform::select`].
    pub fn select(&self, wanted: &Platform) -> Option<&Descriptor> {
        let platforms = self.manifests.iter().map(|entry| entry.platform.as_ref());
        self.manifests.get(platform::select(wanted, platforms)?)
    }
}

impl Model for ImageIndex {}

impl sealed::Model for ImageIndex {
    const LIMIT: usize = MANIFEST_LIMIT;
    const DECLARES_TYPE: bool = true;

    fn decode(bytes: &[u8], media_type: &MediaType) -> Result<Self, ParseError> {
        let shape = Shape::of(bytes)?;
        shape.expect_index(media_type)?;
        let Wire {
            media_type,
            artifact_type,
            manifests,
            subject,
            annotations,
            ..
        } = typed(shape.root())?;
        Ok(Self {
            media_type,
            artifact_type,
            manifests,
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
    #[serde(default, deserialize_with = "null_as_default")]
    manifests: Vec<Descriptor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<Descriptor>,
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Annotations::is_empty"
    )]
    annotations: Annotations,
}

impl From<ImageIndex> for Wire {
    fn from(index: ImageIndex) -> Self {
        let ImageIndex {
            media_type,
            artifact_type,
            manifests,
            subject,
            annotations,
        } = index;
        Self {
            schema_version: SCHEMA_VERSION,
            media_type,
            artifact_type,
            manifests,
            subject,
            annotations,
        }
    }
}
