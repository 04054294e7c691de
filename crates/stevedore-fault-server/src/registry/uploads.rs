//! Upload sessions (distribution spec, "Pushing blobs").

use bytes::{Bytes, BytesMut};
use http::header::{LOCATION, RANGE};
use http::{Method, StatusCode};
use stevedore_core::Digest;

use super::range::parse_chunk;
use super::{Call, Outcome, Registry};
use crate::answer::{Answer, DOCKER_UPLOAD_UUID, OCI_CHUNK_MIN_LENGTH};
use crate::profile::{Chunks, LocationStyle, Mount, MountRefusal, RangeReport};

/// Where sessions lie on the storage's origin.
pub(super) const STORAGE_PATH: &str = "/uploads/";

/// An open session.
#[derive(Debug)]
pub(super) struct Upload {
    repository: String,
    bytes: BytesMut,
    /// The `_state` that the newest URL carries.
    state: u64,
    /// Bytes after the first chunk.
    first: Option<usize>,
    /// Where the last chunk begins, once there was one with `Content-Range`.
    last: Option<usize>,
    /// A chunk was smaller than the smallest: it has to be the last.
    short: bool,
}

impl Registry {
    pub(super) fn start_upload(&mut self, call: &Call<'_>, repository: &str) -> Outcome {
        let push = &call.profile.push;
        if push.repositories_exist && !self.repositories.contains_key(repository) {
            return Outcome::Cut;
        }
        if push.refuse_accept
            && call
                .header("accept")
                .is_some_and(|accept| accept.contains("manifest"))
        {
            return Answer::new(StatusCode::NOT_ACCEPTABLE).into();
        }
        if let Some(digest) = call.query.first("mount") {
            match self.mount(call, repository, digest) {
                Ok(true) => return created(call, repository, digest).into(),
                Ok(false) => {}
                Err(refusal) => return refusal.into(),
            }
        } else if let Some(digest) = call.query.first("digest").filter(|_| push.single_post) {
            return self
                .finish(call, repository, digest, call.body.clone(), true)
                .into();
        }
        let upload = Upload {
            repository: repository.to_owned(),
            bytes: BytesMut::new(),
            state: self.fresh(),
            first: None,
            last: None,
            short: false,
        };
        let id = format!("00000000-0000-4000-8000-{:012x}", self.fresh());
        let mut answer = session(call, &id, &upload, StatusCode::ACCEPTED);
        if let Some(least) = push.min_chunk.filter(|_| push.announce_min_chunk) {
            answer = answer.header(OCI_CHUNK_MIN_LENGTH, least.to_string());
        }
        self.create(repository);
        self.uploads.insert(id, upload);
        answer.into()
    }

    /// Whether the blob could be mounted.
    fn mount(&mut self, call: &Call<'_>, repository: &str, digest: &str) -> Result<bool, Answer> {
        let from = call.query.first("from");
        let push = &call.profile.push;
        let known = from.is_none_or(|from| self.repositories.contains_key(from));
        if !known && push.unknown_source == MountRefusal::Unauthorized {
            let message = format!("project of {} not found", from.unwrap_or_default());
            return Err(Answer::error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", &message));
        }
        let blob = match (push.mount, from) {
            (Mount::Never, _) | (Mount::From | Mount::Referenced, None) => None,
            (Mount::Anonymous, None) => self
                .repositories
                .values()
                .find_map(|known| known.blobs.get(digest)),
            (_, Some(from)) => self
                .repositories
                .get(from)
                .filter(|known| {
                    push.mount != Mount::Referenced
                        || known
                            .manifests
                            .values()
                            .any(|m| contains(&m.bytes, digest.as_bytes()))
                })
                .and_then(|known| known.blobs.get(digest)),
        };
        let Some(blob) = blob.cloned() else {
            return Ok(false);
        };
        self.create(repository).blobs.insert(digest.to_owned(), blob);
        Ok(true)
    }

    pub(super) fn upload(&mut self, call: &Call<'_>, repository: Option<&str>, id: &str) -> Answer {
        let unknown = || Answer::not_found("BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
        let Some(upload) = self.uploads.get(id) else {
            return unknown();
        };
        if repository.is_some_and(|repository| repository != upload.repository) {
            return unknown();
        }
        if call.profile.push.state && call.query.first("_state") != Some(&format!("{:08x}", upload.state)) {
            return Answer::bad_request("BLOB_UPLOAD_INVALID", "the state is not that of the session");
        }
        match *call.method {
            Method::GET | Method::HEAD => session(call, id, upload, StatusCode::NO_CONTENT),
            Method::DELETE if call.profile.push.cancel => {
                self.uploads.remove(id);
                Answer::new(StatusCode::NO_CONTENT)
            }
            Method::PATCH => self.chunk(call, id),
            Method::PUT => self.close(call, id),
            _ => Answer::unsupported(),
        }
    }

    fn chunk(&mut self, call: &Call<'_>, id: &str) -> Answer {
        let state = self.fresh();
        let Some(upload) = self.uploads.get_mut(id) else {
            return Answer::unsupported();
        };
        if let Err(refusal) = upload.append(call, id) {
            return refusal;
        }
        upload.state = state;
        session(call, id, upload, call.profile.push.chunk_status)
    }

    fn close(&mut self, call: &Call<'_>, id: &str) -> Answer {
        let Some(upload) = self.uploads.get_mut(id) else {
            return Answer::unsupported();
        };
        let Some(digest) = call.query.first("digest") else {
            return Answer::bad_request("DIGEST_INVALID", "the closing PUT names no digest");
        };
        if let Err(refusal) = upload.append(call, id) {
            return refusal;
        }
        if !call.whole {
            // Nobody waits for this answer; the session stays open for a client that comes back.
            return session(call, id, upload, StatusCode::ACCEPTED);
        }
        let Some(upload) = self.uploads.remove(id) else {
            return Answer::unsupported();
        };
        let (bytes, verify) = match (call.profile.push.chunks, upload.last) {
            (Chunks::LastOnly, Some(last)) => (upload.bytes.freeze().slice(last..), false),
            _ => (upload.bytes.freeze(), true),
        };
        self.finish(call, &upload.repository, digest, bytes, verify)
    }

    fn finish(
        &mut self,
        call: &Call<'_>,
        repository: &str,
        digest: &str,
        bytes: Bytes,
        verify: bool,
    ) -> Answer {
        let Ok(parsed) = digest.parse::<Digest>() else {
            return Answer::bad_request("DIGEST_INVALID", "not a digest that is understood here");
        };
        if verify && call.profile.push.verify && parsed.algorithm().digest(&bytes) != parsed {
            return Answer::bad_request("DIGEST_INVALID", "provided digest did not match uploaded content");
        }
        self.create(repository).blobs.insert(digest.to_owned(), bytes);
        created(call, repository, digest)
    }
}

impl Upload {
    pub(super) fn repository(&self) -> &str {
        &self.repository
    }

    /// Adds what the request brought. What came before a client went away is kept.
    fn append(&mut self, call: &Call<'_>, id: &str) -> Result<(), Answer> {
        let push = &call.profile.push;
        let length = call.body.len() as u64;
        if call.conflict {
            return Err(self.conflict(call, id));
        }
        if let Some(range) = call.header("content-range") {
            if push.chunks == Chunks::Refused {
                return Err(Answer::bad_request(
                    "UNSUPPORTED",
                    "chunked uploads are not supported",
                ));
            }
            if push.max_chunk.is_some_and(|most| length > most) {
                return Err(too_large(push.max_chunk.unwrap_or_default()));
            }
            let Some((first, last)) = parse_chunk(range) else {
                return Err(Answer::bad_request(
                    "BLOB_UPLOAD_INVALID",
                    "Content-Range is not <first>-<last>",
                ));
            };
            if first != self.bytes.len() as u64 {
                return Err(self.conflict(call, id));
            }
            if call.whole && last - first + 1 != length {
                return Err(Answer::bad_request(
                    "SIZE_INVALID",
                    "Content-Range and the body differ in length",
                ));
            }
            self.last = Some(self.bytes.len());
        }
        if self.short && length > 0 {
            return Err(Answer::bad_request(
                "SIZE_INVALID",
                "a chunk before this one was too small",
            ));
        }
        // Not so for the closing PUT: the last chunk may be small.
        if *call.method == Method::PATCH {
            self.short = call.whole && push.min_chunk.is_some_and(|least| length < least);
        }
        let kept = length.saturating_sub(call.forget);
        self.bytes
            .extend_from_slice(&call.body[..usize::try_from(kept).unwrap_or(0)]);
        self.first.get_or_insert(self.bytes.len());
        Ok(())
    }

    fn conflict(&self, call: &Call<'_>, id: &str) -> Answer {
        let state = session(call, id, self, StatusCode::RANGE_NOT_SATISFIABLE);
        let mut answer = Answer::error(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "BLOB_UPLOAD_INVALID",
            "not where the session is",
        );
        answer.headers.extend(state.headers);
        answer
    }
}

/// The error of a chunk over the limit, as rust-oci-client#35 quotes it.
fn too_large(limit: u64) -> Answer {
    #[allow(
        clippy::cast_precision_loss,
        reason = "only a message, of a limit of some MiB"
    )]
    let mebibytes = limit as f64 / f64::from(1 << 20);
    let message = format!(
        "the request body is too large and exceeds the maximum permissible limit of {mebibytes:.2}MiB"
    );
    Answer::error(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "REQUESTED_RANGE_NOT_SATISFIABLE",
        &message,
    )
}

/// Where a session is and what it has.
fn session(call: &Call<'_>, id: &str, upload: &Upload, status: StatusCode) -> Answer {
    let push = &call.profile.push;
    let stored = match push.range {
        RangeReport::FirstChunk => upload.first.unwrap_or(0),
        RangeReport::Exact => upload.bytes.len(),
    };
    let path = match (push.location, push.session_path) {
        (LocationStyle::OtherOrigin, _) => format!("{}{STORAGE_PATH}{id}", call.storage),
        (_, Some(prefix)) => format!("{prefix}{id}"),
        (_, None) => format!("/v2/{}/blobs/uploads/{id}", upload.repository),
    };
    let path = if push.state {
        format!("{path}?_state={:08x}", upload.state)
    } else {
        path
    };
    Answer::new(status)
        .header(LOCATION, locate(call, path))
        // Inclusive, so there is no way to say "nothing": 0-0 is what everybody says.
        .header(RANGE, format!("0-{}", stored.saturating_sub(1)))
        .header(DOCKER_UPLOAD_UUID, id)
}

fn created(call: &Call<'_>, repository: &str, digest: &str) -> Answer {
    Answer::new(StatusCode::CREATED)
        .header(LOCATION, locate(call, format!("/v2/{repository}/blobs/{digest}")))
        .docker_digest(digest)
}

/// A path in the profile's style.
fn locate(call: &Call<'_>, path: String) -> String {
    match call.profile.push.location {
        _ if !path.starts_with('/') => path,
        LocationStyle::Relative | LocationStyle::OtherOrigin => path,
        LocationStyle::Absolute => format!("{}{path}", call.base),
        LocationStyle::Downgraded => format!("{}{path}", call.base.replacen("https:", "http:", 1)),
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && haystack.windows(needle.len()).any(|window| window == needle)
}
