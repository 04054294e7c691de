//! The artifact manifest: blobs without a config. It was dropped before image-spec 1.1, and registries still hold some.

use serde::Deserialize;

use crate::annotations::Annotations;
use crate::descriptor::Descriptor;
use crate::json::typed;
use crate::media_type::MediaType;
use crate::raw::{MANIFEST_LIMIT, Model, ParseError, Shape, sealed};
use crate::text::null_as_default;

/// The typed view of an artifact manifest (image-spec 1.1.0-rc2, "OCI Artifact Manifest Specification").
///
/// It is read and carried, never made: an artifact of today is an [`ImageManifest`](crate::ImageManifest) with an
/// artifact type. Keys that are not modelled here live on in the raw document.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ArtifactManifest {
    /// The type that the manifest declares inside.
    pub media_type: Option<MediaType>,
    /// What kind of artifact it is.
    pub artifact_type: Option<MediaType>,
    /// What it consists of. `null` and a missing key stand for none.
    pub blobs: Vec<Descriptor>,
    /// The manifest that this one refers to, as a signature does.
    pub subject: Option<Descriptor>,
    /// What is said about it.
    pub annotations: Annotations,
}

impl Model for ArtifactManifest {}

impl sealed::Model for ArtifactManifest {
    const LIMIT: usize = MANIFEST_LIMIT;
    const DECLARES_TYPE: bool = true;

    fn decode(bytes: &[u8], media_type: &MediaType) -> Result<Self, ParseError> {
        let shape = Shape::of(bytes)?;
        shape.expect_artifact(media_type)?;
        let Wire {
            media_type,
            artifact_type,
            blobs,
            subject,
            annotations,
        } = typed(shape.root())?;
        Ok(Self {
            media_type,
            artifact_type,
            blobs,
            subject,
            annotations,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    media_type: Option<MediaType>,
    artifact_type: Option<MediaType>,
    #[serde(default, deserialize_with = "null_as_default")]
    blobs: Vec<Descriptor>,
    subject: Option<Descriptor>,
    #[serde(default, deserialize_with = "null_as_default")]
    annotations: Annotations,
}
