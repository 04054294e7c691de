//! The registry itself: correct where the profile does not say otherwise, and all in memory.

mod blobs;
mod lists;
mod manifests;
mod query;
mod range;
mod referrers;
mod route;
mod uploads;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use stevedore_core::{Algorithm, Digest};

use crate::answer::Answer;
use crate::profile::Profile;

pub(crate) use query::Query;
pub(crate) use route::Route;
use uploads::Upload;

/// A request to the registry, past authentication.
pub(crate) struct Call<'a> {
    pub(crate) profile: &'a Profile,
    /// `scheme://host:port` of the registry.
    pub(crate) base: &'a str,
    /// The same of its storage.
    pub(crate) storage: &'a str,
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) query: Query,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: Bytes,
    /// The body came to its end.
    pub(crate) whole: bool,
    /// Bytes at the end of a chunk that are to be forgotten.
    pub(crate) forget: u64,
    /// The range is to be called wrong, whatever it is.
    pub(crate) conflict: bool,
}

impl Call<'_> {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// What becomes of a call.
#[derive(Debug)]
pub(crate) enum Outcome {
    Answer(Answer),
    /// The connection is cut.
    Cut,
}

impl From<Answer> for Outcome {
    fn from(answer: Answer) -> Self {
        Self::Answer(answer)
    }
}

/// A manifest as it was put.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    pub(crate) media_type: String,
    pub(crate) bytes: Bytes,
}

#[derive(Debug, Default)]
pub(crate) struct Repository {
    blobs: BTreeMap<String, Bytes>,
    manifests: BTreeMap<String, Manifest>,
    /// Tags, with the digest that each was put under.
    tags: BTreeMap<String, Digest>,
}

/// All there is.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    repositories: BTreeMap<String, Repository>,
    uploads: BTreeMap<String, Upload>,
    next: u64,
    /// Manifest GETs so far, for the quota.
    pulls: u32,
    /// Signed URLs carry this; older ones have run out.
    signature: u64,
}

impl Registry {
    pub(crate) fn handle(&mut self, call: &Call<'_>) -> Outcome {
        let get = *call.method == Method::GET || *call.method == Method::HEAD;
        let route = Route::parse(call.path, call.profile.push.session_path);
        match (route, call.method) {
            (Route::Ping, _) if get => Answer::json(StatusCode::OK, &serde_json::json!({})).into(),
            (Route::Catalog, _) if get => self.catalog(call).into(),
            (Route::Tags { repository }, _) if get => self.list_tags(call, &repository).into(),
            (Route::Referrers { repository, digest }, _) if get => {
                self.list_referrers(call, &repository, &digest).into()
            }
            (Route::StartUpload { repository }, &Method::POST) => self.start_upload(call, &repository),
            (Route::Upload { repository, id }, _) => self.upload(call, repository.as_deref(), &id).into(),
            (Route::Blob { repository, digest }, _) if get => {
                self.get_blob(call, &repository, &digest).into()
            }
            (Route::Blob { repository, digest }, &Method::DELETE) => {
                self.delete_blob(call, &repository, &digest).into()
            }
            (
                Route::Manifest {
                    repository,
                    reference,
                },
                _,
            ) if get => self.get_manifest(call, &repository, &reference).into(),
            (
                Route::Manifest {
                    repository,
                    reference,
                },
                &Method::PUT,
            ) => self.put_manifest(call, &repository, &reference).into(),
            (
                Route::Manifest {
                    repository,
                    reference,
                },
                &Method::DELETE,
            ) => self.delete_manifest(call, &repository, &reference).into(),
            (Route::Unknown, _) => Answer::not_found("NAME_UNKNOWN", "no such path").into(),
            _ => Answer::unsupported().into(),
        }
    }

    /// A request to the storage's origin.
    pub(crate) fn handle_storage(&mut self, call: &Call<'_>) -> Outcome {
        if let Some(id) = call.path.strip_prefix(uploads::STORAGE_PATH) {
            return self.upload(call, None, id).into();
        }
        self.get_stored(call).into()
    }

    pub(crate) fn create(&mut self, repository: &str) -> &mut Repository {
        self.repositories.entry(repository.to_owned()).or_default()
    }

    pub(crate) fn put_blob(&mut self, repository: &str, algorithm: Algorithm, bytes: Bytes) -> Digest {
        let digest = algorithm.digest(&bytes);
        self.create(repository).blobs.insert(digest.to_string(), bytes);
        digest
    }

    pub(crate) fn blob(&self, repository: &str, digest: &Digest) -> Option<Bytes> {
        self.repositories
            .get(repository)?
            .blobs
            .get(&digest.to_string())
            .cloned()
    }

    pub(crate) fn store_manifest(
        &mut self,
        repository: &str,
        digest: Digest,
        tags: &[String],
        manifest: Manifest,
    ) {
        let repository = self.create(repository);
        repository.manifests.insert(digest.to_string(), manifest);
        for tag in tags {
            repository.tags.insert(tag.clone(), digest);
        }
    }

    pub(crate) fn manifest(&self, repository: &str, reference: &str) -> Option<(Digest, Manifest)> {
        let repository = self.repositories.get(repository)?;
        let digest = match reference.parse::<Digest>() {
            Ok(digest) => digest,
            Err(_) => *repository.tags.get(reference)?,
        };
        Some((digest, repository.manifests.get(&digest.to_string())?.clone()))
    }

    pub(crate) fn damage(&mut self, repository: &str, digest: &Digest) -> bool {
        let Some(repository) = self.repositories.get_mut(repository) else {
            return false;
        };
        let digest = digest.to_string();
        let manifest = repository.manifests.get_mut(&digest);
        let stored = manifest
            .map(|manifest| &mut manifest.bytes)
            .or_else(|| repository.blobs.get_mut(&digest));
        let Some(stored) = stored.filter(|stored| !stored.is_empty()) else {
            return false;
        };
        let mut damaged = stored.to_vec();
        damaged[0] ^= 0x20;
        *stored = damaged.into();
        true
    }

    pub(crate) fn tags(&self, repository: &str) -> Vec<String> {
        self.repositories
            .get(repository)
            .map(|r| r.tags.keys().cloned().collect())
            .unwrap_or_default()
    }

    /// The repository that an upload session belongs to.
    pub(crate) fn upload_repository(&self, id: &str) -> Option<String> {
        Some(self.uploads.get(id)?.repository().to_owned())
    }

    pub(crate) fn open_uploads(&self) -> usize {
        self.uploads.len()
    }

    pub(crate) fn drop_uploads(&mut self) {
        self.uploads.clear();
    }

    pub(crate) fn expire_signatures(&mut self) {
        self.signature += 1;
    }

    fn fresh(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn names(&self) -> BTreeSet<String> {
        self.repositories.keys().cloned().collect()
    }
}

fn name_unknown(repository: &str) -> Answer {
    Answer::not_found(
        "NAME_UNKNOWN",
        &format!("repository {repository} is not known to the registry"),
    )
}
