//! The image config: how a container of the image is started, and what its layers are when unpacked.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::AnyDigest;
use crate::json::typed;
use crate::media_type::MediaType;
use crate::platform::Platform;
use crate::raw::{CONFIG_LIMIT, Model, ParseError, object, sealed};
use crate::text::null_as_default;
use crate::{ByteRange, Descriptor, Source};

/// The most entries of a history that are read. An entry may be two bytes long and takes some hundred here; images
/// have at most a few hundred.
const HISTORY_LIMIT: usize = 1 << 16;

/// The typed view of an image config, OCI or Docker (image-spec, "OCI Image Configuration").
///
/// It is read by [`Raw::parse`](crate::raw::Raw::parse), which keeps the bytes beside it, and written by
/// [`Raw::encode`](crate::raw::Raw::encode). Docker writes more keys than are modelled here, and `null` for much that
/// is empty: the former live on in the raw document, the latter counts as absent.
///
/// ```
/// use stevedore_core::raw::{CONFIG_LIMIT, Raw};
/// use stevedore_core::{Algorithm, ImageConfig, MediaType};
///
/// let bytes = br#"{"architecture":"arm64","os":"linux","config":{"Env":["PATH=/bin"],"Entrypoint":null},
///   "rootfs":{"type":"layers","diff_ids":[]}}"#;
/// let config: Raw<ImageConfig> =
///     Raw::parse(bytes.to_vec().into(), MediaType::OCI_CONFIG, Algorithm::Sha256, CONFIG_LIMIT)?;
/// assert_eq!(config.platform().to_string(), "linux/arm64");
/// assert_eq!(config.config.env, ["PATH=/bin"]);
/// # Ok::<(), stevedore_core::raw::ParseError>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ImageConfig {
    /// When the image was made, an RFC 3339 date and time as it stood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The CPU architecture, a value of Go's `GOARCH`. Empty where a config lacks it.
    #[serde(deserialize_with = "null_as_default")]
    pub architecture: String,
    /// The operating system, a value of Go's `GOOS`. Empty where a config lacks it.
    #[serde(deserialize_with = "null_as_default")]
    pub os: String,
    /// The version of the operating system that the image needs.
    #[serde(rename = "os.version", skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// What the operating system must offer.
    #[serde(
        rename = "os.features",
        deserialize_with = "null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub os_features: Vec<String>,
    /// The variant of the architecture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// How a container is started, by default.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub config: ContainerConfig,
    /// What the layers are when unpacked.
    #[serde(deserialize_with = "null_as_default")]
    pub rootfs: RootFs,
    /// How the layers came about, the lowest first. At most 65,536 entries are read.
    #[serde(deserialize_with = "history", skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<History>,
}

/// How a container of an image is started, unless whoever starts it says otherwise (image-spec, "OCI Image
/// Configuration: `config`"; Docker's additions are marked).
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ContainerConfig {
    /// The user and group to run as: names or numbers, as in `1000:1000`. Empty for root.
    #[serde(
        deserialize_with = "null_as_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub user: String,
    /// The ports it listens on, as in `8080/tcp`.
    #[serde(
        deserialize_with = "keys",
        serialize_with = "as_keys",
        skip_serializing_if = "BTreeSet::is_empty"
    )]
    pub exposed_ports: BTreeSet<String>,
    /// The environment, each as in `NAME=value`.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// What to execute; the command becomes its arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    /// The arguments of the entrypoint, or what to execute where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cmd: Option<Vec<String>>,
    /// Paths that hold data of a container rather than of the image.
    #[serde(
        deserialize_with = "keys",
        serialize_with = "as_keys",
        skip_serializing_if = "BTreeSet::is_empty"
    )]
    pub volumes: BTreeSet<String>,
    /// Where it is executed. Empty for the root directory.
    #[serde(
        deserialize_with = "null_as_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub working_dir: String,
    /// What is said about the image.
    #[serde(
        deserialize_with = "null_as_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub labels: BTreeMap<String, String>,
    /// The signal that asks it to end, as in `SIGTERM`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    /// Whether the command is a line that was escaped already, on Windows.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub args_escaped: bool,
    /// How to find out whether it is well (Docker).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
    /// Instructions for the build of an image upon this one (Docker).
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub on_build: Vec<String>,
    /// The shell of commands that are written as one line (Docker).
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub shell: Vec<String>,
}

/// How to find out whether a container is well (Docker, "Image Specification v1.2"). Durations are in nanoseconds;
/// nothing or 0 stands for what is inherited.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Healthcheck {
    /// The test: `NONE`, or `CMD` and what to execute, or `CMD-SHELL` and a line. Empty for what is inherited.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub test: Vec<String>,
    /// The time from one test to the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<i64>,
    /// The time after which a test has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<i64>,
    /// The time in which failures do not count yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_period: Option<i64>,
    /// The time from one test to the next during the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_interval: Option<i64>,
    /// How many failures in a row make it unwell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<i64>,
}

/// What the layers of an image are when unpacked (image-spec, "OCI Image Configuration: `rootfs`").
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RootFs {
    /// Always `layers`.
    #[serde(rename = "type", deserialize_with = "null_as_default")]
    pub kind: String,
    /// The digests of the uncompressed tars, the lowest layer first.
    #[serde(deserialize_with = "null_as_default")]
    pub diff_ids: Vec<AnyDigest>,
}

/// How a layer came about (image-spec, "OCI Image Configuration: `history`").
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
#[non_exhaustive]
pub struct History {
    /// When it was made, an RFC 3339 date and time as it stood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The command that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// A remark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Whether the step made no layer.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub empty_layer: bool,
}

impl ImageConfig {
    /// A config for a platform, without layers.
    pub fn new(platform: &Platform) -> Self {
        Self {
            architecture: platform.architecture.clone(),
            os: platform.os.clone(),
            os_version: platform.os_version.clone(),
            os_features: platform.os_features.clone(),
            variant: platform.variant.clone(),
            ..Self::default()
        }
    }

    /// What the image runs on.
    pub fn platform(&self) -> Platform {
        let mut platform = Platform::new(&self.os, &self.architecture);
        platform.os_version.clone_from(&self.os_version);
        platform.os_features.clone_from(&self.os_features);
        platform.variant.clone_from(&self.variant);
        platform
    }
}

impl Default for RootFs {
    fn default() -> Self {
        Self {
            kind: "layers".to_owned(),
            diff_ids: Vec::new(),
        }
    }
}

/// The bytes of the config that an image's manifest names, of whatever type it is: verified, and not parsed.
///
/// # Errors
/// What the source answers; [`ErrorKind::Mismatch`](crate::ErrorKind::Mismatch) where they are not those of the
/// descriptor, [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) where there are more than [`CONFIG_LIMIT`].
pub async fn read(source: &dyn Source, config: &Descriptor) -> crate::Result<Bytes> {
    let blob = source.blob(config, ByteRange::FULL).await?;
    blob.verified(config)?.into_bytes(CONFIG_LIMIT as u64).await
}

impl Model for ImageConfig {}

impl sealed::Model for ImageConfig {
    const LIMIT: usize = CONFIG_LIMIT;
    const DECLARES_TYPE: bool = false;

    fn decode(bytes: &[u8], _media_type: &MediaType) -> Result<Self, ParseError> {
        Ok(typed(object(bytes)?)?)
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Reads a set that stands as the keys of an object: Go has no sets, so Docker has maps to `{}`.
fn keys<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<String>, D::Error> {
    struct Keys;

    impl<'de> Visitor<'de> for Keys {
        type Value = BTreeSet<String>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object whose keys are a set")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(BTreeSet::new())
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut keys = BTreeSet::new();
            while let Some((key, IgnoredAny)) = map.next_entry()? {
                keys.insert(key);
            }
            Ok(keys)
        }
    }

    deserializer.deserialize_any(Keys)
}

fn as_keys<S: Serializer>(keys: &BTreeSet<String>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Empty {}

    let mut map = serializer.serialize_map(Some(keys.len()))?;
    for key in keys {
        map.serialize_entry(key, &Empty {})?;
    }
    map.end()
}

fn history<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<History>, D::Error> {
    struct Entries;

    impl<'de> Visitor<'de> for Entries {
        type Value = Vec<History>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "an array of at most {HISTORY_LIMIT} history entries")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            let mut history = Vec::new();
            while let Some(entry) = entries.next_element()? {
                if history.len() == HISTORY_LIMIT {
                    return Err(serde::de::Error::invalid_length(HISTORY_LIMIT + 1, &self));
                }
                history.push(entry);
            }
            Ok(history)
        }
    }

    deserializer.deserialize_any(Entries)
}
