//! What clients and collectors do.

use std::sync::{Arc, Mutex};

use stevedore_core::collect::{Published, collect};
use stevedore_core::{Blob, Error, ErrorKind, Expected, Ingest, IngestPlan, Result, Staging, Takeover, When};

use super::executor::Nap;
use super::ledger::Ledger;
use super::world::{
    MANIFESTS, Manifests, Process, REPOSITORIES, World, content, digest, manifest_bytes, manifest_key,
    member, tag_key, upload,
};

/// How many things a client does in a run.
const ACTIONS: usize = 4;

/// How often a client tries one thing before it gives up.
const TRIES: usize = 6;

#[derive(Clone, Copy, Debug)]
enum Action {
    Push {
        repository: usize,
        manifest: usize,
    },
    Delete {
        repository: usize,
        manifest: usize,
    },
    /// What was just deleted, pushed again.
    Replace {
        repository: usize,
        manifest: usize,
    },
    Head {
        repository: usize,
        blob: usize,
    },
    PushBlob {
        repository: usize,
        blob: usize,
    },
    Abandon {
        repository: usize,
        blob: usize,
    },
}

/// What a client remembers when its process is killed: what it was about to do. It does that again.
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<(usize, Option<Action>)>>);

pub(crate) struct Client {
    pub(crate) world: Arc<World>,
    pub(crate) ledger: Ledger,
    pub(crate) process: Process,
    pub(crate) nap: Nap,
    pub(crate) memory: Memory,
}

impl Client {
    pub(crate) async fn run(self) {
        while let Some(action) = self.next_action() {
            for _ in 0..TRIES {
                // An error here is an answer that a client got; it tries again or gives up.
                if let Ok(true) = self.perform(action).await {
                    break;
                }
            }
            self.memory.0.lock().unwrap().1 = None;
            let pause = self.world.chance.up_to(self.world.grace / 2);
            self.nap.take(pause).await;
        }
    }

    fn next_action(&self) -> Option<Action> {
        let mut memory = self.memory.0.lock().unwrap();
        let (done, current) = &mut *memory;
        if current.is_none() {
            if *done == ACTIONS {
                return None;
            }
            *done += 1;
            *current = Some(self.choose());
        }
        *current
    }

    fn choose(&self) -> Action {
        let chance = &self.world.chance;
        let (repository, manifest) = (
            chance.index(self.world.repositories),
            chance.index(self.world.manifests),
        );
        let blob = chance.index(self.world.blobs);
        match chance.below(12) {
            0..=4 => Action::Push { repository, manifest },
            5 | 6 => Action::Delete { repository, manifest },
            7 => Action::Replace { repository, manifest },
            8 => Action::Head { repository, blob },
            9 | 10 => Action::PushBlob { repository, blob },
            _ => Action::Abandon { repository, blob },
        }
    }

    /// Gives whether it is done.
    async fn perform(&self, action: Action) -> Result<bool> {
        match action {
            Action::Push { repository, manifest } => self.push(repository, manifest).await,
            Action::Delete { repository, manifest } => self.delete(repository, manifest).await,
            Action::Replace { repository, manifest } => {
                self.delete(repository, manifest).await?;
                self.push(repository, manifest).await
            }
            Action::Head { repository, blob } => self.head(repository, blob).await.map(|_| true),
            Action::PushBlob { repository, blob } => self.push_blob(repository, blob).await,
            Action::Abandon { repository, blob } => self.abandon(repository, blob).await,
        }
    }

    async fn push(&self, repository: usize, manifest: usize) -> Result<bool> {
        for blob in MANIFESTS[manifest] {
            if !self.provide(repository, *blob).await? {
                return Ok(false);
            }
        }
        let needed: Vec<_> = MANIFESTS[manifest]
            .iter()
            .map(|blob| member(repository, *blob))
            .collect();
        let push = self.ledger.push_begins(repository, manifest);
        let (key, bytes) = (manifest_key(repository, manifest), manifest_bytes(manifest));
        let Process { store, names } = &self.process;
        let variant = self.world.variant;
        match variant.publish(&**store, &**names, &key, bytes, &needed).await? {
            Published::Done(_) => {}
            _ => return Ok(false),
        }
        let tag = tag_key(repository, manifest);
        names
            .put(&tag, key.as_str().to_owned().into(), When::Always)
            .await?;
        self.ledger.push_acknowledged(repository, manifest, &push);
        Ok(true)
    }

    async fn delete(&self, repository: usize, manifest: usize) -> Result<bool> {
        let _deleting = self.ledger.delete_begins(repository, manifest);
        let names = &self.process.names;
        names.remove(&tag_key(repository, manifest), When::Always).await?;
        let key = manifest_key(repository, manifest);
        if let Some(entry) = names.get(&key).await? {
            names.remove(&key, When::Is(entry.version)).await?;
        }
        Ok(true)
    }

    /// Sees to it that a blob is in a repository, as a client that pushes an image does.
    async fn provide(&self, repository: usize, blob: usize) -> Result<bool> {
        if !self.world.chance.one_in(4) && self.head(repository, blob).await? {
            return Ok(true);
        }
        if self.world.chance.one_in(3) && self.mount(repository, blob).await? {
            return Ok(true);
        }
        self.push_blob(repository, blob).await
    }

    async fn head(&self, repository: usize, blob: usize) -> Result<bool> {
        let until = self.world.clock.now() + self.world.grace / 2;
        let Process { store, names } = &self.process;
        let variant = self.world.variant;
        let there = variant
            .check(&**store, &**names, &member(repository, blob))
            .await?
            .is_some();
        if there {
            self.ledger.promised(repository, blob, until, "HEAD");
        }
        Ok(there)
    }

    async fn mount(&self, repository: usize, blob: usize) -> Result<bool> {
        let from = (repository + 1) % REPOSITORIES;
        Ok(self.head(from, blob).await? && self.join(repository, blob, "a mount").await?)
    }

    async fn join(&self, repository: usize, blob: usize, by: &'static str) -> Result<bool> {
        let until = self.world.clock.now() + self.world.grace / 2;
        let Process { store, names } = &self.process;
        let variant = self.world.variant;
        let joined = variant
            .join(&**store, &**names, &member(repository, blob))
            .await?
            .is_some();
        if joined {
            self.ledger.promised(repository, blob, until, by);
        }
        Ok(joined)
    }

    async fn push_blob(&self, repository: usize, blob: usize) -> Result<bool> {
        if let Some(mut ingest) = self.stage(repository, blob).await? {
            self.append(&mut *ingest, blob, usize::MAX).await?;
            ingest.commit(Expected::digest(digest(blob))).await?;
        }
        self.join(repository, blob, "a push").await
    }

    /// An upload begun and left.
    async fn abandon(&self, repository: usize, blob: usize) -> Result<bool> {
        let plan = IngestPlan::new(digest(blob).algorithm()).with_key(upload(repository, blob));
        if let Staging::Mine(mut ingest) = self.process.store.ingest(plan).await? {
            let half = self.world.chance.index(content(blob).len());
            self.append(&mut *ingest, blob, half).await?;
        }
        Ok(true)
    }

    /// Where to write a blob, or `None` where it is there.
    async fn stage(&self, repository: usize, blob: usize) -> Result<Option<Box<dyn Ingest>>> {
        let (store, chance) = (&self.process.store, &self.world.chance);
        let key = upload(repository, blob);
        if chance.one_in(3)
            && let Staging::Mine(ingest) = store.resume(&key, Takeover::Force).await?
        {
            return Ok(Some(ingest));
        }
        let plan = if chance.one_in(2) {
            IngestPlan::of(digest(blob))
        } else {
            IngestPlan::new(digest(blob).algorithm())
        };
        let keyed = plan.clone().with_key(key);
        let staging = store
            .ingest(if chance.one_in(3) { keyed } else { plan.clone() })
            .await?;
        let staging = match staging {
            Staging::Busy => {
                self.nap.take(chance.up_to(self.world.grace / 4)).await;
                store.ingest(plan).await?
            }
            staging => staging,
        };
        match staging {
            Staging::Mine(ingest) => Ok(Some(ingest)),
            Staging::There(_) => Ok(None),
            _ => Err(Error::new(ErrorKind::Conflict, "somebody else writes it")),
        }
    }

    /// Goes on from where the staged bytes end.
    async fn append(&self, ingest: &mut dyn Ingest, blob: usize, to: usize) -> Result<()> {
        let content = content(blob);
        let from = usize::try_from(ingest.offset().await?).unwrap();
        let to = to.min(content.len());
        if from < to {
            let middle = from + (to - from) / 2;
            if self.world.chance.one_in(2) {
                ingest.append(Blob::from(content.slice(from..middle))).await?;
                ingest.append(Blob::from(content.slice(middle..to))).await?;
            } else {
                ingest.append(Blob::from(content.slice(from..to))).await?;
            }
        }
        Ok(())
    }
}

/// Collects now and then, for ever.
pub(crate) async fn collector(world: Arc<World>, process: Process, nap: Nap) {
    loop {
        let pause = world.chance.up_to(world.grace);
        nap.take(pause).await;
        let mark = Manifests(Arc::clone(&process.names));
        // What fails is left to the next one.
        let _report = collect(&*process.store, &*process.names, &mark, &world.collection()).await;
    }
}
