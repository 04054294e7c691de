//! Habits of blobs on their way out.

/// How blobs are served.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PullHabits {
    /// `Range` is understood; else the whole blob comes with 200, as the spec allows.
    pub ranges: bool,
    /// A GET of a blob is redirected to storage on another origin.
    pub redirect: Option<Redirect>,
    /// Pulls are counted.
    pub quota: Option<Quota>,
}

impl Default for PullHabits {
    fn default() -> Self {
        Self {
            ranges: true,
            redirect: None,
            quota: None,
        }
    }
}

/// A redirect (307) to a URL that is signed in its query and runs out.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Redirect {
    /// The `Location` is relative, so the storage is on the registry's own origin.
    pub relative: bool,
    /// A HEAD is redirected as well; else it is answered at once.
    pub heads: bool,
    /// The redirect carries `Docker-Content-Digest`; the storage never does.
    pub digest_header: bool,
    /// What the storage says to a request with an `Authorization` header; `None`: it does not mind.
    pub refusal: Option<StorageRefusal>,
}

/// How storage refuses credentials beside its signature, always with 400 and an XML body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StorageRefusal {
    /// `InvalidArgument`: only one auth mechanism allowed.
    OneMechanism,
    /// `InvalidRequest`: missing x-amz-content-sha256.
    MissingContentHash,
    /// `InvalidAuthenticationInfo`: not given in the correct format.
    WrongFormat,
}

/// A quota of manifest GETs. HEAD is free.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Quota {
    /// Pulls in a window.
    pub limit: u32,
    /// Length of the window in seconds; it is only told, never waited for.
    pub window: u32,
}
