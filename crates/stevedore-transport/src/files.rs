//! Small files, locks on them, and where work on files is done.

use std::fs::{File, Metadata, TryLockError};
use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use stevedore_core::{Error, ErrorKind, Result};

/// The wait between two looks at a lock that is held.
const LOCK_POLL: Duration = Duration::from_millis(5);

/// Waits for the lock of a file; gives it, or `None` on a file system without locks: the writers of this process still
/// take turns elsewhere. It goes with the file handle, also by a kill.
///
/// # Errors
/// [`ErrorKind::TimedOut`] where another process has it for longer than `patience`, [`ErrorKind::Storage`].
pub(crate) fn lock(file: File, path: &Path, patience: Duration) -> Result<Option<File>> {
    let deadline = Instant::now() + patience;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::sleep(LOCK_POLL),
            Err(TryLockError::WouldBlock) => {
                let message = format!("{} is locked by another process for too long", path.display());
                return Err(Error::new(ErrorKind::TimedOut, message));
            }
            Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => {
                return Ok(None);
            }
            Err(TryLockError::Error(error)) => {
                return Err(Error::storage(format!("cannot lock {}", path.display()), error));
            }
        }
    }
}

/// A small file, or `None` where it is not there.
pub(crate) fn read_limited(path: &Path, limit: u64) -> Result<Option<Bytes>> {
    let cannot = |error| Error::storage(format!("cannot read {}", path.display()), error);
    // A pipe would be waited for.
    let is_special = |metadata: Metadata| !metadata.is_file() && !metadata.is_dir();
    if std::fs::metadata(path).is_ok_and(is_special) {
        return Err(Error::new(
            ErrorKind::Invalid,
            format!("{} is no file", path.display()),
        ));
    }
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(cannot(error)),
    };
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > limit {
        let message = format!("{} is larger than {limit} bytes", path.display());
        return Err(Error::new(ErrorKind::TooLarge, message));
    }
    Ok(Some(bytes.into()))
}

/// Runs a step that blocks on the disk where blocking is fine.
pub(crate) async fn blocking<T: Send + 'static>(
    step: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(step).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(error) => Err(Error::new(ErrorKind::Interrupted, "the program is ending").with_source(error)),
    }
}
