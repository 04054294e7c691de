//! What a copy did.

use std::sync::atomic::{AtomicU64, Ordering};

use stevedore_core::{Descriptor, Put};

use super::LeftOut;

/// What a copy did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Copied {
    /// What was copied: the index, or the image of the platform that was chosen.
    pub root: Descriptor,
    /// The platforms of an index that stayed behind.
    pub left_out: Vec<LeftOut>,
    /// How many blobs were there already.
    pub present: u64,
    /// How many blobs were mounted or otherwise taken over without sending their bytes.
    pub mounted: u64,
    /// How many blobs were written; in a dry run, would be.
    pub written: u64,
    /// The sizes of those in bytes, added up.
    pub written_bytes: u64,
    /// How many documents were put, or would be.
    pub documents: u64,
}

/// The counts while a copy runs.
#[derive(Debug, Default)]
pub(super) struct Counts {
    present: AtomicU64,
    mounted: AtomicU64,
    written: AtomicU64,
    written_bytes: AtomicU64,
    documents: AtomicU64,
}

impl Counts {
    pub(super) fn add_blob(&self, put: Put, size: u64) {
        match put {
            Put::Mounted => add(&self.mounted, 1),
            Put::Written => {
                add(&self.written, 1);
                add(&self.written_bytes, size);
            }
            _ => add(&self.present, 1),
        }
    }

    pub(super) fn add_present(&self, blobs: u64) {
        add(&self.present, blobs);
    }

    pub(super) fn add_document(&self) {
        add(&self.documents, 1);
    }

    pub(super) fn report(&self, root: Descriptor, left_out: Vec<LeftOut>) -> Copied {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Copied {
            root,
            left_out,
            present: read(&self.present),
            mounted: read(&self.mounted),
            written: read(&self.written),
            written_bytes: read(&self.written_bytes),
            documents: read(&self.documents),
        }
    }
}

fn add(count: &AtomicU64, by: u64) {
    count.fetch_add(by, Ordering::Relaxed);
}
