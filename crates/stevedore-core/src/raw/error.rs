//! Why a document is refused.

use crate::json;
use crate::media_type::MediaType;

/// Why bytes are not a document of the kind asked for.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// There are more bytes than the limit.
    #[error("document has {size} bytes, more than the limit of {limit}")]
    #[non_exhaustive]
    TooLarge {
        /// How many bytes there are.
        size: u64,
        /// The most that are taken.
        limit: u64,
    },
    /// The bytes are not strict JSON (RFC 8259).
    #[error("not JSON at byte {offset}{}: {reason}", within(path))]
    #[non_exhaustive]
    Json {
        /// In bytes from the start of the document.
        offset: usize,
        /// The value in which that is, as in `layers[0].size`; empty for the document itself.
        path: String,
        /// What is wrong there.
        reason: String,
    },
    /// An object has two members of one key, which different readers would resolve differently. Keys are compared
    /// unescaped.
    #[error("key `{path}` is there twice, again at byte {offset}")]
    #[non_exhaustive]
    DuplicateKey {
        /// The member that is there twice, as in `config.digest`.
        path: String,
        /// Where the second one starts, in bytes from the start of the document.
        offset: usize,
    },
    /// The document is JSON, but not an object.
    #[error("the document is {found}, not an object")]
    #[non_exhaustive]
    NotAnObject {
        /// What it is.
        found: &'static str,
    },
    /// The document is a Docker image manifest of schema 1, which has no descriptors. Registries and runtimes have
    /// dropped it.
    #[error(
        "this is a Docker schema 1 manifest, which is not supported: pull and push the image again with a current \
         tool to convert it"
    )]
    SchemaOne,
    /// `schemaVersion` is missing or not 2.
    #[error("schemaVersion is {found}, expected 2")]
    #[non_exhaustive]
    SchemaVersion {
        /// How the document spells it; `missing` if it does not.
        found: String,
    },
    /// The document says inside that it is of another type than the one it was served under (CVE-2021-41190).
    #[error("served as {served}, but declares mediaType {declared} inside")]
    #[non_exhaustive]
    MediaTypeMismatch {
        /// The type it was served under.
        served: MediaType,
        /// The type it declares.
        declared: MediaType,
    },
    /// The type it was served under is not one of the kind of document asked for.
    #[error("{media_type} is not the media type of {expected}")]
    #[non_exhaustive]
    WrongType {
        /// The type it was served under.
        media_type: MediaType,
        /// What was asked for.
        expected: &'static str,
    },
    /// The document has keys of two kinds of document, so that it could be read as either (CVE-2021-41190).
    #[error("{kind} must not have `{key}`: it could be read as another kind of document")]
    #[non_exhaustive]
    Ambiguous {
        /// What it would be without that key.
        kind: &'static str,
        /// The key that does not belong there.
        key: &'static str,
    },
    /// A key that every document of this kind has is missing or `null`.
    #[error("{kind} must have `{key}`")]
    #[non_exhaustive]
    Missing {
        /// What the document is.
        kind: &'static str,
        /// The key that is missing.
        key: &'static str,
    },
    /// A value is not what its key asks for.
    #[error("bad value at byte {offset}{}: {reason}", within(path))]
    #[non_exhaustive]
    Invalid {
        /// The value, as in `layers[0].size`; empty for the document itself.
        path: String,
        /// Where it starts, in bytes from the start of the document.
        offset: usize,
        /// What is wrong with it.
        reason: String,
    },
}

impl ParseError {
    pub(crate) fn too_large(bytes: &[u8], limit: usize) -> Self {
        Self::TooLarge {
            size: bytes.len() as u64,
            limit: limit as u64,
        }
    }

    /// A value of our own that does not become JSON.
    pub(crate) fn unwritable(error: &serde_json::Error) -> Self {
        Self::Invalid {
            path: String::new(),
            offset: 0,
            reason: error.to_string(),
        }
    }
}

impl From<json::Error> for ParseError {
    fn from(error: json::Error) -> Self {
        let json::Error { path, offset, reason } = error;
        match reason {
            json::Reason::Syntax(reason) => Self::Json {
                offset,
                path,
                reason: reason.to_owned(),
            },
            json::Reason::Duplicate => Self::DuplicateKey { path, offset },
            json::Reason::Value(reason) => Self::Invalid { path, offset, reason },
        }
    }
}

fn within(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!(", in `{path}`")
    }
}
