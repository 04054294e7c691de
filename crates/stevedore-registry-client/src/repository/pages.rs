//! Lists that come in pages: `Link` headers (RFC 8288) with `rel="next"`.

use std::collections::BTreeSet;

use ::http::header;

use crate::error::{Error, Result};
use crate::request::Answer;
use crate::url::Url;

/// Pages of one list; more are an error.
const MAX_PAGES: usize = 10_000;

/// The pages of a list that were read.
#[derive(Default)]
pub(super) struct Pages {
    seen: BTreeSet<String>,
}

impl Pages {
    /// The URL of the page after an answer, or `None` after the last one.
    pub(super) fn after(&mut self, answer: &Answer) -> Result<Option<Url>> {
        let links = answer.headers.get_all(header::LINK).iter();
        let Some(target) = links.filter_map(|link| link.to_str().ok()).find_map(next_of) else {
            return Ok(None);
        };
        let url = answer.url.join(target);
        let url =
            url.map_err(|error| answer.unusable(format!("its next page cannot be asked for: {error}")))?;
        if url.origin() != answer.url.origin() {
            return Err(answer.unusable("its next page is at another host"));
        }
        let url = in_place(&answer.url, url);
        self.seen.insert(answer.url.as_str().to_owned());
        if self.seen.contains(url.as_str()) {
            return Err(answer.unusable("its pages go in a circle"));
        }
        if self.seen.len() >= MAX_PAGES {
            return Err(answer.unusable(format!("there are more than {MAX_PAGES} pages")));
        }
        Ok(Some(url))
    }
}

/// A page of the same list lies at the same path. Registries behind a proxy that puts something in front of their
/// names exist that leave it out here: of what ends alike, only the query is taken.
fn in_place(list: &Url, page: Url) -> Url {
    let path = |url: &Url| {
        url.path_and_query()
            .split('?')
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let end = |path: &str| path.rsplit('/').take(2).map(str::to_owned).collect::<Vec<_>>();
    let (own, other) = (path(list), path(&page));
    if own == other || end(&own) != end(&other) {
        return page;
    }
    let query = page
        .path_and_query()
        .split_once('?')
        .map_or("", |(_, query)| query);
    Url::at(list.origin(), &format!("{own}?{query}")).unwrap_or(page)
}

/// The bytes of one page that are read.
pub(super) const PAGE_LIMIT: u64 = 16 * 1024 * 1024;

/// Reads a page as JSON. The error says where it broke, not what stood there.
pub(super) fn parse<'b, T: serde::Deserialize<'b>>(body: &'b [u8], url: &Url) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| Error::Protocol {
        method: "GET".to_owned(),
        url: url.redacted(),
        reason: format!(
            "it is not the list that was asked for (line {}, column {})",
            error.line(),
            error.column()
        ),
    })
}

/// The target of a `Link` header's link to the next page.
fn next_of(header: &str) -> Option<&str> {
    let mut rest = header;
    loop {
        let start = rest.find('<')? + 1;
        let end = start + rest[start..].find('>')?;
        let target = &rest[start..end];
        rest = &rest[end + 1..];
        let parameters = &rest[..rest.find('<').unwrap_or(rest.len())];
        let is_next = parameters
            .split(';')
            .filter_map(|parameter| parameter.split_once('='))
            .any(|(name, value)| {
                let relations = value.trim().trim_end_matches(',').trim_end().trim_matches('"');
                name.trim().eq_ignore_ascii_case("rel")
                    && relations
                        .split(' ')
                        .any(|relation| relation.eq_ignore_ascii_case("next"))
            });
        if is_next {
            return Some(target);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn finds_the_next_page() {
        assert_eq!(
            next_of(r#"</v2/a/tags/list?last=b&n=2>; rel="next""#),
            Some("/v2/a/tags/list?last=b&n=2")
        );
        assert_eq!(next_of("<x>; rel=next"), Some("x"));
        assert_eq!(
            next_of(r#"<a>; rel="prev", <b>; title="x"; rel="last next""#),
            Some("b")
        );
        for other in ["", "x", "<x>", r#"<x>; rel="prev""#, "<x; rel=next"] {
            assert_eq!(next_of(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(header in "[<>;=,\" a-z\u{e9}]{0,60}") {
            let _: Option<&str> = next_of(&header);
        }
    }
}
