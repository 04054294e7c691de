//! `delete`: a name, or a document with all its names.

use stevedore_core::Selector;

use crate::args::Delete;
use crate::exit::Failure;
use crate::{output, places};

pub(crate) async fn run(args: Delete) -> Result<(), Failure> {
    let source = places::source(&args.image)?;
    let selector = args.image.selector();
    let descriptor = source.resolve(&selector).await?;
    let removed = match (&selector, args.manifest) {
        (Selector::Name(_), false) => selector,
        (Selector::Digest(_), _) | (_, true) => Selector::Digest(descriptor.known_digest()?),
        _ => {
            let message = format!(
                "{} says no name: say which, or --manifest to remove the document",
                args.image
            );
            return Err(Failure::usage(message));
        }
    };
    let sink = places::existing_sink(&args.image)?;
    sink.remove(&removed).await?;
    sink.finish().await?;
    output::line(&descriptor.digest.to_string())
}
