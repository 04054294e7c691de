//! Listings that are asked for a page at a time.

use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

use bytes::Bytes;
use futures_core::Stream;

use crate::stream::BoxStream;
use crate::{Key, Names, Result};

/// How many records are listed at once.
const PAGE: usize = 256;

/// What one page gives, and behind which key the next one begins, if there is one.
pub(super) type Page<T> = (Vec<T>, Option<Key>);

type Asked<T> = Pin<Box<dyn Future<Output = Result<Page<T>>> + Send>>;

/// The items of pages, each asked for when the one before it was used up. The first is asked with `None`.
pub(super) fn pages<T, A, P>(ask: A) -> BoxStream<Result<T>>
where
    T: Send + Unpin + 'static,
    A: Fn(Option<Key>) -> P + Send + Unpin + 'static,
    P: Future<Output = Result<Page<T>>> + Send + 'static,
{
    Box::pin(Pages {
        ask: move |after| Box::pin(ask(after)) as Asked<T>,
        next: Next::After(None),
        asked: None,
        items: Vec::new().into_iter(),
    })
}

/// The records below a key, with their content. One that goes between the listing and the look is left out.
pub(super) async fn records(
    names: &dyn Names,
    under: &Key,
    after: Option<&Key>,
) -> Result<Page<(Key, Bytes)>> {
    let listed = names.list(under, after, PAGE).await?;
    let next = listed.last().map(|last| last.key.clone());
    let mut records = Vec::with_capacity(listed.len());
    for record in listed {
        let entry = match record.entry {
            Some(entry) => Some(entry),
            None => names.get(&record.key).await?,
        };
        records.extend(entry.map(|entry| (record.key, entry.bytes)));
    }
    Ok((records, next))
}

struct Pages<T, A> {
    ask: A,
    next: Next,
    asked: Option<Asked<T>>,
    items: vec::IntoIter<T>,
}

/// Where the next page begins.
enum Next {
    /// Behind a key, or at the beginning.
    After(Option<Key>),
    /// There is none: the last one was given, or an error.
    End,
}

impl<T: Unpin, A: Fn(Option<Key>) -> Asked<T> + Unpin> Stream for Pages<T, A> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        let this = &mut *self;
        loop {
            if let Some(item) = this.items.next() {
                return Poll::Ready(Some(Ok(item)));
            }
            let asked = match &mut this.asked {
                Some(asked) => asked,
                None => match mem::replace(&mut this.next, Next::End) {
                    Next::After(after) => this.asked.insert((this.ask)(after)),
                    Next::End => return Poll::Ready(None),
                },
            };
            let page = ready!(asked.as_mut().poll(context));
            this.asked = None;
            match page {
                Ok((items, next)) => {
                    this.items = items.into_iter();
                    this.next = next.map_or(Next::End, |after| Next::After(Some(after)));
                }
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}
