//! What goes wrong with credential files and helpers.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// A credential file or helper that cannot be used. Nothing in it comes out of the file or from the helper.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// A file could not be read.
    #[error("cannot read the credential file {}", path.display())]
    #[non_exhaustive]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is larger than any credential file.
    #[error("the credential file {} is larger than {limit} bytes", path.display())]
    #[non_exhaustive]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit in bytes.
        limit: u64,
    },
    /// A file is not JSON of the right shape.
    #[error("the credential file {} is not understood at line {line}, column {column}", path.display())]
    #[non_exhaustive]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
    },
    /// An entry of a file holds something that is not a credential.
    #[error("the entry {key} of the credential file {} is not base64 of user:password", path.display())]
    #[non_exhaustive]
    Entry {
        /// The file.
        path: PathBuf,
        /// The key of the entry.
        key: String,
    },
    /// A file could not be written.
    #[error("cannot write the credential file {}", path.display())]
    #[non_exhaustive]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The name of a helper could lead to some other program.
    #[error("{name:?} cannot be the name of a credential helper")]
    #[non_exhaustive]
    HelperName {
        /// The name in the file.
        name: String,
    },
    /// A helper is not installed.
    #[error("the credential helper docker-credential-{name} is not on the PATH")]
    #[non_exhaustive]
    HelperMissing {
        /// The name in the file.
        name: String,
    },
    /// A helper could not be run.
    #[error("the credential helper docker-credential-{name} cannot be run")]
    #[non_exhaustive]
    HelperRun {
        /// The name in the file.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// A helper took too long and was ended.
    #[error("the credential helper docker-credential-{name} did not answer within {} seconds", after.as_secs())]
    #[non_exhaustive]
    HelperTimeout {
        /// The name in the file.
        name: String,
        /// How long it was given.
        after: Duration,
    },
    /// A helper said no.
    #[error("the credential helper docker-credential-{name} failed to {action} ({status})")]
    #[non_exhaustive]
    HelperFailed {
        /// The name in the file.
        name: String,
        /// What it was to do: `get`, `store`, `erase` or `list`.
        action: &'static str,
        /// How it ended.
        status: String,
    },
    /// A helper's answer is not what the protocol says.
    #[error(
        "the credential helper docker-credential-{name} gave an answer to {action} that is not understood"
    )]
    #[non_exhaustive]
    HelperAnswer {
        /// The name in the file.
        name: String,
        /// What it was to do.
        action: &'static str,
    },
    /// There is no file to write to: neither a home directory nor a variable that names one.
    #[error("there is no place for credentials: set REGISTRY_AUTH_FILE, DOCKER_CONFIG or HOME")]
    NoPlace,
    /// The credential cannot be stored in a file or helper.
    #[error("this credential cannot be stored: {reason}")]
    #[non_exhaustive]
    Unstorable {
        /// Why.
        reason: &'static str,
    },
}
