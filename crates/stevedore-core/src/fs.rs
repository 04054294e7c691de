//! Stores over directories of the file system.
//!
//! [`FsStore`] keeps blobs as an OCI layout's `blobs` directory does, [`FsNames`] keeps small records. Both
//! write a file beside its place, sync it, rename it and sync the directory, so that whatever is visible is
//! whole and whatever was acknowledged lasts. Neither makes a directory before something is written: reading
//! needs no right to write.
//!
//! They run their work on the blocking threads of the tokio runtime around them; looking at a file (not its
//! content) is done inline.
//!
//! ```
//! use stevedore_core::fs::{FsOptions, FsStore};
//! use stevedore_core::{Algorithm, Blob, ByteRange, Expected, IngestPlan, Staging, Store};
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! # let dir = tempfile::tempdir()?;
//! # let root = dir.path();
//! let store = FsStore::new(FsOptions::new(root.join("blobs"), root.join(".stevedore/staging")));
//! let Staging::Mine(mut ingest) = store.ingest(IngestPlan::new(Algorithm::Sha256)).await? else {
//!     unreachable!("the plan names no digest that could be there");
//! };
//! ingest.append(Blob::from("hello")).await?;
//! let info = ingest.commit(Expected::anything()).await?;
//! assert!(root.join("blobs/sha256").join(info.digest.hex()).is_file());
//! let blob = store.open(&info.digest, ByteRange::of(1..4)).await?;
//! assert_eq!(blob.into_bytes(10).await?, "ell");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod blocking;
mod calls;
mod dirs;
mod escape;
#[cfg(test)]
mod faults;
mod file_names;
mod files;
mod held;
mod in_the_way;
mod ingest;
mod keep;
mod life;
mod listing;
mod locks;
mod names;
mod nonce;
mod published;
mod rounds;
mod staged;
mod staging;
mod store;

use std::io;
use std::path::Path;

pub use file_names::FileNames;
pub use in_the_way::InTheWay;
pub use names::FsNames;
pub use store::{FsOptions, FsStore};

use crate::Error;

/// The error of a call that failed at a path.
fn cannot(what: &str, path: &Path, error: io::Error) -> Error {
    Error::storage(format!("cannot {what} {}", path.display()), error)
}

/// Whether there is no such file. A file where a directory should be makes that so, too.
fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}
