//! The entries of `index.json`: looked for, put and removed by edits of its bytes.

use stevedore_core::annotations::REF_NAME;
use stevedore_core::{Descriptor, Error, ErrorKind, ImageIndex, Raw, RefName, Result};

pub(crate) fn named_as(entry: &Descriptor, name: &RefName) -> bool {
    entry
        .annotations
        .get(REF_NAME)
        .is_some_and(|it| it == name.as_str())
}

pub(crate) fn tagged<'a>(index: &'a ImageIndex, tag: &str) -> Option<&'a Descriptor> {
    index
        .manifests
        .iter()
        .find(|entry| entry.annotations.get(REF_NAME).is_some_and(|name| name == tag))
}

pub(crate) fn remove_entries(index: &Raw<ImageIndex>, places: &[usize]) -> Result<Raw<ImageIndex>> {
    let edited = index.edit(|edit| {
        for place in places.iter().rev() {
            edit.remove(("manifests", *place))?;
        }
        Ok(())
    });
    Ok(edited?)
}

/// Puts an entry under a name in place of the one that has it, or one without a name where its digest is not among
/// the entries yet.
pub(crate) fn put_entry(
    index: Raw<ImageIndex>,
    name: Option<&str>,
    entry: &Descriptor,
    replace: bool,
) -> Result<Raw<ImageIndex>> {
    let Some(name) = name else {
        if index.manifests.iter().any(|other| other.digest == entry.digest) {
            return Ok(index);
        }
        return Ok(index.edit(|edit| edit.push("manifests", entry))?);
    };
    let has_name = |other: &Descriptor| other.annotations.get(REF_NAME).is_some_and(|it| it == name);
    let places: Vec<usize> = index
        .manifests
        .iter()
        .enumerate()
        .filter(|(_, other)| has_name(other))
        .map(|(place, _)| place)
        .collect();
    let Some((first, others)) = places.split_first() else {
        return Ok(index.edit(|edit| edit.push("manifests", entry))?);
    };
    if others.is_empty() && index.manifests[*first].digest == entry.digest {
        return Ok(index);
    }
    if !replace {
        let message = format!("the name {name} is taken by {}", index.manifests[*first].digest);
        return Err(Error::new(ErrorKind::Conflict, message));
    }
    let edited = index.edit(|edit| {
        for place in others.iter().rev() {
            edit.remove(("manifests", *place))?;
        }
        edit.set(("manifests", *first), entry)
    });
    Ok(edited?)
}
