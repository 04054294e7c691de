//! `blob get` and `blob head`.

use std::sync::Arc;

use serde::Serialize;
use stevedore_core::{ByteRange, Descriptor, Digest, Error, Hasher, Selector, Source, stream};

use crate::access::Reach;
use crate::args::BlobOf;
use crate::exit::Failure;
use crate::output;
use crate::settings::Settings;

#[derive(Serialize)]
struct Head {
    digest: String,
    size: u64,
}

/// Finds the blob whose digest the location names, and where it is to be read.
async fn find(args: &BlobOf, settings: &Settings) -> Result<(Descriptor, Digest, Arc<dyn Source>), Failure> {
    let Selector::Digest(digest) = args.blob.selector() else {
        let failure = Failure::usage(format!("{} names no digest", args.blob));
        return Err(failure.with_hint("say which blob: oci:DIR@sha256:…"));
    };
    let reach = Reach::new(args.access.clone().into(), settings, &[&args.blob]).await?;
    let source = reach.source(&args.blob)?;
    Ok((source.find_blob(&digest).await?, digest, source))
}

pub(crate) async fn get(args: BlobOf, settings: &Settings) -> Result<(), Failure> {
    if settings.json {
        let failure = Failure::usage("the result of blob get is the bytes of the blob, which are not JSON");
        return Err(failure.with_hint("blob head --json"));
    }
    let (found, digest, source) = find(&args, settings).await?;
    let mut body = source.blob(&found, ByteRange::FULL).await?.into_stream();
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
        let failure = Failure::new(Error::mismatch(what, digest, actual).into());
        return Err(failure.with_hint("throw away what was printed, and get it from another place"));
    }
    Ok(())
}

pub(crate) async fn head(args: BlobOf, settings: &Settings) -> Result<(), Failure> {
    let (found, ..) = find(&args, settings).await?;
    let (digest, size) = (found.digest.to_string(), found.size);
    if settings.json {
        output::json(&Head { digest, size })
    } else {
        output::line(&format!("{digest} {size}"))
    }
}
