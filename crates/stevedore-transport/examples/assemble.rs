//! Puts images of a layout together to an index, and lets artifacts refer to it and to each image:
//! `cargo run --example assemble -- DIR NAME OS/ARCH=IMAGE…`.
//!
//! For tests against other tools: the images are theirs, the index and the artifacts ours.

use std::error::Error;

use stevedore_core::samples::Sample;
use stevedore_core::{
    Algorithm, Descriptor, Document, ImageIndex, MediaType, Platform, Raw, Role, Selector, Sink, Source,
};
use stevedore_transport::{Layout, WriteOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: assemble DIR NAME OS/ARCH=IMAGE…";
    let dir = arguments.next().ok_or(usage)?;
    let name = arguments.next().ok_or(usage)?;
    let images: Vec<String> = arguments.collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let layout = Layout::create(dir, WriteOptions::default())?;
    runtime.block_on(assemble(&layout, &name, &images))
}

async fn assemble(layout: &Layout, name: &str, images: &[String]) -> Result<(), Box<dyn Error>> {
    let mut entries = Vec::new();
    for image in images {
        let (platform, name) = image.split_once('=').ok_or("an image is OS/ARCH=NAME")?;
        let platform: Platform = platform.parse()?;
        let image = layout.root(&Selector::Name(name.parse()?)).await?.descriptor();
        refer(layout, &image, "application/spdx+json").await?;
        entries.push(image.with_platform(platform));
    }
    let index = Raw::encode(&ImageIndex::new(entries), MediaType::OCI_INDEX, Algorithm::Sha256)?;
    let index = Document::Index(index);
    let role = Role::Root {
        names: vec![name.parse()?],
        replace: true,
    };
    layout.put_document(&index, role).await?;
    refer(layout, &index.descriptor(), "application/vnd.example.signature").await?;
    layout.finish().await?;
    Ok(())
}

/// Lets an artifact refer to a document.
async fn refer(
    layout: &Layout,
    subject: &Descriptor,
    artifact_type: &'static str,
) -> Result<(), Box<dyn Error>> {
    let artifact = Sample::artifact(subject, artifact_type, "what is said about it");
    for (descriptor, bytes) in artifact.blobs() {
        layout.put_blob(descriptor, &[], bytes).await?;
    }
    layout.put_document(artifact.document(), Role::Child).await?;
    Ok(())
}
