#![doc = include_str!("../README.md")]

pub mod auth;
mod certificates;
mod client;
mod date;
mod environment;
mod error;
mod http;
mod mirrors;
mod proxies;
mod registries;
mod repository;
mod request;
mod secret;
mod settings;
mod sys;
mod url;

pub use certificates::{CertificateDirectories, CertificateDirectory};
pub use client::{Client, ClientBuilder};
pub use environment::{Environment, Variable};
pub use error::{Error, Refused, RegistryError, Result};
pub use proxies::{Proxies, Route};
pub use registries::{Endpoint, RegistriesConf, RegistriesError, ShortName};
pub use repository::Repository;
pub use request::Warning;
pub use settings::{RegistrySettings, RetryPolicy, Roots, Timeouts};
