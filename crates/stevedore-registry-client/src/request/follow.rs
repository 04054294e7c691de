//! Redirects, one hop at a time.

use ::http::{Method, Response, StatusCode, header};
use hyper::body::Incoming;

use super::{Call, Redirects};
use crate::error::{Error, Result};
use crate::http::{Peer, Reach};
use crate::url::Url;

/// More redirects in a row are an error.
const MAX_REDIRECTS: u32 = 10;

/// Where a call stands on its way.
pub(super) struct Way {
    pub(super) url: Url,
    /// Whether this is still the origin that credentials are for. Once left it is left for good.
    pub(super) at_home: bool,
    pub(super) reach: Reach,
    hops: u32,
}

/// The end of the way.
pub(crate) struct Hop {
    pub(crate) response: Response<Incoming>,
    pub(crate) url: Url,
    pub(crate) at_home: bool,
    pub(crate) peer: Option<Peer>,
}

impl Way {
    pub(super) fn new(call: &Call<'_>) -> Self {
        let at_home = call.home() == Some(call.url.origin());
        Self {
            url: call.url.clone(),
            at_home,
            reach: call.reach,
            hops: 0,
        }
    }

    /// Goes to where an answer leads, or says that it leads nowhere.
    pub(super) fn advance(&mut self, call: &Call<'_>, response: &Response<Incoming>) -> Result<bool> {
        if !is_followed(call, response.status()) {
            return Ok(false);
        }
        let failed = |url: &Url, reason: &str| Error::Redirect {
            method: call.method.to_string(),
            url: url.redacted(),
            reason: reason.to_owned(),
        };
        let location = response
            .headers()
            .get(header::LOCATION)
            .and_then(|location| location.to_str().ok());
        let Some(location) = location else {
            return Err(failed(&self.url, "it has no usable Location"));
        };
        let target = self
            .url
            .join(location)
            .map_err(|error| failed(&self.url, &error.to_string()))?;
        if target.origin() != self.url.origin() && call.redirects == Redirects::Here {
            return Ok(false);
        }
        self.hops += 1;
        if self.hops > MAX_REDIRECTS {
            return Err(failed(&self.url, "there are too many in a row"));
        }
        if self.url.origin().secure && !target.origin().secure {
            return Err(failed(&self.url, "it leads from https to plain http"));
        }
        if target.origin() != self.url.origin() {
            self.at_home = false;
            self.reach = stricter(self.reach, call.beyond(peer(response)));
        }
        self.url = target;
        Ok(true)
    }

    pub(super) fn arrive(self, response: Response<Incoming>) -> Hop {
        Hop {
            peer: peer(&response),
            response,
            url: self.url,
            at_home: self.at_home,
        }
    }
}

fn is_followed(call: &Call<'_>, status: StatusCode) -> bool {
    match status {
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND | StatusCode::SEE_OTHER => is_read(&call.method),
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => {
            is_read(&call.method) || call.redirects == Redirects::Content
        }
        _ => false,
    }
}

fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

fn peer(response: &Response<Incoming>) -> Option<Peer> {
    response.extensions().get().copied()
}

fn stricter(one: Reach, other: Reach) -> Reach {
    if one as usize > other as usize { one } else { other }
}
