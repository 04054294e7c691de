//! Who the client is, and how it says so.
//!
//! # Which token services are told credentials
//!
//! The `realm` of a Bearer challenge is chosen by whoever answers the request. Clients that followed it anywhere
//! were made to hand out passwords and to fetch from private networks (CVE-2026-33540, CVE-2026-48978,
//! GHSA-28r5-37g7-p6mp). Here a realm is used if all of this holds:
//!
//! 1. It is an absolute URL without user information, and the challenge came from the registry itself, not from
//!    where a redirect led.
//! 2. It is `https`. Plain `http` is taken only at the registry's own origin, on loopback if the registry is on
//!    loopback too, or where the user named just that origin.
//! 3. A realm whose host is an IP address is the registry's own host, or named by the user.
//! 4. To get credentials it also is one of
//!    - the registry's own host, at any port (GitLab: registry on 5050, tokens on 443);
//!    - a parent domain of it (`registry.gitlab.com` → `gitlab.com`);
//!    - a host under the same site (`registry.example.com` → `auth.example.com`), where *site* is a shared parent
//!      domain that is neither a top-level domain, nor like `co.uk`, nor one under which a provider gives names to
//!      its customers;
//!    - the token service that a large registry is known to use (Docker Hub: `auth.docker.io`);
//!    - a host or origin that the user named for this registry.
//!
//! Without credentials, rules 1 to 3 are enough: an anonymous token is no secret.

pub(crate) mod authorizer;
pub(crate) mod challenge;
mod credentials;
mod exchange;
pub(crate) mod realm;
pub(crate) mod scope;
pub(crate) mod token;

pub use self::challenge::Challenge;
pub use self::credentials::{Candidate, Credential, CredentialError, CredentialSources, Found};
pub use self::scope::Scopes;
pub use crate::secret::Secret;
