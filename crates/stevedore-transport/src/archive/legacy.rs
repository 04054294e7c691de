//! Archives of `docker save` without a layout: their manifests are made here, of what `manifest.json` and the configs say.
//!
//! A layer there is a tar that is not compressed, so its digest is the diff ID in the config: a claim, held against the
//! bytes by whoever takes them. One that is compressed is hashed.

use std::collections::HashMap;
use std::io::{self, Read};

use bytes::Bytes;
use stevedore_archive::codec::Compression;
use stevedore_core::annotations::REF_NAME;
use stevedore_core::raw::CONFIG_LIMIT;
use stevedore_core::{
    Algorithm, Context as _, Descriptor, Digest, Error, ErrorKind, Hasher, ImageConfig, ImageIndex,
    ImageManifest, MediaType, Raw, Result,
};

use super::docker::Saved;
use super::open::{Made, Opening};

/// How much is hashed at a time (256 KiB).
const BLOCK: usize = 256 * 1024;

/// The most images of an archive: each has a config to be read, and a manifest that is kept in memory.
const MAX_IMAGES: usize = 1024;

/// The most layers of all images of an archive together, for the same reason.
const MAX_LAYERS: usize = 65_536;

/// The digests of compressed layers by their offsets. Images share layers, and an archive may name one any number of times.
type Hashed = HashMap<u64, Digest>;

/// An index of the images, and their documents.
pub(super) fn make(opening: &Opening, saved: &[Saved]) -> Result<(Raw<ImageIndex>, Made)> {
    if saved.len() > MAX_IMAGES {
        let message = format!(
            "its manifest.json names {} images, more than {MAX_IMAGES}",
            saved.len()
        );
        return Err(Error::new(ErrorKind::TooLarge, message));
    }
    let layers: usize = saved.iter().map(|image| image.layers.len()).sum();
    if layers > MAX_LAYERS {
        let message = format!("its manifest.json names {layers} layers, more than {MAX_LAYERS}");
        return Err(Error::new(ErrorKind::TooLarge, message));
    }
    let (mut made, mut hashed) = (Made::default(), Hashed::new());
    let mut entries = Vec::new();
    for image in saved {
        let entry = make_image(opening, image, &mut made, &mut hashed)
            .context(|| format!("its image {}", image.config))?;
        let mut names = image.names().peekable();
        if names.peek().is_none() {
            entries.push(entry.clone());
        }
        entries.extend(names.map(|name| entry.clone().with_annotation(REF_NAME, name.as_str())));
    }
    let index = Raw::encode(&ImageIndex::new(entries), MediaType::OCI_INDEX, Algorithm::Sha256)?;
    Ok((index, made))
}

fn make_image(opening: &Opening, image: &Saved, made: &mut Made, hashed: &mut Hashed) -> Result<Descriptor> {
    let config = opening
        .small(&image.config)?
        .ok_or_else(|| invalid("its config is not there"))?;
    let parsed: Raw<ImageConfig> =
        Raw::parse(config, MediaType::OCI_CONFIG, Algorithm::Sha256, CONFIG_LIMIT)?;
    let diff_ids = &parsed.rootfs.diff_ids;
    if diff_ids.len() != image.layers.len() {
        let message = format!(
            "it has {} layers, and its config {}",
            image.layers.len(),
            diff_ids.len()
        );
        return Err(invalid(message));
    }
    let mut layers = Vec::new();
    for (path, diff_id) in image.layers.iter().zip(diff_ids) {
        layers.push(make_layer(opening, path, diff_id.known().ok(), made, hashed)?);
    }
    // It stays where it is: there may be many, and large ones.
    if let Some(range) = Opening::content(&opening.entries, &image.config)? {
        made.blobs.insert(parsed.digest(), range);
    }
    let platform = parsed.platform();
    let manifest = ImageManifest::new(parsed.descriptor(), layers);
    let manifest = Raw::encode(&manifest, MediaType::OCI_MANIFEST, Algorithm::Sha256)?;
    let bytes: Bytes = manifest.bytes().clone();
    made.documents.insert(manifest.digest(), bytes);
    Ok(manifest.descriptor().with_platform(platform))
}

fn make_layer(
    opening: &Opening,
    path: &str,
    diff_id: Option<Digest>,
    made: &mut Made,
    hashed: &mut Hashed,
) -> Result<Descriptor> {
    let range = Opening::content(&opening.entries, path)?;
    let range = range.ok_or_else(|| invalid(format!("its layer {path} is not there")))?;
    let size = range.end - range.start;
    let cannot = |error| Error::storage(format!("its layer {path}"), error);
    let mut head = [0; Compression::SNIFFED];
    let mut known = 0;
    let mut file = opening.at(range.start).map_err(cannot)?.take(size);
    while known < head.len() {
        match file.read(&mut head[known..]).map_err(cannot)? {
            0 => break,
            count => known += count,
        }
    }
    let media_type = match Compression::sniff(&head[..known]) {
        Compression::None => MediaType::OCI_LAYER,
        Compression::Gzip => MediaType::OCI_LAYER_GZIP,
        Compression::Zstd => MediaType::OCI_LAYER_ZSTD,
        other => {
            return Err(invalid(format!(
                "its layer {path} is compressed with {}",
                other.as_str()
            )));
        }
    };
    let digest = match (diff_id, hashed.get(&range.start)) {
        (Some(diff_id), _) if media_type == MediaType::OCI_LAYER => diff_id,
        (_, Some(known)) => *known,
        _ => {
            let file = opening.at(range.start).map_err(cannot)?;
            let digest = hash(file.take(size)).map_err(cannot)?;
            hashed.insert(range.start, digest);
            digest
        }
    };
    made.blobs.insert(digest, range);
    Ok(Descriptor::new(media_type, digest, size))
}

fn hash(mut content: impl Read) -> io::Result<Digest> {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    let mut buffer = vec![0; BLOCK];
    loop {
        match content.read(&mut buffer)? {
            0 => return Ok(hasher.finish()),
            count => hasher.update(&buffer[..count]),
        }
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, message)
}
