#![doc = include_str!("../README.md")]

pub mod auth;
mod client;
mod date;
mod environment;
mod error;
mod http;
mod repository;
mod request;
mod secret;
mod settings;
mod sys;
mod url;

pub use client::{Client, ClientBuilder};
pub use environment::Environment;
pub use error::{Error, Refused, RegistryError, Result};
pub use repository::Repository;
pub use request::Warning;
pub use settings::{RegistrySettings, RetryPolicy, Roots, Timeouts};
