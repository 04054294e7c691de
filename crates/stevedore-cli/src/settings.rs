//! Flags over variables over one file, resolved once.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

use crate::args::{Global, Progress};
use crate::exit::Failure;

/// What holds for the whole run.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) json: bool,
    pub(crate) quiet: bool,
    pub(crate) progress: Progress,
    pub(crate) jobs: Option<NonZeroUsize>,
    pub(crate) retry_times: Option<u32>,
}

/// The configuration file. A key that is not known is an error: a misspelt one would be ignored in silence.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    progress: Option<Progress>,
    jobs: Option<NonZeroUsize>,
    retry_times: Option<u32>,
}

impl Settings {
    /// Takes what was typed or stands in variables (clap has put these together), and the file for the rest.
    pub(crate) fn resolve(global: Global) -> Result<Self, Failure> {
        let file = match &global.config {
            Some(path) => {
                read(path)?.ok_or_else(|| Failure::usage(format!("{} is not there", path.display())))?
            }
            None => default_path()
                .map(|path| read(&path))
                .transpose()?
                .flatten()
                .unwrap_or_default(),
        };
        Ok(Self {
            json: global.json,
            quiet: global.quiet,
            progress: global.progress.or(file.progress).unwrap_or(Progress::Auto),
            jobs: file.jobs,
            retry_times: file.retry_times,
        })
    }
}

fn default_path() -> Option<PathBuf> {
    let set = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let base = set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")))?;
    Some(base.join("stevedore").join("config.toml"))
}

fn read(path: &Path) -> Result<Option<File>, Failure> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(anyhow::Error::new(error)
                .context(format!("cannot read {}", path.display()))
                .into());
        }
    };
    let file = toml::from_str(&text).with_context(|| format!("{} is no configuration", path.display()));
    file.map(Some)
        .map_err(|error| Failure::usage(format!("{error:#}")))
}
