//! Flags over `STEVEDORE_*` variables over one file, resolved once.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::ValueEnum as _;
use serde::Deserialize;
use stevedore_core::reference::Registry;

use crate::args::{Global, Progress};
use crate::exit::Failure;

/// What holds for the whole run.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) json: bool,
    pub(crate) quiet: bool,
    pub(crate) progress: Progress,
    pub(crate) jobs: Option<NonZeroUsize>,
    pub(crate) retry_times: Option<u32>,
    /// By registry.
    registries: BTreeMap<String, RegistryTable>,
    /// The configuration file, where there is one.
    pub(crate) file: Option<PathBuf>,
}

/// How a registry is reached, as the configuration file has it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct RegistryTable {
    pub(crate) tls_verify: Option<bool>,
    pub(crate) plain_http: Option<bool>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) cert_dir: Option<PathBuf>,
    pub(crate) trusted_realms: Vec<String>,
    pub(crate) private_targets: bool,
    pub(crate) chunk_size: Option<u64>,
}

/// The configuration file. A key that is not known is an error: a misspelt one would be ignored in silence.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    progress: Option<Progress>,
    jobs: Option<NonZeroUsize>,
    retry_times: Option<u32>,
    #[serde(default)]
    registries: BTreeMap<String, RegistryTable>,
}

impl Settings {
    /// Takes what was typed, what stands in variables for the rest, and the file for what is left. The flags of a verb
    /// come on top of this where they are used.
    pub(crate) fn resolve(global: Global) -> Result<Self, Failure> {
        let named = global
            .config_file
            .or(variable("STEVEDORE_CONFIG").map(PathBuf::from));
        let must_be = named.is_some();
        let path = named.or_else(default_path);
        let found = path.as_deref().map(read).transpose()?.flatten();
        let (file, path) = match (found, path) {
            (Some(file), path) => (file, path),
            (None, Some(path)) if must_be => {
                return Err(Failure::usage(format!("there is no file {}", path.display())));
            }
            (None, _) => (File::default(), None),
        };
        let progress = parsed("STEVEDORE_PROGRESS", "auto, bars, plain, json or none", |text| {
            Progress::from_str(text, false).ok()
        })?;
        let jobs = parsed("STEVEDORE_JOBS", "a number above 0", |text| text.parse().ok())?;
        let retry_times = parsed("STEVEDORE_RETRY_TIMES", "a number", |text| text.parse().ok())?;
        Ok(Self {
            json: global.json,
            quiet: global.quiet,
            progress: global
                .progress
                .or(progress)
                .or(file.progress)
                .unwrap_or(Progress::Auto),
            jobs: jobs.or(file.jobs),
            retry_times: retry_times.or(file.retry_times),
            registries: file.registries,
            file: path,
        })
    }

    /// What the file says about a registry.
    pub(crate) fn table(&self, registry: &Registry) -> RegistryTable {
        self.registries
            .get(registry.as_str())
            .cloned()
            .unwrap_or_default()
    }
}

/// A variable that is set and not empty.
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn parsed<T>(name: &str, wanted: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Failure> {
    let Some(value) = variable(name) else {
        return Ok(None);
    };
    let wrong = || {
        Failure::usage(format!(
            "the variable {name} has {:?}, which is not {wanted}",
            value.display().to_string()
        ))
    };
    value.to_str().and_then(parse).ok_or_else(wrong).map(Some)
}

fn default_path() -> Option<PathBuf> {
    let base = variable("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(variable("HOME")?).join(".config")))?;
    Some(base.join("stevedore").join("config.toml"))
}

fn read(path: &Path) -> Result<Option<File>, Failure> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let error = anyhow::Error::new(error).context(format!("cannot read {}", path.display()));
            return Err(Failure::usage_because(error));
        }
    };
    let file: File = toml::from_str(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map_or(1, |before| before.matches('\n').count() + 1);
        Failure::usage(format!("{}, line {line}: {}", path.display(), error.message()))
    })?;
    let registries = file.registries.into_iter().map(|(name, table)| {
        // By the one name that it has here, however it is spelt there.
        let registry: Registry = name.parse().map_err(|error| {
            Failure::usage(format!("{}: {name:?} is no registry: {error}", path.display()))
        })?;
        Ok((registry.as_str().to_owned(), table))
    });
    let registries = registries.collect::<Result<_, Failure>>()?;
    Ok(Some(File { registries, ..file }))
}
