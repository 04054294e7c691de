//! `digest`: the digest of an image, without its bytes where no platform is asked for.

use serde::Serialize;

use crate::access::Reach;
use crate::args::OneImage;
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
    let digest = if args.platform.is_default() {
        source.resolve(&args.image.selector()).await?.digest.to_string()
    } else {
        places::image(&source, &args.image, &args.platform)
            .await?
            .digest()
            .to_string()
    };
    if settings.json {
        output::json(&Report { digest })
    } else {
        output::line(&digest)
    }
}
