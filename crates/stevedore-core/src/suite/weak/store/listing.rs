//! What a store lists.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::super::bucket::{Bucket, Object};
use super::state::Record;
use super::{PAGE, RECORDS};
use crate::{BlobInfo, Result};

type Page = Pin<Box<dyn Future<Output = Vec<(String, Object)>> + Send>>;

/// All records that are live, in pages.
pub(super) struct Listing {
    bucket: Arc<Bucket>,
    page: std::vec::IntoIter<(String, Object)>,
    next: Option<Page>,
}

fn list_page(bucket: Arc<Bucket>, after: Option<String>) -> Page {
    Box::pin(async move { bucket.list(RECORDS, after.as_deref(), PAGE).await })
}

impl Listing {
    pub(super) fn new(bucket: Arc<Bucket>) -> Self {
        Self {
            page: Vec::new().into_iter(),
            next: Some(list_page(Arc::clone(&bucket), None)),
            bucket,
        }
    }
}

impl Stream for Listing {
    type Item = Result<BlobInfo>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            for (key, object) in self.page.by_ref() {
                let Ok(digest) = key[RECORDS.len()..].parse() else {
                    continue;
                };
                match Record::parse(&digest, &object) {
                    Ok((record, tag)) => {
                        if let Some(info) = record.info(&digest, tag) {
                            return Poll::Ready(Some(Ok(info)));
                        }
                    }
                    Err(error) => return Poll::Ready(Some(Err(error))),
                }
            }
            let Some(next) = &mut self.next else {
                return Poll::Ready(None);
            };
            let page = ready!(next.as_mut().poll(context));
            let last = page.last().map(|(key, _)| key.clone());
            self.next = last.map(|last| list_page(Arc::clone(&self.bucket), Some(last)));
            self.page = page.into_iter();
        }
    }
}
