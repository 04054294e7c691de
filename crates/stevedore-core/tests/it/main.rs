//! Integration tests of `stevedore-core`, one binary.

#[cfg(feature = "suite")]
mod collect;
#[cfg(feature = "suite")]
mod controls;
mod descriptor;
mod digest;
mod media_type;
#[cfg(feature = "suite")]
mod memory;
mod platform;
mod platform_matcher;
mod ref_name;
mod reference;
mod reference_parts;
#[cfg(feature = "suite")]
mod weak;
