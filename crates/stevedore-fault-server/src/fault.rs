//! Faults: what goes wrong, on which requests, how often.

pub(crate) mod pattern;
mod plan;
mod responses;
mod retry_after;

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, StatusCode};

pub(crate) use plan::{Plan, Seen};
pub use retry_after::RetryAfter;

use crate::server::Origin;
use crate::wire::{Claim, Ending};

/// Something that goes wrong.
///
/// Made by one of the constructors, aimed by [`on`](Self::on), [`at`](Self::at), [`nth`](Self::nth) and
/// [`times`](Self::times), and handed to [`FaultServer::fail`](crate::FaultServer::fail). Unaimed, it hits the
/// next request, whatever that is. Several faults may hit one request: all are applied, in the order in which
/// they were handed over; of two that answer in the registry's place the first one counts.
///
/// ```
/// use http::Method;
/// use stevedore_fault_server::Fault;
///
/// let fault = Fault::cut_body_after(100).on(Method::GET, "/v2/*/blobs/*").nth(2).times(3);
/// ```
#[derive(Clone, Debug)]
pub struct Fault {
    pub(crate) action: Action,
    method: Option<Method>,
    pattern: String,
    origin: Option<Origin>,
    skip: usize,
    times: usize,
    fired: usize,
}

/// What a fault does; see the constructors.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    // Before a request is read.
    DropAtAccept(Ending),
    // While or after it is read.
    CutRequest(u64),
    Hang,
    Delay(Duration),
    Drop {
        ending: Ending,
        after_effect: bool,
    },
    ExpireToken,
    // To the registry's working.
    ShortAccept(u64),
    RangeConflict,
    // In the registry's place.
    Status {
        status: StatusCode,
        retry_after: Option<RetryAfter>,
        after_effect: bool,
    },
    Unauthorized,
    Redirect {
        status: StatusCode,
        to: RedirectTo,
    },
    Respond {
        status: StatusCode,
        media_type: String,
        body: bytes::Bytes,
    },
    // To the registry's answer.
    SetHeader(HeaderName, HeaderValue),
    AddHeaderBytes(usize),
    RemoveHeader(HeaderName),
    FlipByte(u64),
    WrongDigestHeader,
    StaleRange(u64),
    // On the wire.
    Raw(bytes::Bytes),
    Claim(Claim),
    CutBody(u64, Ending),
    HeadPause(Duration),
    BodyRate(u64),
    Twice,
}

/// Where a redirect leads.
#[derive(Clone, Debug)]
pub(crate) enum RedirectTo {
    Url(String),
    /// The same path and query at another base.
    Base(String),
    /// The same path, with a counter in the query.
    Hop,
}

impl Fault {
    pub(crate) fn new(action: Action) -> Self {
        Self {
            action,
            method: None,
            pattern: "**".to_owned(),
            origin: None,
            skip: 0,
            times: 1,
            fired: 0,
        }
    }

    /// Aims at requests of this method whose path fits. The query is not looked at. In the pattern `*` stands
    /// for at least one character; the last one does not cross a `/`, the others do. A trailing `**` takes any
    /// rest, also none. So `/v2/*/blobs/*` is every blob of every repository, and no upload.
    #[must_use]
    pub fn on(mut self, method: Method, pattern: &str) -> Self {
        self.method = Some(method);
        pattern.clone_into(&mut self.pattern);
        self
    }

    /// As [`on`](Self::on), for every method.
    #[must_use]
    pub fn on_path(mut self, pattern: &str) -> Self {
        self.method = None;
        pattern.clone_into(&mut self.pattern);
        self
    }

    /// Aims at one origin of the server. Without it a fault hits at all of them.
    #[must_use]
    pub fn at(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// Aims at the nth request that fits, counted from 1 and from the moment the fault is handed over.
    #[must_use]
    pub fn nth(mut self, n: usize) -> Self {
        self.skip = n.saturating_sub(1);
        self
    }

    /// How many requests in a row are hit. 1 if not said.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// Hits every request that fits, for ever.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(usize::MAX)
    }

    /// The registry does what it was asked before the answer is replaced or lost. Without this the request has
    /// no effect. Changes only [`status`](Self::status), [`too_many_requests`](Self::too_many_requests),
    /// [`close`](Self::close), [`reset`](Self::reset) and [`hang`](Self::hang).
    #[must_use]
    pub fn after_effect(mut self) -> Self {
        match &mut self.action {
            Action::Status { after_effect, .. } | Action::Drop { after_effect, .. } => *after_effect = true,
            Action::Hang => {
                self.action = Action::Drop {
                    ending: Ending::Stall,
                    after_effect: true,
                }
            }
            _ => {}
        }
        self
    }

    /// The status of a redirect or an error, in place of 307 or what the constructor took.
    #[must_use]
    pub fn with_status(mut self, new: StatusCode) -> Self {
        match &mut self.action {
            Action::Status { status, .. }
            | Action::Redirect { status, .. }
            | Action::Respond { status, .. } => *status = new,
            _ => {}
        }
        self
    }
}
