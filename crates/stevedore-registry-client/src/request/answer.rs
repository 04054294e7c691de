//! The answer to a call.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::{HeaderMap, Method, StatusCode};
use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http_body::Body;
use hyper::body::Incoming;
use stevedore_core::Blob;
use stevedore_core::stream::next;
use tokio::time::{Instant, Sleep, sleep, timeout};

use super::follow::Hop;
use super::limit::Place;
use super::retry::retry_after;
use crate::error::{Error, Refused, Result, shown};
use crate::url::Url;

/// The bytes of an error's body that are read.
const ERROR_LIMIT: usize = 64 * 1024;

/// How long is waited for an error's body. Its status is there already, and says the most.
const ERROR_PATIENCE: Duration = Duration::from_secs(2);

/// Under which names registries tell the id of a request.
const REQUEST_IDS: [&str; 6] = [
    "x-request-id",
    "docker-request-id",
    "x-github-request-id",
    "x-amzn-requestid",
    "x-ms-correlation-request-id",
    "x-quay-request-id",
];

/// An answer whose head is there; the body is still on its way.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// Where it came from, after all redirects.
    pub(crate) url: Url,
    body: Chunks,
}

/// The chunks of a body, each of which comes within the idle time.
struct Chunks {
    incoming: Incoming,
    idle: Duration,
    patience: Pin<Box<Sleep>>,
    method: String,
    url: String,
    /// Whether the patience began to run. It does when somebody waits, not when nobody comes to fetch what is there.
    waiting: bool,
    ended: bool,
    /// Given back when the body has ended, or is dropped.
    place: Option<Place>,
}

impl Answer {
    pub(super) fn new(hop: Hop, method: &Method, idle: Duration, place: Option<Place>) -> Self {
        let Hop { response, url, .. } = hop;
        let (head, incoming) = response.into_parts();
        let body = Chunks {
            incoming,
            idle,
            patience: Box::pin(sleep(idle)),
            method: method.to_string(),
            url: url.redacted(),
            waiting: false,
            ended: false,
            place,
        };
        Self {
            status: head.status,
            headers: head.headers,
            url,
            body,
        }
    }

    /// The text of a header, by its name in lower case.
    pub(crate) fn header_text(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The length that the server claims.
    pub(crate) fn content_length(&self) -> Option<u64> {
        self.header_text("content-length")?.parse().ok()
    }

    /// The whole body, or what is left of it, each piece of which comes within `patience`. Nothing is allocated for a
    /// length that is only claimed.
    pub(super) async fn read(&mut self, limit: u64, patience: Duration) -> Result<Bytes> {
        self.body.idle = self.body.idle.min(patience);
        let too_large = |body: &Chunks| Error::TooLarge {
            method: body.method.clone(),
            url: body.url.clone(),
            limit,
        };
        if self.body.method != "HEAD" && self.content_length().is_some_and(|length| length > limit) {
            return Err(too_large(&self.body));
        }
        let mut bytes = BytesMut::new();
        while let Some(chunk) = next(&mut self.body).await {
            let chunk = chunk?;
            if bytes.len() as u64 + chunk.len() as u64 > limit {
                return Err(too_large(&self.body));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes.freeze())
    }

    /// The body as it comes.
    pub(crate) fn into_blob(self) -> Blob {
        let size = self.content_length();
        Blob::from_stream(InSeams(self.body), size)
    }

    /// An error for an answer that cannot be used.
    pub(crate) fn unusable(&self, reason: impl Into<String>) -> Error {
        Error::Protocol {
            method: self.body.method.clone(),
            url: self.body.url.clone(),
            reason: reason.into(),
        }
    }

    /// What an answer that is no success says, with as much of its body as is read.
    pub(crate) async fn into_refused(self) -> Refused {
        let Self {
            status,
            headers,
            mut body,
            ..
        } = self;
        let mut text = BytesMut::new();
        let reading = async {
            while let Some(Ok(chunk)) = next(&mut body).await {
                let room = ERROR_LIMIT - text.len();
                text.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if text.len() == ERROR_LIMIT {
                    break;
                }
            }
        };
        // What came until then is what is told.
        timeout(ERROR_PATIENCE, reading).await.ok();
        let mut refused = Refused::new(&body.method, body.url.clone(), status.as_u16()).with_body(&text);
        refused.retry_after = retry_after(&headers);
        let id = REQUEST_IDS
            .iter()
            .find_map(|name| headers.get(*name)?.to_str().ok());
        refused.request_id = id.map(shown);
        refused
    }
}

impl Stream for Chunks {
    type Item = Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(None);
        }
        loop {
            let item = match Pin::new(&mut this.incoming).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(bytes) if bytes.is_empty() => continue,
                    Ok(bytes) => {
                        this.waiting = false;
                        return Poll::Ready(Some(Ok(bytes)));
                    }
                    // Trailers say nothing here.
                    Err(_) => continue,
                },
                Poll::Ready(Some(Err(source))) => Some(Err(Error::Interrupted {
                    method: this.method.clone(),
                    url: this.url.clone(),
                    source: Box::new(source),
                })),
                Poll::Ready(None) => None,
                Poll::Pending => {
                    if !this.waiting {
                        this.waiting = true;
                        this.patience.as_mut().reset(Instant::now() + this.idle);
                    }
                    std::task::ready!(this.patience.as_mut().poll(context));
                    Some(Err(Error::TimedOut {
                        method: this.method.clone(),
                        url: this.url.clone(),
                        waiting_for: "the next bytes",
                        after: this.idle,
                    }))
                }
            };
            this.ended = true;
            this.place = None;
            return Poll::Ready(item);
        }
    }
}

/// The same chunks with the errors of the seams.
struct InSeams(Chunks);

impl Stream for InSeams {
    type Item = stevedore_core::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = std::task::ready!(Pin::new(&mut self.get_mut().0).poll_next(context));
        Poll::Ready(
            item.map(|chunk| chunk.map_err(|error| error.while_doing("the body of a blob broke off"))),
        )
    }
}
