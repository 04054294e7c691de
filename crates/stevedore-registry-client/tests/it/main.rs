//! Integration tests.

#[cfg(unix)]
mod credentials;
