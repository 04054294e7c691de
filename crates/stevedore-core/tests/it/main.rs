//! Integration tests of `stevedore-core`, one binary.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "clippy allows it in functions marked as tests; their helpers are no different"
)]

mod blob;
mod collect;
mod config;
mod controls;
mod descriptor;
mod digest;
mod document;
mod edit;
#[cfg(feature = "fs")]
mod fs;
mod json;
mod json_text;
mod media_type;
mod memory;
mod oci_spec_oracle;
mod platform;
mod platform_matcher;
mod raw;
mod ref_name;
mod reference;
mod reference_parts;
mod transport;
mod weak;
