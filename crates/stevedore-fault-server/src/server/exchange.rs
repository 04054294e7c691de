//! One request and its answer, faults and all.

mod effects;

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;

use super::Origin;
use super::shared::{Shared, lock};
use crate::answer::Answer;
use crate::auth::{Need, Tokens};
use crate::fault::Seen;
use crate::log::Request;
use crate::profile::{Auth, TokenService};
use crate::registry::{Call, Outcome, Query, Route};
use crate::wire::{Conn, Ending, Head, Then};
use effects::Effects;

pub(super) struct Exchange<'a> {
    pub(super) shared: &'a Arc<Shared>,
    pub(super) origin: Origin,
    pub(super) connection: u64,
    pub(super) head: &'a Head,
}

impl Exchange<'_> {
    pub(super) async fn run(&self, conn: &mut Conn) -> io::Result<Then> {
        let _under_way = self.shared.under_way();
        let path = self.head.path();
        let seen = Seen {
            origin: self.origin,
            method: &self.head.method,
            path,
        };
        let hits = lock(&self.shared.plan).hits(&seen);
        let place = self.note(hits.len());
        let effects = Effects::new(hits);

        let body = conn.body(self.head, effects.request_limit).await;
        self.update(place, |request| request.received = body.bytes.len() as u64);
        if !body.whole {
            // Cut by a fault, or by the client. The registry has what came; nobody waits for its answer.
            drop(self.answer(&effects, body.bytes, false));
            let ending = if effects.request_limit.is_some() {
                Ending::Reset
            } else {
                Ending::Close
            };
            return Ok(Then::End(ending));
        }
        if let Some(delay) = effects.delay {
            tokio::time::sleep(delay).await;
        }
        if let Some((ending, after_effect)) = effects.drop {
            if after_effect {
                drop(self.answer(&effects, body.bytes, true));
            }
            return Ok(Then::End(ending));
        }
        let answer = match effects.replacement(self) {
            Some((replacement, after_effect)) => {
                if after_effect {
                    drop(self.answer(&effects, body.bytes, true));
                }
                replacement
            }
            None => match self.answer(&effects, body.bytes, true) {
                Outcome::Answer(answer) => answer,
                Outcome::Cut => return Ok(Then::End(Ending::Reset)),
            },
        };
        let answer = effects.edit(answer);
        if effects.delivery.raw.is_none() {
            self.update(place, |request| request.status = Some(answer.status));
        }
        let mut sent = 0;
        let then = effects.delivery.send(conn, self.head, &answer, &mut sent).await;
        self.update(place, |request| request.sent = sent);
        then
    }

    fn note(&self, faults: usize) -> usize {
        lock(&self.shared.log).push(Request {
            origin: self.origin,
            connection: self.connection,
            method: self.head.method.clone(),
            target: self.head.target.clone(),
            headers: self.head.headers.clone(),
            announced: self.head.claimed_length(),
            received: 0,
            status: None,
            sent: 0,
            faults,
        })
    }

    fn update(&self, place: usize, change: impl FnOnce(&mut Request)) {
        lock(&self.shared.log).update(place, change);
    }

    /// What the server says of its own accord.
    fn answer(&self, effects: &Effects, body: Bytes, whole: bool) -> Outcome {
        let head = self.head;
        let query = Query::parse(head.query());
        if let Some(service) = self.token_service() {
            let mut tokens = lock(&self.shared.tokens);
            return tokens
                .give(service, &head.method, &query, &head.headers, &body)
                .into();
        }
        let (base, storage) = (
            self.shared.base(Origin::Registry),
            self.shared.base(Origin::Storage),
        );
        let call = Call {
            profile: &self.shared.profile,
            base: &base,
            storage: &storage,
            method: &head.method,
            path: head.path(),
            query,
            headers: &head.headers,
            body,
            whole,
            forget: effects.forget,
            conflict: effects.conflict,
        };
        match self.origin {
            Origin::Auth => Answer::not_found("NOT_FOUND", "no such page").into(),
            Origin::Storage if head.path().starts_with("/-/") => web_page().into(),
            Origin::Storage => lock(&self.shared.registry).handle_storage(&call),
            Origin::Registry if head.path().starts_with("/storage/") => {
                lock(&self.shared.registry).handle_storage(&call)
            }
            Origin::Registry => {
                if effects.expire_token {
                    lock(&self.shared.tokens).expire(&head.headers);
                    return Tokens::refuse_expired(call.profile, &self.realm_base(), &self.needs()).into();
                }
                let authorized = lock(&self.shared.tokens).authorize(
                    call.profile,
                    &self.realm_base(),
                    &head.headers,
                    &self.needs(),
                );
                match authorized {
                    Ok(()) => lock(&self.shared.registry).handle(&call),
                    Err(refusal) => refusal.into(),
                }
            }
        }
    }

    /// The token service, if this request is for it.
    fn token_service(&self) -> Option<&TokenService> {
        let Auth::Bearer(service) = &self.shared.profile.auth else {
            return None;
        };
        let home = if service.elsewhere {
            Origin::Auth
        } else {
            Origin::Registry
        };
        (self.origin == home && self.head.path() == service.path).then_some(service)
    }

    fn realm_base(&self) -> String {
        match &self.shared.profile.auth {
            Auth::Bearer(service) if service.elsewhere => self.shared.base(Origin::Auth),
            _ => self.shared.base(Origin::Registry),
        }
    }

    /// What this request needs to be allowed.
    fn needs(&self) -> Vec<Need> {
        let route = Route::parse(self.head.path(), self.shared.profile.push.session_path);
        match &route {
            Route::Catalog => return vec![Need::catalog()],
            Route::Upload { repository: None, id } => {
                let repository = lock(&self.shared.registry).upload_repository(id);
                return repository
                    .map(|name| Need::repository(name, "push"))
                    .into_iter()
                    .collect();
            }
            _ => {}
        }
        let Some((repository, action)) = route.access(&self.head.method) else {
            return Vec::new();
        };
        let mut needs = vec![Need::repository(repository, action)];
        if let (Route::StartUpload { .. }, Some(from)) =
            (&route, Query::parse(self.head.query()).first("from"))
        {
            needs.push(Need::repository(from, "pull"));
        }
        needs
    }

    /// A 401 as the profile writes it.
    fn challenge(&self) -> Answer {
        Tokens::refuse(&self.shared.profile, &self.realm_base(), &self.needs())
    }

    /// This request's path and query, with one parameter more.
    fn target_with(&self, parameter: &str) -> String {
        let separator = if self.head.query().is_empty() { '?' } else { '&' };
        format!("{}{separator}{parameter}", self.head.target)
    }
}

/// What a web site says to a program.
fn web_page() -> Answer {
    Answer::new(StatusCode::TOO_MANY_REQUESTS).content(
        "text/html; charset=utf-8",
        "<!DOCTYPE html><title>Too many requests</title>",
    )
}
