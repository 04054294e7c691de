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
//! ```

use bytes::Bytes;

use crate::{
    Algorithm, AnyDigest, Descriptor, Document, ImageConfig, ImageIndex, ImageManifest, MediaType, Platform,
    Raw, Result, Role, Sink,
};

/// A document with all that it names, in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    document: Document,
    blobs: Vec<(Descriptor, Bytes)>,
    children: Vec<Sample>,
    referrers: Vec<Sample>,
    platform: Option<Platform>,
}

impl Sample {
    /// An image whose layers have these bytes.
    pub fn image(layers: &[&str]) -> Self {
        Self::image_of(
            layers
                .iter()
                .map(|layer| Bytes::copy_from_slice(layer.as_bytes())),
            &Platform::host(),
        )
    }

    /// An image whose layers have these bytes, for a platform.
    pub fn image_of(layers: impl IntoIterator<Item = Bytes>, platform: &Platform) -> Self {
        let mut blobs: Vec<(Descriptor, Bytes)> = layers
            .into_iter()
            .map(|bytes| (describe(MediaType::OCI_LAYER, &bytes), bytes))
            .collect();
        let mut config = ImageConfig::new(platform);
        config.rootfs.diff_ids = blobs
            .iter()
            .map(|(layer, _)| layer.digest.clone())
            .collect::<Vec<AnyDigest>>();
        let config = encode(&config, MediaType::OCI_CONFIG);
        let layers: Vec<Descriptor> = blobs.iter().map(|(layer, _)| layer.clone()).collect();
        let manifest = ImageManifest::new(config.descriptor(), layers);
        blobs.insert(0, (config.descriptor(), config.bytes().clone()));
        let document = Document::Image(encode(&manifest, MediaType::OCI_MANIFEST));
        Self {
            document,
            blobs,
            children: Vec::new(),
            referrers: Vec::new(),
            platform: Some(platform.clone()),
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
        Self {
            document,
            blobs: Vec::new(),
            children,
            referrers: Vec::new(),
            platform: None,
        }
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
        let blobs = vec![(config, empty), (layer, payload)];
        Self {
            document,
            blobs,
            children: Vec::new(),
            referrers: Vec::new(),
            platform: None,
        }
    }

    /// The same document, with another that refers to it.
    #[must_use]
    pub fn with_referrer(mut self, artifact_type: &'static str, payload: &str) -> Self {
        self.referrers
            .push(Self::artifact(&self.descriptor(), artifact_type, payload));
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

/// What names these bytes.
pub fn describe(media_type: MediaType, bytes: &[u8]) -> Descriptor {
    Descriptor::new(media_type, Algorithm::Sha256.digest(bytes), bytes.len() as u64)
}

fn encode<T: crate::raw::Model + Clone + serde::Serialize>(value: &T, media_type: MediaType) -> Raw<T> {
    Raw::encode(value, media_type, Algorithm::Sha256)
        .expect("because a document made of descriptors follows the rules")
}
