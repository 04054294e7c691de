//! Images to copy: OCI layouts made here, the same bytes on every machine, or laid out by somebody else.
//!
//! What a peer wrote would not do: a layer that no program finds a reason to compress is what shows the copy itself.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::layer;
use crate::Failure;

/// The name of the image in each layout, and its tag in registries.
pub(super) const TAG: &str = "latest";

const BLOBS: &str = "blobs/sha256";
const MIB: u64 = 1 << 20;
/// Changed with what is made, so that nobody measures what an older version left in the target folder.
const FOLDER: &str = "bench/corpus-1";

/// What a copy of an image moves.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Size {
    /// Bytes of all blobs: layers, config, manifest.
    pub(super) bytes: u64,
    pub(super) blobs: u64,
}

/// An image, alone in a layout.
#[derive(Clone, Debug, Default)]
pub(super) struct Image {
    pub(super) name: String,
    pub(super) layout: PathBuf,
    pub(super) size: Size,
    /// The digest of the manifest.
    pub(super) digest: String,
    /// The digests of all blobs, each with its size.
    blobs: Vec<(String, u64)>,
}

/// The images that can be made here, and how many bytes each of their layers holds.
pub(super) fn plans() -> [(&'static str, Vec<u64>); 3] {
    [
        (
            "layers",
            [300, 120, 80, 60, 30, 10].map(|size| size * MIB).to_vec(),
        ),
        ("small", vec![MIB / 16; 100]),
        ("sixteen", vec![64 * MIB; 16]),
    ]
}

/// The image of a plan: if it is not there yet, that takes some seconds.
pub(super) fn made_in(target: &Path, name: &str, layers: &[u64]) -> Result<Image, Failure> {
    let folder = target.join(FOLDER);
    let layout = folder.join(name);
    if !layout.exists() {
        println!("making the image `{name}` in {}", layout.display());
        let part = folder.join(format!("{name}.part"));
        if part.exists() {
            fs::remove_dir_all(&part)?;
        }
        make(&part, name, layers)?;
        fs::rename(&part, &layout)?;
    }
    Image::open(&layout)
}

/// The layouts of a folder that have an image `latest`, in the order of their names.
pub(super) fn found_in(folder: &Path) -> Result<Vec<Image>, Failure> {
    let mut layouts: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_, io::Error>>()?;
    layouts.retain(|layout| layout.join("oci-layout").is_file());
    layouts.sort();
    if layouts.is_empty() {
        return Err(format!("{} holds no OCI layouts", folder.display()).into());
    }
    layouts.iter().map(|layout| Image::open(layout)).collect()
}

/// Makes a layout with one image, each of whose layers has one file of so many bytes of noise.
fn make(layout: &Path, name: &str, layers: &[u64]) -> Result<(), Failure> {
    let blobs = layout.join(BLOBS);
    fs::create_dir_all(&blobs)?;
    let mut descriptors = Vec::new();
    let mut diff_ids = Vec::new();
    for (index, &bytes) in layers.iter().enumerate() {
        // Each layer of each image has a seed of its own, made of its place.
        let seed = Sha256::digest(format!("{name}/{index}"));
        let layer = layer::write(&blobs, u64::from_le_bytes(seed[..8].try_into()?), bytes)?;
        descriptors.push(descriptor(
            "application/vnd.oci.image.layer.v1.tar+zstd",
            &layer.digest,
            layer.size,
        ));
        diff_ids.push(layer.diff_id);
    }
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": diff_ids}
    });
    let config = put(&blobs, "application/vnd.oci.image.config.v1+json", &config)?;
    let manifest_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({
        "schemaVersion": 2, "mediaType": manifest_type, "config": config, "layers": descriptors
    });
    let mut manifest = put(&blobs, manifest_type, &manifest)?;
    manifest["annotations"] = json!({"org.opencontainers.image.ref.name": TAG});
    let index = json!({"schemaVersion": 2, "manifests": [manifest]});
    fs::write(layout.join("index.json"), index.to_string())?;
    fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)?;
    Ok(())
}

fn put(blobs: &Path, media_type: &str, document: &Value) -> Result<Value, Failure> {
    let bytes = document.to_string();
    let digest = layer::digest(Sha256::digest(&bytes));
    fs::write(blob(blobs, &digest), &bytes)?;
    Ok(descriptor(media_type, &digest, bytes.len() as u64))
}

fn descriptor(media_type: &str, digest: &str, size: u64) -> Value {
    json!({"mediaType": media_type, "digest": digest, "size": size})
}

fn blob(folder: &Path, digest: &str) -> PathBuf {
    folder.join(digest.trim_start_matches("sha256:"))
}

impl Image {
    /// The only image of a layout.
    fn open(layout: &Path) -> Result<Self, Failure> {
        let read = |path: &Path| -> Result<Value, Failure> {
            let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok(serde_json::from_slice(&bytes)?)
        };
        let odd = |what: &str| format!("{}: {what}", layout.display());
        let part = |descriptor: &Value| -> Result<(String, u64), Failure> {
            let digest = descriptor["digest"]
                .as_str()
                .filter(|digest| digest.starts_with("sha256:"));
            let size = descriptor["size"].as_u64();
            Ok(digest
                .map(str::to_owned)
                .zip(size)
                .ok_or_else(|| odd("a descriptor without SHA-256 or size"))?)
        };
        let index = read(&layout.join("index.json"))?;
        let manifests = index["manifests"].as_array().map_or(&[][..], Vec::as_slice);
        let [entry] = manifests else {
            return Err(odd("is to hold one image").into());
        };
        if entry["annotations"]["org.opencontainers.image.ref.name"] != TAG {
            return Err(odd(&format!("has no image {TAG}")).into());
        }
        let (digest, size) = part(entry)?;
        let manifest = read(&blob(&layout.join(BLOBS), &digest))?;
        let mut blobs = vec![(digest.clone(), size), part(&manifest["config"])?];
        for layer in manifest["layers"]
            .as_array()
            .ok_or_else(|| odd("has no manifest with layers"))?
        {
            blobs.push(part(layer)?);
        }
        blobs.sort();
        blobs.dedup();
        Ok(Self {
            name: layout
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            layout: layout.to_owned(),
            size: Size {
                bytes: blobs.iter().map(|(_, size)| size).sum(),
                blobs: blobs.len() as u64,
            },
            digest,
            blobs,
        })
    }

    /// The same image in a layout to be made in another folder, where its bytes are copied to.
    pub(super) fn copied_to(&self, folder: &Path) -> Result<Self, Failure> {
        let layout = folder.join(&self.name);
        self.lay_out(&layout, |from, to| fs::copy(from, to).map(drop))?;
        Ok(Self {
            layout,
            ..self.clone()
        })
    }

    /// Makes a layout with the image that takes no space, for its blobs are those of this one.
    pub(super) fn linked_as(&self, layout: &Path) -> Result<(), Failure> {
        self.lay_out(layout, |from, to| fs::hard_link(from, to))
    }

    fn lay_out(&self, layout: &Path, put: impl Fn(&Path, &Path) -> io::Result<()>) -> Result<(), Failure> {
        let (from, to) = (self.layout.join(BLOBS), layout.join(BLOBS));
        fs::create_dir_all(&to)?;
        for file in ["index.json", "oci-layout"] {
            fs::copy(self.layout.join(file), layout.join(file))?;
        }
        for (digest, _) in &self.blobs {
            put(&blob(&from, digest), &blob(&to, digest))?;
        }
        Ok(())
    }

    /// Fails if a layout lacks a part of the image, or has one of another size.
    pub(super) fn check_in(&self, layout: &Path) -> Result<(), Failure> {
        let index = fs::read_to_string(layout.join("index.json"))?;
        if !index.contains(&self.digest) {
            return Err(format!("{} names another image", layout.display()).into());
        }
        for (digest, size) in &self.blobs {
            let path = blob(&layout.join(BLOBS), digest);
            if fs::metadata(&path).map(|file| file.len()).ok() != Some(*size) {
                return Err(format!("{} is not there or not whole", path.display()).into());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("xtask-corpus-{name}-{}", std::process::id()));
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        folder
    }

    #[test]
    fn an_image_that_was_made_is_opened_and_missed_when_damaged() {
        let folder = folder("made");
        make(&folder.join("image"), "image", &[1000, 70_000]).unwrap();
        let images = found_in(&folder).unwrap();
        let [image] = &images[..] else { panic!("one image") };
        assert_eq!((image.name.as_str(), image.size.blobs), ("image", 4));
        let copy = image.copied_to(&folder.join("copies")).unwrap();
        image.check_in(&copy.layout).unwrap();
        copy.linked_as(&folder.join("links")).unwrap();
        image.check_in(&folder.join("links")).unwrap();
        let (digest, _) = &image.blobs[0];
        fs::write(blob(&copy.layout.join(BLOBS), digest), "short").unwrap();
        assert!(image.check_in(&copy.layout).is_err());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn the_same_image_is_made_of_the_same_bytes() {
        let folder = folder("same");
        make(&folder.join("image"), "image", &[70_000]).unwrap();
        assert_eq!(
            Image::open(&folder.join("image")).unwrap().digest,
            "sha256:1192833a4a12aa05953fe47ba89a93c8acced1a8af07d2aea808eff8d9d6167d"
        );
        fs::remove_dir_all(folder).unwrap();
    }
}
