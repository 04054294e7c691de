//! Who may do what: the token service, and the check of what it gave.

mod scope;
mod service;

use std::collections::BTreeMap;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};

use crate::answer::Answer;
use crate::profile::{Auth, Expired, Profile, TokenService};

pub(crate) use scope::Need;
use scope::Scope;

/// Users, and the tokens that were given.
#[derive(Debug)]
pub(crate) struct Tokens {
    users: BTreeMap<String, String>,
    /// Passwords that were replaced.
    outdated: Vec<(String, String)>,
    access: BTreeMap<String, Token>,
    /// Refresh tokens and whose they are.
    refresh: BTreeMap<String, String>,
    next: u64,
}

#[derive(Debug)]
struct Token {
    scopes: Vec<Scope>,
    until: Instant,
    /// Requests that it is still good for.
    left: Option<u32>,
    expired: bool,
}

impl Tokens {
    pub(crate) fn new(profile: &Profile) -> Self {
        Self {
            users: profile.users.iter().cloned().collect(),
            outdated: Vec::new(),
            access: BTreeMap::new(),
            refresh: BTreeMap::new(),
            next: 0,
        }
    }

    pub(crate) fn add_user(&mut self, user: &str, password: &str) {
        if let Some(old) = self.users.insert(user.to_owned(), password.to_owned()) {
            self.outdated.push((user.to_owned(), old));
        }
    }

    pub(crate) fn expire_all(&mut self) {
        for token in self.access.values_mut() {
            token.expired = true;
        }
    }

    pub(crate) fn refresh_token(&mut self, user: &str) -> String {
        self.next += 1;
        let token = format!("refresh-token-{}", self.next);
        self.refresh.insert(token.clone(), user.to_owned());
        token
    }

    /// The user of a refresh token, which is good no more if it is spent.
    fn take_refresh_token(&mut self, token: &str, spent: bool) -> Option<String> {
        if spent {
            self.refresh.remove(token)
        } else {
            self.refresh.get(token).cloned()
        }
    }

    pub(crate) fn forget_refresh_tokens(&mut self) {
        self.refresh.clear();
    }

    /// Lets the token of this request run out.
    pub(crate) fn expire(&mut self, headers: &HeaderMap) {
        if let Some(token) = bearer(headers).and_then(|token| self.access.get_mut(token)) {
            token.expired = true;
        }
    }

    /// Whether a request may do all that it needs to; else the answer.
    pub(crate) fn authorize(
        &mut self,
        profile: &Profile,
        realm_base: &str,
        headers: &HeaderMap,
        needs: &[Need],
    ) -> Result<(), Answer> {
        match &profile.auth {
            Auth::None => Ok(()),
            Auth::Basic => self.check_basic(headers, None),
            Auth::BasicToken(expired) => self.check_basic(headers, Some(*expired)),
            Auth::Bearer(service) => {
                let Some(token) = bearer(headers) else {
                    return Err(challenge(service, realm_base, needs, None));
                };
                let Some(token) = self.access.get_mut(token) else {
                    return Err(challenge(service, realm_base, needs, Some("invalid_token")));
                };
                if token.expired || token.until <= Instant::now() || token.left == Some(0) {
                    return Err(expired_answer(service.expired, || {
                        challenge(service, realm_base, needs, Some("invalid_token"))
                    }));
                }
                if !needs
                    .iter()
                    .all(|need| token.scopes.iter().any(|scope| scope.grants(need)))
                {
                    return Err(challenge(service, realm_base, needs, Some("insufficient_scope")));
                }
                if let Some(left) = &mut token.left {
                    *left -= 1;
                }
                Ok(())
            }
        }
    }

    fn check_basic(&self, headers: &HeaderMap, expired: Option<Expired>) -> Result<(), Answer> {
        let pair = basic(headers);
        if pair
            .as_ref()
            .is_some_and(|(user, password)| self.users.get(user) == Some(password))
        {
            return Ok(());
        }
        match (pair, expired) {
            (Some(pair), Some(expired)) if self.outdated.contains(&pair) => {
                Err(expired_answer(expired, basic_challenge))
            }
            _ => Err(basic_challenge()),
        }
    }

    /// A 401 as the profile writes it, whatever came.
    pub(crate) fn refuse(profile: &Profile, realm_base: &str, needs: &[Need]) -> Answer {
        match &profile.auth {
            Auth::Bearer(service) => challenge(service, realm_base, needs, Some("invalid_token")),
            Auth::Basic | Auth::BasicToken(_) => basic_challenge(),
            Auth::None => Answer::error(
                StatusCode::UNAUTHORIZED,
                "UNAUTHORIZED",
                "authentication required",
            ),
        }
    }

    /// The answer to credentials that ran out, as the profile writes it.
    pub(crate) fn refuse_expired(profile: &Profile, realm_base: &str, needs: &[Need]) -> Answer {
        let expired = match &profile.auth {
            Auth::Bearer(service) => service.expired,
            Auth::BasicToken(expired) => *expired,
            Auth::None | Auth::Basic => Expired::Unauthorized,
        };
        expired_answer(expired, || Self::refuse(profile, realm_base, needs))
    }
}

fn challenge(service: &TokenService, realm_base: &str, needs: &[Need], error: Option<&str>) -> Answer {
    let mut value = format!(
        "Bearer realm=\"{realm_base}{}\",service=\"{}\"",
        service.path, service.service
    );
    if !needs.is_empty() {
        let scopes: Vec<String> = needs
            .iter()
            .map(|need| need.as_scope(service.pull_challenge))
            .collect();
        value = format!("{value},scope=\"{}\"", scopes.join(" "));
    }
    if let Some(error) = error {
        value = format!("{value},error=\"{error}\"");
    }
    Answer::error(
        StatusCode::UNAUTHORIZED,
        "UNAUTHORIZED",
        "authentication required",
    )
    .header(WWW_AUTHENTICATE, value)
}

fn basic_challenge() -> Answer {
    Answer::error(
        StatusCode::UNAUTHORIZED,
        "UNAUTHORIZED",
        "authentication required",
    )
    .header(WWW_AUTHENTICATE, "Basic realm=\"registry\",service=\"registry\"")
}

fn expired_answer(expired: Expired, challenge: impl FnOnce() -> Answer) -> Answer {
    const TEXT: &str = "Your Authorization Token has expired. Please fetch a new one.";
    match expired {
        Expired::Unauthorized => challenge(),
        Expired::Forbidden => Answer::new(StatusCode::FORBIDDEN).content("text/plain", TEXT),
        Expired::BadRequest => Answer::new(StatusCode::BAD_REQUEST).content("text/plain", TEXT),
    }
}

fn credentials<'a>(headers: &'a HeaderMap, scheme: &str) -> Option<&'a str> {
    let (given, rest) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    given.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    credentials(headers, "bearer")
}

/// User and password of HTTP Basic.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let pair = String::from_utf8(STANDARD.decode(credentials(headers, "basic")?).ok()?).ok()?;
    let (user, password) = pair.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}
