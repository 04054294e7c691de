//! Names without a registry.

use std::path::Path;
use std::sync::Arc;

use stevedore_core::Reference;

use super::{RegistriesConf, RegistriesError};

/// What a short name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShortName {
    /// The image.
    pub reference: Reference,
    /// Why, for people: the file.
    pub because: String,
}

/// The right side of an entry of `[aliases]`.
#[derive(Clone, Debug)]
pub(super) struct Alias {
    /// Without a tag.
    name: Reference,
    path: Arc<Path>,
}

impl RegistriesConf {
    /// Whether a name has no registry, so that it may be a short name.
    pub fn is_short_name(text: &str) -> bool {
        !has_registry(text)
    }

    /// What a name without a registry stands for by `[aliases]`, else by `unqualified-search-registries`. `None` where
    /// neither says anything, and for a name that has a registry: it is what Docker takes it for.
    ///
    /// Whatever `short-name-mode` says, of several registries none is chosen: to ask one after the other would give
    /// the image of whoever claims the name first.
    ///
    /// # Errors
    /// [`RegistriesError::Ambiguous`] where there are several registries.
    pub fn short_name(&self, text: &str) -> Result<Option<ShortName>, RegistriesError> {
        if has_registry(text) || text.parse::<Reference>().is_err() {
            return Ok(None);
        }
        let (name, suffix) = text.split_at(end_of_name(text));
        if let Some(alias) = self.aliases.get(name).and_then(Option::as_ref) {
            // Both parsed: a suffix is one behind any name.
            let reference = format!("{}{suffix}", alias.name).parse().ok();
            return Ok(reference.map(|reference| ShortName {
                reference,
                because: format!("an alias in {}", alias.path.display()),
            }));
        }
        let Some(search) = &self.search else {
            return Ok(None);
        };
        let candidates = search.registries.iter().filter_map(|registry| {
            let full = format!("{registry}/{text}");
            full.parse::<Reference>().ok()
        });
        let mut candidates: Vec<Reference> = candidates.collect();
        candidates.dedup();
        if candidates.len() > 1 {
            return Err(RegistriesError::Ambiguous {
                name: text.to_owned(),
                candidates: candidates.iter().map(ToString::to_string).collect(),
                path: search.path.to_path_buf(),
            });
        }
        Ok(candidates.pop().map(|reference| ShortName {
            reference,
            because: format!("unqualified-search-registries in {}", search.path.display()),
        }))
    }
}

impl Alias {
    /// Reads an entry; an empty one takes back what an earlier file says.
    pub(super) fn parse(path: &Arc<Path>, name: &str, value: &str) -> Result<Option<Self>, String> {
        let read = |text: &str| text.parse::<Reference>().ok().filter(Reference::is_name_only);
        if has_registry(name) || read(name).is_none() {
            return Err(format!(
                "the alias {name:?} is no name without registry, tag and digest"
            ));
        }
        if value.is_empty() {
            return Ok(None);
        }
        match read(value).filter(|_| has_registry(value)) {
            Some(reference) => Ok(Some(Self {
                name: reference,
                path: Arc::clone(path),
            })),
            None => Err(format!(
                "the alias {name:?} stands for {value:?}, which is no registry and repository alone"
            )),
        }
    }
}

/// Whether a name begins with a registry, as Docker tells it.
fn has_registry(text: &str) -> bool {
    text.split_once('/').is_some_and(|(first, _)| {
        let is_upper = |byte: u8| byte.is_ascii_uppercase();
        first.contains(['.', ':']) || first == "localhost" || first.bytes().any(is_upper)
    })
}

/// Where the tag or digest begins.
fn end_of_name(text: &str) -> usize {
    let end = text.find('@').unwrap_or(text.len());
    let last = text[..end].rfind('/').map_or(0, |slash| slash + 1);
    text[last..end].find(':').map_or(end, |colon| last + colon)
}
