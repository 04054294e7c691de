//! Tar archives.

mod advisories;
mod ambiguous;
mod formats;
mod index;
mod input;
mod limits;
// They need names that are any bytes, and holes.
#[cfg(target_os = "linux")]
mod oracles;
mod properties;
mod raw;
mod sparse;
mod writer;

use std::io::Read;

use stevedore_archive::tar::{Entry, Error, Input, Limits, Reader};

/// An entry and its content.
pub(crate) type Item = (Entry, Vec<u8>);

/// Everything in an archive.
pub(crate) fn read(archive: &[u8]) -> Result<Vec<Item>, Error> {
    read_all(Reader::new(archive))
}

pub(crate) fn read_limited(archive: &[u8], change: impl FnOnce(&mut Limits)) -> Result<Vec<Item>, Error> {
    let mut limits = Limits::default();
    change(&mut limits);
    read_all(Reader::with_limits(
        stevedore_archive::tar::Stream::new(archive),
        limits,
    ))
}

pub(crate) fn read_all<I: Input>(mut reader: Reader<I>) -> Result<Vec<Item>, Error> {
    let mut items = Vec::new();
    while let Some(mut member) = reader.next_entry()? {
        let mut content = Vec::new();
        if let Err(error) = member.read_to_end(&mut content) {
            return Err(match error.downcast::<Error>() {
                Ok(error) => error,
                Err(error) => panic!("an error of another type: {error}"),
            });
        }
        assert_eq!(content.len() as u64, member.size);
        items.push((member.entry().clone(), content));
    }
    assert!(reader.next_entry()?.is_none(), "the end stays the end");
    Ok(items)
}

/// Paths and contents of an archive.
#[track_caller]
pub(crate) fn listed(archive: &[u8]) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    read(archive)
        .unwrap()
        .iter()
        .map(|(entry, content)| (text(&entry.path), text(content)))
        .collect()
}

/// The one entry of an archive.
#[track_caller]
pub(crate) fn only(archive: &[u8]) -> Item {
    let mut items = read(archive).unwrap();
    assert_eq!(items.len(), 1);
    items.remove(0)
}

/// What is said about an archive that is refused.
#[track_caller]
pub(crate) fn refused(archive: &[u8]) -> String {
    read(archive).unwrap_err().to_string()
}
