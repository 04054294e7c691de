//! Integration tests: against servers in this process, on addresses of this machine only.

mod advisories;
#[cfg(unix)]
mod auth;
mod certificates;
mod connections;
#[cfg(unix)]
mod credentials;
mod mirrors;
mod patience;
mod proxies;
mod repository;
mod suite;
mod support;
mod trust;
