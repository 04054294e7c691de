//! Which files there are.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::{RegistriesConf, RegistriesError};
use crate::Environment;

/// The bytes of a file that are read; a larger one is an error.
const FILE_LIMIT: u64 = 1024 * 1024;

impl RegistriesConf {
    /// Reads the files that an environment leads to, each on top of those before:
    ///
    /// 1. the file that `CONTAINERS_REGISTRIES_CONF` names; then there are no drop-ins. Else the first one that exists
    ///    of `$XDG_CONFIG_HOME/containers/registries.conf` (or that under `~/.config`),
    ///    `/etc/containers/registries.conf` and `/usr/share/containers/registries.conf`;
    /// 2. drop-ins, the files that end in `.conf` of `/usr/share/containers/registries.conf.d`,
    ///    `/etc/containers/registries.conf.d` and that beside the user's file, in the order of their names alone; of
    ///    several with the same name only the last one. `CONTAINERS_REGISTRIES_CONF_DIR` names a directory that is
    ///    read in place of these, also where the file is named;
    /// 3. the file that `CONTAINERS_REGISTRIES_CONF_OVERRIDE` names.
    ///
    /// # Errors
    /// [`RegistriesError`] for a file that a variable names and is not there, and for any that cannot be read or
    /// understood.
    pub fn load(environment: &Environment) -> Result<Self, RegistriesError> {
        let mut conf = Self::default();
        // The weakest first.
        let places = [
            environment.vendor_config.clone(),
            environment.system_config.clone(),
            environment.config_home(),
        ];
        let places: Vec<PathBuf> = places
            .into_iter()
            .flatten()
            .map(|it| it.join("containers"))
            .collect();
        if let Some(path) = &environment.registries_conf {
            conf = conf.with(path, true)?;
        } else {
            for path in places.iter().rev().map(|place| place.join("registries.conf")) {
                let files = conf.files.len();
                conf = conf.with(&path, false)?;
                if conf.files.len() > files {
                    break;
                }
            }
        }
        let directories = match (&environment.registries_conf_dir, &environment.registries_conf) {
            (Some(directory), _) => vec![directory.clone()],
            (None, Some(_)) => Vec::new(),
            (None, None) => places
                .iter()
                .map(|place| place.join("registries.conf.d"))
                .collect(),
        };
        for path in drop_ins(&directories)?.values() {
            conf = conf.with(path, false)?;
        }
        match &environment.registries_conf_override {
            Some(path) => conf.with(path, true),
            None => Ok(conf),
        }
    }

    fn with(self, path: &Path, must_be: bool) -> Result<Self, RegistriesError> {
        let failed = |source| RegistriesError::Read {
            path: path.to_owned(),
            source,
        };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !must_be => return Ok(self),
            Err(error) => return Err(failed(error)),
        };
        let mut text = String::new();
        file.take(FILE_LIMIT + 1)
            .read_to_string(&mut text)
            .map_err(failed)?;
        if text.len() as u64 > FILE_LIMIT {
            return Err(RegistriesError::TooLarge {
                path: path.to_owned(),
                limit: FILE_LIMIT,
            });
        }
        self.with_file(path, &text)
    }
}

/// The drop-ins by name, of several with one name that of the last directory.
fn drop_ins(directories: &[PathBuf]) -> Result<BTreeMap<std::ffi::OsString, PathBuf>, RegistriesError> {
    let mut files = BTreeMap::new();
    for directory in directories {
        let failed = |source| RegistriesError::Read {
            path: directory.clone(),
            source,
        };
        let entries = match std::fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(failed(error)),
        };
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            if path.extension() == Some(OsStr::new("conf")) && path.is_file() {
                files.insert(entry.file_name(), path);
            }
        }
    }
    Ok(files)
}
