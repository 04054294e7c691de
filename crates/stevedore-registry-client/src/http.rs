//! HTTP over pooled connections: one exchange of a request for an answer, with bounds on every wait.

mod body;
mod connector;
mod dial;
mod distrust;
mod io;
mod reach;
mod tls;
mod tunnel;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use futures_util::future::{Either, select};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout_at;

use self::body::Activity;
pub(crate) use self::body::{Outgoing, Payload};
use self::connector::Connector;
pub(crate) use self::dial::{DialError, ProxyFailure};
pub(crate) use self::reach::{Peer, Reach};
pub(crate) use self::tls::Trust;
use crate::error::{Error, Result};
use crate::proxies::Proxies;
use crate::settings::Timeouts;
use crate::url::{Origin, Url};

/// How long a connection is kept that nobody uses.
const POOL_IDLE: Duration = Duration::from_secs(60);

/// After how long without a sign of life an HTTP/2 connection in use is asked for one, and how long it may take.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// What may be in flight on one HTTP/2 stream, and on one connection, in bytes. The default of 64 KiB would make a
/// far registry slow.
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;

/// The connections of a client.
pub(crate) struct Http {
    /// A pool for each [`Reach`]: a connection made under a weaker rule is never used under a stricter one.
    pools: [Client<Connector, Outgoing>; 3],
    timeouts: Timeouts,
    user_agent: HeaderValue,
    proxies: Arc<Proxies>,
    connector: Connector,
}

/// What the settings say about connections.
pub(crate) struct Wiring {
    pub(crate) trust: Trust,
    pub(crate) timeouts: Timeouts,
    pub(crate) user_agent: HeaderValue,
    /// Addresses that are used for a host and port instead of asking the resolver.
    pub(crate) addresses: BTreeMap<(String, u16), Vec<SocketAddr>>,
    pub(crate) proxies: Proxies,
}

impl Http {
    pub(crate) fn new(wiring: Wiring) -> Self {
        let Wiring {
            trust,
            timeouts,
            user_agent,
            addresses,
            proxies,
        } = wiring;
        let proxies = Arc::new(proxies);
        let connector = Connector::new(
            Arc::new(trust),
            Arc::new(addresses),
            Arc::clone(&proxies),
            timeouts,
        );
        let pool = |reach| {
            Client::builder(TokioExecutor::new())
                .timer(TokioTimer::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(POOL_IDLE)
                .http2_initial_stream_window_size(STREAM_WINDOW)
                .http2_initial_connection_window_size(CONNECTION_WINDOW)
                .http2_keep_alive_interval(KEEP_ALIVE)
                .http2_keep_alive_timeout(KEEP_ALIVE)
                .build(connector.clone().with_reach(reach))
        };
        Self {
            pools: Reach::ALL.map(pool),
            timeouts,
            user_agent,
            proxies,
            connector,
        }
    }

    /// Sends one request and waits for the head of its answer.
    ///
    /// `patience` is how long the answer may take once the request is out. Redirects are answers like others.
    pub(crate) async fn exchange(
        &self,
        reach: Reach,
        method: &Method,
        url: &Url,
        headers: HeaderMap,
        payload: Payload,
        patience: Duration,
    ) -> Result<Response<Incoming>> {
        let (body, activity) = Outgoing::new(payload);
        let mut request = Request::new(body);
        *request.method_mut() = method.clone();
        *request.uri_mut() = url.to_uri();
        *request.headers_mut() = headers;
        request
            .headers_mut()
            .insert(header::USER_AGENT, self.user_agent.clone());
        // What is not wrapped in TLS a proxy passes on request by request, and is told with each who we are. With TLS
        // it was told when it was asked for the connection; the server behind it must not hear of it.
        let passing = match url.origin() {
            origin if origin.secure => None,
            origin => self.proxies.proxy_for(origin)?,
        };
        if let Some(authorization) = passing.and_then(|proxy| proxy.authorization.clone()) {
            request
                .headers_mut()
                .insert(header::PROXY_AUTHORIZATION, authorization);
        }
        let response = self.wait(reach, request, &activity, patience).await;
        let response = response.map_err(|failure| failure.explain(&activity, method, url))?;
        match passing {
            Some(proxy) if response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                let failure = ProxyFailure::of_status(407, proxy);
                Err(failed_proxy(&proxy.to_string(), &failure, url.origin()))
            }
            _ => Ok(response),
        }
    }

    /// Whether a server answers to TLS; where there is no connection at all this is not known.
    pub(crate) async fn speaks_tls(&self, origin: &Origin) -> bool {
        self.connector.speaks_tls(origin).await
    }

    /// Whether a server takes connections.
    pub(crate) async fn takes_connections(&self, origin: &Origin) -> bool {
        self.connector.takes_connections(origin).await
    }

    pub(crate) fn timeouts(&self) -> &Timeouts {
        &self.timeouts
    }

    async fn wait(
        &self,
        reach: Reach,
        request: Request<Outgoing>,
        activity: &Activity,
        patience: Duration,
    ) -> Result<Response<Incoming>, Failure> {
        let mut response = self.pools[reach as usize].request(request);
        loop {
            let deadline = activity.deadline(&self.timeouts, patience);
            let news = pin!(activity.news());
            match timeout_at(deadline, select(&mut response, news)).await {
                Ok(Either::Left((response, _))) => return response.map_err(Failure::Hyper),
                Ok(Either::Right(_)) => {}
                // It moved while we waited.
                Err(_) if activity.deadline(&self.timeouts, patience) > deadline => {}
                Err(_) if activity.is_sent() => return Err(Failure::NoAnswer(patience)),
                Err(_) => return Err(Failure::Stuck(self.timeouts.idle)),
            }
        }
    }
}

/// Why an exchange failed, before it is an [`Error`].
enum Failure {
    Hyper(hyper_util::client::legacy::Error),
    /// The request is out, and nothing came.
    NoAnswer(Duration),
    /// Nothing more of the request could be read or sent.
    Stuck(Duration),
}

impl Failure {
    fn explain(self, activity: &Activity, method: &Method, url: &Url) -> Error {
        let (method, shown) = (method.to_string(), url.redacted());
        if let Some(source) = activity.take_failure() {
            return Error::Supply {
                method,
                url: shown,
                source,
            };
        }
        let timed_out = |waiting_for, after| Error::TimedOut {
            method: method.clone(),
            url: shown.clone(),
            waiting_for,
            after,
        };
        match self {
            Self::NoAnswer(after) => timed_out("an answer", after),
            Self::Stuck(after) => timed_out("the next bytes to send", after),
            Self::Hyper(error) => match find_cause::<DialError>(&error) {
                Some(dial) => {
                    let origin = url.origin();
                    let (url, source) = (origin.to_string(), Box::new(dial.clone()));
                    match dial {
                        DialError::Setting { what } => Error::setting(what.clone()),
                        DialError::Proxy { proxy, failure } => failed_proxy(proxy, failure, origin),
                        dial if dial.is_permanent() => Error::Untrusted { url, source },
                        _ => Error::Connect { url, source },
                    }
                }
                None => Error::Interrupted {
                    method,
                    url: shown,
                    source: Box::new(error),
                },
            },
        }
    }
}

fn failed_proxy(proxy: &str, failure: &ProxyFailure, origin: &Origin) -> Error {
    Error::Proxy {
        proxy: proxy.to_owned(),
        url: origin.to_string(),
        status: failure.status(),
        source: Box::new(failure.clone()),
    }
}

/// The first cause of a type.
fn find_cause<'e, E: std::error::Error + 'static>(
    error: &'e (dyn std::error::Error + 'static),
) -> Option<&'e E> {
    std::iter::successors(Some(error), |error| error.source()).find_map(|error| error.downcast_ref())
}
