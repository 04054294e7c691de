//! A document of any kind: what a name or a digest leads to.

mod unknown;
mod verified;

use bytes::Bytes;

use crate::annotations::Annotations;
use crate::artifact::ArtifactManifest;
use crate::descriptor::Descriptor;
use crate::digest::{Algorithm, Digest};
use crate::index::ImageIndex;
use crate::manifest::ImageManifest;
use crate::media_type::MediaType;
use crate::raw::{Opaque, ParseError, Raw, Shape};

/// A document as its bytes, with the view that fits its kind.
///
/// ```
/// use stevedore_core::{Algorithm, Document, MediaType};
/// use stevedore_core::document::ChildKind;
/// use stevedore_core::raw::MANIFEST_LIMIT;
///
/// let bytes = br#"{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json",
///   "digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}]}"#;
/// let document = Document::parse(bytes.to_vec().into(), None, Algorithm::Sha256, MANIFEST_LIMIT)?;
///
/// assert_eq!(*document.media_type(), MediaType::OCI_INDEX); // by its content, as nobody said
/// assert!(document.children().all(|child| child.kind == ChildKind::Manifest));
/// # Ok::<(), stevedore_core::raw::ParseError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Document {
    /// An image manifest.
    Image(Raw<ImageManifest>),
    /// An image index or a Docker manifest list.
    Index(Raw<ImageIndex>),
    /// An artifact manifest, of release candidates of image-spec 1.1.
    Artifact(Raw<ArtifactManifest>),
    /// Anything else. It has no edges that are known: it is carried whole, and need not be JSON.
    Other(Raw<Opaque>),
}

/// What a document points to, and a copy of it has to take along.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Child<'a> {
    /// In which role.
    pub kind: ChildKind,
    /// The pointer.
    pub descriptor: &'a Descriptor,
}

/// The role of a child in its document.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum ChildKind {
    /// The config of an image manifest, a blob.
    Config,
    /// A layer of an image manifest or a blob of an artifact manifest.
    Layer,
    /// An entry of an index, a document.
    Manifest,
}

/// Types under which servers that know nothing of images hand out files, and the empty one of a descriptor whose writer
/// left it out. They say nothing about a document.
const GENERIC: [&str; 5] = [
    "",
    "application/json",
    "application/octet-stream",
    "binary/octet-stream",
    "text/plain",
];

impl Document {
    /// Reads a document of a kind not known beforehand.
    ///
    /// The kind is that of `media_type`, the type under which the document was served. Where there is none, an empty one
    /// or one that web servers give to any file, the document itself says: by the `mediaType` inside, else by its keys.
    /// See [`Raw::parse`] about the other arguments.
    ///
    /// # Errors
    ///
    /// A [`ParseError`] names the rule that the document breaks. A document that is of no known kind breaks none.
    pub fn parse(
        bytes: Bytes,
        media_type: Option<MediaType>,
        algorithm: Algorithm,
        limit: usize,
    ) -> Result<Self, ParseError> {
        let served = media_type.filter(|served| !GENERIC.contains(&served.as_str()));
        let media_type = match served {
            Some(served) if served.is_schema1() => return Err(ParseError::SchemaOne),
            Some(served) => served,
            None => sniff(&bytes, limit)?,
        };
        if media_type.is_image_manifest() {
            Raw::parse(bytes, media_type, algorithm, limit).map(Self::Image)
        } else if media_type.is_index() {
            Raw::parse(bytes, media_type, algorithm, limit).map(Self::Index)
        } else if media_type.is_artifact_manifest() {
            Raw::parse(bytes, media_type, algorithm, limit).map(Self::Artifact)
        } else {
            Raw::parse(bytes, media_type, algorithm, limit).map(Self::Other)
        }
    }

    /// The document's bytes.
    pub fn bytes(&self) -> &Bytes {
        match self {
            Self::Image(image) => image.bytes(),
            Self::Index(index) => index.bytes(),
            Self::Artifact(artifact) => artifact.bytes(),
            Self::Other(other) => other.bytes(),
        }
    }

    /// The type it was served under, or was found to have.
    pub fn media_type(&self) -> &MediaType {
        match self {
            Self::Image(image) => image.media_type(),
            Self::Index(index) => index.media_type(),
            Self::Artifact(artifact) => artifact.media_type(),
            Self::Other(other) => other.media_type(),
        }
    }

    /// The digest of its bytes.
    pub fn digest(&self) -> Digest {
        match self {
            Self::Image(image) => image.digest(),
            Self::Index(index) => index.digest(),
            Self::Artifact(artifact) => artifact.digest(),
            Self::Other(other) => other.digest(),
        }
    }

    /// How many bytes it has.
    pub fn size(&self) -> u64 {
        self.bytes().len() as u64
    }

    /// A descriptor of it: type, digest and size.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor::new(self.media_type().clone(), self.digest(), self.size())
    }

    /// The descriptor that stands for it in a list of referrers: with its annotations and its kind of artifact, which
    /// for an image manifest that names none is the media type of its config (distribution-spec, "Listing
    /// Referrers").
    pub fn referrer_descriptor(&self) -> Descriptor {
        let mut descriptor = self.descriptor().with_annotations(self.annotations().clone());
        descriptor.artifact_type = match self {
            Self::Image(image) => self.artifact_type().or(Some(&image.config.media_type)).cloned(),
            _ => self.artifact_type().cloned(),
        };
        descriptor
    }

    /// The manifest that this document refers to.
    pub fn subject(&self) -> Option<&Descriptor> {
        match self {
            Self::Image(image) => image.subject.as_ref(),
            Self::Index(index) => index.subject.as_ref(),
            Self::Artifact(artifact) => artifact.subject.as_ref(),
            Self::Other(_) => None,
        }
    }

    /// What is said about it.
    pub fn annotations(&self) -> &Annotations {
        static NONE: Annotations = Annotations::new();
        match self {
            Self::Image(image) => &image.annotations,
            Self::Index(index) => &index.annotations,
            Self::Artifact(artifact) => &artifact.annotations,
            Self::Other(_) => &NONE,
        }
    }

    /// What kind of artifact it says it is. An empty text counts as none.
    pub fn artifact_type(&self) -> Option<&MediaType> {
        let artifact_type = match self {
            Self::Image(image) => image.artifact_type.as_ref(),
            Self::Index(index) => index.artifact_type.as_ref(),
            Self::Artifact(artifact) => artifact.artifact_type.as_ref(),
            Self::Other(_) => None,
        };
        artifact_type.filter(|artifact_type| !artifact_type.as_str().is_empty())
    }

    /// What a copy of it has to take along, in the order of the document: the config and then the layers of an image
    /// manifest, the entries of an index, or the blobs of an artifact manifest. The subject is not among them, for a
    /// referrer may come before it.
    pub fn children(&self) -> impl Iterator<Item = Child<'_>> {
        let (config, kind, listed) = match self {
            Self::Image(image) => (Some(&image.config), ChildKind::Layer, &image.layers[..]),
            Self::Index(index) => (None, ChildKind::Manifest, &index.manifests[..]),
            Self::Artifact(artifact) => (None, ChildKind::Layer, &artifact.blobs[..]),
            Self::Other(_) => (None, ChildKind::Manifest, &[][..]),
        };
        let config = config.map(|descriptor| Child {
            kind: ChildKind::Config,
            descriptor,
        });
        config
            .into_iter()
            .chain(listed.iter().map(move |descriptor| Child { kind, descriptor }))
    }
}

impl From<Raw<ImageManifest>> for Document {
    fn from(image: Raw<ImageManifest>) -> Self {
        Self::Image(image)
    }
}

impl From<Raw<ImageIndex>> for Document {
    fn from(index: Raw<ImageIndex>) -> Self {
        Self::Index(index)
    }
}

impl From<Raw<ArtifactManifest>> for Document {
    fn from(artifact: Raw<ArtifactManifest>) -> Self {
        Self::Artifact(artifact)
    }
}

impl From<Raw<Opaque>> for Document {
    fn from(other: Raw<Opaque>) -> Self {
        Self::Other(other)
    }
}

/// The type of a document that came without one.
fn sniff(bytes: &[u8], limit: usize) -> Result<MediaType, ParseError> {
    const UNKNOWN: MediaType = MediaType::from_static("application/octet-stream");
    if bytes.len() > limit {
        return Err(ParseError::too_large(bytes, limit));
    }
    match Shape::of(bytes) {
        Ok(shape) => Ok(shape.sniff().unwrap_or(UNKNOWN)),
        Err(ParseError::Json { .. } | ParseError::NotAnObject { .. }) => Ok(UNKNOWN),
        Err(error) => Err(error),
    }
}
