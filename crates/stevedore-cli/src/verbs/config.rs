//! `config`: the exact bytes of an image's config.

use std::sync::Arc;

use bytes::Bytes;
use stevedore_core::{Context as _, Descriptor, Document, Error, ErrorKind, Source, config};
use stevedore_transport::Location;

use super::exact;
use crate::access::Reach;
use crate::args::OneImage;
use crate::exit::Failure;
use crate::places;
use crate::settings::Settings;

pub(crate) async fn run(args: OneImage, settings: &Settings) -> Result<(), Failure> {
    let reach = Reach::new(args.access.into(), settings, &[&args.image]).await?;
    let source = reach.source(&args.image)?;
    let document = places::image(&source, &args.image, &args.platform).await?;
    let (config, bytes) = read(&source, &args.image, &document).await?;
    exact::print(config.media_type.as_str(), &config.digest, &bytes, settings)
}

/// The verified config of an image, and what names it.
pub(crate) async fn read(
    source: &Arc<dyn Source>,
    location: &Location,
    document: &Document,
) -> Result<(Descriptor, Bytes), Failure> {
    let Document::Image(image) = document else {
        let message = format!(
            "{} is no image and has no config: it is {}",
            document.digest(),
            document.media_type()
        );
        return Err(Error::new(ErrorKind::Unsupported, message).into());
    };
    let bytes = config::read(&**source, &image.config).await;
    let bytes = bytes.context(|| format!("cannot read the config {} of {location}", image.config.digest))?;
    Ok((image.config.clone(), bytes))
}
