//! A layer of more bytes than 32 bits count: for those who ask for it, as it takes disk and time.

mod registry;

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::time::Duration;

use stevedore_core::samples::describe;
use stevedore_core::{
    Algorithm, Descriptor, Digest, Hasher, ImageConfig, ImageManifest, MediaType, Platform,
};

use crate::stevedore::{Ended, World, blob, not_run};
use registry::SparseRegistry;

/// What has to be set.
const SWITCH: &str = "STEVEDORE_TEST_LARGE";

/// Where 32 bits end.
const BOUNDARY: u64 = 1 << 32;

/// The layer's size in bytes.
const SIZE: u64 = BOUNDARY + (1 << 20) + 5;

/// The layer is zeros but for these, at their offsets.
const MARKS: [(u64, &[u8]); 2] = [(BOUNDARY, b"over 4GiB"), (SIZE - 3, b"end")];

/// The digest of that, as another implementation has it (Python's hashlib).
const DIGEST: &str = "sha256:b97dd96e14b7e81df27e8c6e67743dfcef33f9461ef88d58b5cb49756d950b1a";

/// The most memory that a copy may take, in KiB, whatever it copies.
const MOST_MEMORY: u64 = 64 * 1024;

#[test]
fn a_layer_over_4_gib_goes_through_layouts_and_a_registry() {
    if std::env::var_os(SWITCH).is_none() {
        not_run("a_layer_over_4_gib_goes_through_layouts_and_a_registry", SWITCH);
        return;
    }
    let world = World::new();
    let layer: Digest = DIGEST.parse().expect("a digest");
    let root = lay_out(&world, &layer);

    let mut memory = vec![copy(&world, "oci:src:v1", "oci:out:v1", &root)];
    assert_layer(&blob(&world.path("out"), &layer));
    assert_eq!(
        world.result(&["blob", "head", &format!("oci:out@{layer}")]),
        format!("{layer} {SIZE}\n")
    );

    let registry = SparseRegistry::start();
    let there = format!("docker://{}/app:v1", registry.host());
    memory.push(copy(&world, "oci:out:v1", &there, &root));
    fs::remove_dir_all(world.path("out")).expect("it is ours");
    assert_layer(&registry.blob(&layer.to_string()));

    // The connection breaks off behind the boundary: it goes on there.
    let break_at = BOUNDARY + 300_000;
    registry.break_off_at(break_at);
    memory.push(copy(&world, &there, "oci:back:v1", &root));
    let asked = registry.asked(&layer.to_string());
    assert!(
        matches!(asked[..], [0, from] if from > BOUNDARY && from <= break_at),
        "from {asked:?}"
    );
    let back = blob(&world.path("back"), &layer);
    assert_layer(&back);
    assert_eq!(digest_of(&back), layer);
    println!("KiB of memory: {memory:?}");
}

/// Makes a layout of an image with that layer, in a sparse file. Gives the digest of the manifest.
fn lay_out(world: &World, layer: &Digest) -> Digest {
    let layer = Descriptor::new(MediaType::OCI_LAYER, *layer, SIZE);
    let mut config = ImageConfig::new(&Platform::host());
    config.rootfs.diff_ids = vec![layer.digest.clone()];
    let config = serde_json::to_vec(&config).expect("JSON");
    let named = describe(MediaType::OCI_CONFIG, &config);
    let manifest =
        ImageManifest::new(named.clone(), [layer.clone()]).with_media_type(MediaType::OCI_MANIFEST);
    let manifest = serde_json::to_string(&manifest).expect("JSON");
    world.put_document("src", MediaType::OCI_MANIFEST, &manifest);

    let path =
        |descriptor: &Descriptor| blob(&world.path("src"), &descriptor.known_digest().expect("of ours"));
    fs::write(path(&named), config).expect("a blob");
    let file = File::create(path(&layer)).expect("a blob");
    file.set_len(SIZE).expect("a sparse file");
    for (offset, mark) in MARKS {
        file.write_all_at(mark, offset).expect("a mark");
    }
    file.sync_all().expect("it is on the disk");
    let taken = file.metadata().expect("a file").blocks() * 512;
    assert!(
        taken < 1 << 20,
        "a file system without sparse files: {taken} bytes"
    );
    Algorithm::Sha256.digest(manifest.as_bytes())
}

/// Copies, and gives how much memory that took, in KiB.
fn copy(world: &World, from: &str, to: &str, root: &Digest) -> u64 {
    let mut child = world.start(&["copy", "--progress=none", "--json", from, to]);
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().expect("it is ours").is_none() {
        // It grows only, so the last look tells; where it is over there is nothing to see.
        let seen = fs::read_to_string(&status).ok();
        peak = seen.as_deref().and_then(high_water_mark).unwrap_or(peak);
        std::thread::sleep(Duration::from_millis(10));
    }
    let ended = Ended::from(child.wait_with_output().expect("it ended"));
    assert_eq!(ended.code, Some(0), "{from} to {to}: {}", ended.stderr);
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(report["digest"], root.to_string());
    assert!(report["blobs"]["writtenBytes"].as_u64() > Some(SIZE), "{report}");
    assert!(
        (1..MOST_MEMORY).contains(&peak),
        "{from} to {to}: {peak} KiB of memory"
    );
    peak
}

/// The largest part of a process that was ever in memory, in KiB (proc(5)).
fn high_water_mark(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// The file has the size, and what tells the layer from its first 4 GiB.
#[track_caller]
fn assert_layer(path: &Path) {
    let file = File::open(path).expect("a file");
    assert_eq!(file.metadata().expect("a file").len(), SIZE);
    for (offset, mark) in MARKS {
        let mut there = vec![0; mark.len()];
        file.read_exact_at(&mut there, offset).expect("bytes");
        assert_eq!(there, mark, "at {offset}");
    }
}

fn digest_of(path: &Path) -> Digest {
    let mut file = File::open(path).expect("a file");
    let mut hasher = Hasher::new(Algorithm::Sha256);
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer).expect("bytes") {
            0 => return hasher.finish(),
            count => hasher.update(&buffer[..count]),
        }
    }
}
