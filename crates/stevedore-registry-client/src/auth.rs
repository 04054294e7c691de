//! Who the client is, and how it says so.

pub(crate) mod challenge;
mod credentials;
pub(crate) mod realm;
pub(crate) mod scope;

pub use self::challenge::Challenge;
pub use self::credentials::{Credential, CredentialError, CredentialSources, Environment, Found};
pub use self::scope::Scopes;
pub use crate::secret::Secret;
