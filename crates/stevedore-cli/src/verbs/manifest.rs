//! `manifest get` and `manifest head`.

use serde::Serialize;

use super::exact;
use crate::access::Reach;
use crate::args::{ManifestHead, OneImage};
use crate::exit::Failure;
use crate::output::escape_line;
use crate::settings::Settings;
use crate::{output, places};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    media_type: String,
    digest: String,
    size: u64,
}

pub(crate) async fn get(args: OneImage, settings: &Settings) -> Result<(), Failure> {
    let reach = Reach::new(args.access.into(), settings, &[&args.image]).await?;
    let source = reach.source(&args.image)?;
    let document = places::document(&source, &args.image, &args.platform).await?;
    exact::print(
        document.media_type().as_str(),
        &document.digest(),
        document.bytes(),
        settings,
    )
}

pub(crate) async fn head(args: ManifestHead, settings: &Settings) -> Result<(), Failure> {
    let reach = Reach::new(args.access.into(), settings, &[&args.image]).await?;
    let source = reach.source(&args.image)?;
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
        escape_line(&head.media_type)
    ))
}
