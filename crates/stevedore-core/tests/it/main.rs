//! Integration tests of `stevedore-core`, one binary.
