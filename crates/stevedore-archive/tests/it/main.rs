//! Tests of the crate as its users see it.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "clippy allows it in functions marked as tests; their helpers are no different"
)]

mod codec;
mod tar;
