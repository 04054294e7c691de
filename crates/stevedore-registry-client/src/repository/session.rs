//! Upload sessions (distribution-spec, end-4, end-5, end-6, end-11, end-13).

use ::http::{HeaderValue, Method, StatusCode, header};
use bytes::Bytes;
use stevedore_core::Digest;

use super::Repository;
use super::documents::told_digest;
use crate::auth::Scopes;
use crate::error::{Error, Result};
use crate::request::{Answer, Call, Content, Redirects, Reopen};
use crate::url::{Origin, Url};

/// An upload session: where the next request goes.
#[derive(Debug)]
pub(super) struct Session {
    url: Url,
    /// The smallest chunk that the registry takes but for the last one, in bytes.
    pub(super) min_chunk: u64,
}

/// What became of the wish to begin an upload.
pub(super) enum Begun {
    /// The blob is there.
    Done,
    Session(Session),
}

impl Repository {
    /// Begins an upload. The query may ask for a mount instead.
    pub(super) async fn begin(&self, query: &[(&str, &str)], scopes: &Scopes) -> Result<Begun> {
        let url = self
            .url("blobs/uploads/")
            .await?
            .with_query(query.iter().copied());
        let mut call = self.call(Method::POST, url, scopes);
        // A session that nobody goes on with expires.
        call.idempotent = true;
        self.begun(call).await
    }

    /// Sends a whole blob with the wish to begin.
    pub(super) async fn begin_with(&self, digest: &Digest, bytes: &Bytes) -> Result<Begun> {
        let digest = digest.to_string();
        let url = self
            .url("blobs/uploads/")
            .await?
            .with_query([("digest", digest.as_str())]);
        let mut call = self.writes(Method::POST, url);
        call.headers.insert(header::CONTENT_TYPE, octets());
        call.content = Content::Bytes(bytes);
        call.idempotent = true;
        call.commits = true;
        self.begun(call).await
    }

    async fn begun(&self, mut call: Call<'_>) -> Result<Begun> {
        call.accepts = |status| matches!(status, StatusCode::CREATED | StatusCode::ACCEPTED);
        let answer = self.client().send(&call).await?;
        if answer.status == StatusCode::CREATED {
            return Ok(Begun::Done);
        }
        let url = Self::location(&answer)?.ok_or_else(|| answer.unusable("it has no Location"))?;
        let min_chunk = answer
            .header_text("oci-chunk-min-length")
            .and_then(|length| length.trim().parse().ok());
        Ok(Begun::Session(Session {
            url,
            min_chunk: min_chunk.unwrap_or(0),
        }))
    }

    /// Sends a chunk, and gives how many bytes the registry has then.
    pub(super) async fn patch(&self, session: &mut Session, at: u64, chunk: &Bytes) -> Result<u64> {
        let end = at + chunk.len() as u64;
        let mut call = self.writes(Method::PATCH, session.url.clone());
        call.headers.insert(header::CONTENT_TYPE, octets());
        call.headers.insert(header::CONTENT_RANGE, range(at, end));
        call.content = Content::Bytes(chunk);
        call.redirects = Redirects::Content;
        call.accepts = |status| {
            matches!(
                status,
                StatusCode::ACCEPTED | StatusCode::NO_CONTENT | StatusCode::CREATED | StatusCode::OK
            )
        };
        let answer = self.client().send(&call).await?;
        Self::go_on(session, &answer)?;
        // A success that took nothing is none: registries exist whose `Range` stays what it was after the first chunk.
        Ok(acknowledged(&answer).filter(|known| *known > at).unwrap_or(end))
    }

    /// Ends the upload with the bytes from an offset on, if there are any.
    pub(super) async fn put(
        &self,
        session: &Session,
        digest: &Digest,
        rest: Option<(&dyn Reopen, u64, u64)>,
    ) -> Result<()> {
        let text = digest.to_string();
        let mut call = self.writes(Method::PUT, session.url.with_query([("digest", text.as_str())]));
        call.commits = true;
        call.redirects = Redirects::Content;
        // A session that took some of the bytes must not get all of them again: see `push`.
        call.idempotent = false;
        call.headers.insert(header::CONTENT_TYPE, octets());
        if let Some((content, from, size)) = rest {
            if from > 0 {
                call.headers.insert(header::CONTENT_RANGE, range(from, size));
            }
            call.content = Content::Opened(content);
        }
        let answer = self.client().send(&call).await?;
        let told = told_digest(&answer, digest.algorithm());
        if let Some(told) = told.filter(|told| told != digest) {
            return Err(answer.unusable(format!("it says {told} for {digest}")));
        }
        // The specification has a 201, and registries before it had a 204. Any other success may be that of a proxy
        // which knows nothing of blobs.
        if told.is_none() && !matches!(answer.status, StatusCode::CREATED | StatusCode::NO_CONTENT) {
            let (status, reason) = (answer.status, "and what was sent is not there");
            let unusable = answer.unusable(format!("it says {status}, {reason}"));
            // Its connection is wanted for the next question.
            drop(answer);
            let there = self.head_blob(digest).await?;
            if there.is_none() || rest.is_some_and(|(_, _, size)| there != Some(size)) {
                return Err(unusable);
            }
        }
        Ok(())
    }

    /// How many bytes of an upload the registry has, or `None` where it knows nothing of it any more.
    pub(super) async fn progress(&self, session: &mut Session) -> Result<Option<u64>> {
        let call = self.writes(Method::GET, session.url.clone());
        match self.client().send(&call).await {
            Ok(answer) => {
                Self::go_on(session, &answer)?;
                Ok(Some(acknowledged(&answer).unwrap_or(0)))
            }
            Err(error) if error.is_not_found() || matches!(error.status(), Some(400 | 405)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Gives an upload up.
    pub(super) async fn cancel(&self, session: &Session) -> Result<()> {
        self.client()
            .send(&self.writes(Method::DELETE, session.url.clone()))
            .await
            .map(drop)
    }

    fn go_on(session: &mut Session, answer: &Answer) -> Result<()> {
        if let Some(url) = Self::location(answer)? {
            session.url = url;
        }
        Ok(())
    }

    /// Where an upload goes on. Another host than the registry's gets the bytes, but no credentials.
    fn location(answer: &Answer) -> Result<Option<Url>> {
        let Some(location) = answer.header_text("location") else {
            return Ok(None);
        };
        let url = answer.url.join(location);
        let url = url.map_err(|error| answer.unusable(format!("its Location cannot be used: {error}")))?;
        let (from, to) = (answer.url.origin(), url.origin());
        if !from.secure || to.secure {
            return Ok(Some(url));
        }
        // A registry behind a proxy that ends TLS often does not know that it is reached by https.
        if to.host == from.host && (to.port == 80 || to.port == from.port) {
            let origin: &Origin = from;
            let url = Url::at(origin, url.path_and_query());
            return url.map(Some).map_err(|error| answer.unusable(error.to_string()));
        }
        Err(answer.unusable("its Location leads from https to plain http"))
    }
}

/// How many bytes the registry says it has. `0-0` is what some say who have none; nobody stops at one byte.
fn acknowledged(answer: &Answer) -> Option<u64> {
    let range = answer.header_text("range")?.trim();
    let range = range.strip_prefix("bytes=").unwrap_or(range);
    let (start, end) = range.split_once('-')?;
    match (start.trim().parse::<u64>().ok()?, end.trim().parse::<u64>().ok()?) {
        (0, 0) => Some(0),
        (0, end) => end.checked_add(1),
        _ => None,
    }
}

/// A `Content-Range` as the specification has it: first and last byte, without a unit.
fn range(start: u64, end: u64) -> HeaderValue {
    let range = format!("{start}-{}", end.saturating_sub(1));
    HeaderValue::from_str(&range).expect("because digits and a dash are visible ASCII")
}

fn octets() -> HeaderValue {
    HeaderValue::from_static("application/octet-stream")
}

impl Begun {
    /// The session, where there is one.
    pub(super) fn session(self) -> Option<Session> {
        match self {
            Self::Session(session) => Some(session),
            Self::Done => None,
        }
    }
}

/// Whether an error says that client and registry do not agree on how much is there.
pub(super) fn is_out_of_step(error: &Error) -> bool {
    error.status() == Some(416)
        || error
            .refused()
            .is_some_and(|refused| refused.has_code("BLOB_UPLOAD_UNKNOWN"))
}
