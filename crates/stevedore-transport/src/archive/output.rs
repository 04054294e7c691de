//! A file that gets its name when it is whole, or a pipe.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, IsTerminal as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use stevedore_core::{Error, ErrorKind, Result};

use super::is_standard_stream;
use crate::WriteOptions;

/// How long another process that writes the same archive is waited for.
const LOCK_TIMEOUT: Duration = Duration::from_millis(200);

/// The wait between two looks at it.
const LOCK_POLL: Duration = Duration::from_millis(5);

/// Where an archive is written to. All of its calls block.
#[derive(Debug)]
pub(super) struct Output {
    file: File,
    written: u64,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// A file under a name of its own until it is whole.
    File {
        temporary: PathBuf,
        path: PathBuf,
        options: WriteOptions,
        /// The whole file has its name.
        named: bool,
    },
    /// A pipe or a device, and what people know it by.
    Stream(String),
}

impl Output {
    /// Opens what a path names: stdout for `-`.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] where a file is there that is not to be replaced, or another process writes the same archive;
    /// [`ErrorKind::Invalid`] for a terminal or a directory, [`ErrorKind::Storage`].
    pub(super) fn open(path: &Path, options: WriteOptions) -> Result<Self> {
        if is_standard_stream(path) {
            return Self::stream("stdout".to_owned(), standard_output());
        }
        let shown = path.display();
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                return Err(Error::new(
                    ErrorKind::Invalid,
                    format!("{shown} is a directory, and no archive"),
                ));
            }
            Ok(metadata) if !metadata.is_file() => {
                return Self::stream(shown.to_string(), OpenOptions::new().write(true).open(path));
            }
            Ok(_) if !options.replace => return Err(taken(path)),
            _ => {}
        }
        let temporary = temporary(path)?;
        let file = reserve(path, &temporary)?;
        Ok(Self {
            file,
            written: 0,
            place: Place::File {
                temporary,
                path: path.to_owned(),
                options,
                named: false,
            },
        })
    }

    fn stream(shown: String, file: io::Result<File>) -> Result<Self> {
        let file = file.map_err(|error| Error::storage(format!("cannot write to {shown}"), error))?;
        if file.is_terminal() {
            let message = format!("an archive is not written to a terminal, and {shown} is one");
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        Ok(Self {
            file,
            written: 0,
            place: Place::Stream(shown),
        })
    }

    /// How many bytes are written.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Writes bytes behind the others. After an error some of them may be written: [`written`](Self::written) counts those.
    pub(super) fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            match self.file.write(bytes) {
                Ok(0) => return Err(self.cannot(io::ErrorKind::WriteZero.into())),
                Ok(count) => {
                    self.written += count as u64;
                    bytes = &bytes[count..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.cannot(error)),
            }
        }
        Ok(())
    }

    /// Takes back all behind a place.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] where nothing can be taken back.
    pub(super) fn cut(&mut self, end: u64) -> Result<()> {
        if let Place::Stream(shown) = &self.place {
            let message = format!(
                "the archive to {shown} broke off in the middle of an entry: it has to be begun again"
            );
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        let cut = self
            .file
            .set_len(end)
            .and_then(|()| self.file.seek(SeekFrom::Start(end)));
        cut.map_err(|error| self.cannot(error))?;
        self.written = end;
        Ok(())
    }

    /// Makes the file durable and gives it its name.
    pub(super) fn finish(&mut self) -> Result<()> {
        let Place::File {
            temporary,
            path,
            options,
            named,
        } = &mut self.place
        else {
            return Ok(());
        };
        let cannot = |error| Error::storage(format!("cannot write {}", path.display()), error);
        if options.durable {
            self.file.sync_data().map_err(cannot)?;
        }
        if !is_at(&self.file, temporary) {
            let message = format!("somebody took {} away", temporary.display());
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        if options.replace {
            std::fs::rename(&temporary, &path).map_err(cannot)?;
        } else {
            rename_new(temporary, path)?;
        }
        *named = true;
        if options.durable {
            sync_dir(&parent(path)).map_err(cannot)?;
        }
        Ok(())
    }

    fn cannot(&self, error: io::Error) -> Error {
        Error::storage(format!("cannot write to {self}"), error)
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Place::File {
            temporary,
            named: false,
            ..
        } = &self.place
            && is_at(&self.file, temporary)
        {
            // What stays behind is removed by the next one.
            drop(std::fs::remove_file(temporary));
        }
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::File { path, .. } => path.display().fmt(f),
            Place::Stream(shown) => f.write_str(shown),
        }
    }
}

/// Makes the file in which an archive is written, and locks it for as long as it is open. What a kill left under its name is
/// removed, and never written to: in a folder that is not ours alone anybody may have put it there, or a link to elsewhere.
fn reserve(path: &Path, temporary: &Path) -> Result<File> {
    let cannot = |error| Error::storage(format!("cannot write {}", temporary.display()), error);
    let deadline = Instant::now() + LOCK_TIMEOUT;
    loop {
        match OpenOptions::new().write(true).create_new(true).open(temporary) {
            Ok(file) => match file.try_lock() {
                // Somebody may have taken it for one that a kill left, just before it was locked.
                Ok(()) if !is_at(&file, temporary) => {}
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) => {}
                // A file system without locks.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                    return Ok(file);
                }
                Err(TryLockError::Error(error)) => return Err(cannot(error)),
            },
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if remove_dead(temporary).map_err(cannot)? {
                    continue;
                }
            }
            Err(error) => return Err(cannot(error)),
        }
        if Instant::now() >= deadline {
            let (path, temporary) = (path.display(), temporary.display());
            let message = format!("another process is writing {path}; if there is none, remove {temporary}");
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        std::thread::sleep(LOCK_POLL);
    }
}

/// Removes what is under the name of a file that nobody has locked; gives whether it is gone.
fn remove_dead(temporary: &Path) -> io::Result<bool> {
    let is_missing = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    let _locked = match std::fs::symlink_metadata(temporary) {
        Err(error) if is_missing(&error) => return Ok(true),
        Err(error) => return Err(error),
        Ok(metadata) if metadata.is_file() => match File::open(temporary) {
            Err(error) if is_missing(&error) => return Ok(true),
            Err(error) => return Err(error),
            // Without locks nobody knows whether it is being written.
            Ok(file) if file.try_lock().is_err() || !is_at(&file, temporary) => return Ok(false),
            Ok(file) => Some(file),
        },
        // No program of ours makes a link or a pipe.
        Ok(_) => None,
    };
    match std::fs::remove_file(temporary) {
        Err(error) if !is_missing(&error) => Err(error),
        _ => Ok(true),
    }
}

/// Whether a path still names an open file.
#[cfg(all(unix, not(stevedore_portable)))]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    match (file.metadata(), std::fs::symlink_metadata(path)) {
        (Ok(file), Ok(there)) => (file.dev(), file.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// Whether a path still names an open file: as far as is known, if it names something.
#[cfg(not(all(unix, not(stevedore_portable))))]
fn is_at(_file: &File, path: &Path) -> bool {
    path.exists()
}

/// The name of a file until it is whole: always the same beside it, so that one that a kill left is found again.
fn temporary(path: &Path) -> Result<PathBuf> {
    let Some(name) = path.file_name() else {
        let message = format!("{} is no name of a file", path.display());
        return Err(Error::new(ErrorKind::Invalid, message));
    };
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(".stevedore-partial");
    Ok(path.with_file_name(hidden))
}

fn parent(path: &Path) -> PathBuf {
    let parent = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    parent.unwrap_or(Path::new(".")).to_owned()
}

fn taken(path: &Path) -> Error {
    let message = format!("the file {} is there already", path.display());
    Error::new(ErrorKind::Conflict, message)
}

/// Gives a file a name that nothing has.
fn rename_new(from: &Path, to: &Path) -> Result<()> {
    let cannot = |error| Error::storage(format!("cannot write {}", to.display()), error);
    match std::fs::hard_link(from, to) {
        Ok(()) => std::fs::remove_file(from).map_err(cannot),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(taken(to)),
        // A file system without links: another process may come in between.
        Err(_) if to.try_exists().map_err(cannot)? => Err(taken(to)),
        Err(_) => std::fs::rename(from, to).map_err(cannot),
    }
}

#[cfg(unix)]
fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(not(unix))]
fn sync_dir(_dir: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn standard_output() -> io::Result<File> {
    use std::os::fd::AsFd as _;

    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}

#[cfg(not(unix))]
fn standard_output() -> io::Result<File> {
    let message = "an archive is written to stdout on Unix only";
    Err(io::Error::new(io::ErrorKind::Unsupported, message))
}
