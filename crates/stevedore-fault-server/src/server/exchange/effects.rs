//! The faults of one request, sorted by when they strike.

use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderName, LOCATION, RANGE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use stevedore_core::Algorithm;

use super::Exchange;
use crate::answer::Answer;
use crate::fault::{Action, RedirectTo};
use crate::wire::{Delivery, Ending};

/// Length of a line of padding in the head, in bytes.
const PAD_LINE: usize = 1024;

#[derive(Debug, Default)]
pub(super) struct Effects {
    pub(super) request_limit: Option<u64>,
    pub(super) delay: Option<Duration>,
    /// How the connection ends in place of an answer, and whether the request has its effect before.
    pub(super) drop: Option<(Ending, bool)>,
    pub(super) expire_token: bool,
    pub(super) forget: u64,
    pub(super) conflict: bool,
    pub(super) delivery: Delivery,
    /// The answer in the registry's place, with how often its fault had struck before.
    replacement: Option<(Action, usize)>,
    edits: Vec<Action>,
}

impl Effects {
    pub(super) fn new(hits: Vec<(Action, usize)>) -> Self {
        let mut effects = Self::default();
        for (action, before) in hits {
            effects.sort(action, before);
        }
        effects
    }

    fn sort(&mut self, action: Action, before: usize) {
        match action {
            Action::DropAtAccept(_) => {}
            Action::CutRequest(after) => self.request_limit = Some(after),
            Action::Hang => self.drop = Some((Ending::Stall, false)),
            Action::Delay(by) => self.delay = Some(by),
            Action::Drop { ending, after_effect } => self.drop = Some((ending, after_effect)),
            Action::ExpireToken => self.expire_token = true,
            Action::ShortAccept(missing) => self.forget = missing,
            Action::RangeConflict => self.conflict = true,
            Action::Status { .. }
            | Action::Unauthorized
            | Action::Redirect { .. }
            | Action::Respond { .. } => {
                self.replacement.get_or_insert((action, before));
            }
            Action::SetHeader(..)
            | Action::AddHeaderBytes(_)
            | Action::RemoveHeader(_)
            | Action::FlipByte(_)
            | Action::WrongDigestHeader
            | Action::StaleRange(_) => self.edits.push(action),
            Action::Raw(bytes) => self.delivery.raw = Some(bytes),
            Action::Claim(claim) => self.delivery.claim = claim,
            Action::CutBody(after, ending) => self.delivery.cut = Some((after, ending)),
            Action::HeadPause(pause) => self.delivery.head_pause = Some(pause),
            Action::BodyRate(rate) => self.delivery.body_rate = Some(rate),
            Action::Twice => self.delivery.twice = true,
        }
    }

    /// The answer in the registry's place, and whether the request has its effect all the same.
    pub(super) fn replacement(&self, exchange: &Exchange<'_>) -> Option<(Answer, bool)> {
        let (action, before) = self.replacement.as_ref()?;
        Some(match action {
            Action::Status {
                status,
                retry_after,
                after_effect,
            } => {
                let unauthorized = *status == StatusCode::UNAUTHORIZED;
                let answer = if unauthorized {
                    exchange.challenge()
                } else {
                    error(*status)
                };
                let answer = match retry_after.and_then(crate::fault::RetryAfter::value) {
                    Some(value) => answer.header(RETRY_AFTER, value),
                    None => answer,
                };
                (answer, *after_effect)
            }
            Action::Redirect { status, to } => {
                let url = match to {
                    RedirectTo::Url(url) => url.clone(),
                    RedirectTo::Base(base) => format!("{base}{}", exchange.head.target),
                    RedirectTo::Hop => exchange.target_with(&format!("hop={}", before + 1)),
                };
                (Answer::new(*status).header(LOCATION, url), false)
            }
            Action::Respond {
                status,
                media_type,
                body,
            } => (Answer::new(*status).content(media_type, body.clone()), false),
            _ => (exchange.challenge(), false),
        })
    }

    /// What becomes of an answer on its way out.
    pub(super) fn edit(&self, mut answer: Answer) -> Answer {
        for action in &self.edits {
            match action {
                Action::SetHeader(name, value) => {
                    answer.headers.insert(name, value.clone());
                }
                Action::RemoveHeader(name) => {
                    answer.headers.remove(name);
                }
                Action::AddHeaderBytes(bytes) => pad(&mut answer, *bytes),
                Action::FlipByte(offset) => answer.body = flip(&answer.body, *offset),
                Action::WrongDigestHeader => {
                    answer = answer.docker_digest(Algorithm::Sha256.digest(b"something else"));
                }
                Action::StaleRange(behind) => {
                    let last = answer.headers.get(RANGE).and_then(|range| range.to_str().ok());
                    let last = last.and_then(|range| range.strip_prefix("0-")?.parse::<u64>().ok());
                    if let Some(last) = last {
                        answer = answer.header(RANGE, format!("0-{}", last.saturating_sub(*behind)));
                    }
                }
                _ => {}
            }
        }
        answer
    }
}

/// An error as a registry, or a balancer before it, writes it.
fn error(status: StatusCode) -> Answer {
    let (code, message) = match status.as_u16() {
        502..=504 => {
            let reason = status.canonical_reason().unwrap_or_default();
            return Answer::new(status).content("text/html", format!("<html><h1>{reason}</h1></html>"));
        }
        403 => ("DENIED", "requested access to the resource is denied"),
        404 => ("NAME_UNKNOWN", "repository name not known to registry"),
        405 => ("UNSUPPORTED", "the operation is unsupported"),
        429 => ("TOOMANYREQUESTS", "too many requests"),
        _ => ("UNKNOWN", "unknown error"),
    };
    Answer::error(status, code, message)
}

fn flip(body: &Bytes, offset: u64) -> Bytes {
    let mut bytes = body.to_vec();
    let place = usize::try_from(offset)
        .unwrap_or(usize::MAX)
        .min(bytes.len().saturating_sub(1));
    if let Some(byte) = bytes.get_mut(place) {
        *byte ^= 1;
    }
    bytes.into()
}

fn pad(answer: &mut Answer, bytes: usize) {
    for line in 0..bytes.div_ceil(PAD_LINE) {
        let name = HeaderName::try_from(format!("x-padding-{line}"));
        if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from("x".repeat(PAD_LINE))) {
            answer.headers.append(name, value);
        }
    }
}
