//! `manifest get` and `manifest head`.

use serde::Serialize;

use crate::args::{Digest, ManifestHead};
use crate::exit::Failure;
use crate::output::escape;
use crate::settings::Settings;
use crate::{output, places};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    media_type: String,
    digest: String,
    size: u64,
}

pub(crate) async fn get(args: Digest) -> Result<(), Failure> {
    let source = places::source(&args.image)?;
    let document = places::document(&source, &args.image, &args.platform).await?;
    output::bytes(document.bytes())
}

pub(crate) async fn head(args: ManifestHead, settings: &Settings) -> Result<(), Failure> {
    let source = places::source(&args.image)?;
    let descriptor = source.resolve(&args.image.selector()).await?;
    let head = Head {
        media_type: descriptor.media_type.to_string(),
        digest: descriptor.digest.to_string(),
        size: descriptor.size,
    };
    if settings.json {
        return output::json(&head);
    }
    output::line(&format!(
        "{} {} {}",
        head.digest,
        head.size,
        escape(&head.media_type)
    ))
}
