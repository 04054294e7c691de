//! The media types of the image-spec and of Docker.

use super::MediaType;

/// Image-spec, "OCI Image Media Types".
impl MediaType {
    /// An OCI image manifest.
    pub const OCI_MANIFEST: Self = Self::from_static("application/vnd.oci.image.manifest.v1+json");
    /// An OCI image index.
    pub const OCI_INDEX: Self = Self::from_static("application/vnd.oci.image.index.v1+json");
    /// An OCI image config.
    pub const OCI_CONFIG: Self = Self::from_static("application/vnd.oci.image.config.v1+json");
    /// An OCI layer, a tar.
    pub const OCI_LAYER: Self = Self::from_static("application/vnd.oci.image.layer.v1.tar");
    /// An OCI layer, a tar compressed with gzip.
    pub const OCI_LAYER_GZIP: Self = Self::from_static("application/vnd.oci.image.layer.v1.tar+gzip");
    /// An OCI layer, a tar compressed with zstd.
    pub const OCI_LAYER_ZSTD: Self = Self::from_static("application/vnd.oci.image.layer.v1.tar+zstd");
    /// An OCI layer that is not to be pushed, a tar. Deprecated by the image-spec, and still met.
    pub const OCI_FOREIGN_LAYER: Self =
        Self::from_static("application/vnd.oci.image.layer.nondistributable.v1.tar");
    /// An OCI layer that is not to be pushed, compressed with gzip. Deprecated by the image-spec, and still met.
    pub const OCI_FOREIGN_LAYER_GZIP: Self =
        Self::from_static("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip");
    /// An OCI layer that is not to be pushed, compressed with zstd. Deprecated by the image-spec, and still met.
    pub const OCI_FOREIGN_LAYER_ZSTD: Self =
        Self::from_static("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd");
    /// The empty JSON object, which stands where a manifest must have a blob and there is none to have.
    pub const OCI_EMPTY: Self = Self::from_static("application/vnd.oci.empty.v1+json");
    /// An OCI artifact manifest, of release candidates of image-spec 1.1 only.
    pub const OCI_ARTIFACT_MANIFEST: Self =
        Self::from_static("application/vnd.oci.artifact.manifest.v1+json");
    /// Bytes of which nothing is known.
    pub const OCTET_STREAM: Self = Self::from_static("application/octet-stream");
    /// The `oci-layout` file of an OCI image layout.
    pub const OCI_LAYOUT: Self = Self::from_static("application/vnd.oci.layout.header.v1+json");
}

/// Docker, "Image Manifest Version 2".
impl MediaType {
    /// A Docker image manifest, schema 2.
    pub const DOCKER_MANIFEST: Self =
        Self::from_static("application/vnd.docker.distribution.manifest.v2+json");
    /// A Docker manifest list.
    pub const DOCKER_MANIFEST_LIST: Self =
        Self::from_static("application/vnd.docker.distribution.manifest.list.v2+json");
    /// A Docker image config.
    pub const DOCKER_CONFIG: Self = Self::from_static("application/vnd.docker.container.image.v1+json");
    /// A Docker layer, a tar. Seen in archives only: the registry form is compressed.
    pub const DOCKER_LAYER: Self = Self::from_static("application/vnd.docker.image.rootfs.diff.tar");
    /// A Docker layer, a tar compressed with gzip.
    pub const DOCKER_LAYER_GZIP: Self =
        Self::from_static("application/vnd.docker.image.rootfs.diff.tar.gzip");
    /// A Docker layer, a tar compressed with zstd. In no specification, but written by build tools.
    pub const DOCKER_LAYER_ZSTD: Self =
        Self::from_static("application/vnd.docker.image.rootfs.diff.tar.zstd");
    /// A Docker layer that is not to be pushed, a tar.
    pub const DOCKER_FOREIGN_LAYER: Self =
        Self::from_static("application/vnd.docker.image.rootfs.foreign.diff.tar");
    /// A Docker layer that is not to be pushed, compressed with gzip.
    pub const DOCKER_FOREIGN_LAYER_GZIP: Self =
        Self::from_static("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip");
    /// A Docker image manifest, schema 1, unsigned.
    pub const DOCKER_SCHEMA1: Self =
        Self::from_static("application/vnd.docker.distribution.manifest.v1+json");
    /// A Docker image manifest, schema 1, with its signatures inside.
    pub const DOCKER_SCHEMA1_SIGNED: Self =
        Self::from_static("application/vnd.docker.distribution.manifest.v1+prettyjws");
}

impl MediaType {
    /// The documents that can be walked (see [`is_document`](Self::is_document)), in the order in which a client
    /// prefers them: what an `Accept` header lists.
    pub const DOCUMENTS: &[Self] = &[
        Self::OCI_INDEX,
        Self::OCI_MANIFEST,
        Self::DOCKER_MANIFEST_LIST,
        Self::DOCKER_MANIFEST,
        Self::OCI_ARTIFACT_MANIFEST,
    ];

    /// Every media type that has a constant here.
    pub const KNOWN: &[Self] = &[
        Self::OCI_MANIFEST,
        Self::OCI_INDEX,
        Self::OCI_CONFIG,
        Self::OCI_LAYER,
        Self::OCI_LAYER_GZIP,
        Self::OCI_LAYER_ZSTD,
        Self::OCI_FOREIGN_LAYER,
        Self::OCI_FOREIGN_LAYER_GZIP,
        Self::OCI_FOREIGN_LAYER_ZSTD,
        Self::OCI_EMPTY,
        Self::OCI_LAYOUT,
        Self::OCI_ARTIFACT_MANIFEST,
        Self::DOCKER_MANIFEST,
        Self::DOCKER_MANIFEST_LIST,
        Self::DOCKER_CONFIG,
        Self::DOCKER_LAYER,
        Self::DOCKER_LAYER_GZIP,
        Self::DOCKER_LAYER_ZSTD,
        Self::DOCKER_FOREIGN_LAYER,
        Self::DOCKER_FOREIGN_LAYER_GZIP,
        Self::DOCKER_SCHEMA1,
        Self::DOCKER_SCHEMA1_SIGNED,
    ];
}
