//! Integration tests of `stevedore-transport`, one binary.
