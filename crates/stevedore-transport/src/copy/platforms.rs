//! Which image of an index.

use stevedore_core::raw::CONFIG_LIMIT;
use stevedore_core::{
    Context as _, Descriptor, Document, Error, ErrorKind, ImageConfig, ImageManifest, Platform, Raw, Result,
    Selector, Source, config,
};

/// How deep indexes may lie within indexes on the way to an image.
const MAX_DEPTH: usize = 8;

/// Which platforms of an index are copied.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Platforms {
    /// The best image for this host (linux on every operating system, as skopeo takes it). An image outside of an
    /// index is taken whatever it is for.
    #[default]
    Host,
    /// The index, with all that it names.
    All,
    /// The best image for a platform. An image outside of an index has to be for it too, by its config.
    One(Platform),
}

/// An image of an index that stayed behind.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LeftOut {
    /// Its entry in the index.
    pub descriptor: Descriptor,
}

/// What a selector leads to, once a platform is chosen.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Chosen {
    /// The documents from the one that was asked for down to [`document`](Self::document), without it.
    pub above: Vec<Document>,
    /// The document that was chosen.
    pub document: Document,
    /// What the indexes above have besides.
    pub left_out: Vec<LeftOut>,
}

/// Goes down from what a selector names to the image for a platform; [`Platforms::All`] stays at the top.
///
/// # Errors
/// What the source answers, and [`ErrorKind::NotFound`] where an index has no such image, or where one image is there
/// alone and is for another platform than [`Platforms::One`] says.
pub async fn choose(source: &dyn Source, selector: &Selector, platforms: &Platforms) -> Result<Chosen> {
    let document = source.root(selector).await?;
    let mut chosen = Chosen {
        above: Vec::new(),
        document,
        left_out: Vec::new(),
    };
    let wanted = match platforms {
        Platforms::All => return Ok(chosen),
        Platforms::Host => Platform::host(),
        Platforms::One(platform) => platform.clone(),
    };
    while let Document::Index(index) = &chosen.document {
        if chosen.above.len() == MAX_DEPTH {
            let message = format!("indexes lie more than {MAX_DEPTH} deep within each other");
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        let Some(child) = index.select(&wanted).cloned() else {
            return Err(no_image(index.digest(), &wanted, &index.manifests));
        };
        let others = index.manifests.iter().filter(|entry| **entry != child);
        chosen
            .left_out
            .extend(others.cloned().map(|descriptor| LeftOut { descriptor }));
        let document = source.document(&child).await?;
        chosen
            .above
            .push(std::mem::replace(&mut chosen.document, document));
    }
    // What an index says of its entries is believed.
    if let (Platforms::One(wanted), Document::Image(image), true) =
        (platforms, &chosen.document, chosen.above.is_empty())
    {
        ensure_suits(source, image, wanted).await?;
    }
    Ok(chosen)
}

/// Holds an image to the platform that was asked for. One that is no container image has none, and suits.
async fn ensure_suits(source: &dyn Source, image: &Raw<ImageManifest>, wanted: &Platform) -> Result<()> {
    if !image.config.media_type.is_config() {
        return Ok(());
    }
    let platform = config_platform(source, image).await;
    let platform = platform.context(|| format!("cannot see for which platform {} is", image.digest()))?;
    if platform.os.is_empty() || platform.architecture.is_empty() {
        return Ok(());
    }
    let mut wanted_of_it = wanted.clone();
    if platform.variant.is_none() {
        // Few configs name one, not even those of images for the lesser variants of arm.
        wanted_of_it.variant = None;
    }
    if wanted_of_it.matches(&platform) {
        return Ok(());
    }
    let message = format!("{} is an image for {platform}, not for {wanted}", image.digest());
    Err(Error::new(ErrorKind::NotFound, message))
}

async fn config_platform(source: &dyn Source, image: &Raw<ImageManifest>) -> Result<Platform> {
    let bytes = config::read(source, &image.config).await?;
    let algorithm = image.config.known_digest()?.algorithm();
    let config: Raw<ImageConfig> =
        Raw::parse(bytes, image.config.media_type.clone(), algorithm, CONFIG_LIMIT)?;
    Ok(config.platform())
}

fn no_image(index: impl std::fmt::Display, wanted: &Platform, entries: &[Descriptor]) -> Error {
    let there: Vec<String> = entries
        .iter()
        .filter_map(|entry| entry.platform.as_ref())
        .map(ToString::to_string)
        .collect();
    let has = if entries.is_empty() {
        "nothing at all".to_owned()
    } else if there.is_empty() {
        format!("only entries without a platform ({})", entries.len())
    } else {
        there.join(", ")
    };
    let message = format!("{index} has no image for {wanted}; it has {has}");
    Error::new(ErrorKind::NotFound, message)
}
