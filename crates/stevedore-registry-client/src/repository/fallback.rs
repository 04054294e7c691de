//! The fallback tag of registries that list no referrers (distribution-spec, "Referrers Tag Schema").

use std::collections::BTreeMap;
use std::time::Duration;

use ::http::HeaderValue;
use stevedore_core::edit::EditError;
use stevedore_core::{
    Algorithm, AnyDigest, Descriptor, Digest, Document, Error as CoreError, ErrorKind, ImageIndex, MediaType,
    Raw,
};

use super::Repository;
use super::documents::Condition;
use crate::request::random_up_to;

/// How often the index under a fallback tag is written until all entries stay in it.
const ROUNDS: u32 = 12;

/// How long after a write it is looked at again at least whether somebody else wrote over it, and how much longer at
/// most: writers that met once should not meet again.
const SECOND_LOOK: Duration = Duration::from_millis(100);
const SECOND_LOOK_SPREAD: Duration = Duration::from_millis(300);

impl Repository {
    /// The index under the fallback tag, where there is one, and its `ETag`. Registries exist that answer with
    /// the subject instead: that is none.
    pub(super) async fn fallback(
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
        let own = document.referrer_descriptor();
        let mut wanted = BTreeMap::from([(own.digest.clone(), own.clone())]);
        let mut prune = false;
        for round in 0..ROUNDS {
            let (mut current, etag) = self.fallback(&subject).await?;
            if prune {
                current = self.without_gone(current).await?;
            }
            let present: Vec<_> = current
                .iter()
                .flat_map(|index| index.value().manifests.clone())
                .collect();
            let mut missing = wanted.clone();
            for descriptor in &present {
                missing.remove(&descriptor.digest);
                wanted.insert(descriptor.digest.clone(), descriptor.clone());
            }
            // Somebody wrote over them, or took them out because they are gone.
            for others in missing.clone().into_keys().filter(|digest| *digest != own.digest) {
                if self.is_gone(&others).await? {
                    missing.remove(&others);
                    wanted.remove(&others);
                }
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
            match self.replace_fallback(&subject, index, condition).await {
                // Of the others one is gone, and the registry minds.
                Err(error) if !prune && error.kind() == ErrorKind::Invalid => prune = true,
                written => written?,
            }
        }
        Err(self.rivals(&subject))
    }

    /// Takes a document that is gone out of the index under the fallback tag of its subject, where it is in one. An
    /// index that nothing is left in stays: a tag cannot be removed on a condition, and somebody may just file there.
    ///
    /// The same holds of somebody who writes it at once as for [`file_referrer`](Self::file_referrer).
    pub(super) async fn unfile_referrer(&self, document: &Document) -> stevedore_core::Result<()> {
        let Some(subject) = document.subject() else {
            return Ok(());
        };
        let subject = subject.known_digest()?;
        let gone = AnyDigest::from(document.digest());
        for _ in 0..ROUNDS {
            let (Some(current), etag) = self.fallback(&subject).await? else {
                return Ok(());
            };
            let listed = current.value().manifests.iter();
            let places: Vec<_> = listed
                .enumerate()
                .filter(|(_, descriptor)| descriptor.digest == gone)
                .map(|(place, _)| place)
                .collect();
            if places.is_empty() {
                return Ok(());
            }
            let rest = without(&current, &places)?;
            let condition = etag.map_or(Condition::None, Condition::Still);
            self.replace_fallback(&subject, rest, condition).await?;
        }
        Err(self.rivals(&subject))
    }

    /// Writes the index under a fallback tag, and waits until it is time to look at it again: whether it was written
    /// or somebody else was faster shows then.
    async fn replace_fallback(
        &self,
        subject: &Digest,
        index: Raw<ImageIndex>,
        condition: Condition,
    ) -> stevedore_core::Result<()> {
        let tag = fallback_tag(subject);
        match self
            .write_document(&Document::Index(index), &tag, condition)
            .await
        {
            Ok(_) => tokio::time::sleep(SECOND_LOOK + random_up_to(SECOND_LOOK_SPREAD)).await,
            Err(error) if error.kind() == ErrorKind::Conflict => {
                tokio::time::sleep(random_up_to(SECOND_LOOK)).await;
            }
            Err(error) => {
                return Err(error.while_doing(format!("cannot write the referrers of {subject} in {self}")));
            }
        }
        Ok(())
    }

    /// An index of referrers without those that are not there any more.
    async fn without_gone(
        &self,
        index: Option<Raw<ImageIndex>>,
    ) -> stevedore_core::Result<Option<Raw<ImageIndex>>> {
        let Some(index) = index else { return Ok(None) };
        let mut places = Vec::new();
        for (place, descriptor) in index.value().manifests.iter().enumerate() {
            if self.is_gone(&descriptor.digest).await? {
                places.push(place);
            }
        }
        without(&index, &places).map(Some)
    }

    async fn is_gone(&self, digest: &AnyDigest) -> stevedore_core::Result<bool> {
        match self.head_document(&digest.to_string()).await {
            Ok(_) => Ok(false),
            Err(error) if error.is_not_found() => Ok(true),
            Err(error) => Err(error.while_doing(format!("cannot look for the referrer {digest} in {self}"))),
        }
    }

    fn rivals(&self, subject: &Digest) -> CoreError {
        let message = format!("others write the referrers of {subject} in {self} all the time");
        CoreError::new(ErrorKind::Conflict, message)
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
            added.map_err(not_editable)
        }
        None => Ok(Raw::encode(
            &ImageIndex::new(entries),
            MediaType::OCI_INDEX,
            Algorithm::Sha256,
        )?),
    }
}

/// The index without the entries at some places, which are in order.
fn without(index: &Raw<ImageIndex>, places: &[usize]) -> stevedore_core::Result<Raw<ImageIndex>> {
    let rest = index.edit(|edit| {
        // From behind, for the places before stay what they are.
        for place in places.iter().rev() {
            edit.remove(("manifests", *place))?;
        }
        Ok(())
    });
    rest.map_err(not_editable)
}

fn not_editable(error: EditError) -> CoreError {
    CoreError::new(ErrorKind::Invalid, "the index of referrers cannot be edited").with_source(error)
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
