//! What registries do beside, or against, the spec.
#![allow(clippy::doc_markdown, reason = "threads are named as their repositories are")]

mod auth;
mod hosted;
mod lists;
mod manifests;
mod pulls;
mod pushes;
mod self_hosted;

use std::time::Duration;

pub use auth::{Auth, Expired, TokenService};
pub use lists::{Cursor, Excess, ListHabits, ReferrerHabits, ReferrersApi, UnknownRepository};
pub use manifests::{Deletes, DigestHeader, Etag, ManifestHabits};
pub use pulls::{PullHabits, Quota, Redirect, StorageRefusal};
pub use pushes::{Chunks, LocationStyle, Mount, MountRefusal, PushHabits, RangeReport};

/// The habits of a registry.
///
/// A constructor gives a named registry's; each habit there that leaves the spec, or that the spec leaves open,
/// names the thread or document it is known from. Nothing is there that no thread was found for. All fields can
/// be changed before the server starts:
///
/// ```
/// use stevedore_fault_server::Profile;
///
/// let mut profile = Profile::spec();
/// profile.push.min_chunk = Some(1024);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Profile {
    /// What the profile is called.
    pub name: &'static str,
    /// How clients prove who they are.
    pub auth: Auth,
    /// Users with their passwords.
    pub users: Vec<(String, String)>,
    /// Blobs on their way out.
    pub pull: PullHabits,
    /// Blobs on their way in.
    pub push: PushHabits,
    /// Manifests.
    pub manifests: ManifestHabits,
    /// Lists of tags and repositories.
    pub lists: ListHabits,
    /// Referrers.
    pub referrers: ReferrerHabits,
}

/// The user that every profile with authentication knows; ECR's is called `AWS`.
pub const USER: &str = "user";
/// The password of that user.
pub const PASSWORD: &str = "password";

impl Profile {
    /// A registry that does everything the distribution spec (main, after v1.1.1) has, as it has it, and asks
    /// for no credentials.
    pub fn spec() -> Self {
        Self {
            name: "spec",
            auth: Auth::None,
            users: vec![(USER.to_owned(), PASSWORD.to_owned())],
            pull: PullHabits::default(),
            push: PushHabits::default(),
            manifests: ManifestHabits::default(),
            lists: ListHabits::default(),
            referrers: ReferrerHabits::default(),
        }
    }

    /// All named registries and the spec's: for tests that run on each.
    pub fn all() -> Vec<Self> {
        vec![
            Self::spec(),
            Self::docker_hub(),
            Self::ghcr(),
            Self::ecr(),
            Self::gar(),
            Self::acr(),
            Self::quay(),
            Self::harbor(),
            Self::gitlab(),
            Self::artifactory(),
        ]
    }

    /// The same habits with bearer tokens of a service on the registry's own origin.
    #[must_use]
    pub fn with_tokens(mut self) -> Self {
        self.auth = Auth::Bearer(TokenService::default());
        self
    }

    /// The same habits with HTTP Basic.
    #[must_use]
    pub fn with_basic(mut self) -> Self {
        self.auth = Auth::Basic;
        self
    }

    /// The same habits, tokens being good for so long and so many requests. No change without tokens.
    #[must_use]
    pub fn with_token_life(mut self, lifetime: Duration, uses: Option<u32>) -> Self {
        if let Auth::Bearer(service) = &mut self.auth {
            service.lifetime = lifetime;
            service.uses = uses;
        }
        self
    }
}
