//! Integration tests of `stevedore-core`, one binary.

mod descriptor;
mod digest;
mod media_type;
mod platform;
mod platform_matcher;
mod ref_name;
mod reference;
mod reference_parts;
