//! Media types: what a document or a blob says it is.
//!
//! In documents a media type is kept as it stood, whatever it is, for the bytes of a document are not ours to mend.
//! The grammar of RFC 6838 is held to where a media type is made or comes over HTTP: [`MediaType::from_str`] and
//! [`MediaType::from_content_type`].
//!
//! ```
//! use stevedore_core::media_type::{Compression, MediaType};
//!
//! let served = MediaType::from_content_type("Application/vnd.oci.image.INDEX.v1+json; charset=utf-8")?;
//! assert_eq!(served, MediaType::OCI_INDEX);
//! assert!(served.is_index() && served.is_document());
//! assert_eq!(MediaType::OCI_LAYER_ZSTD.compression(), Some(Compression::Zstd));
//! # Ok::<(), stevedore_core::media_type::ParseError>(())
//! ```

mod known;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text::quote;

/// A media type, such as `application/vnd.oci.image.manifest.v1+json`, without parameters.
///
/// Cloning one is cheap. Comparisons are by exact text; media types are case-insensitive (RFC 6838, section 4.2), but
/// those of the specifications are only ever written in one way, and [`from_content_type`](Self::from_content_type)
/// brings them there.
#[derive(Clone)]
pub struct MediaType(Repr);

impl MediaType {
    /// A media type known when the program is written. Its grammar is not checked.
    pub const fn from_static(text: &'static str) -> Self {
        Self(Repr::Static(text))
    }

    /// A media type as somebody wrote it into a document. Its grammar is not checked; see
    /// [`is_well_formed`](Self::is_well_formed).
    pub fn verbatim(text: &str) -> Self {
        Self::KNOWN
            .iter()
            .find(|known| known.as_str() == text)
            .cloned()
            .unwrap_or_else(|| Self(Repr::Shared(text.into())))
    }

    /// The media type of an HTTP `Content-Type` header: without its parameters, and in the usual spelling if it is
    /// one that has a constant here, whatever the case it came in.
    ///
    /// # Errors
    ///
    /// [`ParseError`] if what stands before the parameters is not of the RFC 6838 grammar.
    pub fn from_content_type(header: &str) -> Result<Self, ParseError> {
        let essence = header
            .split_once(';')
            .map_or(header, |(essence, _parameters)| essence);
        let essence = essence.trim_matches([' ', '\t']);
        match Self::KNOWN
            .iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(essence))
        {
            Some(known) => Ok(known.clone()),
            None => essence.parse(),
        }
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Static(text) => text,
            Repr::Shared(text) => text,
        }
    }

    /// Whether the text is of the RFC 6838 grammar: a type and a subtype, of at most 127 characters each, and no
    /// parameters. What is carried out of a document need not be.
    pub fn is_well_formed(&self) -> bool {
        is_well_formed(self.as_str())
    }

    /// Whether this is an image manifest with descriptors of its config and layers, OCI or Docker schema 2.
    pub fn is_image_manifest(&self) -> bool {
        [Self::OCI_MANIFEST, Self::DOCKER_MANIFEST].contains(self)
    }

    /// Whether this is an image index or a Docker manifest list.
    pub fn is_index(&self) -> bool {
        [Self::OCI_INDEX, Self::DOCKER_MANIFEST_LIST].contains(self)
    }

    /// Whether this is an artifact manifest of the release candidates of image-spec 1.1.
    pub fn is_artifact_manifest(&self) -> bool {
        *self == Self::OCI_ARTIFACT_MANIFEST
    }

    /// Whether this is a document whose descriptors can be followed: an image manifest, an index or an artifact
    /// manifest.
    pub fn is_document(&self) -> bool {
        self.is_image_manifest() || self.is_index() || self.is_artifact_manifest()
    }

    /// Whether this is the config of a container image, OCI or Docker.
    pub fn is_config(&self) -> bool {
        [Self::OCI_CONFIG, Self::DOCKER_CONFIG].contains(self)
    }

    /// Whether this is a filesystem layer, foreign ones included.
    pub fn is_layer(&self) -> bool {
        self.compression().is_some()
    }

    /// Whether this is a layer that its maker did not want pushed to other registries: "foreign" in Docker's terms,
    /// "non-distributable" in the image-spec's.
    pub fn is_foreign_layer(&self) -> bool {
        [
            Self::OCI_FOREIGN_LAYER,
            Self::OCI_FOREIGN_LAYER_GZIP,
            Self::OCI_FOREIGN_LAYER_ZSTD,
            Self::DOCKER_FOREIGN_LAYER,
            Self::DOCKER_FOREIGN_LAYER_GZIP,
        ]
        .contains(self)
    }

    /// Whether this is one of Docker's media types rather than the image-spec's.
    pub fn is_docker(&self) -> bool {
        self.as_str().starts_with("application/vnd.docker.")
    }

    /// Whether this is a Docker manifest of schema 1, which has no descriptors to follow.
    pub fn is_schema1(&self) -> bool {
        [Self::DOCKER_SCHEMA1, Self::DOCKER_SCHEMA1_SIGNED].contains(self)
    }

    /// How a layer says that it is compressed; nothing if this is not a layer.
    ///
    /// It is a claim. What the bytes are is found by looking at them.
    pub fn compression(&self) -> Option<Compression> {
        const LAYERS: &[(MediaType, Compression)] = &[
            (MediaType::OCI_LAYER, Compression::None),
            (MediaType::OCI_LAYER_GZIP, Compression::Gzip),
            (MediaType::OCI_LAYER_ZSTD, Compression::Zstd),
            (MediaType::OCI_FOREIGN_LAYER, Compression::None),
            (MediaType::OCI_FOREIGN_LAYER_GZIP, Compression::Gzip),
            (MediaType::OCI_FOREIGN_LAYER_ZSTD, Compression::Zstd),
            (MediaType::DOCKER_LAYER, Compression::None),
            (MediaType::DOCKER_LAYER_GZIP, Compression::Gzip),
            (MediaType::DOCKER_LAYER_ZSTD, Compression::Zstd),
            (MediaType::DOCKER_FOREIGN_LAYER, Compression::None),
            (MediaType::DOCKER_FOREIGN_LAYER_GZIP, Compression::Gzip),
        ];
        LAYERS
            .iter()
            .find(|(layer, _)| layer == self)
            .map(|(_, compression)| *compression)
    }
}

impl PartialEq for MediaType {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for MediaType {}

impl PartialEq<str> for MediaType {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for MediaType {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl Ord for MediaType {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl PartialOrd for MediaType {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for MediaType {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl FromStr for MediaType {
    type Err = ParseError;

    /// Parses a media type of the RFC 6838 grammar, without parameters.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_well_formed(text) {
            Ok(Self::verbatim(text))
        } else {
            Err(ParseError::Malformed { text: quote(text) })
        }
    }
}

impl Serialize for MediaType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Takes any string, for documents are carried as they stand.
impl<'de> Deserialize<'de> for MediaType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl serde::de::Visitor<'_> for Visitor {
            type Value = MediaType;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a media type")
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(MediaType::verbatim(text))
            }
        }

        deserializer.deserialize_str(Visitor)
    }
}

/// How a layer's tar is compressed.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Compression {
    /// Not at all.
    None,
    /// With gzip, RFC 1952.
    Gzip,
    /// With zstd, RFC 8878.
    Zstd,
}

impl Compression {
    /// Its name in options and output: `none`, `gzip` or `zstd`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a text is not a media type.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The text is not of the grammar `<type>/<subtype>` of RFC 6838, section 4.2.
    #[error("{text:?} is not a media type of the form <type>/<subtype>")]
    #[non_exhaustive]
    Malformed {
        /// The beginning of the refused text.
        text: String,
    },
}

#[derive(Clone)]
enum Repr {
    Static(&'static str),
    Shared(Arc<str>),
}

/// RFC 6838, section 4.2: the longest type, and the longest subtype.
const NAME_MAX: usize = 127;

fn is_well_formed(text: &str) -> bool {
    let name = |name: &str| {
        name.len() <= NAME_MAX
            && name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    text.split_once('/')
        .is_some_and(|(kind, subtype)| name(kind) && name(subtype))
}
