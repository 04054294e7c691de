//! One file, parsed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use stevedore_core::reference::Registry;

use super::RegistriesError;
use super::names::Alias;
use super::place::{Place, Prefix, Takes};

/// What one file says.
pub(super) struct Parsed {
    pub(super) tables: Vec<Table>,
    pub(super) aliases: BTreeMap<String, Option<Alias>>,
    pub(super) search: Option<Search>,
}

/// One `[[registry]]`.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) prefix: Prefix,
    /// `None` under a star: the name stays what it is.
    pub(super) location: Option<Place>,
    pub(super) insecure: bool,
    pub(super) blocked: bool,
    pub(super) mirrors: Vec<Mirror>,
    path: Arc<Path>,
}

/// One `[[registry.mirror]]`.
#[derive(Clone, Debug)]
pub(super) struct Mirror {
    pub(super) location: Place,
    pub(super) insecure: bool,
    pub(super) takes: Takes,
}

/// `unqualified-search-registries`.
#[derive(Clone, Debug)]
pub(super) struct Search {
    pub(super) registries: Vec<Registry>,
    pub(super) path: Arc<Path>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Shape {
    #[serde(default)]
    registry: Vec<RegistryShape>,
    #[serde(default)]
    aliases: BTreeMap<String, String>,
    unqualified_search_registries: Option<Vec<String>>,
    short_name_mode: Option<String>,
    #[serde(default)]
    registries: OldShape,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", default)]
#[derive(Default)]
struct RegistryShape {
    prefix: String,
    location: String,
    insecure: bool,
    blocked: bool,
    mirror_by_digest_only: bool,
    mirror: Vec<MirrorShape>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct MirrorShape {
    location: String,
    insecure: bool,
    pull_from_mirror: String,
}

/// Version 1 of the format.
#[derive(Default, Deserialize)]
#[serde(default)]
struct OldShape {
    search: OldList,
    insecure: OldList,
    block: OldList,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OldList {
    registries: Vec<String>,
}

/// Reads a file.
pub(super) fn parse(path: &Arc<Path>, text: &str) -> Result<Parsed, RegistriesError> {
    let shape: Shape = toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        RegistriesError::Syntax {
            path: path.to_path_buf(),
            line: before.map_or(1, |before| before.matches('\n').count() + 1),
            reason: error.message().to_owned(),
        }
    })?;
    let old = [
        &shape.registries.search,
        &shape.registries.insecure,
        &shape.registries.block,
    ];
    if old.iter().any(|list| !list.registries.is_empty()) {
        return Err(RegistriesError::OldFormat {
            path: path.to_path_buf(),
        });
    }
    understand(path, shape).map_err(|reason| RegistriesError::Value {
        path: path.to_path_buf(),
        reason,
    })
}

fn understand(path: &Arc<Path>, shape: Shape) -> Result<Parsed, String> {
    let mut tables: Vec<Table> = Vec::with_capacity(shape.registry.len());
    let mut prefixes = BTreeSet::new();
    for registry in shape.registry {
        let table = Table::parse(path, registry)?;
        check_beside(&table, &tables)?;
        // Of several with the same prefix in one file the first one counts.
        if prefixes.insert(table.prefix.to_string()) {
            tables.push(table);
        }
    }
    let mode = shape.short_name_mode.as_deref().unwrap_or("permissive");
    if !["enforcing", "permissive", "disabled"].contains(&mode) {
        return Err(format!(
            "short-name-mode is enforcing, permissive or disabled, and not {mode:?}"
        ));
    }
    let search = match shape.unqualified_search_registries {
        Some(names) => Some(Search {
            registries: names
                .iter()
                .map(|name| searched(name))
                .collect::<Result<_, _>>()?,
            path: Arc::clone(path),
        }),
        None => None,
    };
    let aliases = shape.aliases.into_iter().map(|(name, value)| {
        let alias = Alias::parse(path, &name, &value)?;
        Ok((name, alias))
    });
    Ok(Parsed {
        tables,
        aliases: aliases.collect::<Result<_, String>>()?,
        search,
    })
}

fn searched(name: &str) -> Result<Registry, String> {
    let parsed = name.trim_end_matches('/').parse();
    parsed.map_err(|error| format!("unqualified-search-registries names no registry by {name:?}: {error}"))
}

/// Two tables about the same location must not contradict each other: which one is used depends on the name alone.
fn check_beside(table: &Table, others: &[Table]) -> Result<(), String> {
    let place = table.place();
    for other in others.iter().filter(|other| other.place() == place) {
        for (key, one, two) in [
            ("insecure", table.insecure, other.insecure),
            ("blocked", table.blocked, other.blocked),
        ] {
            if one != two {
                return Err(format!(
                    "of several [[registry]] tables about {place} only some have {key} = true"
                ));
            }
        }
    }
    Ok(())
}

impl Table {
    fn parse(path: &Arc<Path>, shape: RegistryShape) -> Result<Self, String> {
        let location = filled(&shape.location).map(Place::parse).transpose()?;
        let prefix = match (filled(&shape.prefix), &location) {
            (Some(prefix), _) => Prefix::parse(prefix)?,
            (None, Some(location)) => Prefix::Name(location.clone()),
            (None, None) => return Err("a [[registry]] table has neither prefix nor location".to_owned()),
        };
        if location.is_none() && matches!(prefix, Prefix::Name(_)) {
            return Err(format!(
                "the [[registry]] table with the prefix {prefix} has no location"
            ));
        }
        let mirrors = shape.mirror.into_iter().map(|mirror| {
            let Some(location) = filled(&mirror.location) else {
                return Err(format!("a [[registry.mirror]] of {prefix} has no location"));
            };
            let Some(takes) = Takes::parse(&mirror.pull_from_mirror) else {
                let wrong = &mirror.pull_from_mirror;
                return Err(format!(
                    "pull-from-mirror is all, digest-only or tag-only, and not {wrong:?}"
                ));
            };
            if shape.mirror_by_digest_only && !mirror.pull_from_mirror.is_empty() {
                return Err(format!(
                    "{prefix} has both mirror-by-digest-only and a mirror with pull-from-mirror"
                ));
            }
            Ok(Mirror {
                location: Place::parse(location)?,
                insecure: mirror.insecure,
                takes: if shape.mirror_by_digest_only {
                    Takes::Digest
                } else {
                    takes
                },
            })
        });
        Ok(Self {
            mirrors: mirrors.collect::<Result<_, String>>()?,
            prefix,
            location,
            insecure: shape.insecure,
            blocked: shape.blocked,
            path: Arc::clone(path),
        })
    }

    /// What it is about.
    fn place(&self) -> String {
        self.location
            .as_ref()
            .map_or_else(|| self.prefix.to_string(), ToString::to_string)
    }
}

fn filled(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[[registry]] {} in {}", self.prefix, self.path.display())
    }
}
