//! Which image of an index.

use stevedore_core::{
    Context as _, Descriptor, Document, Error, ErrorKind, Platform, Result, Selector, Source,
};

/// How deep indexes may lie within indexes on the way to an image.
const MAX_DEPTH: usize = 8;

/// Which platforms of an index are copied.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Platforms {
    /// The best image for this host (linux on every operating system, as skopeo takes it).
    #[default]
    Host,
    /// The index, with all that it names.
    All,
    /// The best image for a platform.
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
/// What the source answers, and [`ErrorKind::NotFound`] where an index has no such image.
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
        let document = source
            .document(&child)
            .await
            .context(|| format!("cannot read {}", child.digest))?;
        chosen
            .above
            .push(std::mem::replace(&mut chosen.document, document));
    }
    Ok(chosen)
}

fn no_image(index: impl std::fmt::Display, wanted: &Platform, entries: &[Descriptor]) -> Error {
    let there: Vec<String> = entries
        .iter()
        .filter_map(|entry| entry.platform.as_ref())
        .map(ToString::to_string)
        .collect();
    let message = format!("{index} has no image for {wanted}; it has {}", there.join(", "));
    Error::new(ErrorKind::NotFound, message)
}
