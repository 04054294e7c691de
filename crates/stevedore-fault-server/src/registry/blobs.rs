//! Blobs: GET, HEAD, DELETE, and the storage that they may be redirected to.

use bytes::Bytes;
use http::header::{ACCEPT_RANGES, CONTENT_RANGE, ETAG, LOCATION};
use http::{Method, StatusCode};
use stevedore_core::Digest;

use super::range::{self, Range};
use super::{Call, Registry, name_unknown};
use crate::answer::Answer;
use crate::profile::{Deletes, StorageRefusal};

/// Where blobs lie in the storage.
const STORAGE_PATH: &str = "/storage/";

impl Registry {
    pub(super) fn get_blob(&self, call: &Call<'_>, repository: &str, digest: &str) -> Answer {
        let Ok(digest) = digest.parse::<Digest>() else {
            return Answer::bad_request("DIGEST_INVALID", "not a digest that is understood here");
        };
        let Some(known) = self.repositories.get(repository) else {
            return name_unknown(repository);
        };
        let Some(bytes) = known.blobs.get(&digest.to_string()) else {
            return Answer::not_found("BLOB_UNKNOWN", "blob unknown to registry");
        };
        let Some(redirect) = &call.profile.pull.redirect else {
            return content(call, bytes)
                .docker_digest(digest)
                .header(ETAG, format!("\"{digest}\""));
        };
        if *call.method == Method::HEAD && !redirect.heads {
            return content(call, bytes).docker_digest(digest);
        }
        let base = if redirect.relative { "" } else { call.storage };
        let url = format!(
            "{base}{STORAGE_PATH}{repository}/{digest}?X-Amz-Expires=1200&X-Amz-Signature={:016x}",
            self.signature
        );
        let answer = Answer::new(StatusCode::TEMPORARY_REDIRECT).header(LOCATION, url);
        if redirect.digest_header {
            answer.docker_digest(digest)
        } else {
            answer
        }
    }

    /// The blob that a signed URL names.
    pub(super) fn get_stored(&self, call: &Call<'_>) -> Answer {
        let refusal = call
            .profile
            .pull
            .redirect
            .as_ref()
            .and_then(|redirect| redirect.refusal);
        if let Some(refusal) = refusal.filter(|_| call.headers.contains_key(http::header::AUTHORIZATION)) {
            return refuse(refusal);
        }
        let signed = call.query.first("X-Amz-Signature");
        if signed != Some(&format!("{:016x}", self.signature)) {
            return Answer::xml_error(StatusCode::FORBIDDEN, "AccessDenied", "Request has expired");
        }
        let blob = call
            .path
            .strip_prefix(STORAGE_PATH)
            .and_then(|path| path.rsplit_once('/'))
            .and_then(|(repository, digest)| self.repositories.get(repository)?.blobs.get(digest));
        match blob {
            Some(bytes) if *call.method == Method::GET || *call.method == Method::HEAD => {
                content(call, bytes)
            }
            Some(_) => Answer::xml_error(
                StatusCode::METHOD_NOT_ALLOWED,
                "MethodNotAllowed",
                "no such method",
            ),
            None => Answer::xml_error(StatusCode::NOT_FOUND, "NoSuchKey", "no such key"),
        }
    }

    pub(super) fn delete_blob(&mut self, call: &Call<'_>, repository: &str, digest: &str) -> Answer {
        if call.profile.manifests.deletes == Deletes::None {
            return Answer::unsupported();
        }
        let Some(known) = self.repositories.get_mut(repository) else {
            return name_unknown(repository);
        };
        match known.blobs.remove(digest) {
            Some(_) => Answer::new(StatusCode::ACCEPTED),
            None => Answer::not_found("BLOB_UNKNOWN", "blob unknown to registry"),
        }
    }
}

/// The bytes, or the part of them that the request names.
fn content(call: &Call<'_>, bytes: &Bytes) -> Answer {
    let range = if call.profile.pull.ranges {
        call.header("range")
    } else {
        None
    };
    let whole = Answer::new(StatusCode::OK).content("application/octet-stream", bytes.clone());
    match range::parse(range, bytes.len()) {
        Range::Whole if call.profile.pull.ranges => whole.header(ACCEPT_RANGES, "bytes"),
        Range::Whole => whole,
        Range::Part(first, end) => Answer::new(StatusCode::PARTIAL_CONTENT)
            .content("application/octet-stream", bytes.slice(first..end))
            .header(
                CONTENT_RANGE,
                format!("bytes {first}-{}/{}", end - 1, bytes.len()),
            ),
        Range::Unsatisfiable => Answer::error(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "SIZE_INVALID",
            "the range lies outside the blob",
        )
        .header(CONTENT_RANGE, format!("bytes */{}", bytes.len())),
    }
}

fn refuse(refusal: StorageRefusal) -> Answer {
    let (code, message) = match refusal {
        StorageRefusal::OneMechanism => (
            "InvalidArgument",
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
             parameter or the Authorization header should be specified",
        ),
        StorageRefusal::MissingContentHash => ("InvalidRequest", "Missing x-amz-content-sha256"),
        StorageRefusal::WrongFormat => (
            "InvalidAuthenticationInfo",
            "Authentication information is not given in the correct format. Check the value of Authorization \
             header.",
        ),
    };
    Answer::xml_error(StatusCode::BAD_REQUEST, code, message)
}
