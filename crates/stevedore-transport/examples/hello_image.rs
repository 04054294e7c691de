//! Builds a small image by hand and writes it to an OCI layout: `cargo run --example hello_image -- DIR`.
//!
//! It is a real one: two platforms, each with a static program of a few hundred bytes that greets and ends. Its bytes
//! follow from this file alone. The layout in `examples/hello` of the repository was made by it.

use std::error::Error;

use bytes::Bytes;
use stevedore_core::{
    Algorithm, Descriptor, Document, ImageConfig, ImageIndex, ImageManifest, MediaType, Platform, Raw, Role,
    Sink,
};
use stevedore_transport::{Layout, WriteOptions};

const GREETING: &[u8] = b"Hello from an image that nothing but Stevedore has touched.\n";

fn main() -> Result<(), Box<dyn Error>> {
    let dir = std::env::args_os().nth(1).ok_or("usage: hello_image DIR")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    runtime.block_on(write(Layout::create(dir, WriteOptions::default())?))
}

/// Writes the image, blobs first, the index with its name last.
pub async fn write(layout: Layout) -> Result<(), Box<dyn Error>> {
    let mut entries = Vec::new();
    for (architecture, program) in [("amd64", amd64()), ("arm64", arm64())] {
        let platform = Platform::new("linux", architecture);
        let layer = put(&layout, MediaType::OCI_LAYER, tar_of("hello", &program)).await?;

        let mut config = ImageConfig::new(&platform);
        config.created = Some("2026-11-24T00:00:00Z".to_owned());
        config.config.entrypoint = Some(vec!["/hello".to_owned()]);
        config.rootfs.diff_ids = vec![layer.digest.clone()];
        let config = Raw::encode(&config, MediaType::OCI_CONFIG, Algorithm::Sha256)?;
        let config = put(&layout, MediaType::OCI_CONFIG, config.bytes().clone()).await?;

        let manifest = ImageManifest::new(config, [layer]);
        let manifest = Document::Image(Raw::encode(
            &manifest,
            MediaType::OCI_MANIFEST,
            Algorithm::Sha256,
        )?);
        layout.put_document(&manifest, Role::Child).await?;
        entries.push(manifest.descriptor().with_platform(platform));
    }
    let index = Raw::encode(&ImageIndex::new(entries), MediaType::OCI_INDEX, Algorithm::Sha256)?;
    let role = Role::Root {
        names: vec!["latest".parse()?],
        replace: true,
    };
    layout.put_document(&Document::Index(index), role).await?;
    layout.finish().await?;
    Ok(())
}

async fn put(layout: &Layout, media_type: MediaType, bytes: Bytes) -> Result<Descriptor, Box<dyn Error>> {
    let digest = Algorithm::Sha256.digest(&bytes);
    let descriptor = Descriptor::new(media_type, digest, bytes.len() as u64);
    layout.put_blob(&descriptor, &[], &bytes).await?;
    Ok(descriptor)
}

/// `write(1, GREETING, …)`, `exit(0)` in the instructions of x86-64.
fn amd64() -> Vec<u8> {
    const CODE_SIZE: u64 = 29;
    let message = ENTRY + CODE_SIZE;
    let mut code = Vec::new();
    code.extend([0xb8, 1, 0, 0, 0]); // mov eax, 1: write
    code.extend([0xbf, 1, 0, 0, 0]); // mov edi, 1: stdout
    code.push(0xbe); // mov esi, message
    code.extend(low(message));
    code.push(0xba); // mov edx, length
    code.extend(low(GREETING.len() as u64));
    code.extend([0x0f, 0x05]); // syscall
    code.extend([0x31, 0xff]); // xor edi, edi
    code.extend([0xb0, 60]); // mov al, 60: exit; the rest of eax is zero after a short write
    code.extend([0x0f, 0x05, 0x90]); // syscall, nop
    program(0x3e, &code)
}

/// The same in the instructions of 64-bit ARM.
fn arm64() -> Vec<u8> {
    const CODE_SIZE: u64 = 36;
    const SVC: u32 = 0xd400_0001;
    let message = ENTRY + CODE_SIZE;
    let half = |value: u64, shift: u32| u32::try_from((value >> shift) & 0xffff).unwrap_or_default() << 5;
    let mov = |register: u32, value: u64| 0xd280_0000 | half(value, 0) | register;
    let movk_high = |register: u32, value: u64| 0xf2a0_0000 | half(value, 16) | register;
    let code = [
        mov(0, 1), // stdout
        mov(1, message),
        movk_high(1, message),
        mov(2, GREETING.len() as u64),
        mov(8, 64), // write
        SVC,
        mov(0, 0),
        mov(8, 93), // exit
        SVC,
    ];
    let code: Vec<u8> = code
        .iter()
        .flat_map(|instruction| instruction.to_le_bytes())
        .collect();
    program(0xb7, &code)
}

const BASE: u64 = 0x40_0000;
const HEADERS: u64 = 64 + 56;
const ENTRY: u64 = BASE + HEADERS;

fn low(value: u64) -> [u8; 4] {
    u32::try_from(value).unwrap_or_default().to_le_bytes()
}

/// A static ELF program of one segment.
fn program(machine: u16, code: &[u8]) -> Vec<u8> {
    let size = HEADERS + code.len() as u64 + GREETING.len() as u64;
    let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
    elf.resize(16, 0);
    elf.extend(2_u16.to_le_bytes()); // an executable
    elf.extend(machine.to_le_bytes());
    elf.extend(1_u32.to_le_bytes());
    elf.extend(ENTRY.to_le_bytes());
    elf.extend(64_u64.to_le_bytes()); // program headers
    elf.extend(0_u64.to_le_bytes()); // no sections
    elf.extend(0_u32.to_le_bytes());
    for field in [64_u16, 56, 1, 0, 0, 0] {
        elf.extend(field.to_le_bytes());
    }
    elf.extend(1_u32.to_le_bytes()); // loaded,
    elf.extend(5_u32.to_le_bytes()); // to be read and executed
    for field in [0, BASE, BASE, size, size, 0x1000] {
        elf.extend(field.to_le_bytes());
    }
    elf.extend(code);
    elf.extend(GREETING);
    elf
}

/// An archive (ustar) with one executable file of root's, from 1970.
fn tar_of(name: &str, content: &[u8]) -> Bytes {
    let mut header = [0_u8; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..108].copy_from_slice(b"0000755\0");
    header[108..116].copy_from_slice(b"0000000\0");
    header[116..124].copy_from_slice(b"0000000\0");
    header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
    header[136..148].copy_from_slice(b"00000000000\0");
    header[148..156].fill(b' ');
    header[156] = b'0';
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut tar = header.to_vec();
    tar.extend(content);
    tar.resize(tar.len().next_multiple_of(512) + 1024, 0);
    tar.into()
}
