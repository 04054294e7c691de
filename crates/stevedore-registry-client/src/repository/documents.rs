//! Manifests and indexes (distribution-spec, end-3, end-7, end-9).

use std::collections::BTreeMap;
use std::sync::PoisonError;

use ::http::{HeaderValue, Method, StatusCode, header};
use bytes::Bytes;
use serde_json::value::RawValue;
use stevedore_core::raw::MANIFEST_LIMIT;
use stevedore_core::reference::Tag;
use stevedore_core::{Algorithm, Descriptor, Digest, Document, Error as CoreError, ErrorKind, MediaType};

use super::Repository;
use crate::error::{Error, Result};
use crate::request::{Answer, Call, Content};

/// Tags whose documents are kept for asking whether they changed.
const MAX_SEEN: usize = 32;

/// The header that tells a document's digest.
const DIGEST_HEADER: &str = "docker-content-digest";

/// On which condition a document is written.
#[derive(Clone)]
pub(super) enum Condition {
    None,
    /// Nothing has the name yet.
    Absent,
    /// What has the name still has this `ETag`.
    Still(HeaderValue),
}

impl Repository {
    /// What a tag or digest names, without its content; `None` where the registry does not say enough.
    pub(super) async fn head_document(&self, reference: &str) -> Result<Option<Descriptor>> {
        let mut call = self.reads(Method::HEAD, self.url(&format!("manifests/{reference}")).await?);
        call.headers.insert(header::ACCEPT, accept());
        // Registries exist that only know GET here.
        call.accepts = |status| status.is_success() || status == StatusCode::METHOD_NOT_ALLOWED;
        let answer = self.client().send(&call).await?;
        // One that is not understood says nothing, for nobody can hold the document to it.
        let digest = answer
            .header_text(DIGEST_HEADER)
            .and_then(|digest| digest.parse::<Digest>().ok());
        // A type that any file may have says nothing.
        let media_type = content_type(&answer).filter(MediaType::is_document);
        let described = (digest, media_type, answer.content_length());
        Ok(match described {
            (Some(digest), Some(media_type), Some(size)) if answer.status.is_success() => {
                Some(Descriptor::new(media_type, digest, size))
            }
            _ => None,
        })
    }

    /// The document that a tag names, and its `ETag`. It is hashed by the digest that the registry tells, if it tells
    /// one that is understood.
    pub(super) async fn fetch_tagged(
        &self,
        tag: &str,
    ) -> stevedore_core::Result<(Document, Option<HeaderValue>)> {
        let what = || format!("cannot read {tag} of {self}");
        let url = self
            .url(&format!("manifests/{tag}"))
            .await
            .map_err(|error| error.while_doing(what()))?;
        let mut call = self.reads(Method::GET, url);
        call.headers.insert(header::ACCEPT, accept());
        let seen = self
            .shared
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(tag)
            .cloned();
        if let Some((etag, _)) = &seen {
            call.headers.insert(header::IF_NONE_MATCH, etag.clone());
            call.accepts = |status| status.is_success() || status == StatusCode::NOT_MODIFIED;
        }
        let (answer, bytes) = self
            .client()
            .send_whole(&call, MANIFEST_LIMIT as u64)
            .await
            .map_err(|error| error.while_doing(what()))?;
        if let (Some((etag, document)), StatusCode::NOT_MODIFIED) = (seen, answer.status) {
            return Ok((document, Some(etag)));
        }
        let etag = answer.headers.get(header::ETAG).cloned();
        let claimed = answer
            .header_text(DIGEST_HEADER)
            .and_then(|digest| digest.parse::<Digest>().ok());
        let media_type = content_type(&answer);
        let document = match claimed {
            Some(claimed) => checked(bytes, media_type, claimed).map_err(|error| error.context(what()))?,
            None => parsed(bytes, media_type, Algorithm::Sha256).map_err(|error| error.context(what()))?,
        };
        // Nobody knows what a tag ought to name, so anything with a body would do: also a page of a proxy.
        looks_like_a_manifest(&document).map_err(|error| error.context(what()))?;
        if let Some(etag) = &etag {
            let mut seen = self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if seen.len() >= MAX_SEEN {
                seen.clear();
            }
            seen.insert(tag.to_owned(), (etag.clone(), document.clone()));
        }
        Ok((document, etag))
    }

    /// The document of a digest. Its type is the one that it is served under.
    pub(super) async fn fetch_digest(&self, digest: Digest) -> stevedore_core::Result<Document> {
        let what = || format!("cannot read {digest} of {self}");
        let (bytes, media_type) = self
            .fetch_bytes(&digest.to_string())
            .await
            .map_err(|error| error.while_doing(what()))?;
        checked(bytes, media_type, digest).map_err(|error| error.context(what()))
    }

    /// The bytes of a document, not checked, and the type that they are served under.
    pub(super) async fn fetch_bytes(&self, reference: &str) -> Result<(Bytes, Option<MediaType>)> {
        let mut call = self.reads(Method::GET, self.url(&format!("manifests/{reference}")).await?);
        call.headers.insert(header::ACCEPT, accept());
        let (answer, bytes) = self.client().send_whole(&call, MANIFEST_LIMIT as u64).await?;
        Ok((bytes, content_type(&answer)))
    }

    /// Writes a document under a tag or its digest, and says whether the registry filed it as a referrer.
    pub(super) async fn write_document(
        &self,
        document: &Document,
        reference: &str,
        condition: Condition,
    ) -> Result<bool> {
        let url = self.url(&format!("manifests/{reference}")).await?;
        let mut call = self.writes(Method::PUT, url);
        call.commits = true;
        call.content = Content::Bytes(document.bytes());
        let media_type = HeaderValue::from_str(document.media_type().as_str())
            .map_err(|_| Error::setting("the document's media type cannot be sent"))?;
        call.headers.insert(header::CONTENT_TYPE, media_type);
        match condition {
            Condition::None => {}
            Condition::Absent => drop(
                call.headers
                    .insert(header::IF_NONE_MATCH, HeaderValue::from_static("*")),
            ),
            Condition::Still(etag) => drop(call.headers.insert(header::IF_MATCH, etag)),
        }
        let answer = self.client().send(&call).await?;
        let digest = document.digest();
        let told = told_digest(&answer, digest.algorithm());
        if let Some(told) = told.filter(|told| *told != digest) {
            return Err(answer.unusable(format!("it says {told} for {digest}")));
        }
        let filed = answer.header_text("oci-subject").is_some();
        // The specification has a 201. Any other success may be that of a proxy which knows nothing of manifests.
        if answer.status != StatusCode::CREATED && told.is_none() {
            let (status, reason) = (answer.status, "and what was sent cannot be read again");
            let unusable = answer.unusable(format!("it says {status}, {reason}"));
            // Its connection is wanted for the next question.
            drop(answer);
            if !self.holds_document(&digest).await? {
                return Err(unusable);
            }
        }
        Ok(filed)
    }

    /// Whether the registry gives this document, byte for byte.
    pub(super) async fn holds_document(&self, digest: &Digest) -> Result<bool> {
        match self.fetch_bytes(&digest.to_string()).await {
            Ok((bytes, _)) => Ok(digest.algorithm().digest(&bytes) == *digest),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes a tag, or a document by its digest.
    pub(super) async fn delete_document(&self, reference: &str) -> Result<()> {
        let scopes = crate::auth::Scopes::delete(self.name().as_str());
        let call: Call<'_> = self.call(
            Method::DELETE,
            self.url(&format!("manifests/{reference}")).await?,
            &scopes,
        );
        let answer = self.client().send(&call).await?;
        // The specification has a 202, which one registry sends as an empty page (Quay, as its framework has it). Any
        // other success, and a page that has something to say, may be that of a proxy which knows nothing of manifests.
        if answer.status == StatusCode::ACCEPTED && !has_a_page(&answer) {
            return Ok(());
        }
        let unusable = answer.unusable(format!(
            "it says {}, and what was to be removed is still there: is it a registry?",
            answer.status
        ));
        // Its connection is wanted for the next question.
        drop(answer);
        if self.answers_to(reference).await? {
            return Err(unusable);
        }
        Ok(())
    }

    /// Whether there is any answer but "not found" to who asks for a tag or digest.
    async fn answers_to(&self, reference: &str) -> Result<bool> {
        let found = match self.head_document(reference).await {
            Ok(Some(_)) => return Ok(true),
            // Not every registry does this by HEAD.
            Ok(None) => self.fetch_bytes(reference).await.map(drop),
            Err(error) => Err(error),
        };
        match found {
            Ok(()) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// A name as a tag: nothing else may stand in a path.
pub(super) fn tag(name: &stevedore_core::RefName) -> stevedore_core::Result<Tag> {
    name.as_str().parse().map_err(|error| {
        let what = format!("{:?} cannot be a tag of a registry", name.as_str());
        CoreError::new(ErrorKind::Invalid, what).with_source(Box::new(error) as stevedore_core::BoxError)
    })
}

/// A document that must have a digest.
fn checked(bytes: Bytes, media_type: Option<MediaType>, digest: Digest) -> stevedore_core::Result<Document> {
    // Before it is parsed: what is not what was asked for needs no opinion on its JSON.
    let actual = digest.algorithm().digest(&bytes);
    if actual != digest {
        return Err(CoreError::mismatch("the document", digest, actual));
    }
    parsed(bytes, media_type, digest.algorithm())
}

fn parsed(
    bytes: Bytes,
    media_type: Option<MediaType>,
    algorithm: Algorithm,
) -> stevedore_core::Result<Document> {
    Ok(Document::parse(bytes, media_type, algorithm, MANIFEST_LIMIT)?)
}

/// Refuses what no registry stores as a manifest: all types have JSON objects that say what they are.
fn looks_like_a_manifest(document: &Document) -> stevedore_core::Result<()> {
    let Document::Other(other) = document else {
        return Ok(());
    };
    let members = serde_json::from_slice::<BTreeMap<String, &RawValue>>(other.bytes());
    if members.is_ok_and(|members| members.contains_key("schemaVersion") || members.contains_key("mediaType"))
    {
        return Ok(());
    }
    let media_type = other.media_type();
    let message =
        format!("what is there is no manifest, but something of type {media_type}: is it a registry?");
    Err(CoreError::new(ErrorKind::Invalid, message))
}

/// The digest that an answer tells, where it is one by this algorithm: others cannot be compared.
pub(super) fn told_digest(answer: &Answer, algorithm: Algorithm) -> Option<Digest> {
    let told = answer.header_text(DIGEST_HEADER)?.parse::<Digest>().ok()?;
    (told.algorithm() == algorithm).then_some(told)
}

/// Whether an answer is a page for people, and not an empty one.
pub(super) fn has_a_page(answer: &Answer) -> bool {
    is_page(answer) && answer.content_length() != Some(0)
}

/// Whether an answer is a page for people by its type.
pub(super) fn is_page(answer: &Answer) -> bool {
    content_type(answer).is_some_and(|media_type| media_type.as_str() == "text/html")
}

pub(super) fn content_type(answer: &Answer) -> Option<MediaType> {
    MediaType::from_content_type(answer.header_text("content-type")?).ok()
}

/// All types of documents that are understood.
pub(super) fn accept() -> HeaderValue {
    let types: Vec<_> = MediaType::DOCUMENTS.iter().map(MediaType::as_str).collect();
    HeaderValue::from_str(&types.join(", ")).expect("because media types are visible ASCII")
}
