//! A repository as a source.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::Repository;
use super::pages::{pages, records};
use super::record::Record;
use crate::MediaType;
use crate::collect::check;
use crate::raw::MANIFEST_LIMIT;
use crate::stream::{self, BoxStream};
use crate::{
    Blob, ByteRange, Context as _, Descriptor, Digest, Document, Error, ErrorKind, Key, Named, Names, Place,
    RefName, ReferrerFilter, Result, Selector, Source,
};

impl Repository {
    /// The record of a document.
    pub(super) async fn manifest(&self, digest: &Digest) -> Result<Option<Record>> {
        let key = self.manifest_key(digest)?;
        let entry = self.records().get(&key).await?;
        entry.map(|entry| Record::parse(&key, &entry.bytes)).transpose()
    }

    /// The bytes of a document as the document that a descriptor promises.
    pub(super) async fn read(&self, descriptor: &Descriptor) -> Result<Document> {
        let digest = descriptor.known_digest()?;
        let read = async {
            let blob = self.store().open(&digest, ByteRange::FULL).await?;
            Document::verified(blob.into_bytes(MANIFEST_LIMIT as u64).await?, descriptor)
        };
        read.await
            .context(|| format!("cannot read {digest} of repository {}", self.name))
    }

    pub(super) fn not_found(&self, what: impl fmt::Display) -> Error {
        Error::new(
            ErrorKind::NotFound,
            format!("repository {} has no {what}", self.name),
        )
    }

    /// The digest that a selector names.
    async fn digest(&self, selector: &Selector) -> Result<Digest> {
        match selector {
            Selector::Digest(digest) => Ok(*digest),
            Selector::Name(name) => {
                let key = self.tag_key(name)?;
                let entry = self.records().get(&key).await?;
                let entry = entry.ok_or_else(|| self.not_found(format!("tag {name}")))?;
                parse_tag(&key, &entry.bytes)
            }
            Selector::Nth(place) => {
                let tags = tags(self.records(), &self.below("tags")?).await?;
                let digest = tags.values().nth(*place).copied();
                digest.ok_or_else(|| self.not_found(format!("tag at place {place}")))
            }
            Selector::Only => {
                let tags = tags(self.records(), &self.below("tags")?).await?;
                let mut digests = tags.values();
                let only = digests.next().ok_or_else(|| self.not_found("tag"))?;
                // Two names of one image are no choice to make.
                if digests.any(|other| other != only) {
                    let message = format!("repository {} has several images, choose one", self.name);
                    return Err(Error::new(ErrorKind::Invalid, message));
                }
                Ok(*only)
            }
        }
    }
}

#[async_trait]
impl Source for Repository {
    async fn resolve(&self, selector: &Selector) -> Result<Descriptor> {
        let digest = self.digest(selector).await?;
        match self.manifest(&digest).await? {
            Some(record) => Ok(record.descriptor),
            None => Err(self.not_found(format!("document {digest}"))),
        }
    }

    async fn root(&self, selector: &Selector) -> Result<Document> {
        let descriptor = self.resolve(selector).await?;
        self.read(&descriptor).await
    }

    async fn document(&self, descriptor: &Descriptor) -> Result<Document> {
        let digest = descriptor.known_digest()?;
        let Some(record) = self.manifest(&digest).await? else {
            return Err(self.not_found(format!("document {digest}")));
        };
        if record.descriptor.media_type != descriptor.media_type {
            let (expected, actual) = (&descriptor.media_type, &record.descriptor.media_type);
            return Err(Error::mismatch(
                format!("the media type of {digest}"),
                expected,
                actual,
            ));
        }
        self.read(descriptor).await
    }

    async fn blob(&self, descriptor: &Descriptor, range: ByteRange) -> Result<Blob> {
        let digest = descriptor.known_digest()?;
        let there = check(self.store(), self.records(), &self.member(digest)?).await?;
        if there.is_none() {
            return Err(self.not_found(format!("blob {digest}")));
        }
        self.store().open(&digest, range).await
    }

    async fn find_blob(&self, digest: &Digest) -> Result<Descriptor> {
        let there = check(self.store(), self.records(), &self.member(*digest)?).await?;
        let info = match there {
            Some(_) => self.store().stat(digest).await?,
            None => None,
        };
        let info = info.ok_or_else(|| self.not_found(format!("blob {digest}")))?;
        Ok(Descriptor::new(MediaType::OCTET_STREAM, *digest, info.size))
    }

    fn place(&self, _: &Digest) -> Option<Place> {
        Some(Place::Memory {
            store: self.all.inner.id,
            repository: Arc::clone(&self.name),
        })
    }

    fn referrers(&self, subject: &Digest, filter: ReferrerFilter) -> BoxStream<Result<Descriptor>> {
        let (names, filter) = (Arc::clone(&self.all.inner.names), Arc::new(filter));
        let under = match self.referrers_key(subject) {
            Ok(under) => under,
            Err(error) => return failed(error),
        };
        pages(move |after| {
            let (names, filter, under) = (Arc::clone(&names), Arc::clone(&filter), under.clone());
            async move {
                let (page, next) = records(&*names, &under, after.as_ref()).await?;
                let mut referrers = Vec::with_capacity(page.len());
                for (key, bytes) in page {
                    let referrer = Record::parse(&key, &bytes)?.descriptor;
                    if filter.admits(&referrer) {
                        referrers.push(referrer);
                    }
                }
                Ok((referrers, next))
            }
        })
    }

    fn names(&self) -> BoxStream<Result<Named>> {
        let names = Arc::clone(&self.all.inner.names);
        let under = match self.below("tags") {
            Ok(under) => under,
            Err(error) => return failed(error),
        };
        pages(move |_| {
            let (names, under) = (Arc::clone(&names), under.clone());
            async move {
                let tags = tags(&*names, &under).await?;
                let named = tags.into_keys().map(|name| Named::new(name, None));
                Ok((named.collect(), None))
            }
        })
    }
}

/// All tags, in the order of the bytes of their names. That of their keys is another where a name is escaped in its
/// key, so all are in memory at once: some 100 bytes each.
async fn tags(names: &dyn Names, under: &Key) -> Result<BTreeMap<RefName, Digest>> {
    let mut tags = BTreeMap::new();
    let mut after = None;
    loop {
        let (page, next) = records(names, under, after.as_ref()).await?;
        for (key, bytes) in page {
            let name = key.last_unescaped().unwrap_or_else(|| key.last().to_owned());
            tags.insert(RefName::verbatim(&name), parse_tag(&key, &bytes)?);
        }
        if next.is_none() {
            return Ok(tags);
        }
        after = next;
    }
}

pub(super) fn parse_tag(key: &Key, bytes: &[u8]) -> Result<Digest> {
    let digest: Result<Digest> = std::str::from_utf8(bytes)
        .unwrap_or_default()
        .parse()
        .map_err(Error::from);
    digest.context(|| format!("record {key} is not a tag"))
}

fn failed<T: Send + 'static>(error: Error) -> BoxStream<Result<T>> {
    let mut error = Some(error);
    Box::pin(stream::iter(std::iter::from_fn(move || error.take().map(Err))))
}
