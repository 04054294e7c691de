//! `blob get` and `blob head`.

use std::io::Write as _;

use serde::Serialize;
use stevedore_core::{ByteRange, Descriptor, Hasher, MediaType, Selector, Source, stream};

use crate::args::BlobOf;
use crate::exit::Failure;
use crate::settings::Settings;
use crate::{output, places};

#[derive(Serialize)]
struct Head {
    digest: String,
    size: u64,
}

/// Opens the blob whose digest the location names. Its size is not known beforehand.
async fn open(args: &BlobOf) -> Result<(stevedore_core::Digest, stevedore_core::Blob), Failure> {
    let Selector::Digest(digest) = args.blob.selector() else {
        let message = format!(
            "{} names no digest: say which blob, as oci:DIR@sha256:…",
            args.blob
        );
        return Err(Failure::usage(message));
    };
    let source: std::sync::Arc<dyn Source> = places::source(&args.blob)?;
    let descriptor = Descriptor::new(MediaType::from_static("application/octet-stream"), digest, 0);
    Ok((digest, source.blob(&descriptor, ByteRange::FULL).await?))
}

pub(crate) async fn get(args: BlobOf) -> Result<(), Failure> {
    let (digest, blob) = open(&args).await?;
    let mut body = blob.into_stream();
    let mut hasher = Hasher::new(digest.algorithm());
    let mut stdout = std::io::stdout().lock();
    while let Some(chunk) = stream::next(&mut body).await {
        let chunk = chunk?;
        hasher.update(&chunk);
        stdout.write_all(&chunk)?;
    }
    stdout.flush()?;
    let actual = hasher.finish();
    if actual != digest {
        return Err(stevedore_core::Error::mismatch("the blob that was just printed", digest, actual).into());
    }
    Ok(())
}

pub(crate) async fn head(args: BlobOf, settings: &Settings) -> Result<(), Failure> {
    let (digest, blob) = open(&args).await?;
    let size = blob
        .size
        .ok_or_else(|| anyhow::anyhow!("nobody says how large {digest} is"))?;
    let head = Head {
        digest: digest.to_string(),
        size,
    };
    if settings.json {
        output::json(&head)
    } else {
        output::line(&format!("{} {}", head.digest, head.size))
    }
}
