//! HTTP/1.1 by hand: a server library would mend what the faults break.

mod request;
mod response;
mod stream;

pub(crate) use request::{Conn, Head};
pub(crate) use response::{Claim, Delivery, Ending, Then};
pub(crate) use stream::Stream;
