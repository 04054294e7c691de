//! Habits of manifests.

/// How manifests are served and taken.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ManifestHabits {
    /// When `Docker-Content-Digest` is sent.
    pub digest_header: DigestHeader,
    /// A HEAD says `application/octet-stream`, not the manifest's type.
    pub untyped_head: bool,
    /// A PUT is answered with `Location`.
    pub location: bool,
    /// What `ETag` is.
    pub etag: Etag,
    /// `If-Match` and `If-None-Match` are obeyed, on GET, HEAD and PUT.
    pub conditional: bool,
    /// `tag` parameters of a PUT by digest are understood.
    pub tag_parameters: bool,
    /// A tag that points somewhere is not moved: 400 `TAG_INVALID`, also to the very same digest.
    pub immutable_tags: bool,
    /// A manifest whose blobs or children are missing is refused: 400 `MANIFEST_BLOB_UNKNOWN`. A missing
    /// subject never is.
    pub check_references: bool,
    /// A manifest without `mediaType` is refused: 405 `UNSUPPORTED`.
    pub media_type_required: bool,
    /// What can be deleted.
    pub deletes: Deletes,
}

impl Default for ManifestHabits {
    fn default() -> Self {
        Self {
            digest_header: DigestHeader::Always,
            untyped_head: false,
            location: true,
            etag: Etag::Digest,
            conditional: true,
            tag_parameters: true,
            immutable_tags: false,
            check_references: true,
            media_type_required: false,
            deletes: Deletes::All,
        }
    }
}

/// When a manifest comes with `Docker-Content-Digest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DigestHeader {
    /// Always.
    Always,
    /// On GET and PUT, not on HEAD.
    NotOnHead,
    /// On PUT only.
    OnPut,
}

/// What a manifest's `ETag` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Etag {
    /// Not sent.
    Absent,
    /// The digest, in quotes.
    Digest,
    /// Forty hexadecimal digits that are no digest of the registry, without the quotes that RFC 9110 asks for.
    BareOther,
}

/// What can be deleted. All else is answered 405 `UNSUPPORTED`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Deletes {
    /// Tags, manifests and blobs.
    All,
    /// Manifests and blobs.
    ByDigest,
    /// Nothing.
    None,
}
