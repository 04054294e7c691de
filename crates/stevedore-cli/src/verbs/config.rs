//! `config`: the exact bytes of an image's config.

use std::sync::Arc;

use bytes::Bytes;
use stevedore_core::raw::CONFIG_LIMIT;
use stevedore_core::{ByteRange, Document, Error, ErrorKind, Source};

use crate::args::ConfigOf;
use crate::exit::Failure;
use crate::{output, places};

pub(crate) async fn run(args: ConfigOf) -> Result<(), Failure> {
    let source = places::source(&args.image)?;
    let document = places::image(&source, &args.image, &args.platform).await?;
    output::bytes(&read(&source, &document).await?)
}

/// The verified config of an image.
pub(crate) async fn read(source: &Arc<dyn Source>, document: &Document) -> Result<Bytes, Failure> {
    let Document::Image(image) = document else {
        let message = format!("{} is no image but {}", document.digest(), document.media_type());
        return Err(Error::new(ErrorKind::Unsupported, message).into());
    };
    let blob = source.blob(&image.config, ByteRange::FULL).await?;
    Ok(blob
        .verified(&image.config)?
        .into_bytes(CONFIG_LIMIT as u64)
        .await?)
}
