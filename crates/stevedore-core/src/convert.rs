//! Conversions from and to the types of the `oci-spec` crate, for programs that speak both.
//!
//! They are between typed views, so keys that are modelled on one side only get lost:
//!
//! | on the way to `oci-spec` | why |
//! |---|---|
//! | of a config: `Healthcheck`, `OnBuild`, `Shell`, `ArgsEscaped` | not modelled there |
//! | whether a history entry says that it is no empty layer, and empty against absent lists | not told apart here |
//! | the order of annotations, labels, ports and volumes | hash maps there: each run writes other bytes |
//!
//! On the way back nothing gets lost but what is empty. `os.version` and `os.features` of a descriptor's platform
//! arrive both ways, though `oci-spec` 0.10 neither reads nor writes them under these names. So what it writes is
//! another document with another digest: keep the [`Raw`](crate::Raw), and use these types beside it.
//!
//! ```
//! use stevedore_core::{Algorithm, Descriptor, MediaType};
//!
//! let ours = Descriptor::new(MediaType::OCI_LAYER, Algorithm::Sha256.digest(b"layer"), 5);
//! let theirs = oci_spec::image::Descriptor::try_from(&ours)?;
//! assert_eq!(theirs.media_type(), &oci_spec::image::MediaType::ImageLayer);
//! assert_eq!(Descriptor::try_from(&theirs)?, ours);
//! # Ok::<(), stevedore_core::convert::ConvertError>(())
//! ```

use std::collections::HashMap;
use std::error::Error;

use oci_spec::image as theirs;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::annotations::Annotations;
use crate::config::ImageConfig;
use crate::descriptor::Descriptor;
use crate::index::ImageIndex;
use crate::manifest::ImageManifest;
use crate::media_type::MediaType;
use crate::platform::Platform;
use crate::raw::SCHEMA_VERSION;

/// Why a value of one side is none of the other.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// A digest that the other side does not take.
    #[error("digest {digest} cannot be converted")]
    #[non_exhaustive]
    Digest {
        /// The digest.
        digest: String,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A size beyond 2⁶³ − 1 bytes.
    #[error("size {size} exceeds 2^63 - 1")]
    #[non_exhaustive]
    Size {
        /// The size in bytes.
        size: u64,
    },
    /// A schema version other than 2.
    #[error("schema version is {found}, expected 2")]
    #[non_exhaustive]
    SchemaVersion {
        /// The version.
        found: u32,
    },
    /// A config that the other side does not take.
    #[error("config cannot be converted")]
    #[non_exhaustive]
    Config {
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl TryFrom<&Descriptor> for theirs::Descriptor {
    type Error = ConvertError;

    fn try_from(ours: &Descriptor) -> Result<Self, ConvertError> {
        let text = ours.digest.to_string();
        let digest = text
            .parse::<theirs::Digest>()
            .map_err(|source| ConvertError::Digest {
                digest: text,
                source: source.into(),
            })?;
        let mut descriptor = Self::new(to_type(&ours.media_type), ours.size, digest);
        descriptor.set_urls(some(&ours.urls));
        descriptor.set_annotations(to_map(&ours.annotations));
        descriptor.set_data(ours.data.clone());
        descriptor.set_platform(ours.platform.as_ref().map(to_platform));
        descriptor.set_artifact_type(ours.artifact_type.as_ref().map(to_type));
        Ok(descriptor)
    }
}

impl TryFrom<&theirs::Descriptor> for Descriptor {
    type Error = ConvertError;

    fn try_from(theirs: &theirs::Descriptor) -> Result<Self, ConvertError> {
        let text = theirs.digest().as_ref();
        let digest = text
            .parse::<crate::AnyDigest>()
            .map_err(|source| ConvertError::Digest {
                digest: text.to_owned(),
                source: source.into(),
            })?;
        if i64::try_from(theirs.size()).is_err() {
            return Err(ConvertError::Size { size: theirs.size() });
        }
        let mut descriptor = Self::new(from_type(theirs.media_type()), digest, theirs.size());
        descriptor.urls = theirs.urls().clone().unwrap_or_default();
        descriptor.annotations = from_map(theirs.annotations().as_ref());
        descriptor.data.clone_from(theirs.data());
        descriptor.platform = theirs.platform().as_ref().map(from_platform);
        descriptor.artifact_type = theirs.artifact_type().as_ref().map(from_type);
        Ok(descriptor)
    }
}

impl TryFrom<&ImageManifest> for theirs::ImageManifest {
    type Error = ConvertError;

    fn try_from(ours: &ImageManifest) -> Result<Self, ConvertError> {
        let mut manifest = theirs::ImageManifestBuilder::default()
            .schema_version(SCHEMA_VERSION)
            .config(theirs::Descriptor::try_from(&ours.config)?)
            .layers(all::<_, theirs::Descriptor>(&ours.layers)?)
            .build()
            .expect("because every field that is demanded is set");
        manifest.set_media_type(ours.media_type.as_ref().map(to_type));
        manifest.set_artifact_type(ours.artifact_type.as_ref().map(to_type));
        manifest.set_subject(ours.subject.as_ref().map(TryInto::try_into).transpose()?);
        manifest.set_annotations(to_map(&ours.annotations));
        Ok(manifest)
    }
}

impl TryFrom<&theirs::ImageManifest> for ImageManifest {
    type Error = ConvertError;

    fn try_from(theirs: &theirs::ImageManifest) -> Result<Self, ConvertError> {
        expect_version(theirs.schema_version())?;
        let mut manifest = Self::new(theirs.config().try_into()?, all(theirs.layers())?);
        manifest.media_type = theirs.media_type().as_ref().map(from_type);
        manifest.artifact_type = theirs.artifact_type().as_ref().map(from_type);
        manifest.subject = theirs.subject().as_ref().map(TryInto::try_into).transpose()?;
        manifest.annotations = from_map(theirs.annotations().as_ref());
        Ok(manifest)
    }
}

impl TryFrom<&ImageIndex> for theirs::ImageIndex {
    type Error = ConvertError;

    fn try_from(ours: &ImageIndex) -> Result<Self, ConvertError> {
        let mut index = theirs::ImageIndexBuilder::default()
            .schema_version(SCHEMA_VERSION)
            .manifests(all::<_, theirs::Descriptor>(&ours.manifests)?)
            .build()
            .expect("because every field that is demanded is set");
        index.set_media_type(ours.media_type.as_ref().map(to_type));
        index.set_artifact_type(ours.artifact_type.as_ref().map(to_type));
        index.set_subject(ours.subject.as_ref().map(TryInto::try_into).transpose()?);
        index.set_annotations(to_map(&ours.annotations));
        Ok(index)
    }
}

impl TryFrom<&theirs::ImageIndex> for ImageIndex {
    type Error = ConvertError;

    fn try_from(theirs: &theirs::ImageIndex) -> Result<Self, ConvertError> {
        expect_version(theirs.schema_version())?;
        let mut index = Self::new(all(theirs.manifests())?);
        index.media_type = theirs.media_type().as_ref().map(from_type);
        index.artifact_type = theirs.artifact_type().as_ref().map(from_type);
        index.subject = theirs.subject().as_ref().map(TryInto::try_into).transpose()?;
        index.annotations = from_map(theirs.annotations().as_ref());
        Ok(index)
    }
}

impl TryFrom<&ImageConfig> for theirs::ImageConfiguration {
    type Error = ConvertError;

    fn try_from(ours: &ImageConfig) -> Result<Self, ConvertError> {
        over_json(ours)
    }
}

impl TryFrom<&theirs::ImageConfiguration> for ImageConfig {
    type Error = ConvertError;

    fn try_from(theirs: &theirs::ImageConfiguration) -> Result<Self, ConvertError> {
        over_json(theirs)
    }
}

/// Configs have the same keys on both sides, where both have them.
fn over_json<T: DeserializeOwned>(config: &impl Serialize) -> Result<T, ConvertError> {
    serde_json::to_value(config)
        .and_then(serde_json::from_value)
        .map_err(|source| ConvertError::Config {
            source: source.into(),
        })
}

fn all<'a, A, B>(descriptors: &'a [A]) -> Result<Vec<B>, ConvertError>
where
    B: TryFrom<&'a A, Error = ConvertError>,
{
    descriptors.iter().map(TryInto::try_into).collect()
}

fn expect_version(found: u32) -> Result<(), ConvertError> {
    if found == u32::from(SCHEMA_VERSION) {
        Ok(())
    } else {
        Err(ConvertError::SchemaVersion { found })
    }
}

fn to_type(ours: &MediaType) -> theirs::MediaType {
    ours.as_str().into()
}

fn from_type(theirs: &theirs::MediaType) -> MediaType {
    MediaType::verbatim(theirs.as_ref())
}

fn to_platform(ours: &Platform) -> theirs::Platform {
    let mut platform = theirs::Platform::default();
    platform.set_architecture(ours.architecture.as_str().into());
    platform.set_os(ours.os.as_str().into());
    platform.set_os_version(ours.os_version.clone());
    platform.set_os_features(some(&ours.os_features));
    platform.set_variant(ours.variant.clone());
    platform.set_features(some(&ours.features));
    platform
}

fn from_platform(theirs: &theirs::Platform) -> Platform {
    let mut platform = Platform::new(theirs.os().to_string(), theirs.architecture().to_string());
    platform.os_version.clone_from(theirs.os_version());
    platform.os_features = theirs.os_features().clone().unwrap_or_default();
    platform.variant.clone_from(theirs.variant());
    platform.features = theirs.features().clone().unwrap_or_default();
    platform
}

fn to_map(ours: &Annotations) -> Option<HashMap<String, String>> {
    (!ours.is_empty()).then(|| ours.clone().into_iter().collect())
}

fn from_map(theirs: Option<&HashMap<String, String>>) -> Annotations {
    theirs.cloned().unwrap_or_default().into_iter().collect()
}

fn some(list: &[String]) -> Option<Vec<String>> {
    (!list.is_empty()).then(|| list.to_vec())
}
