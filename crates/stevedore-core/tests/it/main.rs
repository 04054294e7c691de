//! Integration tests of `stevedore-core`, one binary.

mod descriptor;
mod digest;
mod edit;
mod json;
mod json_text;
mod media_type;
mod platform;
mod platform_matcher;
