//! The token service.

use std::time::Instant;

use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use super::{Scope, Token, Tokens, basic};
use crate::answer::Answer;
use crate::profile::TokenService;
use crate::registry::Query;

impl Tokens {
    /// A request to the realm. `body` is the form of a POST.
    pub(crate) fn give(
        &mut self,
        service: &TokenService,
        method: &Method,
        query: &Query,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Answer {
        match *method {
            Method::GET => {
                let user = match basic(headers) {
                    None => None,
                    Some((user, password)) if self.users.get(&user) == Some(&password) => Some(user),
                    Some(_) => return denied(),
                };
                let offline = query.first("offline_token") == Some("true");
                self.answer(service, user, query, offline)
            }
            Method::POST if service.post => {
                let form = Query::parse(&String::from_utf8_lossy(body));
                let rotated = service.rotate && form.first("grant_type") == Some("refresh_token");
                let offline = rotated || form.first("access_type") == Some("offline");
                let user = match form.first("grant_type") {
                    Some("password") => form
                        .first("username")
                        .filter(|user| self.users.get(*user).map(String::as_str) == form.first("password"))
                        .map(str::to_owned),
                    Some("refresh_token") => form
                        .first("refresh_token")
                        .and_then(|token| self.take_refresh_token(token, rotated)),
                    _ => return oauth_error(StatusCode::BAD_REQUEST, "unsupported_grant_type"),
                };
                match user {
                    Some(user) => self.answer(service, Some(user), &form, offline),
                    None => oauth_error(StatusCode::UNAUTHORIZED, "invalid_grant"),
                }
            }
            Method::POST => Answer::not_found("NOT_FOUND", "no such endpoint"),
            _ => Answer::unsupported(),
        }
    }

    fn answer(
        &mut self,
        service: &TokenService,
        user: Option<String>,
        asked: &Query,
        offline: bool,
    ) -> Answer {
        if user.is_none() && !service.anonymous_pull {
            return denied();
        }
        let mut asked: Vec<&str> = asked.all("scope").collect();
        if service.last_scope_only {
            asked = asked.last().copied().into_iter().collect();
        }
        let scopes = asked
            .iter()
            .flat_map(|scopes| scopes.split(' '))
            .filter_map(Scope::parse);
        let scopes: Vec<Scope> = scopes
            .map(|scope| if user.is_some() { scope } else { scope.only_pull() })
            .collect();
        self.next += 1;
        let token = format!("access-token-{}", self.next);
        self.access.insert(
            token.clone(),
            Token {
                scopes,
                until: Instant::now() + service.lifetime,
                left: service.uses,
                expired: false,
            },
        );
        let mut answer = json!({
            "token": token,
            "access_token": token,
            "expires_in": service.lifetime.as_secs().max(1),
        });
        if let Some(user) = user.filter(|_| offline && service.refresh) {
            answer["refresh_token"] = Value::from(self.refresh_token(&user));
        }
        Answer::json(StatusCode::OK, &answer)
    }
}

fn denied() -> Answer {
    Answer::json(
        StatusCode::UNAUTHORIZED,
        &json!({ "details": "incorrect username or password" }),
    )
}

fn oauth_error(status: StatusCode, error: &str) -> Answer {
    Answer::json(status, &json!({ "error": error }))
}
