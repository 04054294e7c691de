//! Integration tests of `stevedore-core`, one binary.

mod digest;
mod media_type;
