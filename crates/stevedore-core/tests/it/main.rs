//! Integration tests of `stevedore-core`, one binary.

mod blob;
mod controls;
mod descriptor;
mod digest;
mod media_type;
mod memory;
mod platform;
mod platform_matcher;
mod ref_name;
mod reference;
mod reference_parts;
