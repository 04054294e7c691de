//! Referrers: the registry's own list (distribution-spec, end-12), else the fallback tag ("Referrers Tag Schema").

use ::http::{HeaderValue, Method, header};
use stevedore_core::{
    Algorithm, Descriptor, Digest, Error as CoreError, ErrorKind, ImageIndex, MediaType, Raw, ReferrerFilter,
};

use super::Repository;
use super::documents::content_type;
use super::pages::{PAGE_LIMIT, Pages};
use crate::error::Error;
use crate::request::Redirects;

/// Referrers of one subject that are read; more are an error. Signature tools were made to read without end
/// (CVE-2024-29902).
const MAX_REFERRERS: usize = 10_000;

/// The same as the limit of any page.
const PAGE_BYTES: usize = 16 * 1024 * 1024;

impl Repository {
    /// The descriptors of the documents whose subject is this digest.
    pub(super) async fn list_referrers(
        &self,
        subject: &Digest,
        filter: &ReferrerFilter,
    ) -> stevedore_core::Result<Vec<Descriptor>> {
        let listed = match self.host().habits().has_referrers() {
            Some(false) => None,
            _ => self.listed_referrers(subject, filter).await?,
        };
        let mut referrers = match listed {
            Some(listed) => listed,
            None => match self.fallback(subject).await?.0 {
                Some(index) => index.value().manifests.clone(),
                None => Vec::new(),
            },
        };
        // Registries may leave the filter to us.
        referrers.retain(|referrer| filter.admits(referrer));
        Ok(referrers)
    }

    /// What the registry itself lists, or `None` where it lists none at all.
    async fn listed_referrers(
        &self,
        subject: &Digest,
        filter: &ReferrerFilter,
    ) -> stevedore_core::Result<Option<Vec<Descriptor>>> {
        let what =
            |error: Error| error.while_doing(format!("cannot list the referrers of {subject} in {self}"));
        let mut url = self.url(&format!("referrers/{subject}")).await.map_err(what)?;
        if let Some(artifact_type) = &filter.artifact_type {
            url = url.with_query([("artifactType", artifact_type.as_str())]);
        }
        let mut referrers = Vec::new();
        let mut pages = Pages::default();
        loop {
            let mut call = self.reads(Method::GET, url);
            call.headers.insert(
                header::ACCEPT,
                HeaderValue::from_static("application/vnd.oci.image.index.v1+json"),
            );
            // What registries answer that know nothing of this. Some lead to a page for people elsewhere.
            call.redirects = Redirects::Here;
            call.accepts = |status| {
                status.is_success()
                    || status.is_redirection()
                    || [400, 404, 405, 406, 415, 501].contains(&status.as_u16())
            };
            let answer = match self.client().send(&call).await {
                // One exists that answers so without a challenge, having no list. If it is about the credentials,
                // the fallback tag is not to be read either, and that says so.
                Err(error) if error.status() == Some(401) && referrers.is_empty() => return Ok(None),
                answer => answer.map_err(what)?,
            };
            let is_index = content_type(&answer).is_some_and(|media_type| media_type == MediaType::OCI_INDEX);
            if !answer.status.is_success() || !is_index {
                if referrers.is_empty() {
                    let refused = answer.into_refused().await;
                    // Not for good: the repository may only not be there yet.
                    if !refused.has_code("NAME_UNKNOWN") && !refused.has_code("MANIFEST_UNKNOWN") {
                        self.host().habits().set_has_referrers(false);
                    }
                    return Ok(None);
                }
                return Err(what(answer.unusable("it is no index")));
            }
            let (answer, body) = self
                .client()
                .read(&call, answer, PAGE_LIMIT)
                .await
                .map_err(what)?;
            let next = pages.after(&answer).map_err(what)?;
            let at = answer.url;
            let page = Raw::<ImageIndex>::parse(body, MediaType::OCI_INDEX, Algorithm::Sha256, PAGE_BYTES)
                .map_err(|error| CoreError::from(error).context(format!("cannot use {at}")))?;
            referrers.extend(page.into_value().manifests);
            if referrers.len() > MAX_REFERRERS {
                let message = format!("{subject} has more than {MAX_REFERRERS} referrers in {self}");
                return Err(CoreError::new(ErrorKind::TooLarge, message));
            }
            let Some(next) = next else {
                self.host().habits().set_has_referrers(true);
                return Ok(Some(referrers));
            };
            url = next;
        }
    }

    /// Whether the registry lists what it says it filed: one exists that says so and has no list.
    pub(super) async fn lists_referrers_of(&self, subject: &Digest) -> stevedore_core::Result<bool> {
        match self.host().habits().has_referrers() {
            Some(has) => Ok(has),
            None => Ok(self
                .listed_referrers(subject, &ReferrerFilter::all())
                .await?
                .is_some()),
        }
    }
}
