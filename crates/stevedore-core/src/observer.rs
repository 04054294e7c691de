//! What a copy tells whoever watches.

use std::sync::Arc;
use std::time::Duration;

use crate::{Descriptor, Error, Meter, Put};

/// Is told what a long operation does. Calls come from several tasks; they must not block.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn event(&self, event: Event<'_>);
}

/// What happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A blob is wanted.
    BlobStarted {
        /// The blob.
        descriptor: &'a Descriptor,
        /// Counts its bytes while they are taken.
        meter: &'a Arc<Meter>,
    },
    /// A blob is there.
    BlobDone {
        /// The blob.
        descriptor: &'a Descriptor,
        /// How it came.
        put: Put,
    },
    /// Something failed and is tried again after a while.
    Retrying {
        /// What failed.
        descriptor: &'a Descriptor,
        /// Why.
        error: &'a Error,
        /// When it is tried again, from now.
        after: Duration,
    },
    /// A document is there.
    DocumentDone {
        /// The document.
        descriptor: &'a Descriptor,
    },
}

/// Nobody watches.
impl Observer for () {
    fn event(&self, _: Event<'_>) {}
}
