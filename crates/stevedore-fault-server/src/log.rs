//! What clients sent, for assertions.

use http::{HeaderMap, Method, StatusCode};

use crate::fault::pattern;
use crate::server::Origin;

/// One request as it arrived, and what became of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    /// Which of the server's origins was asked.
    pub origin: Origin,
    /// The connection that it came on, counted from 0 over all origins.
    pub connection: u64,
    /// The method.
    pub method: Method,
    /// Path and query as sent, not decoded.
    pub target: String,
    /// All headers.
    pub headers: HeaderMap,
    /// The body's length in bytes as the client announced it; `None` for chunked bodies and for none.
    pub announced: Option<u64>,
    /// Bytes of the body that arrived.
    pub received: u64,
    /// The status that was answered; `None` while there is none, and for ever if a fault let none be sent.
    pub status: Option<StatusCode>,
    /// Bytes of the response body that were handed to the connection (0 for a HEAD).
    pub sent: u64,
    /// How many faults were applied.
    pub faults: usize,
}

impl Request {
    /// The path without the query.
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    /// The query without its `?`; empty if there is none.
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// A header's first value, if there is one and it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The `Authorization` header that arrived.
    pub fn authorization(&self) -> Option<&str> {
        self.header("authorization")
    }

    /// Whether method and path fit, by the rules of [`Fault::on`](crate::Fault::on).
    pub fn is(&self, method: &Method, pattern: &str) -> bool {
        self.method == method && pattern::matches(pattern, self.path())
    }
}

/// All requests up to a moment, in the order in which their heads arrived.
#[derive(Clone, Debug, Default)]
pub struct Log {
    requests: Vec<Request>,
}

impl Log {
    pub(crate) fn push(&mut self, request: Request) -> usize {
        self.requests.push(request);
        self.requests.len() - 1
    }

    pub(crate) fn update(&mut self, index: usize, change: impl FnOnce(&mut Request)) {
        if let Some(request) = self.requests.get_mut(index) {
            change(request);
        }
    }

    /// Forgets everything so far. Requests still under way are then updated nowhere.
    pub(crate) fn clear(&mut self) {
        self.requests.clear();
    }

    /// The requests.
    pub fn requests(&self) -> &[Request] {
        &self.requests
    }

    /// The requests of one method whose path fits, by the rules of [`Fault::on`](crate::Fault::on).
    pub fn matching(&self, method: &Method, pattern: &str) -> Vec<&Request> {
        self.requests
            .iter()
            .filter(|request| request.is(method, pattern))
            .collect()
    }

    /// How many requests of one method fit.
    pub fn count(&self, method: &Method, pattern: &str) -> usize {
        self.matching(method, pattern).len()
    }

    /// The requests that came to one origin.
    pub fn at(&self, origin: Origin) -> Vec<&Request> {
        self.requests
            .iter()
            .filter(|request| request.origin == origin)
            .collect()
    }

    /// Bytes of blob content sent over all requests, at the registry and at its storage. A resumed pull that
    /// fetches nothing twice leaves this at the blob's size, plus what a cut connection swallowed.
    pub fn blob_bytes_sent(&self) -> u64 {
        let blob = |request: &&Request| {
            request.method == Method::GET
                && request.status.is_some_and(|status| status.is_success())
                && (pattern::matches("/v2/*/blobs/*", request.path())
                    || pattern::matches("/storage/**", request.path()))
        };
        self.requests
            .iter()
            .filter(blob)
            .map(|request| request.sent)
            .sum()
    }

    /// Bytes of upload bodies that arrived over all requests (POST, PATCH and PUT of blobs).
    pub fn blob_bytes_received(&self) -> u64 {
        let upload = |request: &&Request| request.path().contains("uploads/");
        self.requests
            .iter()
            .filter(upload)
            .map(|request| request.received)
            .sum()
    }

    /// The `Authorization` headers that arrived at one origin.
    pub fn authorizations(&self, origin: Origin) -> Vec<&str> {
        self.at(origin)
            .into_iter()
            .filter_map(Request::authorization)
            .collect()
    }

    /// Method, target and status, one request a line: what a failed assertion wants to show.
    pub fn summary(&self) -> String {
        let line = |request: &Request| {
            let status = request
                .status
                .map_or_else(|| "-".to_owned(), |status| status.as_u16().to_string());
            format!(
                "{:?} {} {} {status}\n",
                request.origin, request.method, request.target
            )
        };
        self.requests.iter().map(line).collect()
    }
}
