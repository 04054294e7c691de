//! `blob get` and `blob head`.

use serde::Serialize;
use stevedore_core::{ByteRange, Descriptor, Hasher, MediaType, Selector, stream};

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
        let failure = Failure::usage(format!("{} names no digest", args.blob));
        return Err(failure.with_hint("say which blob: oci:DIR@sha256:…"));
    };
    let source = places::source(&args.blob)?;
    let descriptor = Descriptor::new(MediaType::from_static("application/octet-stream"), digest, 0);
    Ok((digest, source.blob(&descriptor, ByteRange::FULL).await?))
}

pub(crate) async fn get(args: BlobOf, settings: &Settings) -> Result<(), Failure> {
    if settings.json {
        let failure = Failure::usage("the result of blob get is the bytes of the blob, which are not JSON");
        return Err(failure.with_hint("blob head --json"));
    }
    let (digest, blob) = open(&args).await?;
    let mut body = blob.into_stream();
    let mut hasher = Hasher::new(digest.algorithm());
    let is_terminal = output::is_terminal();
    while let Some(chunk) = stream::next(&mut body).await {
        let chunk = chunk?;
        if is_terminal && str::from_utf8(&chunk).is_err() {
            let failure = Failure::usage(format!("{digest} is no text, which a terminal could show"));
            return Err(failure.with_hint("send it to a file or a program: … > FILE"));
        }
        hasher.update(&chunk);
        output::bytes(&chunk)?;
    }
    let actual = hasher.finish();
    if actual != digest {
        let what = format!("the blob at {}, which was just printed,", args.blob);
        let failure = Failure::new(stevedore_core::Error::mismatch(what, digest, actual).into());
        return Err(failure.with_hint("throw away what was printed, and get it from another place"));
    }
    Ok(())
}

pub(crate) async fn head(args: BlobOf, settings: &Settings) -> Result<(), Failure> {
    let (digest, blob) = open(&args).await?;
    let size = blob
        .size
        .ok_or_else(|| anyhow::anyhow!("nobody says how large {digest} is"))?;
    let digest = digest.to_string();
    if settings.json {
        output::json(&Head { digest, size })
    } else {
        output::line(&format!("{digest} {size}"))
    }
}
