//! `manifest.json` of `docker save`, and the names that it gives to the images of the layout beside it.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use stevedore_core::annotations::REF_NAME;
use stevedore_core::raw::MANIFEST_LIMIT;
use stevedore_core::{
    Algorithm, Descriptor, Digest, Document, Error, ErrorKind, ImageIndex, MediaType, Raw, RefName,
    Reference, Result,
};

use super::open::{Opening, blob_path};

/// The annotation by which containerd, and `docker save` with it, says the whole name of an image.
pub(super) const FULL_NAME: &str = "io.containerd.image.name";

/// The most images that are looked into for what a name of `manifest.json` means.
const MAX_LOOKED_AT: usize = 1024;

/// An image as `manifest.json` has it: paths in the archive.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Saved {
    pub(super) config: String,
    #[serde(default, deserialize_with = "or_null")]
    pub(super) repo_tags: Vec<String>,
    #[serde(default, deserialize_with = "or_null")]
    pub(super) layers: Vec<String>,
}

/// Older programs write `null` for none.
fn or_null<'de, D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Vec<String>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Saved>> {
    let saved: Vec<Saved> = serde_json::from_slice(bytes).map_err(|error| {
        Error::new(
            ErrorKind::Invalid,
            "its manifest.json is not what docker save writes",
        )
        .with_source(error)
    })?;
    if saved.is_empty() {
        return Err(Error::new(ErrorKind::Invalid, "its manifest.json names no image"));
    }
    Ok(saved)
}

impl Saved {
    /// The names, written out: `docker.io/library/app:v1`. What is no reference with a tag is none.
    pub(super) fn names(&self) -> impl Iterator<Item = RefName> {
        let references = self
            .repo_tags
            .iter()
            .filter_map(|name| name.parse::<Reference>().ok());
        references
            .filter(|reference| reference.tag().is_some())
            .map(|reference| RefName::verbatim(&reference.canonical()))
    }
}

/// The index of a layout with the names that Docker knows its images by: each entry once for every name.
pub(super) fn named(opening: &Opening, saved: &[Saved], index: &ImageIndex) -> Result<Raw<ImageIndex>> {
    let mut entries = Vec::new();
    let mut found = HashSet::new();
    let mut looked_at = 0;
    for entry in &index.manifests {
        let full = entry.annotations.get(FULL_NAME).cloned();
        let full = full
            .and_then(|name| name.parse::<Reference>().ok())
            .map(|name| name.canonical());
        let names: Vec<String> = if let Some(name) = full {
            vec![name]
        } else {
            let configs = configs(opening, entry, &mut looked_at)?;
            let images = saved.iter().filter(|image| configs.contains(&image.config));
            images
                .flat_map(Saved::names)
                .map(|name| name.to_string())
                .collect()
        };
        if names.is_empty() {
            entries.push(entry.clone());
        }
        for name in names {
            if found.insert((name.clone(), entry.digest.clone())) {
                entries.push(entry.clone().with_annotation(REF_NAME, name));
            }
        }
    }
    Ok(Raw::encode(
        &ImageIndex::new(entries),
        MediaType::OCI_INDEX,
        Algorithm::Sha256,
    )?)
}

/// The paths of the configs of all images of an entry.
fn configs(opening: &Opening, entry: &Descriptor, looked_at: &mut usize) -> Result<HashSet<String>> {
    let mut paths = HashSet::new();
    let mut waiting = vec![entry.clone()];
    while let Some(next) = waiting.pop() {
        *looked_at += 1;
        let Ok(digest) = next.known_digest() else { continue };
        if *looked_at > MAX_LOOKED_AT {
            break;
        }
        match document(opening, &next, &digest)? {
            Some(Document::Image(image)) => {
                if let Ok(config) = image.config.known_digest() {
                    paths.insert(blob_path(&config));
                    // As `docker save` called it before it wrote layouts.
                    paths.insert(format!("{}.json", config.hex()));
                }
            }
            Some(Document::Index(index)) => waiting.extend(index.manifests.iter().cloned()),
            _ => {}
        }
    }
    Ok(paths)
}

/// A document, if it is there and what its descriptor says.
fn document(opening: &Opening, descriptor: &Descriptor, digest: &Digest) -> Result<Option<Document>> {
    if descriptor.size > MANIFEST_LIMIT as u64 {
        return Ok(None);
    }
    let bytes = opening.small(&blob_path(digest))?;
    Ok(bytes.and_then(|bytes| Document::verified(bytes, descriptor).ok()))
}
