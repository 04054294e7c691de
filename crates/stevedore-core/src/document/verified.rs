//! Documents held against the descriptors that named them.

use bytes::Bytes;

use super::Document;
use crate::raw::MANIFEST_LIMIT;
use crate::{Descriptor, Error, Result};

impl Document {
    /// The document with these bytes, if they are those of the descriptor that named it: size, digest and type.
    ///
    /// # Errors
    /// [`ErrorKind::Mismatch`](crate::ErrorKind::Mismatch) where size or digest are others,
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) where the digest is of an algorithm that is not known,
    /// and what [`parse`](Self::parse) finds, at most [`MANIFEST_LIMIT`] bytes.
    pub fn verified(bytes: Bytes, descriptor: &Descriptor) -> Result<Self> {
        let digest = descriptor.known_digest()?;
        let size = bytes.len() as u64;
        if size != descriptor.size {
            let (expected, actual) = (format!("{} bytes", descriptor.size), format!("{size} bytes"));
            return Err(Error::mismatch(digest, expected, actual));
        }
        // Before it is parsed: what is not what was promised needs no opinion on its JSON.
        let actual = digest.algorithm().digest(&bytes);
        if actual != digest {
            return Err(Error::mismatch("the document", digest, actual));
        }
        let media_type = Some(descriptor.media_type.clone());
        Ok(Self::parse(
            bytes,
            media_type,
            digest.algorithm(),
            MANIFEST_LIMIT,
        )?)
    }
}
