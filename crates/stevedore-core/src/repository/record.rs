//! The record of a document.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{Descriptor, Error, ErrorKind, Key, Result};

/// What is on record of a document of a repository.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(super) struct Record {
    /// The document, under the type with which it was put.
    #[serde(flatten)]
    pub(super) descriptor: Descriptor,
    /// Whether somebody began to remove it, together with its names. Who puts the document meanwhile sees it, and puts
    /// it again; until the record is gone it counts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) going: bool,
}

impl Record {
    pub(super) fn new(descriptor: Descriptor) -> Self {
        Self {
            descriptor,
            going: false,
        }
    }

    pub(super) fn parse(key: &Key, bytes: &[u8]) -> Result<Self> {
        serde_json::from_slice(bytes).map_err(|error| {
            Error::new(ErrorKind::Invalid, format!("record {key} is not a descriptor")).with_source(error)
        })
    }

    pub(super) fn to_bytes(&self) -> Result<Bytes> {
        let json = serde_json::to_vec(self);
        json.map(Bytes::from).map_err(|error| {
            let message = format!("the descriptor of {} cannot be written", self.descriptor.digest);
            Error::new(ErrorKind::Invalid, message).with_source(error)
        })
    }
}
