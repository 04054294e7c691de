//! The protocol by which blobs are shared, promised and collected, over any [`Store`] and [`Names`].
//!
//! Pushes, pulls and collectors run at once, in any number of processes, and each may stall for days or die at any
//! step. Nobody holds a lock. What is left to build on is little, for an object store has no more: a record is changed
//! on the version that was read, and a blob is deleted only if it is still exactly as it was seen.
//!
//! Three facts carry every argument in this module; *grace* is [`Store::grace`].
//!
//! 1. **A life ends once.** Bytes deleted and pushed again have another [`Life`], and no life comes back. Whoever
//!    sees the same life twice knows that the blob was there all the time between.
//! 2. **A touch holds for half a grace.** A collector takes only what was last touched a grace before it began. What
//!    [`Store::touch`] gives was touched half a grace before the call at the most, so no collector that begins within
//!    half a grace after the call takes it.
//! 3. **A touch defeats a collector that looked before it.** What a collector saw as old is older than a grace, so
//!    any touch after it began writes, the version changes, and the delete, which names the version seen, does
//!    nothing.
//!
//! A blob belongs to a repository by a *membership*: a record that carries the life of the blob it was made for. It
//! counts only while that life lasts, so a blob that somebody else pushes later does not appear in a repository whose
//! own push of it was collected.
//!
//! - [`check`] answers a HEAD or the source of a mount, [`join`] ends a push or a mount.
//! - [`publish`] writes a manifest and answers only when everything it needs will stay.
//! - [`collect`] deletes what nothing refers to.
//!
//! ```
//! use stevedore_core::collect::{self, Member, Published};
//! use stevedore_core::{Key, Names, Result, Store};
//!
//! /// The end of a manifest's PUT: its blob was committed before.
//! async fn put(store: &dyn Store, names: &dyn Names, layer: Member, manifest: &'static [u8]) -> Result<bool> {
//!     if collect::join(store, names, &layer).await?.is_none() {
//!         return Ok(false); // collected meanwhile: push it again
//!     }
//!     let key = Key::parse("manifests/app/1")?;
//!     let published = collect::publish(store, names, &key, manifest.into(), &[layer]).await?;
//!     Ok(matches!(published, Published::Done(_)))
//! }
//! ```
//!
//! [`Life`]: crate::Life
//! [`Names`]: crate::Names
//! [`Store`]: crate::Store
//! [`Store::grace`]: crate::Store::grace
//! [`Store::touch`]: crate::Store::touch

mod membership;
mod publish;
mod sweep;

pub use membership::{Member, check, join, peek};
pub use publish::{Published, publish};
pub use sweep::{Collection, Mark, Report, collect};

/// How often a step that lost against somebody else is tried again. Each loss means that another process got ahead,
/// so only an unlucky one in a crowd comes near.
const ATTEMPTS: usize = 32;
