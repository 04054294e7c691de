//! Calls that differ between operating systems. `--cfg stevedore_portable` selects the fallback everywhere.

use std::fs::File;
use std::io;

#[cfg(feature = "fs")]
mod files;

#[cfg(feature = "fs")]
pub(crate) use files::{
    begin_writeback, boot_id, is_only_name, open_to_read, reflink, rename_new, same_file, set_accessed,
    sync_dir, write_at,
};

/// Reads at an offset without moving the file's position; gives how many bytes came, 0 at the end.
#[cfg(all(unix, not(stevedore_portable)))]
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

/// Reads at an offset through a handle of its own. Handles made by `try_clone` share one position, so readers
/// of one file take turns.
#[cfg(not(all(unix, not(stevedore_portable))))]
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    use std::sync::{Mutex, PoisonError};

    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut file = file;
    file.seek(SeekFrom::Start(offset))?;
    file.read(buffer)
}
