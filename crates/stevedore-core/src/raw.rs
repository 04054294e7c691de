//! Documents as the bytes they came as, with a typed view beside them.
//!
//! A digest is over bytes, and documents hold keys that are unknown here. So a manifest, an index or a config is kept
//! as its bytes, from the wire to the sink; [`Raw`] adds what those bytes say, checked once. There is no way to
//! change the view: [`Raw::edit`] changes the bytes and reads them again.
//!
//! ```
//! use stevedore_core::raw::{MANIFEST_LIMIT, Raw};
//! use stevedore_core::{Algorithm, ImageManifest, MediaType};
//!
//! let bytes = br#"{"schemaVersion": 2, "x-note": 1E5, "config": {"mediaType": "application/vnd.oci.empty.v1+json",
//!   "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", "size": 2}, "layers": []}"#;
//! let manifest: Raw<ImageManifest> =
//!     Raw::parse(bytes.to_vec().into(), MediaType::OCI_MANIFEST, Algorithm::Sha256, MANIFEST_LIMIT)?;
//! assert_eq!(manifest.config.size, 2);
//! assert_eq!(manifest.digest(), Algorithm::Sha256.digest(bytes));
//!
//! let noted = manifest.edit(|edit| edit.set(["annotations", "note"], "mine"))?;
//! assert_ne!(noted.digest(), manifest.digest());
//! assert!(noted.bytes().starts_with(br#"{"schemaVersion": 2, "x-note": 1E5, "#)); // untouched
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod shape;

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

pub use self::error::ParseError;
pub(crate) use self::shape::{IMAGE, SCHEMA_VERSION, Shape};
use crate::descriptor::Descriptor;
use crate::digest::{Algorithm, Digest};
use crate::edit::{Edit, EditError};
use crate::json::{Kind, Value};
use crate::media_type::MediaType;

/// The most bytes a manifest or an index has: 4 MiB, what registries accept (distribution-spec, "Pushing Manifests").
pub const MANIFEST_LIMIT: usize = 4 << 20;

/// The most bytes an image config has: 16 MiB. Configs are blobs, which no specification bounds; a real one has some
/// kilobytes.
pub const CONFIG_LIMIT: usize = 16 << 20;

/// A document: its bytes, the type under which they were served, their digest, and what they say.
///
/// It dereferences to what it says. All parts belong together and cannot be changed one without the others.
/// Cloning it is cheap: bytes and view are shared. Two are equal if bytes, type and digest are.
pub struct Raw<T> {
    bytes: Bytes,
    media_type: MediaType,
    digest: Digest,
    value: Arc<T>,
}

/// What a [`Raw`] can be of: [`ImageManifest`](crate::ImageManifest), [`ImageIndex`](crate::ImageIndex),
/// [`ArtifactManifest`](crate::ArtifactManifest), [`ImageConfig`](crate::ImageConfig) and [`Opaque`]. It is sealed, as
/// its rules are not open to extension.
pub trait Model: sealed::Model {}

/// The view of a document that is carried whole and never looked into; it need not even be JSON.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Opaque;

impl<T: Model> Raw<T> {
    /// Reads a document.
    ///
    /// `media_type` is the type the document is known under: from a response's header or the descriptor that led to
    /// it. `algorithm` is the one of the digest by which it was asked for, `limit` the most bytes that are looked at
    /// ([`MANIFEST_LIMIT`], [`CONFIG_LIMIT`]). Whether the digest is the expected one is for the caller to compare.
    ///
    /// # Errors
    ///
    /// A [`ParseError`] names the rule that the document breaks.
    pub fn parse(
        bytes: Bytes,
        media_type: MediaType,
        algorithm: Algorithm,
        limit: usize,
    ) -> Result<Self, ParseError> {
        if bytes.len() > limit {
            return Err(ParseError::too_large(&bytes, limit));
        }
        let value = Arc::new(T::decode(&bytes, &media_type)?);
        let digest = algorithm.digest(&bytes);
        Ok(Self {
            bytes,
            media_type,
            digest,
            value,
        })
    }

    /// Writes a document of our own: compact JSON with the keys in the order of the specification and maps sorted, so
    /// that equal values make equal bytes.
    ///
    /// What is modelled is written and nothing else: to change a document that came from elsewhere, [`edit`] it.
    ///
    /// # Errors
    ///
    /// [`ParseError`] if the value breaks a rule of its kind, such as one that declares another media type.
    ///
    /// [`edit`]: Self::edit
    pub fn encode(value: &T, media_type: MediaType, algorithm: Algorithm) -> Result<Self, ParseError>
    where
        T: Serialize,
    {
        let bytes = serde_json::to_vec(value).map_err(|error| ParseError::unwritable(&error))?;
        Self::parse(bytes.into(), media_type, algorithm, T::LIMIT)
    }

    /// The document with some of its bytes changed, read and hashed again with the same algorithm.
    ///
    /// Its media type stays, unless the edit changes the `mediaType` inside a manifest or index: then it is that one.
    ///
    /// # Errors
    ///
    /// What the edit itself returns, or [`EditError::Document`] if the document is not JSON or the outcome breaks a
    /// rule of its kind.
    pub fn edit(&self, edit: impl FnOnce(&mut Edit) -> Result<(), EditError>) -> Result<Self, EditError> {
        let bytes = self.edited(edit)?;
        let media_type = declared::<T>(&bytes).unwrap_or_else(|| self.media_type.clone());
        self.renewed(bytes, media_type)
    }

    /// [`edit`](Self::edit) into a document of another media type, such as from Docker's to the image-spec's. A
    /// `mediaType` inside has to be edited along.
    ///
    /// # Errors
    ///
    /// As for [`edit`](Self::edit).
    pub fn edit_as(
        &self,
        media_type: MediaType,
        edit: impl FnOnce(&mut Edit) -> Result<(), EditError>,
    ) -> Result<Self, EditError> {
        let bytes = self.edited(edit)?;
        self.renewed(bytes, media_type)
    }

    fn edited(&self, edit: impl FnOnce(&mut Edit) -> Result<(), EditError>) -> Result<Bytes, EditError> {
        let mut document = Edit::new(&self.bytes)?;
        edit(&mut document)?;
        Ok(document.into_bytes())
    }

    fn renewed(&self, bytes: Bytes, media_type: MediaType) -> Result<Self, EditError> {
        // One that was let in over the usual limit may stay as large as it is.
        let limit = T::LIMIT.max(self.bytes.len());
        Ok(Self::parse(bytes, media_type, self.digest.algorithm(), limit)?)
    }
}

impl<T> Raw<T> {
    /// The document.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The type it was served under.
    pub fn media_type(&self) -> &MediaType {
        &self.media_type
    }

    /// The digest of its bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// How many bytes it has.
    pub fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// A descriptor of it: type, digest and size.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor::new(self.media_type.clone(), self.digest, self.size())
    }

    /// What it says.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// What it says, without the bytes.
    pub fn into_value(self) -> T
    where
        T: Clone,
    {
        Arc::unwrap_or_clone(self.value)
    }
}

impl<T> Clone for Raw<T> {
    fn clone(&self) -> Self {
        Self {
            bytes: self.bytes.clone(),
            media_type: self.media_type.clone(),
            digest: self.digest,
            value: Arc::clone(&self.value),
        }
    }
}

impl<T> Deref for Raw<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> PartialEq for Raw<T> {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest && self.media_type == other.media_type && self.bytes == other.bytes
    }
}

impl<T> Eq for Raw<T> {}

impl<T: fmt::Debug> fmt::Debug for Raw<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Raw")
            .field("media_type", &self.media_type)
            .field("digest", &self.digest)
            .field("size", &self.size())
            .field("value", &self.value)
            .finish_non_exhaustive()
    }
}

impl Model for Opaque {}

impl sealed::Model for Opaque {
    const LIMIT: usize = MANIFEST_LIMIT;
    const DECLARES_TYPE: bool = false;

    fn decode(_bytes: &[u8], _media_type: &MediaType) -> Result<Self, ParseError> {
        Ok(Self)
    }
}

/// The media type that checked bytes declare inside.
fn declared<T: Model>(bytes: &[u8]) -> Option<MediaType> {
    let text = str::from_utf8(bytes).ok().filter(|_| T::DECLARES_TYPE)?;
    let member = Value::of_checked(text).member("mediaType")?;
    member
        .value
        .to_str()
        .map(|declared| MediaType::verbatim(&declared))
}

/// Opens a JSON document whose root is an object.
pub(crate) fn object(bytes: &[u8]) -> Result<Value<'_>, ParseError> {
    let root = Value::parse(bytes)?;
    match root.kind() {
        Kind::Object => Ok(root),
        other => Err(ParseError::NotAnObject { found: other.name() }),
    }
}

pub(crate) mod sealed {
    use super::{MediaType, ParseError};

    #[allow(unnameable_types, reason = "that nobody else can name it is what seals it")]
    pub trait Model: Sized {
        /// The most bytes such a document has.
        const LIMIT: usize;
        /// Whether a `mediaType` inside says what the document is.
        const DECLARES_TYPE: bool;

        /// Checks the rules and reads the typed view.
        fn decode(bytes: &[u8], media_type: &MediaType) -> Result<Self, ParseError>;
    }
}
