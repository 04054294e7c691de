//! `digest`: the digest of an image, without its bytes where no platform is asked for.

use std::sync::Arc;

use serde::Serialize;
use stevedore_core::Source;
use stevedore_transport::Location;

use crate::access::Reach;
use crate::args::{OneImage, PlatformFlags};
use crate::exit::Failure;
use crate::settings::Settings;
use crate::{output, places};

#[derive(Serialize)]
struct Report {
    digest: String,
}

pub(crate) async fn run(args: OneImage, settings: &Settings) -> Result<(), Failure> {
    let reach = Reach::new(args.access.into(), settings, &[&args.image]).await?;
    let source = reach.source(&args.image)?;
    let digest = digest(&source, &args.image, &args.platform).await?;
    if settings.json {
        output::json(&Report { digest })
    } else {
        output::line(&digest)
    }
}

async fn digest(
    source: &Arc<dyn Source>,
    image: &Location,
    platform: &PlatformFlags,
) -> Result<String, Failure> {
    let document = if platform.is_default() {
        let descriptor = source.resolve(&image.selector()).await?;
        if descriptor.media_type.is_document() {
            return Ok(descriptor.digest.to_string());
        }
        // Its bytes have to tell whether it is an image at all.
        places::document(source, image, platform).await?
    } else {
        places::image(source, image, platform).await?
    };
    document.ensure_known_kind()?;
    Ok(document.digest().to_string())
}
