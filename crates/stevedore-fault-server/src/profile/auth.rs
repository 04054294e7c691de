//! How clients prove who they are.

use std::time::Duration;

/// The scheme of a registry.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Auth {
    /// None: whatever comes is let in.
    None,
    /// HTTP Basic (RFC 7617), a wrong password being answered 401.
    Basic,
    /// HTTP Basic where the password is a token that runs out: one that was
    /// [replaced](crate::FaultServer::rotate_password) is answered in this way.
    BasicToken(Expired),
    /// Bearer tokens of a token service (the distribution project's token specification).
    Bearer(TokenService),
}

/// A token service. It takes GET with Basic credentials, and POST of an OAuth2 form with
/// `grant_type=password` or `refresh_token`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TokenService {
    /// Path of the realm.
    pub path: &'static str,
    /// Value of `service`.
    pub service: &'static str,
    /// The realm lies on [`Origin::Auth`](crate::Origin::Auth), another host than the registry.
    pub elsewhere: bool,
    /// How long a token is good for. Answered as `expires_in` in whole seconds, at least 1.
    pub lifetime: Duration,
    /// How many requests a token is good for; `None` is no bound.
    pub uses: Option<u32>,
    /// Anybody gets a token that lets pull.
    pub anonymous_pull: bool,
    /// Refresh tokens are given, to a POST with `access_type=offline` and to a GET with `offline_token=true`.
    pub refresh: bool,
    /// A refresh token is good for one POST, whose answer has the next one.
    pub rotate: bool,
    /// POST is understood; else it is answered 404, and clients go on with GET.
    pub post: bool,
    /// Of several `scope` parameters only the last one counts.
    pub last_scope_only: bool,
    /// The challenge asks for pull, also on requests that need push.
    pub pull_challenge: bool,
    /// What an expired token is answered with.
    pub expired: Expired,
}

impl Default for TokenService {
    fn default() -> Self {
        Self {
            path: "/token",
            service: "registry",
            elsewhere: false,
            lifetime: Duration::from_secs(300),
            uses: None,
            anonymous_pull: false,
            refresh: true,
            rotate: false,
            post: true,
            last_scope_only: false,
            pull_challenge: false,
            expired: Expired::Unauthorized,
        }
    }
}

/// What an expired credential is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expired {
    /// 401 with a challenge.
    Unauthorized,
    /// 403 without a challenge, the body being plain text.
    Forbidden,
    /// 400 without a challenge.
    BadRequest,
}
