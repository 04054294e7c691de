//! Documents of a kind that is not known: when they can be taken along, and when not.

use super::Document;
use crate::json::Value;
use crate::{Error, ErrorKind, Result};

impl Document {
    /// Refuses a document that is no image manifest, index or artifact manifest, where one has to be: any file of a
    /// web server would pass for an image else.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`], with what the document is.
    pub fn ensure_known_kind(&self) -> Result<()> {
        let Self::Other(other) = self else {
            return Ok(());
        };
        let (digest, media_type) = (other.digest(), other.media_type());
        let message = if Value::parse(other.bytes()).is_ok() {
            format!("{digest} is no image, index or artifact manifest: it is of type {media_type}")
        } else {
            format!(
                "{digest} is no image, index or artifact manifest: it is of type {media_type}, and not JSON"
            )
        };
        Err(Error::new(ErrorKind::Unsupported, message))
    }

    /// Refuses a document of no known kind that has descriptors inside: what they name cannot be taken along.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`], with what the document is.
    pub fn ensure_known_edges(&self) -> Result<()> {
        let Self::Other(other) = self else {
            return Ok(());
        };
        if Value::parse(other.bytes()).is_ok_and(has_descriptor) {
            let message = format!(
                "{} is of type {}, which is not known, and what it names would be left behind",
                other.digest(),
                other.media_type()
            );
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        Ok(())
    }
}

/// Whether there is an object with the keys that every descriptor has (image-spec, "OCI Content Descriptors"), at any
/// depth that the parser lets in.
fn has_descriptor(value: Value<'_>) -> bool {
    let has = |key| value.member(key).is_some_and(|member| !member.value.is_null());
    (has("mediaType") && has("digest") && has("size"))
        || value.members().any(|member| has_descriptor(member.value))
        || value.elements().any(has_descriptor)
}
