#![doc = include_str!("../README.md")]
#![allow(
    clippy::result_large_err,
    reason = "a refusal is an answer like any other, and nothing here is hot"
)]

mod answer;
mod auth;
mod date;
mod fault;
mod log;
pub mod profile;
mod registry;
mod server;
mod wire;

pub use fault::{Fault, RetryAfter};
pub use log::{Log, Request};
pub use profile::{PASSWORD, Profile, USER};
pub use server::{Builder, FaultServer, Origin};
