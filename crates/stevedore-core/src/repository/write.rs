//! A repository as a sink.

use async_trait::async_trait;
use bytes::Bytes;

use super::{Repositories, Repository};
use crate::collect::{self, Published, join, peek};
use crate::{
    Algorithm, Blob, BlobInfo, Descriptor, Digest, Document, Error, ErrorKind, Expected, Ingest, IngestKey,
    IngestPlan, Key, Place, Put, Result, Role, Selector, Sink, SinkTraits, Staging, Supply, When, supply,
};

/// How often a blob is written again that a collector took away before it could join.
const ATTEMPTS: u32 = 8;

impl Repository {
    /// Takes a blob over from another repository of the same store, if that has it.
    async fn mount(&self, digest: Digest, held_at: &[Place]) -> Result<bool> {
        for place in held_at {
            let Place::Memory { store, repository } = place else {
                continue;
            };
            if *store != self.all.inner.id {
                continue;
            }
            let from = self.all.open(repository)?.member(digest)?;
            let there = collect::check(self.store(), self.records(), &from).await?;
            if there.is_some()
                && join(self.store(), self.records(), &self.member(digest)?)
                    .await?
                    .is_some()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Writes bytes of a known digest and makes them the repository's.
    async fn write(&self, digest: Digest, bytes: &Bytes) -> Result<()> {
        let member = self.member(digest)?;
        for _ in 0..ATTEMPTS {
            let plan = IngestPlan::of(digest).with_size(bytes.len() as u64);
            if let Staging::Mine(mut ingest) = self.store().ingest(plan).await? {
                ingest.append(Blob::from(bytes.clone())).await?;
                ingest.commit(Expected::digest(digest)).await?;
            }
            if join(self.store(), self.records(), &member).await?.is_some() {
                return Ok(());
            }
        }
        Err(self.collected(digest))
    }

    /// Under which key a blob is staged: another repository's, for it may go on only with what it brought itself.
    fn staging_key(&self, digest: Digest) -> Result<IngestKey> {
        let name = Algorithm::Sha256.digest(self.name.as_bytes()).hex();
        IngestKey::parse(&format!("{digest}@{}", &name[..16]))
    }

    fn collected(&self, digest: Digest) -> Error {
        let message = format!(
            "{digest} was collected again and again while repository {} took it",
            self.name
        );
        Error::new(ErrorKind::Conflict, message)
    }

    /// Writes the record of a document, and keeps alive what of it the repository has.
    async fn publish(&self, document: &Document) -> Result<()> {
        let descriptor = document.descriptor();
        let key = self.manifest_key(&document.digest())?;
        let record = to_json(&descriptor)?;
        for _ in 0..ATTEMPTS {
            self.write(document.digest(), document.bytes()).await?;
            let mut needed = vec![self.member(document.digest())?];
            for child in document.children() {
                let Ok(digest) = child.descriptor.known_digest() else {
                    continue;
                };
                let member = self.member(digest)?;
                // What is not there does not belong: sparse indexes and foreign layers are legal.
                if peek(self.store(), self.records(), &member).await?.is_some() {
                    needed.push(member);
                }
            }
            match collect::publish(self.store(), self.records(), &key, record.clone(), &needed).await? {
                Published::Done(_) => return Ok(()),
                Published::Missing(_) | Published::Lost(_) => {}
            }
        }
        Err(self.collected(document.digest()))
    }

    async fn put_name(&self, key: &Key, digest: Digest, replace: bool) -> Result<()> {
        let bytes = Bytes::from(digest.to_string());
        if replace {
            self.records().put(key, bytes, When::Always).await?;
            return Ok(());
        }
        match self.records().put(key, bytes.clone(), When::Absent).await {
            Err(error) if error.kind() == ErrorKind::Conflict => match self.records().get(key).await? {
                Some(entry) if entry.bytes == bytes => Ok(()),
                _ => Err(error),
            },
            put => put.map(drop),
        }
    }

    async fn remove_document(&self, digest: Digest) -> Result<()> {
        let Some(descriptor) = self.manifest(&digest).await? else {
            return Err(self.not_found(format!("no document {digest}")));
        };
        // Names first: none of them may point to nothing. The record last: a repeat finds it and goes on.
        let tags = self.below("tags")?;
        let mut after = None;
        loop {
            let page = self.records().list(&tags, after.as_ref(), 256).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.key.clone());
            for listed in page {
                let Some(entry) = self.records().get(&listed.key).await? else {
                    continue;
                };
                if entry.bytes == digest.to_string() {
                    match self.records().remove(&listed.key, When::Is(entry.version)).await {
                        Err(error) if error.kind() == ErrorKind::Conflict => {}
                        removed => removed?,
                    }
                }
            }
        }
        use crate::Source as _;
        if let Ok(document) = self.document(&descriptor).await
            && let Some(Ok(subject)) = document.subject().map(Descriptor::known_digest)
        {
            let key = self.referrers_key(&subject)?.join(&digest.to_string())?;
            self.records().remove(&key, When::Always).await?;
        }
        self.records()
            .remove(&self.manifest_key(&digest)?, When::Always)
            .await
    }
}

#[async_trait]
impl Sink for Repository {
    fn traits(&self) -> SinkTraits {
        SinkTraits::new().with_ingest().with_remove()
    }

    async fn has(&self, descriptor: &Descriptor) -> Result<bool> {
        let member = self.member(descriptor.known_digest()?)?;
        let there = peek(self.store(), self.records(), &member).await?;
        Ok(there.is_some_and(|info| info.size == descriptor.size))
    }

    async fn put_blob(&self, descriptor: &Descriptor, held_at: &[Place], supply: &dyn Supply) -> Result<Put> {
        let digest = descriptor.known_digest()?;
        let member = self.member(digest)?;
        let there = collect::check(self.store(), self.records(), &member).await?;
        if there.is_some_and(|info| info.size == descriptor.size) {
            return Ok(Put::Present);
        }
        if self.mount(digest, held_at).await? {
            return Ok(Put::Mounted);
        }
        for _ in 0..ATTEMPTS {
            // That the store has the bytes for another repository says nothing here: only the bytes themselves, or a
            // mount, make a blob one of this repository's.
            supply::write_blob(self.store(), self.staging_key(digest)?, descriptor, supply).await?;
            if join(self.store(), self.records(), &member).await?.is_some() {
                return Ok(Put::Written);
            }
        }
        Err(self.collected(digest))
    }

    async fn ingest(&self, plan: IngestPlan) -> Result<Option<Staging>> {
        Ok(match self.store().ingest(plan).await? {
            Staging::Mine(ingest) => Some(Staging::Mine(Box::new(Joining {
                repository: self.clone(),
                ingest,
            }))),
            Staging::There(info) => {
                let member = self.member(info.digest)?;
                let there = collect::check(self.store(), self.records(), &member).await?;
                there.map(Staging::There)
            }
            other => Some(other),
        })
    }

    async fn put_document(&self, document: &Document, role: Role) -> Result<()> {
        self.publish(document).await?;
        let digest = document.digest();
        if let Some(subject) = document.subject() {
            let key = self
                .referrers_key(&subject.known_digest()?)?
                .join(&digest.to_string())?;
            let record = to_json(&document.referrer_descriptor())?;
            self.records().put(&key, record, When::Always).await?;
        }
        if let Role::Root { names, replace } = role {
            for name in &names {
                self.put_name(&self.tag_key(name)?, digest, replace).await?;
            }
        }
        Ok(())
    }

    async fn remove(&self, selector: &Selector) -> Result<()> {
        match selector {
            Selector::Digest(digest) => self.remove_document(*digest).await,
            Selector::Name(name) => {
                let key = self.tag_key(name)?;
                if self.records().get(&key).await?.is_none() {
                    return Err(self.not_found(format!("no tag {name}")));
                }
                self.records().remove(&key, When::Always).await
            }
            _ => Err(Error::new(
                ErrorKind::Unsupported,
                "only a tag or a digest can be removed",
            )),
        }
    }

    async fn finish(&self) -> Result<()> {
        Ok(())
    }
}

/// An ingest whose blob becomes the repository's with the commit.
#[derive(Debug)]
struct Joining {
    repository: Repository,
    ingest: Box<dyn Ingest>,
}

#[async_trait]
impl Ingest for Joining {
    async fn offset(&mut self) -> Result<u64> {
        self.ingest.offset().await
    }

    async fn append(&mut self, blob: Blob) -> Result<()> {
        self.ingest.append(blob).await
    }

    async fn commit(&mut self, expected: Expected) -> Result<BlobInfo> {
        let info = self.ingest.commit(expected).await?;
        let member = self.repository.member(info.digest)?;
        let joined = join(self.repository.store(), self.repository.records(), &member).await?;
        joined.ok_or_else(|| self.repository.collected(info.digest))
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        self.ingest.abort().await
    }
}

fn to_json(descriptor: &Descriptor) -> Result<Bytes> {
    let json = serde_json::to_vec(descriptor);
    json.map(Bytes::from)
        .map_err(|error| Error::new(ErrorKind::Invalid, "a descriptor is no JSON").with_source(error))
}

impl Repositories {
    /// The memberships of all repositories lie below this key, each under a last segment that is its digest.
    pub fn root_key(&self) -> &Key {
        &self.inner.root
    }
}
