//! The places that a server is reached at.

/// One of a server's origins. Each has a port of its own, so to a client they are different hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// The registry: `/v2/`.
    Registry,
    /// Where blobs are redirected to, and where uploads may lie.
    Storage,
    /// Where the token service lies, if not at the registry.
    Auth,
}

impl Origin {
    pub(crate) const ALL: [Self; 3] = [Self::Registry, Self::Storage, Self::Auth];
}
