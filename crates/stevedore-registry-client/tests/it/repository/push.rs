//! What is written, whatever happens on its way.

mod breaks;
mod ingests;
mod mounts;
mod names;
mod waits;

use super::*;

/// Where uploads go on.
const UPLOADS: &str = "/v2/*/blobs/uploads/*";

/// Where they begin.
const BEGINNINGS: &str = "/v2/*/blobs/uploads/";
