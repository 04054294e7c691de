//! Which files there are, and what they are called.

use std::ffi::OsStr;
use std::path::PathBuf;

use stevedore_core::fs::FileNames;
use stevedore_core::{Digest, Error, ErrorKind, Result};

use super::Directory;
use crate::files::read_limited;

/// The first line of the file `version`.
pub(super) const VERSION: &[u8] = b"Directory Transport Version: 1.1\n";

/// What all versions begin with that can be read.
const VERSION_1: &[u8] = b"Directory Transport Version: 1.";

/// How large the file `version` may be, in bytes.
const VERSION_LIMIT: u64 = 256;

/// The directory for what is ours: staged blobs.
pub(super) const OWN_DIR: &str = ".stevedore";

/// The document that is the image.
pub(super) const MANIFEST: &str = "manifest.json";

/// The ending of the other documents.
const CHILD: &str = ".manifest.json";

/// A file that belongs to an image.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    Blob(Digest),
    Document(Digest),
    /// A signature in simple signing format, of the image that skopeo wrote.
    Signature,
}

impl Part {
    /// What a file is, by its name.
    pub(super) fn of(name: &OsStr) -> Option<Self> {
        let name = name.to_str()?;
        if let Some(number) = name.strip_prefix("signature-") {
            let is_number = !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
            return is_number.then_some(Self::Signature);
        }
        match name.strip_suffix(CHILD) {
            Some(digest) => FileNames::Flat.digest_of(digest).map(Self::Document),
            None => FileNames::Flat.digest_of(name).map(Self::Blob),
        }
    }
}

impl Directory {
    pub(super) fn version_path(&self) -> PathBuf {
        self.inner.dir.join("version")
    }

    pub(super) fn manifest_path(&self) -> PathBuf {
        self.inner.dir.join(MANIFEST)
    }

    /// Where a document lies that is not the image itself.
    pub(super) fn child_path(&self, digest: &Digest) -> PathBuf {
        let mut path = self.inner.store.path(digest).into_os_string();
        path.push(CHILD);
        path.into()
    }

    /// Checks that there is an image.
    pub(super) fn check_there(&self) -> Result<()> {
        // One that may not be looked at is told when it is read.
        if self.manifest_path().try_exists().unwrap_or(true) {
            return Ok(());
        }
        let dir = self.inner.dir.display();
        let message = if self.inner.dir.is_dir() {
            format!("{dir} is no image of a dir: transport: it has no {MANIFEST}")
        } else {
            format!("there is no directory {dir}")
        };
        Err(Error::new(ErrorKind::NotFound, message))
    }

    /// Checks that nothing else is in the directory than what this transport put there.
    pub(super) fn check_ours(&self) -> Result<()> {
        let dir = self.inner.dir.display();
        if let Some(version) = read_limited(&self.version_path(), VERSION_LIMIT)? {
            if version.starts_with(VERSION_1) {
                return Ok(());
            }
            let message =
                format!("{dir} has a file `version` which is not that of a dir: transport of version 1");
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        let mut entries = match std::fs::read_dir(&self.inner.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Error::storage(format!("cannot read {dir}"), error)),
        };
        let foreign = entries.find(|entry| !entry.as_ref().is_ok_and(|entry| entry.file_name() == OWN_DIR));
        if foreign.is_none() {
            return Ok(());
        }
        let message =
            format!("{dir} is not empty and no image of a dir: transport: it has no file `version`");
        Err(Error::new(ErrorKind::Invalid, message))
    }
}

#[cfg(test)]
mod tests {
    use stevedore_core::Algorithm;

    use super::*;

    #[test]
    fn files_are_known_by_their_names() {
        let digest = Algorithm::Sha256.digest(b"content");
        let hex = digest.hex();
        let of = |name: &str| Part::of(OsStr::new(name));
        assert_eq!(of(&hex), Some(Part::Blob(digest)));
        assert_eq!(of(&format!("{hex}.manifest.json")), Some(Part::Document(digest)));
        assert_eq!(of("signature-12"), Some(Part::Signature));
        for name in [
            "version",
            "manifest.json",
            "signature-",
            "signature-x",
            ".manifest.json",
            "notes.txt",
        ] {
            assert_eq!(of(name), None, "{name}");
        }
    }
}
