//! A repository as a sink.

use async_trait::async_trait;
use bytes::Bytes;

use super::joining::Joining;
use super::record::Record;
use super::{ATTEMPTS, Repository};
use crate::collect::{self, Published, join, peek};
use crate::{
    Algorithm, Blob, Descriptor, Digest, Document, Error, ErrorKind, Expected, IngestKey, IngestPlan, Key,
    Place, Put, Result, Role, Selector, Sink, SinkTraits, Staging, Supply, When, supply,
};

#[async_trait]
impl Sink for Repository {
    fn traits(&self) -> SinkTraits {
        SinkTraits::new().with_ingest().with_remove()
    }

    /// Whether a blob belongs to the repository, or a document is one of its documents under this type.
    async fn has(&self, descriptor: &Descriptor) -> Result<bool> {
        let digest = descriptor.known_digest()?;
        if let Some(record) = self.manifest(&digest).await?
            && record.descriptor.media_type == descriptor.media_type
        {
            return Ok(record.descriptor.size == descriptor.size);
        }
        // The bytes of a document that was removed are still a blob of the repository; the document is not there.
        if descriptor.media_type.is_document() {
            return Ok(false);
        }
        let there = peek(self.store(), self.records(), &self.member(digest)?).await?;
        Ok(there.is_some_and(|info| info.size == descriptor.size))
    }

    async fn put_blob(&self, descriptor: &Descriptor, held_at: &[Place], supply: &dyn Supply) -> Result<Put> {
        let digest = descriptor.known_digest()?;
        let member = self.member(digest)?;
        let there = collect::check(self.store(), self.records(), &member).await?;
        if there.is_some_and(|info| info.size == descriptor.size) {
            return Ok(Put::Present);
        }
        if self.mount(digest, descriptor.size, held_at).await? {
            return Ok(Put::Mounted);
        }
        for _ in 0..ATTEMPTS {
            // That the store has the bytes for another repository says nothing here: only the bytes themselves, or a
            // mount, make a blob one of this repository's.
            let key = self.staging_key(&digest.to_string())?;
            supply::write_blob(self.store(), key, descriptor, supply).await?;
            if join(self.store(), self.records(), &member).await?.is_some() {
                return Ok(Put::Written);
            }
        }
        Err(self.collected(digest))
    }

    async fn ingest(&self, mut plan: IngestPlan) -> Result<Option<Staging>> {
        if let Some(key) = &plan.key {
            plan.key = Some(self.staging_key(key.as_str())?);
        }
        let mut planned = None;
        if let Some(digest) = plan.digest {
            let member = self.member(digest)?;
            if let Some(info) = collect::check(self.store(), self.records(), &member).await? {
                return Ok(Some(Staging::There(info)));
            }
            // Else the store could answer that it has the bytes, for another repository.
            planned = plan.digest.take();
            plan.algorithm = digest.algorithm();
        }
        Ok(Some(match self.store().ingest(plan).await? {
            Staging::Mine(ingest) => Staging::Mine(Box::new(Joining::new(self.clone(), ingest, planned))),
            other => other,
        }))
    }

    async fn put_document(&self, document: &Document, role: Role) -> Result<()> {
        let (names, replace) = match role {
            Role::Child => (Vec::new(), true),
            Role::Root { names, replace } => (names, replace),
        };
        let digest = document.digest();
        let tags = names
            .iter()
            .map(|name| self.tag_key(name))
            .collect::<Result<Vec<_>>>()?;
        if !replace {
            // All of them before anything is written.
            for key in &tags {
                self.check_free(key, digest).await?;
            }
        }
        let referrer = self.referrer_key(document)?;
        for _ in 0..ATTEMPTS {
            self.publish(document).await?;
            if let Some(key) = &referrer {
                let record = Record::new(document.referrer_descriptor()).to_bytes()?;
                self.records().put(key, record, When::Always).await?;
            }
            for key in &tags {
                self.put_tag(key, digest, replace).await?;
            }
            if referrer.is_none() && tags.is_empty() {
                return Ok(());
            }
            // A removal that began before the names were there may have missed them.
            if self.manifest(&digest).await?.is_some_and(|record| !record.going) {
                return Ok(());
            }
        }
        let message = format!("others keep removing {digest} from repository {}", self.name);
        Err(Error::new(ErrorKind::Conflict, message))
    }

    async fn remove(&self, selector: &Selector) -> Result<()> {
        match selector {
            Selector::Digest(digest) => self.remove_document(*digest).await,
            Selector::Name(name) => self.remove_tag(name).await,
            Selector::Nth(_) | Selector::Only => {
                let message = "only a tag or a digest can be removed";
                Err(Error::new(ErrorKind::Unsupported, message))
            }
        }
    }

    async fn finish(&self) -> Result<()> {
        Ok(())
    }
}

impl Repository {
    /// Takes a blob over from another repository of the same store, if that has it.
    async fn mount(&self, digest: Digest, size: u64, held_at: &[Place]) -> Result<bool> {
        for place in held_at {
            let Place::Memory { store, repository } = place else {
                continue;
            };
            if *store != self.all.inner.id {
                continue;
            }
            let from = self.all.open(repository)?.member(digest)?;
            let there = collect::check(self.store(), self.records(), &from).await?;
            if there.is_some_and(|info| info.size == size)
                && join(self.store(), self.records(), &self.member(digest)?)
                    .await?
                    .is_some()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Writes the bytes of a document and makes them the repository's.
    async fn write(&self, digest: Digest, bytes: &Bytes) -> Result<()> {
        let member = self.member(digest)?;
        for _ in 0..ATTEMPTS {
            let plan = IngestPlan::of(digest).with_size(bytes.len() as u64);
            // Where the store has them for another repository, these are the same, and nobody needs them again.
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

    /// Writes the record of a document, and keeps alive what of it the repository has.
    async fn publish(&self, document: &Document) -> Result<()> {
        let key = self.manifest_key(&document.digest())?;
        let record = Record::new(document.descriptor()).to_bytes()?;
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

    async fn put_tag(&self, key: &Key, digest: Digest, replace: bool) -> Result<()> {
        let bytes = Bytes::from(digest.to_string());
        if replace {
            return self.records().put(key, bytes, When::Always).await.map(drop);
        }
        match self.records().put(key, bytes, When::Absent).await {
            Err(error) if error.kind() == ErrorKind::Conflict => self.check_free(key, digest).await,
            put => put.map(drop),
        }
    }

    /// Refuses a tag that names another document.
    async fn check_free(&self, key: &Key, digest: Digest) -> Result<()> {
        let entry = self.records().get(key).await?;
        if entry.is_none_or(|entry| entry.bytes == digest.to_string()) {
            return Ok(());
        }
        let tag = key.last_unescaped().unwrap_or_default();
        let message = format!(
            "tag {tag} of repository {} names another document already",
            self.name
        );
        Err(Error::new(ErrorKind::Conflict, message))
    }

    /// Under which key something is staged: another one in each repository, for one may go on only with what it brought
    /// itself.
    fn staging_key(&self, key: &str) -> Result<IngestKey> {
        let repository = &Algorithm::Sha256.digest(self.name.as_bytes()).hex()[..16];
        IngestKey::parse(&format!("{key}@{repository}")).or_else(|_| {
            let key = Algorithm::Sha256.digest(key.as_bytes()).hex();
            IngestKey::parse(&format!("{key}@{repository}"))
        })
    }

    pub(super) fn collected(&self, digest: Digest) -> Error {
        let message = format!(
            "{digest} was collected again and again while repository {} took it",
            self.name
        );
        Error::new(ErrorKind::Conflict, message)
    }
}
