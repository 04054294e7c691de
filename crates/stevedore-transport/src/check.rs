//! Documents held against the descriptors that named them.

use bytes::Bytes;
use stevedore_core::raw::MANIFEST_LIMIT;
use stevedore_core::{Descriptor, Document, Error, Result};

/// The document with these bytes, if they are the descriptor's: hashed, size and type checked.
pub(crate) fn document(bytes: Bytes, descriptor: &Descriptor) -> Result<Document> {
    let digest = descriptor.known_digest()?;
    let size = bytes.len() as u64;
    if size != descriptor.size {
        let (expected, actual) = (format!("{} bytes", descriptor.size), format!("{size} bytes"));
        return Err(Error::mismatch(digest, expected, actual));
    }
    let actual = digest.algorithm().digest(&bytes);
    if actual != digest {
        return Err(Error::mismatch("the document", digest, actual));
    }
    let media_type = Some(descriptor.media_type.clone());
    Ok(Document::parse(bytes, media_type, digest.algorithm(), MANIFEST_LIMIT)?)
}
