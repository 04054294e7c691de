//! Integration tests of `stevedore-core`, one binary.

mod collect;
mod digest;
mod media_type;
