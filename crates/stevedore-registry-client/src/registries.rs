//! Where images really are: `registries.conf`, as containers tools have it (containers-registries.conf(5)).

mod error;
mod file;
mod load;
mod names;
mod place;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use stevedore_core::Reference;
use stevedore_core::reference::Registry;

pub use self::error::RegistriesError;
use self::file::Table;
use self::names::Alias;
pub use self::names::ShortName;
use self::place::{Place, Takes};

/// What `registries.conf` and its drop-ins say: mirrors, other locations, what is blocked or insecure, and what short
/// names stand for. Version 2 of the format; a file of version 1 is refused.
///
/// The table is used whose prefix is the longest one that a name begins with, by whole components: `example.com/a` is
/// one of `example.com/a/b`, not of `example.com/ab`, and `example.com` is none of `example.com:5000/a`.
/// `*.example.com` is one of all hosts under that domain, at any port. A table of a later file takes the place of one
/// with the same prefix as a whole.
///
/// Keys that are not known are passed over: the files are for many programs.
///
/// ```
/// use stevedore_registry_client::RegistriesConf;
///
/// let conf = RegistriesConf::default().with_file(
///     "registries.conf".as_ref(),
///     r#"
///     [[registry]]
///     location = "docker.io"
///     [[registry.mirror]]
///     location = "mirror.lan:5000/hub"
///     insecure = true
///     "#,
/// )?;
/// let endpoints = conf.endpoints(&"debian:12".parse()?)?;
/// assert_eq!(endpoints[0].reference.to_string(), "mirror.lan:5000/hub/library/debian:12");
/// assert!(endpoints[0].insecure);
/// assert_eq!(endpoints[1].reference.to_string(), "docker.io/library/debian:12");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct RegistriesConf {
    /// By prefix.
    tables: BTreeMap<String, Table>,
    /// By short name; `None` where a later file takes an alias back.
    aliases: BTreeMap<String, Option<Alias>>,
    search: Option<file::Search>,
    files: Vec<PathBuf>,
}

/// One place where an image may be read, in the order in which they are tried.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Endpoint {
    /// The image there, with the tag and digest that were asked for.
    pub reference: Reference,
    /// Whether its certificate is not verified, and plain HTTP is spoken where it has none.
    pub insecure: bool,
    /// Whether it is a mirror, and not where the image belongs.
    pub is_mirror: bool,
    /// Why it is one, for people: the table and its file.
    pub because: String,
}

impl RegistriesConf {
    /// The same, with what another file says on top of it.
    ///
    /// # Errors
    /// [`RegistriesError`] for what is not understood, with the path.
    pub fn with_file(mut self, path: &Path, text: &str) -> Result<Self, RegistriesError> {
        let path: Arc<Path> = path.into();
        let parsed = file::parse(&path, text)?;
        for table in parsed.tables {
            self.tables.insert(table.prefix.to_string(), table);
        }
        self.aliases.extend(parsed.aliases);
        self.search = parsed.search.or(self.search);
        self.files.push(path.to_path_buf());
        Ok(self)
    }

    /// The files that it is from, in order.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Where an image may be read: its mirrors, and last where it belongs.
    ///
    /// # Errors
    /// [`RegistriesError::Blocked`] where the image is blocked, and [`RegistriesError::Location`] where a location
    /// does not fit the name.
    pub fn endpoints(&self, reference: &Reference) -> Result<Vec<Endpoint>, RegistriesError> {
        let Some((table, rest)) = self.table_for(reference) else {
            return Ok(vec![Endpoint::of(reference)]);
        };
        if table.blocked {
            return Err(RegistriesError::Blocked {
                reference: reference.to_string(),
                table: table.to_string(),
            });
        }
        let is_taken = |takes: Takes| match takes {
            Takes::All => true,
            Takes::Digest => reference.digest().is_some(),
            Takes::Tag => reference.digest().is_none(),
        };
        let mut endpoints = Vec::new();
        for mirror in table.mirrors.iter().filter(|mirror| is_taken(mirror.takes)) {
            endpoints.push(Endpoint {
                reference: mirror.location.rewrite(reference, &rest, table)?,
                insecure: mirror.insecure,
                is_mirror: true,
                because: format!("a mirror of {table}"),
            });
        }
        let location = table.location.as_ref();
        endpoints.push(Endpoint {
            reference: match location {
                Some(location) => location.rewrite(reference, &rest, table)?,
                None => reference.clone(),
            },
            insecure: table.insecure,
            is_mirror: false,
            because: format!("the location of {table}"),
        });
        Ok(endpoints)
    }

    /// Where an image belongs, which is also where it is written.
    ///
    /// # Errors
    /// Those of [`endpoints`](Self::endpoints).
    pub fn primary(&self, reference: &Reference) -> Result<Endpoint, RegistriesError> {
        let mut endpoints = self.endpoints(reference)?;
        Ok(endpoints.pop().unwrap_or_else(|| Endpoint::of(reference)))
    }

    /// Whether a registry as a whole is insecure: for a login, which is about no image.
    ///
    /// # Errors
    /// [`RegistriesError::Blocked`] where all of it is blocked.
    pub fn is_insecure(&self, registry: &Registry) -> Result<bool, RegistriesError> {
        let Some((table, _)) = self.find(registry, registry.as_str()) else {
            return Ok(false);
        };
        if table.blocked {
            return Err(RegistriesError::Blocked {
                reference: registry.to_string(),
                table: table.to_string(),
            });
        }
        // Of a location elsewhere this says nothing about the registry itself.
        let is_here = |place: &Place| place.registry() == registry;
        Ok(table.insecure && table.location.as_ref().is_none_or(is_here))
    }

    fn table_for(&self, reference: &Reference) -> Option<(&Table, String)> {
        let name = reference.name();
        let (table, rest) = self.find(reference.registry(), &name)?;
        Some((table, rest.to_owned()))
    }

    /// The table with the longest prefix of a name, and what of the name is behind it.
    fn find<'n>(&self, registry: &Registry, name: &'n str) -> Option<(&Table, &'n str)> {
        let fitting = self.tables.values().filter_map(|table| {
            let rest = table.prefix.rest_of(registry, name)?;
            Some((table, rest))
        });
        fitting.max_by_key(|(table, _)| table.prefix.len())
    }
}

impl Endpoint {
    /// An image that nothing is said about.
    fn of(reference: &Reference) -> Self {
        Self {
            reference: reference.clone(),
            insecure: false,
            is_mirror: false,
            because: "no [[registry]] table has a prefix of it".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
