//! Tests for implementations of the seams, and stores on which to try whoever uses them.

pub mod weak;
