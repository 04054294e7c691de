//! An archive that is open: where in its file everything lies.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use stevedore_archive::codec::{Compression, Decoder, Limits};
use stevedore_archive::tar::{self, Index, Indexed, Kind};
use stevedore_core::raw::MANIFEST_LIMIT;
use stevedore_core::{
    Algorithm, Blob, ByteRange, Context as _, Digest, Error, ErrorKind, ImageIndex, MediaType, Place, Raw,
    Result,
};

use super::{ArchiveForm, docker, is_standard_stream, legacy};
use crate::layout::check_header;
use crate::view::Files;

/// How much is laid out in a temporary file at a time (1 MiB).
const SPOOLED: usize = 1024 * 1024;

/// The most that is read of a small file of an archive, in bytes: a config is the largest.
pub(super) const SMALL: u64 = 16 * 1024 * 1024;

/// An archive that is open.
pub(super) struct Opened {
    shown: String,
    path: PathBuf,
    file: Arc<File>,
    entries: Index,
    index: Raw<ImageIndex>,
    /// What has no file of its own in the archive, or one under another name.
    made: Made,
}

/// Documents that are made of what `docker save` wrote, and where the blobs lie that they name.
#[derive(Debug, Default)]
pub(super) struct Made {
    pub(super) documents: HashMap<Digest, Bytes>,
    pub(super) blobs: HashMap<Digest, Range<u64>>,
}

/// An archive while it is being opened.
pub(super) struct Opening {
    pub(super) file: Arc<File>,
    pub(super) entries: Index,
}

impl Opened {
    /// Opens the archive in a file, or on stdin for the path `-`. Blocks.
    pub(super) fn open(path: PathBuf, form: ArchiveForm) -> Result<Self> {
        let shown = if is_standard_stream(&path) {
            "the archive on stdin".to_owned()
        } else {
            path.display().to_string()
        };
        let opened = Self::read(path, form, &shown);
        opened.context(|| format!("cannot read {shown}"))
    }

    fn read(path: PathBuf, form: ArchiveForm, shown: &str) -> Result<Self> {
        let file = seekable(&path)?;
        let entries = Index::of_file(&file).map_err(broken)?;
        let opening = Opening {
            file: Arc::new(file),
            entries,
        };
        let layout = opening.layout()?;
        let (index, made) = match (form, layout) {
            (ArchiveForm::Oci, Some(index)) => (index, Made::default()),
            (ArchiveForm::Oci, None) => {
                return Err(opening.is_none("oci-archive", "index.json", "docker-archive"));
            }
            (ArchiveForm::Docker, layout) => match (opening.saved()?, layout) {
                (None, Some(_)) => {
                    return Err(opening.is_none("docker-archive", "manifest.json", "oci-archive"));
                }
                (None, None) => return Err(opening.is_none("docker-archive", "manifest.json", "")),
                (Some(saved), Some(index)) => (docker::named(&opening, &saved, &index)?, Made::default()),
                (Some(saved), None) => legacy::make(&opening, &saved)?,
            },
        };
        Ok(Self {
            shown: shown.to_owned(),
            path,
            file: opening.file,
            entries: opening.entries,
            index,
            made,
        })
    }

    /// Where a blob lies.
    fn range(&self, digest: &Digest) -> Result<Option<Range<u64>>> {
        if let Some(range) = self.made.blobs.get(digest) {
            return Ok(Some(range.clone()));
        }
        let path = blob_path(digest);
        Opening::content(&self.entries, &path)
    }
}

impl Opening {
    /// The index of a layout, if the archive has one.
    fn layout(&self) -> Result<Option<Raw<ImageIndex>>> {
        let (Some(header), Some(bytes)) = (self.small("oci-layout")?, self.small("index.json")?) else {
            return Ok(None);
        };
        check_header("its oci-layout", &header)?;
        let index = Raw::parse(bytes, MediaType::OCI_INDEX, Algorithm::Sha256, MANIFEST_LIMIT);
        Ok(Some(
            index
                .map_err(Error::from)
                .context(|| "its index.json".to_owned())?,
        ))
    }

    fn saved(&self) -> Result<Option<Vec<docker::Saved>>> {
        let Some(bytes) = self.small("manifest.json")? else {
            return Ok(None);
        };
        docker::parse(&bytes).map(Some)
    }

    fn is_none(&self, what: &str, missing: &str, other: &str) -> Error {
        let mut message = format!("it is no {what}: it has no {missing}");
        if other == "docker-archive" && self.entries.entry(b"manifest.json").is_some()
            || other == "oci-archive"
        {
            message = format!("{message}; it can be read as {other}:");
        } else if self.entries.entry(b"repositories").is_some() {
            message = format!("{message}: `docker save` of before 2016 wrote it");
        }
        Error::new(ErrorKind::Invalid, message)
    }

    /// A small file, or `None` where it is not there.
    pub(super) fn small(&self, path: &str) -> Result<Option<Bytes>> {
        let Some(range) = Self::content(&self.entries, path)? else {
            return Ok(None);
        };
        let size = range.end - range.start;
        if size > SMALL {
            let message = format!("its {path} is larger than {SMALL} bytes");
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        let mut bytes = Vec::new();
        let read = self
            .at(range.start)
            .and_then(|file| file.take(size).read_to_end(&mut bytes));
        match read {
            Ok(count) if count as u64 == size => Ok(Some(bytes.into())),
            Ok(_) => Err(Error::new(
                ErrorKind::Invalid,
                format!("its {path} became shorter"),
            )),
            Err(error) => Err(Error::storage(format!("its {path}"), error)),
        }
    }

    /// The file from an offset on. One at a time reads through it.
    pub(super) fn at(&self, offset: u64) -> io::Result<&File> {
        let mut file = &*self.file;
        file.seek(SeekFrom::Start(offset))?;
        Ok(file)
    }

    /// Where the content of a file lies, over links.
    pub(super) fn content(entries: &Index, path: &str) -> Result<Option<Range<u64>>> {
        let found = entries.resolve(path.as_bytes());
        let found =
            found.map_err(|error| Error::of(ErrorKind::Invalid, error).context(format!("its {path}")))?;
        match found {
            None => Ok(None),
            Some(Indexed {
                kind: Kind::File,
                sparse: None,
                offset,
                size,
                ..
            }) => Ok(Some(*offset..offset + size)),
            Some(_) => {
                let message = format!("its {path} is no plain file");
                Err(Error::new(ErrorKind::Invalid, message))
            }
        }
    }
}

/// Where a layout has a blob.
pub(super) fn blob_path(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm(), digest.hex())
}

/// What is wrong with a tar, as an error of a place.
fn broken(error: tar::Error) -> Error {
    let kind = match &error {
        tar::Error::Read { .. } => ErrorKind::Storage,
        tar::Error::Limit { .. } => ErrorKind::TooLarge,
        _ => ErrorKind::Invalid,
    };
    Error::of(kind, error)
}

/// The archive as a file that can be read at any place: its own, or a temporary one with what it unpacks to.
fn seekable(path: &Path) -> Result<File> {
    let cannot = |error| Error::storage("it cannot be opened", error);
    let mut file = if is_standard_stream(path) {
        standard_input().map_err(cannot)?
    } else {
        File::open(path).map_err(cannot)?
    };
    let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
    let from_start = is_file && file.stream_position().is_ok_and(|position| position == 0);
    let mut decoder = Decoder::new(BufReader::with_capacity(SPOOLED, &file), Limits::default());
    let compression = decoder.compression().map_err(undecodable)?;
    if compression == Compression::None && from_start {
        file.rewind().map_err(cannot)?;
        return Ok(file);
    }
    spool(decoder)
}

fn spool(mut decoder: Decoder<BufReader<&File>>) -> Result<File> {
    let dir = spool_dir();
    let cannot = |error| {
        let what = format!("it cannot be laid out in a temporary file in {}", dir.display());
        Error::storage(what, error)
    };
    let mut spooled = tempfile::tempfile_in(&dir).map_err(cannot)?;
    let mut buffer = vec![0; SPOOLED];
    loop {
        let count = match decoder.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(undecodable(error)),
        };
        io::Write::write_all(&mut spooled, &buffer[..count]).map_err(cannot)?;
    }
    spooled.rewind().map_err(cannot)?;
    Ok(spooled)
}

/// Where large temporary files go: `TMPDIR`, else `/var/tmp`, for `/tmp` may be memory.
fn spool_dir() -> PathBuf {
    let chosen = std::env::var_os("TMPDIR").filter(|dir| !dir.is_empty());
    let var = Path::new("/var/tmp");
    match chosen {
        Some(dir) => dir.into(),
        None if var.is_dir() => var.to_owned(),
        None => std::env::temp_dir(),
    }
}

fn undecodable(error: io::Error) -> Error {
    use stevedore_archive::codec::DecodeError;

    match DecodeError::of(&error) {
        Some(DecodeError::Limit { .. }) => Error::of(ErrorKind::TooLarge, error),
        Some(_) => Error::of(ErrorKind::Invalid, error),
        None => Error::storage("its bytes cannot be read", error),
    }
}

#[cfg(unix)]
fn standard_input() -> io::Result<File> {
    use std::os::fd::AsFd as _;

    Ok(io::stdin().as_fd().try_clone_to_owned()?.into())
}

#[cfg(not(unix))]
fn standard_input() -> io::Result<File> {
    let message = "an archive on stdin is read on Unix only";
    Err(io::Error::new(io::ErrorKind::Unsupported, message))
}

#[async_trait]
impl Files for Opened {
    async fn index(&self) -> Result<Raw<ImageIndex>> {
        Ok(self.index.clone())
    }

    async fn size(&self, digest: &Digest) -> Result<Option<u64>> {
        if let Some(bytes) = self.made.documents.get(digest) {
            return Ok(Some(bytes.len() as u64));
        }
        Ok(self.range(digest)?.map(|range| range.end - range.start))
    }

    async fn open(&self, digest: &Digest, range: ByteRange) -> Result<Blob> {
        if let Some(bytes) = self.made.documents.get(digest) {
            let range = range.within(bytes.len() as u64)?;
            let at = |offset| usize::try_from(offset).expect("because it is within bytes in memory");
            return Ok(Blob::from(bytes.slice(at(range.start)..at(range.end))));
        }
        let Some(all) = self.range(digest)? else {
            let message = format!("{self} has no blob {digest}");
            return Err(Error::new(ErrorKind::NotFound, message));
        };
        let part = range.within(all.end - all.start)?;
        let range = all.start + part.start..all.start + part.end;
        Ok(Blob::from_file(Arc::clone(&self.file), self.path.clone(), range))
    }

    fn place(&self, _digest: &Digest) -> Option<Place> {
        None
    }
}

impl fmt::Display for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Opened").field(&self.shown).finish()
    }
}
