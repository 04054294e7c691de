//! Habits of blobs on their way in.

use http::StatusCode;

/// How uploads go.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PushHabits {
    /// What `Location` of uploads and blobs looks like.
    pub location: LocationStyle,
    /// Path before the id of an upload session, in place of `/v2/<name>/blobs/uploads/`.
    pub session_path: Option<&'static str>,
    /// Upload URLs carry `_state=…`, another one each step, and only the newest is taken (else 400
    /// `BLOB_UPLOAD_INVALID`).
    pub state: bool,
    /// `POST …?digest=` with a body is taken; else it is answered 202, as the spec allows.
    pub single_post: bool,
    /// Largest body of a request with `Content-Range`, in bytes; more is answered 416.
    pub max_chunk: Option<u64>,
    /// Smallest chunk but the last, in bytes; another one after a smaller one is answered 400 `SIZE_INVALID`.
    pub min_chunk: Option<u64>,
    /// The smallest chunk is told by `OCI-Chunk-Min-Length`.
    pub announce_min_chunk: bool,
    /// What becomes of chunks.
    pub chunks: Chunks,
    /// Status of a chunk that was taken.
    pub chunk_status: StatusCode,
    /// What `Range` says.
    pub range: RangeReport,
    /// Which mounts are granted.
    pub mount: Mount,
    /// What becomes of a mount out of a repository that does not exist.
    pub unknown_source: MountRefusal,
    /// The digest of what was pushed is checked.
    pub verify: bool,
    /// A session can be cancelled; else a DELETE of it is 405.
    pub cancel: bool,
    /// A request that starts an upload with an `Accept` of manifest types is answered 406.
    pub refuse_accept: bool,
    /// Repositories must be made first; the connection is cut in answer to an upload into any other.
    pub repositories_exist: bool,
}

impl Default for PushHabits {
    fn default() -> Self {
        Self {
            location: LocationStyle::Relative,
            session_path: None,
            state: false,
            single_post: true,
            max_chunk: None,
            min_chunk: None,
            announce_min_chunk: true,
            chunks: Chunks::Kept,
            chunk_status: StatusCode::ACCEPTED,
            range: RangeReport::Exact,
            mount: Mount::Anonymous,
            unknown_source: MountRefusal::Session,
            verify: true,
            cancel: true,
            refuse_accept: false,
            repositories_exist: false,
        }
    }
}

/// What a `Location` looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LocationStyle {
    /// A path.
    Relative,
    /// A URL of this origin.
    Absolute,
    /// A URL of this host and port, but with `http`: of use with TLS only.
    Downgraded,
    /// Uploads lie on [`Origin::Storage`](crate::Origin::Storage), by a signed URL, and need no credentials
    /// there. Blobs have a path.
    OtherOrigin,
}

/// What becomes of chunks, that is, of bodies with `Content-Range`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Chunks {
    /// They are joined.
    Kept,
    /// They are answered 400 `UNSUPPORTED`.
    Refused,
    /// They are taken, but only the last one is stored.
    LastOnly,
}

/// What the `Range` of an answered chunk says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RangeReport {
    /// What was stored.
    Exact,
    /// What the first chunk brought, for ever, although the others are stored as well.
    FirstChunk,
}

/// Which mounts are granted. Those that are not go on as an upload session (202).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mount {
    /// With `from` and without.
    Anonymous,
    /// With `from` only.
    From,
    /// With `from`, if a manifest there names the blob.
    Referenced,
    /// None.
    Never,
}

/// What a mount out of an unknown repository is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MountRefusal {
    /// 202: an upload session.
    Session,
    /// 401 `UNAUTHORIZED`, whatever the credentials.
    Unauthorized,
}
