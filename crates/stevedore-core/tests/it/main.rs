//! Integration tests of `stevedore-core`, one binary.

mod config;
mod descriptor;
mod digest;
mod document;
mod edit;
mod json;
mod json_text;
mod media_type;
mod oci_spec_oracle;
mod platform;
mod platform_matcher;
mod raw;
