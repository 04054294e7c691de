//! Descriptors: how one piece of content points to another.

use serde::{Deserialize, Deserializer, Serialize};

use crate::annotations::Annotations;
use crate::digest::{AnyDigest, Digest, UnknownAlgorithm};
use crate::media_type::MediaType;
use crate::platform::Platform;
use crate::text::null_as_default;

/// A pointer to content: what it is, what its bytes hash to, and how many they are (image-spec, "Descriptor").
///
/// This is a typed view. Keys that are not modelled here are not in it; they live on in the raw document that the
/// descriptor was read from.
///
/// `null` stands for an absent value wherever a value is optional, for some tools write it. `mediaType`, `digest` and
/// `size` are demanded, and a size that is negative, has a fraction or exceeds 2⁶³ − 1 is refused.
///
/// ```
/// use stevedore_core::{Algorithm, Descriptor, MediaType, annotations};
///
/// let layer = b"the bytes of a layer";
/// let descriptor = Descriptor::new(
///     MediaType::OCI_LAYER_GZIP,
///     Algorithm::Sha256.digest(layer),
///     layer.len() as u64,
/// )
/// .with_annotation(annotations::TITLE, "data.tar.gz");
///
/// assert!(descriptor.media_type.is_layer());
/// assert_eq!(descriptor.known_digest()?, Algorithm::Sha256.digest(layer));
/// # Ok::<(), stevedore_core::digest::UnknownAlgorithm>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Descriptor {
    /// What the content is.
    pub media_type: MediaType,
    /// What its bytes hash to.
    pub digest: AnyDigest,
    /// How many bytes it has.
    #[serde(deserialize_with = "size")]
    pub size: u64,
    /// Where else it can be had. Whoever follows them checks the digest, as always.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub urls: Vec<String>,
    /// What is said about it.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Annotations::is_empty"
    )]
    pub annotations: Annotations,
    /// The content itself, in base64 (RFC 4648, section 4), as it stood. Nobody has verified it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// What it runs on; for entries of an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// What kind of artifact the manifest is that it points to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<MediaType>,
}

impl Descriptor {
    /// A descriptor of `size` bytes, with nothing optional.
    pub fn new(media_type: MediaType, digest: impl Into<AnyDigest>, size: u64) -> Self {
        Self {
            media_type,
            digest: digest.into(),
            size,
            urls: Vec::new(),
            annotations: Annotations::new(),
            data: None,
            platform: None,
            artifact_type: None,
        }
    }

    /// Sets where else the content can be had.
    #[must_use]
    pub fn with_urls(mut self, urls: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.urls = urls.into_iter().map(Into::into).collect();
        self
    }

    /// Sets one annotation and leaves the others.
    #[must_use]
    pub fn with_annotation(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.annotations.insert(key.into(), value.into());
        self
    }

    /// Sets all annotations.
    #[must_use]
    pub fn with_annotations(mut self, annotations: Annotations) -> Self {
        self.annotations = annotations;
        self
    }

    /// Sets the embedded content, which is base64 already.
    #[must_use]
    pub fn with_data(mut self, base64: impl Into<String>) -> Self {
        self.data = Some(base64.into());
        self
    }

    /// Sets what the content runs on.
    #[must_use]
    pub fn with_platform(mut self, platform: Platform) -> Self {
        self.platform = Some(platform);
        self
    }

    /// Sets what kind of artifact the manifest is.
    #[must_use]
    pub fn with_artifact_type(mut self, artifact_type: MediaType) -> Self {
        self.artifact_type = Some(artifact_type);
        self
    }

    /// The digest, if content can be verified against it here.
    ///
    /// # Errors
    ///
    /// [`UnknownAlgorithm`] if the digest can only be carried: what it points to must not be opened.
    pub fn known_digest(&self) -> Result<Digest, UnknownAlgorithm> {
        self.digest.known()
    }
}

/// The image-spec has sizes of type int64, so that is what others can read.
fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let size = u64::deserialize(deserializer)?;
    if i64::try_from(size).is_err() {
        return Err(serde::de::Error::custom(format_args!(
            "size {size} exceeds 2^63 - 1"
        )));
    }
    Ok(size)
}
