//! Manifests (distribution spec, "Pulling manifests", "Pushing manifests").

use http::header::{CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderValue, Method, StatusCode};
use serde_json::Value;
use stevedore_core::{Algorithm, Digest};

use super::query::encode;
use super::{Call, Manifest, Registry, name_unknown};
use crate::answer::{Answer, OCI_SUBJECT, OCI_TAG};
use crate::profile::{Deletes, DigestHeader, Etag};

/// Largest manifest, in bytes (the spec's least limit is 4 MiB).
const MANIFEST_LIMIT: usize = 4 * 1024 * 1024;
/// Most `tag` parameters (the spec asks for at least 10).
const TAG_LIMIT: usize = 10;

impl Registry {
    pub(super) fn get_manifest(&mut self, call: &Call<'_>, repository: &str, reference: &str) -> Answer {
        if let Some(refusal) = self.over_quota(call) {
            return refusal;
        }
        let answer = self.find_manifest(call, repository, reference);
        self.count_pull(call, answer)
    }

    fn find_manifest(&self, call: &Call<'_>, repository: &str, reference: &str) -> Answer {
        let habits = &call.profile.manifests;
        if !self.repositories.contains_key(repository) {
            return name_unknown(repository);
        }
        let found = self.manifest(repository, reference).or_else(|| {
            let dashed = call.profile.referrers.dashed_digest;
            self.manifest(repository, &dashed.then(|| reference.replacen('-', ":", 1))?)
        });
        let Some((digest, manifest)) = found else {
            return Answer::not_found("MANIFEST_UNKNOWN", "manifest unknown");
        };
        let etag = etag(call, &digest);
        if let Some(refusal) = precondition(call, etag.as_deref()) {
            return refusal;
        }
        let head = *call.method == Method::HEAD;
        let media_type = if head && habits.untyped_head {
            "application/octet-stream"
        } else {
            &manifest.media_type
        };
        let mut answer = Answer::new(StatusCode::OK).content(media_type, manifest.bytes);
        let told = match habits.digest_header {
            DigestHeader::Always => true,
            DigestHeader::NotOnHead => !head,
            DigestHeader::OnPut => false,
        };
        if told {
            answer = answer.docker_digest(digest);
        }
        match etag {
            Some(etag) => answer.header(ETAG, etag),
            None => answer,
        }
    }

    fn over_quota(&self, call: &Call<'_>) -> Option<Answer> {
        let quota = call.profile.pull.quota?;
        (*call.method == Method::GET && self.pulls >= quota.limit).then(|| {
            Answer::error(
                StatusCode::TOO_MANY_REQUESTS,
                "TOOMANYREQUESTS",
                "You have reached your pull rate limit. You may increase the limit by authenticating and upgrading",
            )
        })
    }

    fn count_pull(&mut self, call: &Call<'_>, answer: Answer) -> Answer {
        let Some(quota) = call.profile.pull.quota else {
            return answer;
        };
        if *call.method == Method::GET && answer.status.is_success() {
            self.pulls += 1;
        }
        let left = quota.limit.saturating_sub(self.pulls);
        answer
            .header(
                http::HeaderName::from_static("ratelimit-limit"),
                format!("{};w={}", quota.limit, quota.window),
            )
            .header(
                http::HeaderName::from_static("ratelimit-remaining"),
                format!("{left};w={}", quota.window),
            )
    }

    pub(super) fn put_manifest(&mut self, call: &Call<'_>, repository: &str, reference: &str) -> Answer {
        let (digest, tags) = match self.name_manifest(call, repository, reference) {
            Ok(named) => named,
            Err(refusal) => return refusal,
        };
        let document = match self.check_manifest(call, repository) {
            Ok(document) => document,
            Err(refusal) => return refusal,
        };
        let media_type = media_type(call).unwrap_or_default();
        self.store_manifest(
            repository,
            digest,
            &tags,
            Manifest {
                media_type,
                bytes: call.body.clone(),
            },
        );
        let mut answer = Answer::new(StatusCode::CREATED).docker_digest(digest);
        if call.profile.manifests.location {
            answer = answer.header(LOCATION, format!("/v2/{repository}/manifests/{digest}"));
        }
        if let Some(etag) = etag(call, &digest) {
            answer = answer.header(ETAG, etag);
        }
        let subject = document["subject"]["digest"].as_str();
        if let Some(subject) = subject.filter(|_| call.profile.referrers.subject_header) {
            answer = answer.header(OCI_SUBJECT, subject);
        }
        if call.query.first("tag").is_some() && call.profile.manifests.tag_parameters {
            for tag in &tags {
                if let Ok(tag) = HeaderValue::from_str(tag) {
                    answer.headers.append(OCI_TAG, tag);
                }
            }
        }
        answer
    }

    /// The digest that a PUT is stored under, and the tags that point to it from then on.
    fn name_manifest(
        &self,
        call: &Call<'_>,
        repository: &str,
        reference: &str,
    ) -> Result<(Digest, Vec<String>), Answer> {
        let invalid = |message: &str| Answer::bad_request("TAG_INVALID", message);
        let (digest, tags) = if reference.contains(':') {
            let digest = reference
                .parse::<Digest>()
                .map_err(|_| Answer::bad_request("DIGEST_INVALID", "not a digest that is understood here"))?;
            if digest.algorithm().digest(&call.body) != digest {
                return Err(Answer::bad_request(
                    "DIGEST_INVALID",
                    "the manifest has another digest",
                ));
            }
            let tags = if call.profile.manifests.tag_parameters {
                call.query.all("tag").map(str::to_owned).collect()
            } else {
                Vec::new()
            };
            (digest, tags)
        } else {
            (Algorithm::Sha256.digest(&call.body), vec![reference.to_owned()])
        };
        if tags.len() > TAG_LIMIT {
            return Err(Answer::error(
                StatusCode::URI_TOO_LONG,
                "TAG_INVALID",
                "too many tags",
            ));
        }
        let known = self.repositories.get(repository);
        for tag in &tags {
            if !is_tag(tag) {
                return Err(invalid("not a tag"));
            }
            let now = known.and_then(|known| known.tags.get(tag));
            if call.profile.manifests.immutable_tags && now.is_some() {
                return Err(invalid(&format!(
                    "The image tag '{tag}' already exists in the '{repository}' repository and cannot be \
                     overwritten because the tag is immutable."
                )));
            }
            let now = now.and_then(|digest| etag(call, digest));
            if let Some(refusal) = precondition(call, now.as_deref()) {
                return Err(refusal);
            }
        }
        Ok((digest, tags))
    }

    fn check_manifest(&self, call: &Call<'_>, repository: &str) -> Result<Value, Answer> {
        let invalid = |message: &str| Answer::bad_request("MANIFEST_INVALID", message);
        if call.body.len() > MANIFEST_LIMIT {
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            return Err(Answer::error(status, "SIZE_INVALID", "the manifest is too large"));
        }
        let document: Value = serde_json::from_slice(&call.body).map_err(|_| invalid("not JSON"))?;
        let media_type = media_type(call).ok_or_else(|| invalid("no Content-Type"))?;
        if !document.is_object() || document["schemaVersion"] != 2 {
            return Err(invalid("schemaVersion is not 2"));
        }
        if call.profile.manifests.media_type_required && document["mediaType"].is_null() {
            let message =
                "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'";
            return Err(Answer::error(
                StatusCode::METHOD_NOT_ALLOWED,
                "UNSUPPORTED",
                message,
            ));
        }
        if call.profile.referrers.subject_first
            && let Some(subject) = document["subject"]["digest"].as_str()
            && self.manifest(repository, subject).is_none()
        {
            return Err(Answer::not_found("MANIFEST_UNKNOWN", "manifest unknown"));
        }
        if document["mediaType"]
            .as_str()
            .is_some_and(|own| own != media_type)
        {
            return Err(invalid("mediaType and Content-Type differ"));
        }
        if call.profile.manifests.check_references {
            let known = self.repositories.get(repository);
            let blobs = document["layers"]
                .as_array()
                .into_iter()
                .flatten()
                .chain(document.get("config"));
            let missing = blobs
                .filter(|blob| !blob["mediaType"].as_str().is_some_and(is_foreign))
                .filter_map(|blob| blob["digest"].as_str())
                .find(|digest| !known.is_some_and(|known| known.blobs.contains_key(*digest)));
            let children = document["manifests"].as_array().into_iter().flatten();
            let missing = missing.or_else(|| {
                let mut children = children.filter_map(|child| child["digest"].as_str());
                children.find(|digest| !known.is_some_and(|known| known.manifests.contains_key(*digest)))
            });
            if let Some(digest) = missing {
                let message = format!("{digest} is unknown to the registry");
                return Err(Answer::bad_request("MANIFEST_BLOB_UNKNOWN", &message));
            }
        }
        Ok(document)
    }

    pub(super) fn delete_manifest(&mut self, call: &Call<'_>, repository: &str, reference: &str) -> Answer {
        let unknown = || Answer::not_found("MANIFEST_UNKNOWN", "manifest unknown");
        let by_digest = reference.contains(':');
        match call.profile.manifests.deletes {
            Deletes::All => {}
            Deletes::ByDigest if by_digest => {}
            Deletes::ByDigest | Deletes::None => return Answer::unsupported(),
        }
        let Some(known) = self.repositories.get_mut(repository) else {
            return name_unknown(repository);
        };
        if by_digest {
            if known.manifests.remove(reference).is_none() {
                return unknown();
            }
            known.tags.retain(|_, digest| digest.to_string() != reference);
        } else if known.tags.remove(reference).is_none() {
            return unknown();
        }
        Answer::new(StatusCode::ACCEPTED)
    }
}

/// The `Content-Type` without parameters.
fn media_type(call: &Call<'_>) -> Option<String> {
    let value = call.headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim().to_owned())
}

fn etag(call: &Call<'_>, digest: &Digest) -> Option<String> {
    match call.profile.manifests.etag {
        Etag::Absent => None,
        Etag::Digest => Some(format!("\"{digest}\"")),
        // Turned round, so that nobody takes it for the beginning of the digest.
        Etag::BareOther => Some(digest.hex().chars().rev().take(40).collect()),
    }
}

/// What `If-Match` and `If-None-Match` (RFC 9110, section 13.1) say of a manifest that is there with this
/// `ETag`, or is not there.
fn precondition(call: &Call<'_>, now: Option<&str>) -> Option<Answer> {
    if !call.profile.manifests.conditional {
        return None;
    }
    let lists = |header: &str| {
        header
            .split(',')
            .map(str::trim)
            .any(|tag| (tag == "*" && now.is_some()) || Some(tag) == now)
    };
    if call.header("if-match").is_some_and(|header| !lists(header)) {
        return Some(Answer::error(
            StatusCode::PRECONDITION_FAILED,
            "DENIED",
            "the tag has moved",
        ));
    }
    if call.header("if-none-match").is_some_and(lists) {
        let get = *call.method == Method::GET || *call.method == Method::HEAD;
        return Some(if get {
            let answer = Answer::new(StatusCode::NOT_MODIFIED);
            match now {
                Some(now) => answer.header(ETAG, now),
                None => answer,
            }
        } else {
            Answer::error(
                StatusCode::PRECONDITION_FAILED,
                "DENIED",
                "the tag is there already",
            )
        });
    }
    None
}

/// `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
fn is_tag(tag: &str) -> bool {
    tag.len() <= 128
        && tag.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && encode(tag) == tag
        && !tag.contains('~')
}

/// Layers that need not be in the repository.
fn is_foreign(media_type: &str) -> bool {
    media_type.contains(".nondistributable.") || media_type.contains(".foreign.")
}
