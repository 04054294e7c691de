//! Blobs that are there (distribution-spec, end-2, end-10).

use ::http::Method;
use stevedore_core::Digest;

use super::Repository;
use super::documents::{has_a_page, is_page, told_digest};
use crate::auth::Scopes;
use crate::error::{Error, Result};
use crate::request::Answer;

impl Repository {
    /// The size in bytes of a blob, or `None` where it is not there. A registry that does not tell the size tells
    /// nothing, and neither does one that answers with a page for people.
    pub(super) async fn head_blob(&self, digest: &Digest) -> Result<Option<u64>> {
        let call = self.reads(Method::HEAD, self.url(&format!("blobs/{digest}")).await?);
        match self.client().send(&call).await {
            Ok(answer) if speaks_of(&answer, digest) => Ok(answer.content_length()),
            Ok(_) => Ok(None),
            // Some storages that registries redirect to take no HEAD, or not with a URL signed for GET.
            Err(Error::Refused(refused)) if matches!(refused.status, 403..=405) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The size in bytes of a blob that has to be there, also where only the blob itself tells it.
    pub(super) async fn size_of_blob(&self, digest: &Digest) -> Result<u64> {
        if let Some(size) = self.head_blob(digest).await? {
            return Ok(size);
        }
        let answer = self
            .client()
            .send(&self.reads(Method::GET, self.url(&format!("blobs/{digest}")).await?))
            .await?;
        if !speaks_of(&answer, digest) {
            return Err(answer.unusable("it is something else than the blob: is it a registry?"));
        }
        answer
            .content_length()
            .ok_or_else(|| answer.unusable("a blob comes without its length"))
    }

    /// Removes a blob. Hardly any registry allows it to those who may push.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](stevedore_core::ErrorKind::NotFound) where there is none,
    /// [`ErrorKind::Unsupported`](stevedore_core::ErrorKind::Unsupported) where the registry does not do that.
    pub async fn delete_blob(&self, digest: &Digest) -> stevedore_core::Result<()> {
        let what = |error: Error| error.while_doing(format!("cannot delete the blob {digest} of {self}"));
        let scopes = Scopes::delete(self.name().as_str());
        let url = self.url(&format!("blobs/{digest}")).await.map_err(what)?;
        let call = self.call(Method::DELETE, url, &scopes);
        let answer = self.client().send(&call).await.map_err(what)?;
        if has_a_page(&answer) {
            return Err(what(
                answer.unusable("it is a page for people: is it a registry?"),
            ));
        }
        Ok(())
    }
}

/// Whether an answer is about a blob. Storages that registries redirect to tell no digest; who tells none and has a page
/// for people is a proxy that answers so to everything.
fn speaks_of(answer: &Answer, digest: &Digest) -> bool {
    match told_digest(answer, digest.algorithm()) {
        Some(told) => told == *digest,
        None => !is_page(answer),
    }
}
