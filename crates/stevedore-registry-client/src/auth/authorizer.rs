//! What goes into `Authorization`, and what a refusal changes about it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ::http::{HeaderMap, HeaderValue, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::time::Instant;

use super::challenge::Challenge;
use super::credentials::Found;
use super::token::TokenKey;
use super::{Credential, Scopes};
use crate::client::{Host, Inner};
use crate::error::{Error, Result};
use crate::http::Reach;

/// Repositories whose credentials are kept at once.
const MAX_KNOWN: usize = 4096;

/// What is known about how a registry authenticates.
#[derive(Default)]
pub(crate) struct AuthState {
    scheme: Mutex<Scheme>,
    /// By repository.
    credentials: Mutex<HashMap<String, Known>>,
    /// Scopes that the registry wanted to be wider than asked for.
    widened: Mutex<HashMap<Scopes, Scopes>>,
}

/// A credential, and since when it is known.
#[derive(Clone)]
struct Known {
    found: Arc<Found>,
    since: Instant,
}

#[derive(Clone, Default, PartialEq, Eq)]
enum Scheme {
    /// Nothing was asked for yet.
    #[default]
    Unknown,
    Basic,
    Bearer(Service),
}

/// A token service that a registry named.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) realm: String,
    pub(super) name: Option<String>,
    /// How far it may lie from here.
    pub(super) reach: Reach,
}

/// What one request showed.
pub(crate) struct Shown {
    pub(crate) header: HeaderValue,
    /// Who it says the client is, for people.
    pub(crate) who: String,
    used: Used,
}

enum Used {
    Fixed,
    Basic { since: Instant },
    Token { key: TokenKey, since: Instant },
}

impl Shown {
    /// A header that somebody else made.
    pub(crate) fn fixed(header: HeaderValue) -> Self {
        Self {
            header,
            who: String::new(),
            used: Used::Fixed,
        }
    }
}

impl Inner {
    /// What a request shows, as far as is known what the registry wants.
    pub(crate) async fn authorize(
        &self,
        host: &Arc<Host>,
        repository: &str,
        scopes: &Scopes,
    ) -> Result<Option<Shown>> {
        let known = self.credential(host, repository).await?;
        match self.authorize_as(host, scopes, &known).await {
            // A helper may know a newer password.
            Err(Error::Unauthorized { .. }) if known.since.elapsed() >= self.renew_after => {
                let known = self.credential_again(host, repository).await?;
                self.authorize_as(host, scopes, &known).await
            }
            done => done,
        }
    }

    async fn authorize_as(&self, host: &Arc<Host>, scopes: &Scopes, known: &Known) -> Result<Option<Shown>> {
        let who = describe(&known.found);
        let scheme = lock(&host.auth().scheme).clone();
        match (scheme, &known.found.credential) {
            (_, Credential::Bearer { token }) => {
                let header = sensitive(&format!("Bearer {}", token.expose()))
                    .ok_or_else(|| Error::setting("the bearer token has characters that no token has"))?;
                Ok(Some(Shown {
                    header,
                    who,
                    used: Used::Fixed,
                }))
            }
            (Scheme::Basic, Credential::Basic { .. }) => {
                let header = basic(&known.found.credential)?;
                Ok(header.map(|header| Shown {
                    header,
                    who,
                    used: Used::Basic { since: known.since },
                }))
            }
            (Scheme::Bearer(service), credential) => {
                let widened = lock(&host.auth().widened).get(scopes).cloned();
                let key = TokenKey {
                    registry: host.name().to_owned(),
                    realm: service.realm.clone(),
                    service: service.name.clone(),
                    credential: credential.clone(),
                    scopes: widened.unwrap_or_else(|| scopes.clone()),
                };
                let token = self
                    .tokens
                    .get(&key, self.fetch(host, &service, &key, &who))
                    .await?;
                let header = sensitive(&format!("Bearer {}", token.value.expose()))
                    .ok_or_else(|| Error::setting("the bearer token has characters that no token has"))?;
                Ok(Some(Shown {
                    header,
                    who,
                    used: Used::Token {
                        key,
                        since: token.since,
                    },
                }))
            }
            _ => Ok(None),
        }
    }

    /// Learns from a 401 what the registry wants, and says whether there is something new to try.
    pub(crate) async fn answer_challenge(
        &self,
        host: &Arc<Host>,
        repository: &str,
        scopes: &Scopes,
        headers: &HeaderMap,
        started: Instant,
        shown: Option<&Shown>,
    ) -> Result<bool> {
        let known = self.credential(host, repository).await?;
        if matches!(known.found.credential, Credential::Bearer { .. }) {
            return Ok(false);
        }
        let headers = headers.get_all(header::WWW_AUTHENTICATE).iter();
        let challenges = Challenge::parse_all(headers.filter_map(|value| value.to_str().ok()));
        let bearer = challenges.iter().find(|challenge| challenge.is("bearer"));
        if let Some((bearer, realm)) = bearer.and_then(|bearer| Some((bearer, bearer.parameter("realm")?))) {
            let reach = host.beyond();
            let name = bearer
                .parameter("service")
                .filter(|name| !name.is_empty())
                .map(str::to_owned);
            let scheme = Scheme::Bearer(Service {
                realm: realm.to_owned(),
                name,
                reach,
            });
            let changed = std::mem::replace(&mut *lock(&host.auth().scheme), scheme.clone()) != scheme;
            let wider = widen(host, scopes, bearer.parameter("scope"));
            return Ok(match shown.map(|shown| &shown.used) {
                Some(Used::Token { key, since }) => {
                    // It may have been revoked, or not last as long as was said.
                    let kept = *since < started;
                    self.tokens.forget(key, *since).await;
                    changed || wider || kept
                }
                _ => true,
            });
        }
        if challenges.iter().any(|challenge| challenge.is("basic")) {
            let changed = std::mem::replace(&mut *lock(&host.auth().scheme), Scheme::Basic) != Scheme::Basic;
            let has_user = matches!(known.found.credential, Credential::Basic { .. });
            return match shown.map(|shown| &shown.used) {
                Some(Used::Basic { .. }) => self.renew(host, repository, shown).await,
                _ => Ok(has_user && (changed || shown.is_none())),
            };
        }
        Ok(false)
    }

    /// Drops what was shown if it is old enough to have expired, and says whether there is something new to try.
    pub(crate) async fn renew(
        &self,
        host: &Arc<Host>,
        repository: &str,
        shown: Option<&Shown>,
    ) -> Result<bool> {
        let Some(Shown { used, .. }) = shown else {
            return Ok(false);
        };
        match used {
            Used::Token { key, since } if since.elapsed() >= self.renew_after => {
                self.tokens.forget(key, *since).await;
                Ok(true)
            }
            // A helper may know a newer password.
            Used::Basic { since } if since.elapsed() >= self.renew_after => {
                let before = self.credential(host, repository).await?;
                Ok(
                    self.credential_again(host, repository).await?.found.credential
                        != before.found.credential,
                )
            }
            _ => Ok(false),
        }
    }

    async fn credential(&self, host: &Host, repository: &str) -> Result<Known> {
        let known = lock(&host.auth().credentials).get(repository).cloned();
        match known {
            Some(known) => Ok(known),
            None => self.look_up(host, repository).await,
        }
    }

    async fn credential_again(&self, host: &Host, repository: &str) -> Result<Known> {
        self.sources.forget_answers().await;
        self.look_up(host, repository).await
    }

    async fn look_up(&self, host: &Host, repository: &str) -> Result<Known> {
        let found = self.sources.find(host.name(), repository).await;
        let found = found.map_err(|source| Error::Credentials {
            registry: host.name().to_owned(),
            source,
        })?;
        let known = Known {
            found: Arc::new(found),
            since: Instant::now(),
        };
        let mut credentials = lock(&host.auth().credentials);
        if credentials.len() >= MAX_KNOWN {
            credentials.clear();
        }
        credentials.insert(repository.to_owned(), known.clone());
        Ok(known)
    }
}

/// Adds to the scopes of a call what the registry says it takes; whether that is more than before.
fn widen(host: &Host, scopes: &Scopes, wanted: Option<&str>) -> bool {
    let Some(wanted) = wanted else { return false };
    let mut widened = lock(&host.auth().widened);
    let known = widened.get(scopes).unwrap_or(scopes);
    let wider = known.union(&Scopes::parse(wanted));
    if wider == *known {
        return false;
    }
    if widened.len() >= MAX_KNOWN {
        widened.clear();
    }
    widened.insert(scopes.clone(), wider);
    true
}

/// The header of a user and password; none for any other credential.
pub(super) fn basic(credential: &Credential) -> Result<Option<HeaderValue>> {
    let Credential::Basic { username, password } = credential else {
        return Ok(None);
    };
    if username.contains(':') {
        return Err(Error::setting(
            "the user's name has a colon in it, which Basic authentication cannot say",
        ));
    }
    let encoded = STANDARD.encode(format!("{username}:{}", password.expose()));
    Ok(sensitive(&format!("Basic {encoded}")))
}

/// A header that HTTP/2 does not put into its tables, and `Debug` does not show.
fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

fn describe(found: &Found) -> String {
    match (&found.credential, found.credential.username()) {
        (Credential::Anonymous, _) => "anybody without credentials".to_owned(),
        (_, Some(user)) => format!("{user} (credentials from {})", found.origin),
        (_, None) => format!("the holder of a token (from {})", found.origin),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
