//! Referrers: the registry's own list (distribution-spec, end-12), else the fallback tag ("Referrers Tag Schema").

use std::collections::BTreeMap;
use std::time::Duration;

use ::http::{HeaderValue, Method, header};
use stevedore_core::{
    Algorithm, AnyDigest, Descriptor, Digest, Document, Error as CoreError, ErrorKind, ImageIndex, MediaType,
    Raw, ReferrerFilter,
};

use super::Repository;
use super::documents::{Condition, content_type};
use super::pages::{PAGE_LIMIT, Pages};
use crate::error::Error;
use crate::request::{Redirects, random_up_to};

/// Referrers of one subject that are read; more are an error. Signature tools were made to read without end
/// (CVE-2024-29902).
const MAX_REFERRERS: usize = 10_000;

/// The same as the limit of any page.
const PAGE_BYTES: usize = 16 * 1024 * 1024;

/// How often the index under a fallback tag is written until all entries stay in it.
const ROUNDS: u32 = 12;

/// How long after a write it is looked at again at least whether somebody else wrote over it, and how much longer at
/// most: writers that met once should not meet again.
const SECOND_LOOK: Duration = Duration::from_millis(100);
const SECOND_LOOK_SPREAD: Duration = Duration::from_millis(300);

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

    /// The index under the fallback tag, where there is one, and its `ETag`. Registries exist that answer with
    /// the subject instead: that is none.
    async fn fallback(
        &self,
        subject: &Digest,
    ) -> stevedore_core::Result<(Option<Raw<ImageIndex>>, Option<HeaderValue>)> {
        match self.fetch_tagged(&fallback_tag(subject)).await {
            Ok((Document::Index(index), etag)) if index.digest() != *subject => Ok((Some(index), etag)),
            Ok(_) => Ok((None, None)),
            Err(error) if error.is_not_found() => Ok((None, None)),
            Err(error) => Err(error),
        }
    }

    /// Files a document under the fallback tag of its subject.
    ///
    /// Where the registry honours `If-Match`, nothing is lost to somebody who does the same at once. Where it does
    /// not, this is best effort: the tag is looked at again a little later, and everything that was ever seen under
    /// it is put back.
    pub(super) async fn file_referrer(&self, document: &Document) -> stevedore_core::Result<()> {
        let Some(subject) = document.subject() else {
            return Ok(());
        };
        let subject = subject.known_digest()?;
        let tag = fallback_tag(&subject);
        let own = document.referrer_descriptor();
        let mut wanted: BTreeMap<AnyDigest, Descriptor> = BTreeMap::from([(own.digest.clone(), own)]);
        for round in 0..ROUNDS {
            let (current, etag) = self.fallback(&subject).await?;
            let present: Vec<_> = current
                .iter()
                .flat_map(|index| index.value().manifests.clone())
                .collect();
            let mut missing = wanted.clone();
            for descriptor in &present {
                missing.remove(&descriptor.digest);
                wanted.insert(descriptor.digest.clone(), descriptor.clone());
            }
            if missing.is_empty() {
                return Ok(());
            }
            let index = with_entries(current, missing.into_values())?;
            let condition = match (etag, round) {
                (Some(etag), _) => Condition::Still(etag),
                (None, 0) if present.is_empty() => Condition::Absent,
                _ => Condition::None,
            };
            match self
                .write_document(&Document::Index(index), &tag, condition)
                .await
            {
                Ok(_) => tokio::time::sleep(SECOND_LOOK + random_up_to(SECOND_LOOK_SPREAD)).await,
                Err(error) if error.kind() == ErrorKind::Conflict => {
                    tokio::time::sleep(random_up_to(SECOND_LOOK)).await;
                }
                Err(error) => {
                    return Err(error.while_doing(format!("cannot file a referrer of {subject} in {self}")));
                }
            }
        }
        let message = format!("others write the referrers of {subject} in {self} all the time");
        Err(CoreError::new(ErrorKind::Conflict, message))
    }
}

/// The index with more entries; what is in it stays as it is.
fn with_entries(
    index: Option<Raw<ImageIndex>>,
    entries: impl Iterator<Item = Descriptor>,
) -> stevedore_core::Result<Raw<ImageIndex>> {
    match index {
        Some(index) => {
            let added = index.edit(|edit| {
                for entry in entries {
                    edit.push(["manifests"], &entry)?;
                }
                Ok(())
            });
            Ok(added.map_err(|error| {
                CoreError::new(ErrorKind::Invalid, "the index of referrers cannot be edited")
                    .with_source(error)
            })?)
        }
        None => Ok(Raw::encode(
            &ImageIndex::new(entries),
            MediaType::OCI_INDEX,
            Algorithm::Sha256,
        )?),
    }
}

/// The tag that stands for the referrers of a digest.
fn fallback_tag(subject: &Digest) -> String {
    let algorithm: String = subject.algorithm().as_str().chars().take(32).collect();
    let hex: String = subject.hex().chars().take(64).collect();
    format!("{algorithm}-{hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fallback_tags_are_cut() {
        let short = Algorithm::Sha256.digest(b"");
        assert_eq!(fallback_tag(&short), format!("sha256-{}", short.hex()));
        let long = Algorithm::Sha512.digest(b"");
        assert_eq!(fallback_tag(&long), format!("sha512-{}", &long.hex()[..64]));
    }
}
