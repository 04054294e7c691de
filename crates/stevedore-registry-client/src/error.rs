//! What goes wrong between a client and a registry.

mod kind;
mod refused;

use std::time::Duration;

pub(crate) use self::refused::shown;
pub use self::refused::{Refused, RegistryError};
use crate::auth::CredentialError;
use crate::registries::RegistriesError;

/// A boxed cause of any type.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// A result whose error is the [`Error`] of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong between a client and a registry.
///
/// `Display` prints this level only; the causes are behind [`source`](std::error::Error::source). URLs are redacted:
/// no user information, and no values of query parameters but for a few that are known to be harmless. Neither
/// passwords nor tokens are in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The registry, or its token service, gave an answer that is not a success.
    #[error(transparent)]
    Refused(Box<Refused>),
    /// The registry does not let this client do what it asked, or does not know who it is.
    #[error("{registry} does not allow {wanted} to {who}")]
    #[non_exhaustive]
    Unauthorized {
        /// The registry.
        registry: String,
        /// Who the client said it is, and where that came from.
        who: String,
        /// What for.
        wanted: String,
        /// The last answer.
        source: Box<Refused>,
    },
    /// No connection could be made.
    #[error("cannot connect to {url}")]
    #[non_exhaustive]
    Connect {
        /// The scheme, host and port.
        url: String,
        /// Why.
        source: BoxError,
    },
    /// A proxy is in between, and does not lead to the server.
    #[error("the proxy {proxy} does not lead to {url}")]
    #[non_exhaustive]
    Proxy {
        /// The proxy: scheme, host and port.
        proxy: String,
        /// The scheme, host and port of the server.
        url: String,
        /// The status of the proxy's answer, where it gave one.
        status: Option<u16>,
        /// Why.
        source: BoxError,
    },
    /// A connection was not gone on with: the server's certificate is not believed, it does not speak TLS, or a
    /// registry sends to where it may not. Trying again does not help.
    #[error("cannot trust {url}")]
    #[non_exhaustive]
    Untrusted {
        /// The scheme, host and port.
        url: String,
        /// Why.
        source: BoxError,
    },
    /// The connection broke while a request was sent or an answer read.
    #[error("the connection broke: {method} {url}")]
    #[non_exhaustive]
    Interrupted {
        /// The method of the request.
        method: String,
        /// The redacted URL.
        url: String,
        /// Why.
        source: BoxError,
    },
    /// Nothing came, or nothing could be sent, for the time allowed.
    #[error("{waiting_for} did not come within {:.1} seconds: {method} {url}", after.as_secs_f32())]
    #[non_exhaustive]
    TimedOut {
        /// The method of the request.
        method: String,
        /// The redacted URL.
        url: String,
        /// What did not come.
        waiting_for: &'static str,
        /// How long was waited.
        after: Duration,
    },
    /// A redirect that is not followed.
    #[error("the redirect of {method} {url} is not followed: {reason}")]
    #[non_exhaustive]
    Redirect {
        /// The method of the request.
        method: String,
        /// The redacted URL.
        url: String,
        /// Why.
        reason: String,
    },
    /// The registry sends for tokens to a place that does not get its credentials.
    #[error(
        "{registry} sends for tokens to {realm}, but {reason}; if that is right, name the host among the trusted \
         realms of {registry}"
    )]
    #[non_exhaustive]
    Realm {
        /// The registry.
        registry: String,
        /// The redacted URL of the token service.
        realm: String,
        /// Why it is not asked.
        reason: String,
    },
    /// A credential file or helper cannot be used.
    #[error("cannot find the credentials for {registry}")]
    #[non_exhaustive]
    Credentials {
        /// The registry.
        registry: String,
        /// Why.
        source: CredentialError,
    },
    /// An answer is not what the specification says.
    #[error("the answer to {method} {url} cannot be used: {reason}")]
    #[non_exhaustive]
    Protocol {
        /// The method of the request.
        method: String,
        /// The redacted URL.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An answer is larger than it may be.
    #[error("the answer to {method} {url} is larger than {limit} bytes")]
    #[non_exhaustive]
    TooLarge {
        /// The method of the request.
        method: String,
        /// The redacted URL.
        url: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// What was to be sent could not be read.
    #[error("cannot read what is to be sent: {method} {url}")]
    #[non_exhaustive]
    Supply {
        /// The method of the request.
        method: String,
        /// The redacted URL.
        url: String,
        /// Why.
        source: stevedore_core::Error,
    },
    /// `registries.conf` forbids it, or cannot be used for it.
    #[error(transparent)]
    Registries(Box<RegistriesError>),
    /// A setting cannot be used.
    #[error("{what}")]
    #[non_exhaustive]
    Setting {
        /// Which, and what is wrong with it.
        what: String,
        /// Why, where there is more to say.
        source: Option<BoxError>,
    },
}

impl Error {
    pub(crate) fn setting(what: impl Into<String>) -> Self {
        Self::Setting {
            what: what.into(),
            source: None,
        }
    }

    /// The answer that was not a success, where that is what went wrong.
    pub fn refused(&self) -> Option<&Refused> {
        match self {
            Self::Refused(refused) | Self::Unauthorized { source: refused, .. } => Some(refused),
            _ => None,
        }
    }

    /// The HTTP status of the answer that was not a success.
    pub fn status(&self) -> Option<u16> {
        self.refused().map(|refused| refused.status)
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Self::Refused(Box::new(refused))
    }
}

impl From<RegistriesError> for Error {
    fn from(error: RegistriesError) -> Self {
        Self::Registries(Box::new(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fits_a_cache_line_and_a_half() {
        assert!(size_of::<Error>() <= 96, "{}", size_of::<Error>());
    }
}
