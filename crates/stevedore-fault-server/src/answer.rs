//! What the registry wants to say, before any fault touches it.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};

/// A response: status, headers and the whole body. A HEAD is answered with the same one; the wire leaves the
/// body out.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn new(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    pub(crate) fn json(status: StatusCode, value: &Value) -> Self {
        Self::new(status).content("application/json", value.to_string())
    }

    /// An error body as the distribution spec draws it ("Error Codes").
    pub(crate) fn error(status: StatusCode, code: &str, message: &str) -> Self {
        Self::json(
            status,
            &json!({ "errors": [{ "code": code, "message": message, "detail": null }] }),
        )
    }

    pub(crate) fn not_found(code: &str, message: &str) -> Self {
        Self::error(StatusCode::NOT_FOUND, code, message)
    }

    pub(crate) fn bad_request(code: &str, message: &str) -> Self {
        Self::error(StatusCode::BAD_REQUEST, code, message)
    }

    /// The operation exists in the API, but not here.
    pub(crate) fn unsupported() -> Self {
        Self::error(
            StatusCode::METHOD_NOT_ALLOWED,
            "UNSUPPORTED",
            "The operation is unsupported.",
        )
    }

    /// A body as an object store writes its errors.
    pub(crate) fn xml_error(status: StatusCode, code: &str, message: &str) -> Self {
        Self::new(status).content(
            "application/xml",
            format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"),
        )
    }

    pub(crate) fn content(mut self, media_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header(CONTENT_TYPE, media_type)
    }

    /// Sets a header, in place of one of the same name. A value that no header can hold is dropped: it came
    /// from a request, and to answer without it is what a registry would do.
    pub(crate) fn header(mut self, name: HeaderName, value: impl AsRef<str>) -> Self {
        if let Ok(value) = HeaderValue::from_str(value.as_ref()) {
            self.headers.insert(name, value);
        }
        self
    }

    pub(crate) fn docker_digest(self, digest: impl std::fmt::Display) -> Self {
        self.header(DOCKER_CONTENT_DIGEST, digest.to_string())
    }
}

pub(crate) const DOCKER_CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
pub(crate) const DOCKER_UPLOAD_UUID: HeaderName = HeaderName::from_static("docker-upload-uuid");
pub(crate) const OCI_CHUNK_MIN_LENGTH: HeaderName = HeaderName::from_static("oci-chunk-min-length");
pub(crate) const OCI_FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");
pub(crate) const OCI_SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
pub(crate) const OCI_TAG: HeaderName = HeaderName::from_static("oci-tag");
