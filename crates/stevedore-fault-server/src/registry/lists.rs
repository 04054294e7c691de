//! Lists of tags and repositories, and how they are paged.

use http::StatusCode;
use http::header::LINK;
use serde_json::json;

use super::query::encode;
use super::{Call, Registry, name_unknown};
use crate::answer::Answer;
use crate::profile::{Cursor, Excess, UnknownRepository};

impl Registry {
    pub(super) fn list_tags(&self, call: &Call<'_>, repository: &str) -> Answer {
        let tags = match self.repositories.get(repository) {
            Some(known) => known.tags.keys().cloned().collect(),
            None if call.profile.lists.unknown == UnknownRepository::Empty => Vec::new(),
            None => return name_unknown(repository),
        };
        let name = if call.profile.lists.stripped_link {
            repository.split_once('/').map_or(repository, |(_, rest)| rest)
        } else {
            repository
        };
        match page(call, &tags, &format!("/v2/{name}/tags/list")) {
            Ok((tags, link)) => linked(
                Answer::json(StatusCode::OK, &json!({ "name": repository, "tags": tags })),
                link,
            ),
            Err(refusal) => refusal,
        }
    }

    pub(super) fn catalog(&self, call: &Call<'_>) -> Answer {
        let names: Vec<String> = self.names().into_iter().collect();
        match page(call, &names, "/v2/_catalog") {
            Ok((names, link)) => linked(
                Answer::json(StatusCode::OK, &json!({ "repositories": names })),
                link,
            ),
            Err(refusal) => refusal,
        }
    }
}

fn linked(answer: Answer, link: Option<String>) -> Answer {
    match link {
        Some(link) => answer.header(LINK, format!("<{link}>; rel=\"next\"")),
        None => answer,
    }
}

/// One page of a sorted list, and the URL of the next one.
fn page(call: &Call<'_>, all: &[String], path: &str) -> Result<(Vec<String>, Option<String>), Answer> {
    let habits = &call.profile.lists;
    let asked = match call.query.first("n").map(str::parse::<usize>) {
        None => None,
        Some(Ok(n)) => Some(n),
        Some(Err(_)) => return Err(Answer::bad_request("PAGINATION_NUMBER_INVALID", "n is no number")),
    };
    let most = habits.max_page.unwrap_or(usize::MAX);
    if habits.excess == Excess::TooLarge && asked.is_some_and(|n| n > most) {
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        return Err(Answer::error(
            status,
            "SIZE_INVALID",
            "more entries than a page has",
        ));
    }
    let size = asked.or(habits.page).unwrap_or(usize::MAX).min(most);
    let start = match habits.cursor {
        Cursor::Last => {
            let last = call.query.first("last").unwrap_or_default();
            all.partition_point(|entry| entry.as_str() <= last)
        }
        Cursor::Token => call
            .query
            .first("next_page")
            .and_then(detoken)
            .unwrap_or(0)
            .min(all.len()),
    };
    let end = start.saturating_add(size).min(all.len());
    let entries = all[start..end].to_vec();
    // With n=0 there is no entry to go on from, and the spec wants no Link.
    let Some(last) = entries.last().filter(|_| end < all.len()) else {
        return Ok((entries, None));
    };
    let base = if habits.absolute_link { call.base } else { "" };
    let link = match habits.cursor {
        Cursor::Last => format!("{base}{path}?n={size}&last={}", encode(last)),
        Cursor::Token => format!("{base}{path}?next_page={}&n={size}", token(end)),
    };
    Ok((entries, Some(link)))
}

/// An opaque name of a place in a list.
fn token(place: usize) -> String {
    encode(&format!("gAAAAAB{place:x}=="))
}

fn detoken(token: &str) -> Option<usize> {
    usize::from_str_radix(token.strip_prefix("gAAAAAB")?.strip_suffix("==")?, 16).ok()
}
