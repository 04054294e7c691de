//! The tags of a repository (distribution-spec, end-8).

use std::collections::BTreeSet;

use ::http::Method;
use serde::Deserialize;
use stevedore_core::RefName;

use super::Repository;
use super::pages::{PAGE_LIMIT, Pages, parse};
use crate::error::Result;

/// How many tags a page is asked to have. Registries give fewer as they like.
const PAGE: &str = "1000";

#[derive(Deserialize)]
struct Page {
    /// Some registries say `null` where there are none.
    tags: Option<Vec<String>>,
}

impl Repository {
    /// All tags, in the order of their bytes: not every registry keeps to an order.
    pub(super) async fn tags(&self) -> Result<BTreeSet<RefName>> {
        let mut tags = BTreeSet::new();
        let mut pages = Pages::default();
        let list = self.url("tags/list").await?;
        let mut url = list.with_query([("n", PAGE)]);
        loop {
            let asked_for_many = tags.is_empty() && url != list;
            let call = self.reads(Method::GET, url);
            let (answer, body) = match self.client().send_whole(&call, PAGE_LIMIT).await {
                // Some registries refuse a larger page than they like, instead of giving a smaller one.
                Err(error) if asked_for_many && matches!(error.status(), Some(400 | 413)) => {
                    url = list.clone();
                    continue;
                }
                answer => answer?,
            };
            let next = pages.after(&answer)?;
            let page: Page = parse(&body, &answer.url)?;
            tags.extend(page.tags.into_iter().flatten().map(|tag| RefName::verbatim(&tag)));
            match next {
                Some(next) => url = next,
                None => return Ok(tags),
            }
        }
    }
}
