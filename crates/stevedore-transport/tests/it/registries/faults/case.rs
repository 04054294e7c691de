//! A fault, and what becomes of a copy that meets it.

use http::{Method, StatusCode};
use stevedore_core::ErrorKind;
use stevedore_fault_server::profile::Auth;
use stevedore_fault_server::{Fault, Profile, RetryAfter};

/// What a case is called in which a token is no longer good.
pub(super) const A_TOKEN_EXPIRED: &str = "a token expired";

/// What becomes of a copy that meets a fault.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum End {
    /// It is whole.
    Whole,
    /// It fails in this way, and nothing has the name.
    Refused(ErrorKind),
}

/// A fault, what it is called, and how a copy ends that meets it.
pub(super) struct Case {
    pub(super) what: String,
    pub(super) fault: Fault,
    pub(super) end: End,
}

impl Case {
    pub(super) fn refused(self, kind: ErrorKind) -> Self {
        let end = End::Refused(kind);
        Self { end, ..self }
    }

    pub(super) fn nth(self, nth: usize) -> Self {
        let fault = self.fault.nth(nth);
        Self { fault, ..self }
    }

    pub(super) fn times(self, times: usize) -> Self {
        let fault = self.fault.times(times);
        Self { fault, ..self }
    }
}

/// The requests of one kind: what they are about, and where they go.
pub(super) struct Requests {
    about: &'static str,
    method: Method,
    path: String,
}

impl Requests {
    pub(super) fn new(about: &'static str, method: Method, path: impl Into<String>) -> Self {
        let path = path.into();
        Self { about, method, path }
    }

    /// A copy gets over a fault that the first of them meets.
    pub(super) fn meet(&self, what: &str, fault: Fault) -> Case {
        Case {
            what: format!("{}: {what}", self.about),
            fault: fault.on(self.method.clone(), &self.path),
            end: End::Whole,
        }
    }

    /// What may become of any request.
    pub(super) fn go_wrong(&self) -> [Case; 3] {
        [
            self.meet("never answered", Fault::hang()),
            self.meet("429", Fault::too_many_requests(RetryAfter::Seconds(0))),
            self.meet("500", Fault::status(StatusCode::INTERNAL_SERVER_ERROR))
                .times(2),
        ]
    }

    /// What may become of the answer to a request that was done.
    pub(super) fn lose_the_answer(&self) -> Case {
        self.meet("the answer lost", Fault::close().after_effect())
    }

    /// The token is no longer good for one of them.
    pub(super) fn expire_the_token(&self, profile: &Profile) -> Case {
        let end = match profile.auth {
            // It is no token: nobody could give another one.
            Auth::BasicToken(_) => End::Refused(ErrorKind::Unauthorized),
            _ => End::Whole,
        };
        Case {
            end,
            ..self.meet(A_TOKEN_EXPIRED, Fault::expire_token())
        }
    }
}

/// A connection that ends before anything is asked on it.
pub(super) fn connection_reset() -> Case {
    Case {
        what: "a connection reset".to_owned(),
        fault: Fault::reset_at_accept(),
        end: End::Whole,
    }
}
