//! One call to a server: authenticated, redirected, repeated and limited as needed.

mod answer;
mod follow;
mod limit;
mod retry;
mod warning;

use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use async_trait::async_trait;
use bytes::Bytes;
use stevedore_core::{Blob, Body};
use tokio::time::Instant;

pub(crate) use self::answer::Answer;
use self::follow::Hop;
pub(crate) use self::limit::{Lane, Limiter};
pub(crate) use self::retry::{ShowRetry, pause_before, random_up_to};
use self::retry::{Silence, Verdict, judge_failure, judge_status};
pub use self::warning::Warning;
pub(crate) use self::warning::{Show, Warnings};
use crate::auth::Scopes;
use crate::auth::authorizer::Shown;
use crate::client::{Host, Inner};
use crate::error::{Error, Refused, Result};
use crate::http::{Payload, Peer, Reach};
use crate::url::{Origin, Url};

/// How often one call answers to a challenge: a first one, a wider scope, an expired token.
const MAX_CHALLENGES: u32 = 3;

/// One call, and what may be done to get it answered.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) content: Content<'a>,
    pub(crate) identity: Identity<'a>,
    /// How far the first connection may lead, where it is not the registry's own.
    pub(crate) reach: Reach,
    /// Whether sending it twice does no more than sending it once.
    pub(crate) idempotent: bool,
    pub(crate) redirects: Redirects,
    /// Whether the registry may have long work to do before it answers.
    pub(crate) commits: bool,
    /// Whether somebody else can be asked, so that nobody is waited for who takes no connections.
    pub(crate) has_alternative: bool,
    /// Which answers are a success.
    pub(crate) accepts: fn(StatusCode) -> bool,
}

/// Which redirects are followed; all others are answers like others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Redirects {
    /// Those of reads.
    Read,
    /// Those of reads that stay at their origin.
    Here,
    /// Also a 307 or 308 of a call with content, which is sent again.
    Content,
}

/// What a call sends.
#[derive(Clone, Copy)]
pub(crate) enum Content<'a> {
    None,
    Bytes(&'a Bytes),
    Opened(&'a dyn Reopen),
}

/// Content that is opened anew for each try.
#[async_trait]
pub(crate) trait Reopen: Send + Sync {
    async fn open(&self) -> stevedore_core::Result<Blob>;
}

/// Who a call says it is from.
#[derive(Clone, Copy)]
pub(crate) enum Identity<'a> {
    /// Nobody: for places that are none of the registry's.
    Nobody,
    /// Just this header, for just this origin: for token services.
    Fixed {
        home: &'a Origin,
        header: Option<&'a HeaderValue>,
    },
    /// Whoever the registry wants, as long as it is the registry that is spoken to.
    Registry {
        host: &'a Arc<Host>,
        repository: &'a str,
        scopes: &'a Scopes,
    },
}

impl<'a> Call<'a> {
    pub(crate) fn new(method: Method, url: Url, identity: Identity<'a>) -> Self {
        let idempotent = [Method::GET, Method::HEAD, Method::PUT, Method::DELETE].contains(&method);
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            content: Content::None,
            identity,
            reach: Reach::Own,
            idempotent,
            redirects: Redirects::Read,
            commits: false,
            has_alternative: false,
            accepts: |status| status.is_success(),
        }
    }

    pub(crate) fn header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The origin that credentials are for.
    fn home(&self) -> Option<&Origin> {
        match self.identity {
            Identity::Nobody => None,
            Identity::Fixed { home, .. } => Some(home),
            Identity::Registry { host, .. } => host.known_origin(),
        }
    }

    /// How far one may go whom a peer sends elsewhere.
    fn beyond(&self, peer: Option<Peer>) -> Reach {
        match self.host() {
            Some(host) if host.settings().private_targets => Reach::Private,
            _ => Reach::beyond(peer),
        }
    }

    fn host(&self) -> Option<&'a Arc<Host>> {
        match self.identity {
            Identity::Registry { host, .. } => Some(host),
            _ => None,
        }
    }
}

impl Content<'_> {
    async fn open(self) -> stevedore_core::Result<Payload> {
        Ok(match self {
            Self::None => Payload::Empty,
            Self::Bytes(bytes) => Payload::Bytes(bytes.clone()),
            Self::Opened(content) => match content.open().await? {
                Blob {
                    body: Body::Bytes(bytes),
                    meter: None,
                    ..
                } => Payload::Bytes(bytes),
                blob => Payload::Stream {
                    size: blob.size,
                    stream: blob.into_stream(),
                },
            },
        })
    }
}

impl Inner {
    /// Sends a call until it is answered, or there is no more use in trying.
    pub(crate) async fn send(&self, call: &Call<'_>) -> Result<Answer> {
        let lane = self.limiter.lane(call.url.origin());
        let started = Instant::now();
        let mut tries = 0;
        let mut challenges = 0;
        let mut renewed = false;
        let mut silence = Silence::default();
        loop {
            // Token services are asked in the midst of other calls: they wait for no place, or all would wait.
            let place = match call.identity {
                Identity::Fixed { .. } => None,
                _ => Some(lane.enter(call.method.is_safe()).await),
            };
            let shown = self.identify(call).await?;
            tries += 1;
            let began = Instant::now();
            let hop = match self.exchange(call, shown.as_ref()).await {
                Ok(hop) => hop,
                Err(error) => {
                    drop(place);
                    let is_gone = matches!(error, Error::Connect { .. } | Error::Proxy { .. });
                    if is_gone && call.has_alternative || silence.is_enough(&error, began, &self.retry) {
                        return Err(error);
                    }
                    let verdict = judge_failure(&error, call.idempotent, tries, &self.retry);
                    self.wait_or_fail(verdict, error, None).await?;
                    continue;
                }
            };
            if let Some(host) = call.host().filter(|_| hop.at_home) {
                host.met(hop.peer);
                self.warnings.take_from(host.name(), hop.response.headers());
            }
            let status = hop.response.status();
            if (call.accepts)(status) {
                return Ok(Answer::new(hop, &call.method, self.http.timeouts().idle, place));
            }
            let (at_home, headers) = (hop.at_home, hop.response.headers().clone());
            let refused = Answer::new(hop, &call.method, self.http.timeouts().idle, None)
                .into_refused()
                .await;
            drop(place);
            if let (
                Identity::Registry {
                    host,
                    repository,
                    scopes,
                },
                true,
            ) = (call.identity, at_home)
            {
                let again = match status {
                    StatusCode::UNAUTHORIZED if challenges < MAX_CHALLENGES => {
                        challenges += 1;
                        self.answer_challenge(host, repository, scopes, &headers, started, shown.as_ref())
                            .await?
                    }
                    // Some registries say so when a token has expired.
                    StatusCode::FORBIDDEN if !renewed => {
                        renewed = true;
                        self.renew(host, repository, shown.as_ref()).await?
                    }
                    _ => false,
                };
                if again {
                    tries -= 1;
                    continue;
                }
                if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
                    return Err(unauthorized(host, scopes, shown.as_ref(), refused));
                }
            }
            let verdict = judge_status(&refused, call.idempotent, tries, &self.retry);
            self.wait_or_fail(verdict, refused.into(), Some(&lane)).await?;
        }
    }

    /// Sends a call and reads the whole answer to it.
    pub(crate) async fn send_whole(&self, call: &Call<'_>, limit: u64) -> Result<(Answer, Bytes)> {
        let answer = self.send(call).await?;
        self.read(call, answer, limit).await
    }

    /// Reads the whole body of an answer. Where it breaks off the call is sent once more: this gives the answer that
    /// the body belongs to.
    pub(crate) async fn read(
        &self,
        call: &Call<'_>,
        mut answer: Answer,
        limit: u64,
    ) -> Result<(Answer, Bytes)> {
        let mut tries = 0;
        let mut silence = Silence::default();
        loop {
            let began = Instant::now();
            let error = match answer.read(limit, self.http.timeouts().response).await {
                Ok(bytes) => return Ok((answer, bytes)),
                Err(error) => error,
            };
            tries += 1;
            if silence.is_enough(&error, began, &self.retry) {
                return Err(error);
            }
            let verdict = judge_failure(&error, call.idempotent, tries, &self.retry);
            self.wait_or_fail(verdict, error, None).await?;
            answer = self.send(call).await?;
        }
    }

    async fn identify(&self, call: &Call<'_>) -> Result<Option<Shown>> {
        match call.identity {
            Identity::Registry {
                host,
                repository,
                scopes,
            } => {
                // The one place that decides about it: credentials are for the registry's own origin.
                if host.known_origin() != Some(call.url.origin()) {
                    return Ok(None);
                }
                self.authorize(host, repository, scopes).await
            }
            Identity::Fixed {
                home,
                header: Some(header),
            } if home == call.url.origin() => Ok(Some(Shown::fixed(header.clone()))),
            _ => Ok(None),
        }
    }

    /// One try: the request, and the redirects that its answer leads to.
    async fn exchange(&self, call: &Call<'_>, shown: Option<&Shown>) -> Result<Hop> {
        let timeouts = self.http.timeouts();
        let patience = if call.commits {
            timeouts.commit
        } else {
            timeouts.response
        };
        let mut way = follow::Way::new(call);
        loop {
            let mut headers = call.headers.clone();
            if let (Some(shown), true) = (shown, way.at_home) {
                headers.insert(header::AUTHORIZATION, shown.header.clone());
            }
            let payload = call.content.open().await.map_err(|source| Error::Supply {
                method: call.method.to_string(),
                url: way.url.redacted(),
                source,
            })?;
            let response = self
                .http
                .exchange(way.reach, &call.method, &way.url, headers, payload, patience)
                .await?;
            if !way.advance(call, &response)? {
                return Ok(way.arrive(response));
            }
        }
    }

    /// Waits before the next try, or gives up with the error.
    async fn wait_or_fail(&self, verdict: Verdict, error: Error, lane: Option<&Lane>) -> Result<()> {
        match verdict {
            Verdict::Fail => Err(error),
            Verdict::Again(wait) => {
                if let (Some(lane), true) = (lane, error.status() == Some(429)) {
                    lane.pause(wait);
                }
                self.pause(&error, wait).await;
                Ok(())
            }
        }
    }

    /// Waits before the next try, and says so.
    pub(crate) async fn pause(&self, error: &Error, wait: Duration) {
        if let Some(show) = &self.on_retry {
            show(error, wait);
        }
        tokio::time::sleep(wait).await;
    }
}

fn unauthorized(host: &Host, scopes: &Scopes, shown: Option<&Shown>, refused: Refused) -> Error {
    let wanted = if scopes.is_empty() {
        "access".to_owned()
    } else {
        scopes.to_string()
    };
    Error::Unauthorized {
        registry: host.name().to_owned(),
        who: shown.map_or_else(
            || "anybody without credentials".to_owned(),
            |shown| shown.who.clone(),
        ),
        wanted,
        source: Box::new(refused),
    }
}
