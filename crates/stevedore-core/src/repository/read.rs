//! A repository as a source.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use async_trait::async_trait;
use futures_core::Stream;

use super::Repository;
use crate::collect::check;
use crate::raw::MANIFEST_LIMIT;
use crate::stream::BoxStream;
use crate::{
    Blob, ByteRange, Context as _, Descriptor, Digest, Document, Error, ErrorKind, Key, Listed, Named, Names,
    Place, ReferrerFilter, Result, Selector, Source,
};

/// How many records are listed at once.
const PAGE: usize = 256;

impl Repository {
    /// The digest that a selector names.
    async fn digest(&self, selector: &Selector) -> Result<Digest> {
        match selector {
            Selector::Digest(digest) => Ok(*digest),
            Selector::Name(name) => {
                let entry = self.records().get(&self.tag_key(name)?).await?;
                let entry = entry.ok_or_else(|| self.not_found(format!("no tag {name}")))?;
                parse_digest(&entry.bytes)
            }
            Selector::Nth(_) | Selector::Only => {
                let place = if let Selector::Nth(place) = selector {
                    *place
                } else {
                    0
                };
                let most = if matches!(selector, Selector::Only) {
                    2
                } else {
                    place + 1
                };
                let tags = self.records().list(&self.below("tags")?, None, most).await?;
                if matches!(selector, Selector::Only) && tags.len() > 1 {
                    let message = format!("{} has several tags, choose one", self.name);
                    return Err(Error::new(ErrorKind::Invalid, message));
                }
                let tag = tags
                    .get(place)
                    .ok_or_else(|| self.not_found(format!("no tag at place {place}")))?;
                let entry = match &tag.entry {
                    Some(entry) => Some(entry.clone()),
                    None => self.records().get(&tag.key).await?,
                };
                parse_digest(
                    &entry
                        .ok_or_else(|| self.not_found("no such tag any more".to_owned()))?
                        .bytes,
                )
            }
        }
    }

    /// The descriptor under which a document was put.
    pub(super) async fn manifest(&self, digest: &Digest) -> Result<Option<Descriptor>> {
        let entry = self.records().get(&self.manifest_key(digest)?).await?;
        entry.map(|entry| parse_descriptor(&entry.bytes)).transpose()
    }

    pub(super) fn not_found(&self, what: impl std::fmt::Display) -> Error {
        Error::new(
            ErrorKind::NotFound,
            format!("repository {} has {what}", self.name),
        )
    }
}

#[async_trait]
impl Source for Repository {
    async fn resolve(&self, selector: &Selector) -> Result<Descriptor> {
        let digest = self.digest(selector).await?;
        let descriptor = self.manifest(&digest).await?;
        descriptor.ok_or_else(|| self.not_found(format!("no document {digest}")))
    }

    async fn root(&self, selector: &Selector) -> Result<Document> {
        let descriptor = self.resolve(selector).await?;
        self.document(&descriptor).await
    }

    async fn document(&self, descriptor: &Descriptor) -> Result<Document> {
        let digest = descriptor.known_digest()?;
        if self.manifest(&digest).await?.is_none() {
            return Err(self.not_found(format!("no document {digest}")));
        }
        let blob = self.store().open(&digest, ByteRange::FULL).await?;
        let bytes = blob
            .into_bytes(MANIFEST_LIMIT as u64)
            .await
            .context(|| format!("cannot read {digest}"))?;
        Document::verified(bytes, descriptor)
    }

    async fn blob(&self, descriptor: &Descriptor, range: ByteRange) -> Result<Blob> {
        let digest = descriptor.known_digest()?;
        let there = check(self.store(), self.records(), &self.member(digest)?).await?;
        there.ok_or_else(|| self.not_found(format!("no blob {digest}")))?;
        self.store().open(&digest, range).await
    }

    fn place(&self, _: &Digest) -> Option<Place> {
        Some(Place::Memory {
            store: self.all.inner.id,
            repository: Arc::clone(&self.name),
        })
    }

    fn referrers(&self, subject: &Digest, filter: ReferrerFilter) -> BoxStream<Result<Descriptor>> {
        let under = self.referrers_key(subject);
        Records::stream(Arc::clone(&self.all.inner.names), under, move |_, bytes| {
            let referrer = parse_descriptor(bytes)?;
            Ok(filter.admits(&referrer).then_some(referrer))
        })
    }

    fn names(&self) -> BoxStream<Result<Named>> {
        Records::stream(Arc::clone(&self.all.inner.names), self.below("tags"), |key, _| {
            let name = key.last_unescaped().and_then(|name| name.parse().ok());
            Ok(name.map(|name| Named::new(name, None)))
        })
    }
}

fn parse_digest(bytes: &[u8]) -> Result<Digest> {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    Ok(text.parse()?)
}

fn parse_descriptor(bytes: &[u8]) -> Result<Descriptor> {
    serde_json::from_slice(bytes)
        .map_err(|error| Error::new(ErrorKind::Invalid, "a record is no descriptor").with_source(error))
}

type Page = Pin<Box<dyn Future<Output = Result<Vec<Listed>>> + Send>>;

/// The records below a key, a page at a time, each turned into an item.
struct Records<F> {
    names: Arc<dyn Names>,
    under: Key,
    after: Option<Key>,
    page: Option<Page>,
    listed: VecDeque<Listed>,
    item: F,
}

impl<F> Records<F> {
    fn stream<T>(names: Arc<dyn Names>, under: Result<Key>, item: F) -> BoxStream<Result<T>>
    where
        F: Fn(&Key, &[u8]) -> Result<Option<T>> + Send + Unpin + 'static,
        T: Send + Unpin + 'static,
    {
        match under {
            Ok(under) => {
                let mut records = Self {
                    names,
                    under,
                    after: None,
                    page: None,
                    listed: VecDeque::new(),
                    item,
                };
                records.turn();
                Box::pin(records)
            }
            Err(error) => Box::pin(crate::stream::iter([Err(error)])),
        }
    }

    /// Asks for the next page, each record with its content.
    fn turn(&mut self) {
        let (names, under, after) = (Arc::clone(&self.names), self.under.clone(), self.after.clone());
        self.page = Some(Box::pin(async move {
            let mut page = names.list(&under, after.as_ref(), PAGE).await?;
            for listed in &mut page {
                if listed.entry.is_none() {
                    listed.entry = names.get(&listed.key).await?;
                }
            }
            Ok(page)
        }));
    }
}

impl<F, T> Stream for Records<F>
where
    F: Fn(&Key, &[u8]) -> Result<Option<T>> + Unpin,
{
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<Option<Result<T>>> {
        loop {
            while let Some(listed) = self.listed.pop_front() {
                // One that went between the listing and the look is no item.
                let Some(entry) = listed.entry else { continue };
                match (self.item)(&listed.key, &entry.bytes).transpose() {
                    Some(item) => return Poll::Ready(Some(item)),
                    None => continue,
                }
            }
            let Some(page) = &mut self.page else {
                return Poll::Ready(None);
            };
            let page = ready!(page.as_mut().poll(context));
            self.page = None;
            match page {
                Ok(page) => {
                    if let Some(last) = page.last() {
                        self.after = Some(last.key.clone());
                        self.listed = page.into();
                        self.turn();
                    }
                }
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}
