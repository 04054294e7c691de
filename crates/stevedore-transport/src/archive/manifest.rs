//! The `manifest.json` that `docker load` reads, over the blobs of a layout.

use std::collections::HashMap;

use stevedore_core::{Descriptor, Digest, Document, Error, ErrorKind, Platform, RefName, Result};

use super::docker::Saved;
use super::open::blob_path;

/// The images of an archive that is written.
#[derive(Debug, Default)]
pub(super) struct Images {
    by_digest: HashMap<Digest, Image>,
    indexes: HashMap<Digest, Vec<Descriptor>>,
    roots: Vec<(Digest, Vec<RefName>)>,
}

#[derive(Debug)]
struct Image {
    config: Descriptor,
    layers: Vec<Descriptor>,
}

impl Images {
    /// Notes what a document names.
    pub(super) fn note(&mut self, document: &Document) {
        match document {
            Document::Image(image) if image.config.media_type.is_config() => {
                let (config, layers) = (image.config.clone(), image.layers.clone());
                self.by_digest.insert(document.digest(), Image { config, layers });
            }
            Document::Index(index) => {
                self.indexes.insert(document.digest(), index.manifests.clone());
            }
            _ => {}
        }
    }

    /// Notes that a document was asked for under these names.
    pub(super) fn root(&mut self, digest: Digest, names: &[RefName]) {
        self.roots.push((digest, names.to_vec()));
    }

    /// The image that a root is or has: of an index that for this host, else its first.
    fn image(&self, root: &Digest) -> Option<&Image> {
        let Some(children) = self.indexes.get(root) else {
            return self.by_digest.get(root);
        };
        let there = |child: &&Descriptor| {
            let digest = child.known_digest();
            digest.is_ok_and(|digest| {
                self.by_digest.contains_key(&digest) || self.indexes.contains_key(&digest)
            })
        };
        let host = Platform::host();
        let is_host = |child: &&Descriptor| child.platform.as_ref().is_some_and(|it| host.matches(it));
        let mut candidates = children.iter().filter(there);
        let chosen = candidates.clone().find(is_host).or_else(|| candidates.next())?;
        // An index is of verified digests, so it is not in itself.
        self.image(&chosen.known_digest().ok()?)
    }
}

/// The file. Roots that are known by names of another kind (those made of a digest) are no images for Docker.
///
/// # Errors
/// [`ErrorKind::Unsupported`] where there is no image, or one of which a layer is not in the archive.
pub(super) fn of(images: &Images, is_there: impl Fn(&Digest) -> bool) -> Result<Vec<u8>> {
    let mut saved: Vec<Saved> = Vec::new();
    for (root, names) in &images.roots {
        if names.iter().any(|name| !name.as_str().contains('/')) {
            continue;
        }
        let Some(image) = images.image(root) else { continue };
        let config = path(&image.config)?;
        let tags = names.iter().map(|name| name.as_str().to_owned());
        if let Some(there) = saved.iter_mut().find(|other| other.config == config) {
            there.repo_tags.extend(tags);
            continue;
        }
        let mut layers = Vec::with_capacity(image.layers.len());
        for layer in &image.layers {
            if !is_there(&layer.known_digest()?) {
                let message = format!(
                    "docker load needs the layer {}, which lies elsewhere",
                    layer.digest
                );
                return Err(Error::new(ErrorKind::Unsupported, message));
            }
            layers.push(path(layer)?);
        }
        let repo_tags = tags.collect();
        saved.push(Saved {
            config,
            repo_tags,
            layers,
        });
    }
    if saved.is_empty() {
        let message = "what is copied has no image that docker load could take: use an oci-archive:";
        return Err(Error::new(ErrorKind::Unsupported, message));
    }
    serde_json::to_vec(&saved).map_err(|error| Error::of(ErrorKind::Other, error))
}

fn path(descriptor: &Descriptor) -> Result<String> {
    Ok(blob_path(&descriptor.known_digest()?))
}
