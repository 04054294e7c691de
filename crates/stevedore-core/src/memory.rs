//! Stores that live in memory: for tests, for caches, and as the plainest reading of the seams.
//!
//! Both are linearizable, their clones share one content, and what they hold goes with the last clone.

mod ids;
mod ingest;
mod names;
mod store;

pub use names::MemoryNames;
pub use store::MemoryStore;
