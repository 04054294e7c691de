//! The faults there are.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};

use super::{Action, Fault, RedirectTo, RetryAfter};
use crate::wire::{Claim, Ending};

/// # Bodies that end too early, or lie
impl Fault {
    /// The response body ends after so many bytes, by a FIN, although `Content-Length` promised all.
    pub fn cut_body_after(bytes: u64) -> Self {
        Self::new(Action::CutBody(bytes, Ending::Close))
    }

    /// As [`cut_body_after`](Self::cut_body_after), by a RST. The last bytes before it may be lost on the way.
    pub fn reset_body_after(bytes: u64) -> Self {
        Self::new(Action::CutBody(bytes, Ending::Reset))
    }

    /// Nothing comes after so many bytes of the response body, and the connection stays open.
    pub fn stall_body_after(bytes: u64) -> Self {
        Self::new(Action::CutBody(bytes, Ending::Stall))
    }

    /// `Content-Length` promises so many bytes more than come; then the connection is closed.
    pub fn longer_length(by: u64) -> Self {
        Self::new(Action::Claim(Claim::Longer(by)))
    }

    /// `Content-Length` promises so many bytes less than come. The surplus stays in the connection, before the
    /// next response.
    pub fn shorter_length(by: u64) -> Self {
        Self::new(Action::Claim(Claim::Shorter(by)))
    }

    /// No `Content-Length`: the body ends with the connection.
    pub fn no_length() -> Self {
        Self::new(Action::Claim(Claim::Nothing))
    }

    /// No `Content-Length`: the body comes in chunks.
    pub fn chunked() -> Self {
        Self::new(Action::Claim(Claim::Chunked))
    }

    /// One bit of the response body is flipped, in the byte at this offset (in the last one if the body is
    /// shorter). Length and digest header stay.
    pub fn flip_byte(offset: u64) -> Self {
        Self::new(Action::FlipByte(offset))
    }

    /// `Docker-Content-Digest` names other content; sent also where the registry would not.
    pub fn wrong_digest_header() -> Self {
        Self::new(Action::WrongDigestHeader)
    }

    /// A header is left out of the response.
    ///
    /// # Panics
    /// If the name is none.
    pub fn without_header(name: &str) -> Self {
        Self::new(Action::RemoveHeader(header_name(name)))
    }

    /// A header of the response is this, in place of what the registry says.
    ///
    /// # Panics
    /// If no header has such a name or value.
    pub fn header(name: &str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("the test gives a value that a header can hold");
        Self::new(Action::SetHeader(header_name(name), value))
    }

    /// The response is sent twice in a row.
    pub fn duplicate() -> Self {
        Self::new(Action::Twice)
    }
}

/// # Slowness
impl Fault {
    /// The request is read, then nothing happens, and the connection stays open.
    pub fn hang() -> Self {
        Self::new(Action::Hang)
    }

    /// The answer comes late.
    pub fn delay(by: Duration) -> Self {
        Self::new(Action::Delay(by))
    }

    /// The head of the response comes byte by byte, with a pause after each.
    pub fn drip_head(pause: Duration) -> Self {
        Self::new(Action::HeadPause(pause))
    }

    /// The body of the response comes at this many bytes a second, at least 1.
    pub fn drip_body(bytes_a_second: u64) -> Self {
        Self::new(Action::BodyRate(bytes_a_second.max(1)))
    }
}

/// # Connections
impl Fault {
    /// A connection is accepted and closed before anything is read. Aimed by [`at`](Self::at),
    /// [`nth`](Self::nth) and [`times`](Self::times) only. For "connection refused" see
    /// [`FaultServer::refuse_connections`](crate::FaultServer::refuse_connections).
    pub fn close_at_accept() -> Self {
        Self::new(Action::DropAtAccept(Ending::Close))
    }

    /// As [`close_at_accept`](Self::close_at_accept), by a RST.
    pub fn reset_at_accept() -> Self {
        Self::new(Action::DropAtAccept(Ending::Reset))
    }

    /// The request is read, then the connection is closed without an answer.
    pub fn close() -> Self {
        Self::new(Action::Drop {
            ending: Ending::Close,
            after_effect: false,
        })
    }

    /// As [`close`](Self::close), by a RST.
    pub fn reset() -> Self {
        Self::new(Action::Drop {
            ending: Ending::Reset,
            after_effect: false,
        })
    }

    /// The connection is reset after so many bytes of the request body have arrived. An upload session keeps
    /// them, as it does when a client goes away.
    pub fn cut_request_after(bytes: u64) -> Self {
        Self::new(Action::CutRequest(bytes))
    }

    /// Bytes that are not HTTP come in place of a response.
    pub fn garbage() -> Self {
        Self::raw(Bytes::from_static(
            b"\x16\x03\x01\x00\xffSSH-2.0-registry\r\n\x00\x00no http here\r\n\r\n",
        ))
    }

    /// These very bytes come in place of a response, then the connection is closed.
    pub fn raw(bytes: impl Into<Bytes>) -> Self {
        Self::new(Action::Raw(bytes.into()))
    }
}

/// # Answers in the registry's place
impl Fault {
    /// An error. 4xx come with an error body of the spec; 502, 503 and 504 with HTML, as balancers write it.
    pub fn status(status: StatusCode) -> Self {
        Self::new(Action::Status {
            status,
            retry_after: None,
            after_effect: false,
        })
    }

    /// 429 with code `TOOMANYREQUESTS`.
    pub fn too_many_requests(retry_after: RetryAfter) -> Self {
        Self::status(StatusCode::TOO_MANY_REQUESTS).retry_after(retry_after)
    }

    /// `Retry-After` on the answer of [`status`](Self::status); changes no other fault.
    #[must_use]
    pub fn retry_after(mut self, after: RetryAfter) -> Self {
        if let Action::Status { retry_after, .. } = &mut self.action {
            *retry_after = Some(after);
        }
        self
    }

    /// 401 with the challenge of the profile, whatever credentials came.
    pub fn unauthorized() -> Self {
        Self::new(Action::Unauthorized)
    }

    /// The token that this request carries is expired from now on; the answer is the profile's.
    pub fn expire_token() -> Self {
        Self::new(Action::ExpireToken)
    }

    /// A redirect (307) to a URL, absolute or relative.
    pub fn redirect(to: impl Into<String>) -> Self {
        Self::new(Action::Redirect {
            status: StatusCode::TEMPORARY_REDIRECT,
            to: RedirectTo::Url(to.into()),
        })
    }

    /// A redirect (307) to the same path and query at another server (`http://host:port`).
    pub fn redirect_to_base(base: impl Into<String>) -> Self {
        Self::new(Action::Redirect {
            status: StatusCode::TEMPORARY_REDIRECT,
            to: RedirectTo::Base(base.into()),
        })
    }

    /// So many redirects one after the other, within the server; then the registry answers.
    pub fn redirect_chain(hops: usize) -> Self {
        Self::new(Action::Redirect {
            status: StatusCode::TEMPORARY_REDIRECT,
            to: RedirectTo::Hop,
        })
        .times(hops)
    }

    /// Redirects without end.
    pub fn redirect_loop() -> Self {
        Self::redirect_chain(usize::MAX)
    }

    /// Any response.
    pub fn respond(status: StatusCode, media_type: &str, body: impl Into<Bytes>) -> Self {
        Self::new(Action::Respond {
            status,
            media_type: media_type.to_owned(),
            body: body.into(),
        })
    }

    /// 500 with a JSON error body of about so many bytes.
    pub fn huge_error(bytes: usize) -> Self {
        let body = format!(
            "{{\"errors\":[{{\"code\":\"UNKNOWN\",\"message\":\"{}\"}}]}}",
            "x".repeat(bytes.saturating_sub(50))
        );
        Self::respond(StatusCode::INTERNAL_SERVER_ERROR, "application/json", body)
    }

    /// The response has so many bytes of headers more, in lines of 1 KiB.
    pub fn huge_headers(bytes: usize) -> Self {
        Self::new(Action::AddHeaderBytes(bytes))
    }
}

/// # Uploads
impl Fault {
    /// The registry keeps all of a chunk but its last bytes, and says so in the `Range` of its 202.
    pub fn short_accept(missing: u64) -> Self {
        Self::new(Action::ShortAccept(missing))
    }

    /// The registry keeps the whole chunk, but the `Range` of its 202 lags so many bytes behind.
    pub fn stale_range(behind: u64) -> Self {
        Self::new(Action::StaleRange(behind))
    }

    /// 416 with the session's `Range`, whatever came; nothing of it is kept, and the session lives on.
    pub fn range_conflict() -> Self {
        Self::new(Action::RangeConflict)
    }
}

fn header_name(name: &str) -> HeaderName {
    name.parse().expect("the test gives the name of a header")
}
