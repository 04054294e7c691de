//! Deterministic images for tests: the same arguments give the same bytes, so the same digests.
//!
//! The layers are not archives, only bytes: these images are copied, mounted and collected, not unpacked.
//!
//! ```
//! use stevedore_core::samples::Sample;
//! use stevedore_core::{Platform, Repositories, Selector, Source};
//!
//! # async fn example() -> stevedore_core::Result<()> {
//! let amd64 = Sample::image(&["base", "app"]).for_platform(&Platform::new("linux", "amd64"));
//! let arm64 = Sample::image(&["base", "app on arm"]).for_platform(&Platform::new("linux", "arm64"));
//! let index = Sample::index(vec![amd64, arm64]);
//! let repository = Repositories::in_memory().open("app")?;
//! index.put(&repository, &["v1"]).await?;
//! assert_eq!(repository.root(&Selector::Only).await?, *index.document());
//! # Ok(())
//! # }
//! # #[cfg(feature = "suite")]
//! # stevedore_core::suite::block_on(example()).unwrap();
//! ```

use bytes::Bytes;

use crate::edit::{Edit, EditError};
use crate::raw::{MANIFEST_LIMIT, ParseError};
use crate::{
    Algorithm, AnyDigest, Descriptor, Document, ImageConfig, ImageIndex, ImageManifest, MediaType, Platform,
    Raw, Result, Role, Sink,
};

/// A document with all that it names, in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    document: Document,
    blobs: Vec<(Descriptor, Bytes)>,
    children: Vec<Self>,
    referrers: Vec<Self>,
    platform: Option<Platform>,
}

impl Sample {
    /// An image for linux/amd64 whose layers have these bytes.
    pub fn image(layers: &[&str]) -> Self {
        Self::image_of(
            layers
                .iter()
                .map(|layer| Bytes::copy_from_slice(layer.as_bytes())),
            &Platform::new("linux", "amd64"),
        )
    }

    /// An image whose layers have these bytes, for a platform.
    pub fn image_of(layers: impl IntoIterator<Item = Bytes>, platform: &Platform) -> Self {
        Self::of_types(layers, platform, &OCI)
    }

    /// An image in Docker's types for linux/amd64 whose layers have these bytes.
    pub fn docker_image(layers: &[&str]) -> Self {
        let layers = layers
            .iter()
            .map(|layer| Bytes::copy_from_slice(layer.as_bytes()));
        Self::of_types(layers, &Platform::new("linux", "amd64"), &DOCKER)
    }

    fn of_types(layers: impl IntoIterator<Item = Bytes>, platform: &Platform, types: &Types) -> Self {
        let mut blobs: Vec<(Descriptor, Bytes)> = layers
            .into_iter()
            .map(|bytes| (describe(types.layer.clone(), &bytes), bytes))
            .collect();
        let mut config = ImageConfig::new(platform);
        config.rootfs.diff_ids = blobs
            .iter()
            .map(|(layer, _)| layer.digest.clone())
            .collect::<Vec<AnyDigest>>();
        let config = encode(&config, types.config.clone());
        let layers: Vec<Descriptor> = blobs.iter().map(|(layer, _)| layer.clone()).collect();
        let manifest =
            ImageManifest::new(config.descriptor(), layers).with_media_type(types.manifest.clone());
        blobs.insert(0, (config.descriptor(), config.bytes().clone()));
        let mut sample = Self::of(Document::Image(encode(&manifest, types.manifest.clone())), blobs);
        sample.platform = Some(platform.clone());
        sample
    }

    fn of(document: Document, blobs: Vec<(Descriptor, Bytes)>) -> Self {
        Self {
            document,
            blobs,
            children: Vec::new(),
            referrers: Vec::new(),
            platform: None,
        }
    }

    /// The same layers, for a platform.
    #[must_use]
    pub fn for_platform(&self, platform: &Platform) -> Self {
        Self::image_of(
            self.blobs.iter().skip(1).map(|(_, bytes)| bytes.clone()),
            platform,
        )
    }

    /// An index of images.
    pub fn index(children: Vec<Self>) -> Self {
        let entries: Vec<Descriptor> = children.iter().map(Self::entry).collect();
        let document = Document::Index(encode(&ImageIndex::new(entries), MediaType::OCI_INDEX));
        let mut sample = Self::of(document, Vec::new());
        sample.children = children;
        sample
    }

    /// A document of any bytes, under a type, that names nothing which would have to be written before it.
    ///
    /// # Errors
    /// A [`ParseError`] where the type is one of an image manifest or an index and the bytes are none.
    pub fn document_of(bytes: impl Into<Bytes>, media_type: MediaType) -> Result<Self, ParseError> {
        let document = Document::parse(bytes.into(), Some(media_type), Algorithm::Sha256, MANIFEST_LIMIT)?;
        Ok(Self::of(document, Vec::new()))
    }

    /// An artifact of a type, with a payload, that refers to a document.
    pub fn artifact(subject: &Descriptor, artifact_type: &'static str, payload: &str) -> Self {
        let empty = Bytes::from_static(b"{}");
        let config = describe(MediaType::OCI_EMPTY, &empty);
        let payload = Bytes::copy_from_slice(payload.as_bytes());
        let layer = describe(MediaType::from_static("text/plain"), &payload);
        let manifest = ImageManifest::new(config.clone(), [layer.clone()])
            .with_artifact_type(MediaType::from_static(artifact_type))
            .with_subject(subject.clone());
        let document = Document::Image(encode(&manifest, MediaType::OCI_MANIFEST));
        Self::of(document, vec![(config, empty), (layer, payload)])
    }

    /// The same content under a document of other bytes that names it too, of the same type, known by a digest of an
    /// algorithm. Referrers are left behind: they refer to the former one.
    ///
    /// # Errors
    /// A [`ParseError`] where the bytes are no document of that type.
    pub fn with_bytes(mut self, bytes: impl Into<Bytes>, algorithm: Algorithm) -> Result<Self, ParseError> {
        let media_type = self.document.media_type().clone();
        self.document = Document::parse(bytes.into(), Some(media_type), algorithm, MANIFEST_LIMIT)?;
        self.referrers.clear();
        Ok(self)
    }

    /// The same with an annotation on the document. Referrers are left behind: they refer to the former one.
    ///
    /// # Errors
    /// An [`EditError`] where the document has no room for annotations.
    pub fn with_annotation(self, key: &str, value: &str) -> Result<Self, EditError> {
        self.edited(|edit| edit.set(["annotations", key], value))
    }

    /// The same with a subject that the document refers to. Referrers are left behind: they refer to the former one.
    ///
    /// # Errors
    /// An [`EditError`] where the document has no room for a subject.
    pub fn with_subject(self, subject: &Descriptor) -> Result<Self, EditError> {
        self.edited(|edit| edit.set("subject", subject))
    }

    fn edited(mut self, edit: impl FnOnce(&mut Edit) -> Result<(), EditError>) -> Result<Self, EditError> {
        self.document = match self.document {
            Document::Image(raw) => Document::Image(raw.edit(edit)?),
            Document::Index(raw) => Document::Index(raw.edit(edit)?),
            Document::Artifact(raw) => Document::Artifact(raw.edit(edit)?),
            Document::Other(raw) => Document::Other(raw.edit(edit)?),
        };
        self.referrers.clear();
        Ok(self)
    }

    /// The same document, with another that refers to it.
    #[must_use]
    pub fn with_referrer(self, artifact_type: &'static str, payload: &str) -> Self {
        let referrer = Self::artifact(&self.descriptor(), artifact_type, payload);
        self.with_referring(referrer)
    }

    /// The same document, written together with another that refers to it.
    #[must_use]
    pub fn with_referring(mut self, referrer: Self) -> Self {
        self.referrers.push(referrer);
        self
    }

    /// The document.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// What names it.
    pub fn descriptor(&self) -> Descriptor {
        self.document.descriptor()
    }

    /// The config and the layers of an image, in this order.
    pub fn blobs(&self) -> &[(Descriptor, Bytes)] {
        &self.blobs
    }

    /// The images of an index.
    pub fn children(&self) -> &[Self] {
        &self.children
    }

    /// The documents that were made to refer to this one.
    pub fn referrers(&self) -> &[Self] {
        &self.referrers
    }

    /// This document and all below and beside it, children first.
    pub fn all(&self) -> Vec<&Self> {
        let below = self.children.iter().chain(&self.referrers).flat_map(Self::all);
        below.chain(std::iter::once(self)).collect()
    }

    /// Writes it to a sink, with all that it names and that refers to it, under these names.
    ///
    /// # Errors
    /// What the sink answers, and a name that is none.
    pub async fn put(&self, sink: &dyn Sink, names: &[&str]) -> Result<()> {
        for sample in self.all() {
            for (descriptor, bytes) in &sample.blobs {
                sink.put_blob(descriptor, &[], bytes).await?;
            }
            let role = if std::ptr::eq(sample, self) {
                let names = names.iter().map(|name| name.parse()).collect::<Result<_, _>>()?;
                Role::Root { names, replace: true }
            } else {
                Role::Child
            };
            sink.put_document(&sample.document, role).await?;
        }
        Ok(())
    }

    fn entry(&self) -> Descriptor {
        match &self.platform {
            Some(platform) => self.descriptor().with_platform(platform.clone()),
            None => self.descriptor(),
        }
    }
}

/// The media types of an image.
struct Types {
    manifest: MediaType,
    config: MediaType,
    layer: MediaType,
}

const OCI: Types = Types {
    manifest: MediaType::OCI_MANIFEST,
    config: MediaType::OCI_CONFIG,
    layer: MediaType::OCI_LAYER,
};

const DOCKER: Types = Types {
    manifest: MediaType::DOCKER_MANIFEST,
    config: MediaType::DOCKER_CONFIG,
    layer: MediaType::DOCKER_LAYER,
};

/// What names these bytes.
pub fn describe(media_type: MediaType, bytes: &[u8]) -> Descriptor {
    Descriptor::new(media_type, Algorithm::Sha256.digest(bytes), bytes.len() as u64)
}

fn encode<T: crate::raw::Model + Clone + serde::Serialize>(value: &T, media_type: MediaType) -> Raw<T> {
    Raw::encode(value, media_type, Algorithm::Sha256)
        .expect("because a document made of descriptors follows the rules")
}
