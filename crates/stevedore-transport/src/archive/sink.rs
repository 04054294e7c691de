//! An archive as a sink.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::join;
use stevedore_core::annotations::REF_NAME;
use stevedore_core::{
    Algorithm, Blob, Descriptor, Digest, Document, Error, ErrorKind, ImageIndex, IngestPlan, MediaType,
    Place, Put, Raw, RefName, Result, Role, Selector, Sink, SinkTraits, Staging, Supply,
};
use tokio::sync::mpsc;

use super::docker::FULL_NAME;
use super::manifest::Images;
use super::output::Output;
use super::tape::Tape;
use super::{ArchiveForm, manifest};
use crate::files::blocking;
use crate::layout::HEADER;
use crate::{WriteOptions, fallback};

/// How many chunks of a body wait for being written; each has at most some hundred KiB.
const QUEUED: usize = 8;

/// An archive that is written, as a [`Sink`]. Its blobs come one by one. Nothing has its name before
/// [`finish`](Sink::finish), which can be called once.
#[derive(Clone)]
pub struct ArchiveSink {
    path: PathBuf,
    form: ArchiveForm,
    options: WriteOptions,
    progress: Arc<tokio::sync::Mutex<Progress>>,
}

/// How far the archive is.
#[derive(Default)]
struct Progress {
    /// What it is written to, once something is.
    tape: Option<Arc<Mutex<Tape>>>,
    finished: bool,
    /// The digests and sizes of what is in it.
    there: HashMap<Digest, u64>,
    /// The entries of its `index.json`.
    entries: Vec<Descriptor>,
    /// What refers to what.
    referrers: BTreeMap<Digest, Vec<Descriptor>>,
    images: Images,
}

impl ArchiveSink {
    /// An archive in a file, or on stdout for the path `-`. Nothing is made yet.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] where a file is there that is not to be replaced.
    pub fn create(path: impl Into<PathBuf>, form: ArchiveForm, options: WriteOptions) -> Result<Self> {
        let path = path.into();
        if !options.replace && std::fs::metadata(&path).is_ok_and(|metadata| metadata.is_file()) {
            let message = format!("the file {} is there already", path.display());
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        Ok(Self {
            path,
            form,
            options,
            progress: Arc::default(),
        })
    }

    /// The file; `-` for stdout.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is written to; begins it with what tells that it is a layout.
    async fn tape(&self, progress: &mut Progress) -> Result<Arc<Mutex<Tape>>> {
        if progress.finished {
            let message = format!("the archive {} is finished already", self.path.display());
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        if let Some(tape) = &progress.tape {
            return Ok(Arc::clone(tape));
        }
        let (path, options) = (self.path.clone(), self.options);
        let tape = blocking(move || {
            let mut tape = Tape::new(Output::open(&path, options)?);
            tape.put("oci-layout", HEADER)?;
            Ok(tape)
        });
        let tape = Arc::new(Mutex::new(tape.await?));
        progress.tape = Some(Arc::clone(&tape));
        Ok(tape)
    }

    async fn put_bytes(&self, progress: &mut Progress, document: &Document) -> Result<()> {
        let (digest, bytes) = (document.digest(), document.bytes().clone());
        let tape = self.tape(progress).await?;
        if progress.there.contains_key(&digest) {
            return Ok(());
        }
        let put = blocking(move || {
            let mut tape = locked(&tape);
            let from = usize::try_from(tape.begin(digest, bytes.len() as u64)?).unwrap_or(usize::MAX);
            tape.append(bytes.get(from..).unwrap_or_default())?;
            tape.finish_blob()
        });
        put.await?;
        progress.there.insert(digest, document.size());
        Ok(())
    }
}

impl Progress {
    /// Files a root under its names, each of which names one thing only.
    fn name(&mut self, form: ArchiveForm, root: &Descriptor, names: &[RefName]) {
        if names.is_empty() && !self.entries.iter().any(|entry| entry.digest == root.digest) {
            self.entries.push(root.clone());
        }
        for name in names {
            let entry = match (form, name.as_str().rsplit_once(':')) {
                (ArchiveForm::Docker, Some((_, tag))) => {
                    let entry = root.clone().with_annotation(REF_NAME, tag);
                    entry.with_annotation(FULL_NAME, name.as_str())
                }
                _ => root.clone().with_annotation(REF_NAME, name.as_str()),
            };
            let known_by = |entry: &Descriptor| {
                let known = entry
                    .annotations
                    .get(FULL_NAME)
                    .or(entry.annotations.get(REF_NAME));
                known.cloned()
            };
            let name = known_by(&entry);
            self.entries.retain(|other| known_by(other) != name);
            self.entries.push(entry);
        }
    }
}

#[async_trait]
impl Sink for ArchiveSink {
    fn traits(&self) -> SinkTraits {
        SinkTraits::new().with_sequential()
    }

    async fn has(&self, descriptor: &Descriptor) -> Result<bool> {
        let digest = descriptor.known_digest()?;
        Ok(self.progress.lock().await.there.get(&digest) == Some(&descriptor.size))
    }

    async fn put_blob(
        &self,
        descriptor: &Descriptor,
        _held_at: &[Place],
        supply: &dyn Supply,
    ) -> Result<Put> {
        let (digest, size) = (descriptor.known_digest()?, descriptor.size);
        let mut progress = self.progress.lock().await;
        match progress.there.get(&digest) {
            Some(there) if *there == size => return Ok(Put::Present),
            Some(there) => {
                return Err(Error::mismatch(
                    digest,
                    format!("{size} bytes"),
                    format!("{there} bytes"),
                ));
            }
            None => {}
        }
        let tape = self.tape(&mut progress).await?;
        let beginning = Arc::clone(&tape);
        let from = blocking(move || locked(&beginning).begin(digest, size)).await?;
        if from < size {
            feed(&tape, supply.open(from).await?).await?;
        }
        blocking(move || locked(&tape).finish_blob()).await?;
        progress.there.insert(digest, size);
        Ok(Put::Written)
    }

    async fn ingest(&self, _plan: IngestPlan) -> Result<Option<Staging>> {
        Ok(None)
    }

    async fn put_document(&self, document: &Document, role: Role) -> Result<()> {
        let mut progress = self.progress.lock().await;
        self.put_bytes(&mut progress, document).await?;
        progress.images.note(document);
        if let Some(subject) = document.subject() {
            let mut referrer = document.referrer_descriptor();
            // The annotations are the document's own: it must not name itself here.
            referrer.annotations.remove(REF_NAME);
            let filed = progress.referrers.entry(subject.known_digest()?).or_default();
            if !filed.iter().any(|other| other.digest == referrer.digest) {
                filed.push(referrer.clone());
            }
            progress.name(ArchiveForm::Oci, &referrer, &[]);
        }
        if let Role::Root { names, .. } = role {
            progress.name(self.form, &document.descriptor(), &names);
            progress.images.root(document.digest(), &names);
        }
        Ok(())
    }

    async fn remove(&self, _selector: &Selector) -> Result<()> {
        let message = format!(
            "{} is an archive, which is only written whole",
            self.path.display()
        );
        Err(Error::new(ErrorKind::Unsupported, message))
    }

    async fn finish(&self) -> Result<()> {
        let mut progress = self.progress.lock().await;
        let tape = self.tape(&mut progress).await?;
        let manifest = match self.form {
            ArchiveForm::Docker => Some(manifest::of(&progress.images, |digest| {
                progress.there.contains_key(digest)
            })?),
            ArchiveForm::Oci => None,
        };
        for (subject, referrers) in std::mem::take(&mut progress.referrers) {
            let index = Raw::encode(
                &ImageIndex::new(referrers),
                MediaType::OCI_INDEX,
                Algorithm::Sha256,
            )?;
            let filed = Document::Index(index);
            self.put_bytes(&mut progress, &filed).await?;
            let tag = RefName::verbatim(&fallback::tag(&subject));
            progress.name(ArchiveForm::Oci, &filed.descriptor(), &[tag]);
        }
        let index = Raw::encode(
            &ImageIndex::new(progress.entries.clone()),
            MediaType::OCI_INDEX,
            Algorithm::Sha256,
        )?;
        let end = blocking(move || {
            let mut tape = locked(&tape);
            if let Some(manifest) = manifest {
                tape.put("manifest.json", &manifest)?;
            }
            tape.put("index.json", index.bytes())?;
            tape.finish()
        });
        end.await?;
        progress.finished = true;
        progress.tape = None;
        Ok(())
    }
}

/// Writes a body behind what is there. What came before an error stays.
async fn feed(tape: &Arc<Mutex<Tape>>, blob: Blob) -> Result<()> {
    let mut body = blob.into_stream();
    let (sender, mut receiver) = mpsc::channel::<Bytes>(QUEUED);
    let tape = Arc::clone(tape);
    let writing = blocking(move || {
        let mut tape = locked(&tape);
        while let Some(chunk) = receiver.blocking_recv() {
            tape.append(&chunk)?;
        }
        Ok(())
    });
    let reading = async {
        // Gone with this future, so that the writer ends.
        let sender = sender;
        while let Some(chunk) = body.next().await {
            if sender.send(chunk?).await.is_err() {
                // The writer says why.
                break;
            }
        }
        Ok(())
    };
    let (written, read) = join(writing, reading).await;
    written.and(read)
}

fn locked(tape: &Mutex<Tape>) -> MutexGuard<'_, Tape> {
    tape.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for ArchiveSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArchiveSink")
            .field("path", &self.path)
            .field("form", &self.form)
            .finish_non_exhaustive()
    }
}
