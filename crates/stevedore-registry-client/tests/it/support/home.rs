//! Where credentials are kept, and the helpers that keep them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use stevedore_registry_client::Environment;
use stevedore_registry_client::auth::CredentialSources;
use tempfile::TempDir;

/// A home directory with nothing in it but what a test puts there.
pub(crate) struct Home {
    directory: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().expect("a temporary directory"),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(&path, text).expect("a file");
        path
    }

    /// Installs the fake helper under a name.
    pub(crate) fn helper(&self, name: &str) {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/docker-credential-fake");
        fs::create_dir_all(self.path("bin")).expect("a directory");
        symlink(fixture, self.path(&format!("bin/docker-credential-{name}"))).expect("a link");
    }

    pub(crate) fn environment(&self) -> Environment {
        let mut environment = Environment::empty();
        environment.home = Some(self.path(""));
        environment.xdg_runtime_dir = Some(self.path("run"));
        environment.path = Some(std::env::join_paths([self.path("bin")]).expect("a PATH"));
        environment
    }

    /// What is found from here, and nothing of this machine.
    pub(crate) fn sources(&self) -> CredentialSources {
        CredentialSources::new(self.environment())
    }
}
