//! One module a verb.

mod blob;
mod config;
mod copy;
mod delete;
mod digest;
mod inspect;
mod list;
mod manifest;
mod tag;

use clap::CommandFactory as _;

use crate::args::{Args, Blob, Completion, Manifest, Verb};
use crate::exit::Failure;
use crate::output;
use crate::settings::Settings;

/// Does what was typed.
pub(crate) async fn run(verb: Verb, settings: &Settings) -> Result<(), Failure> {
    match verb {
        Verb::Copy(args) => copy::run(args, settings).await,
        Verb::Inspect(args) => inspect::run(args, settings).await,
        Verb::Digest(args) => digest::run(args, settings).await,
        Verb::ListTags(args) => list::tags(args).await,
        Verb::Ls(args) => list::lines(args, settings).await,
        Verb::Manifest(Manifest::Get(args)) => manifest::get(args).await,
        Verb::Manifest(Manifest::Head(args)) => manifest::head(args, settings).await,
        Verb::Config(args) => config::run(args).await,
        Verb::Blob(Blob::Get(args)) => blob::get(args).await,
        Verb::Blob(Blob::Head(args)) => blob::head(args, settings).await,
        Verb::Tag(args) => tag::run(args).await,
        Verb::Delete(args) => delete::run(args).await,
        Verb::Completion(args) => completion(&args),
        Verb::Version => version(settings),
    }
}

fn completion(args: &Completion) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "stevedore", &mut script);
    output::bytes(&script)
}

fn version(settings: &Settings) -> Result<(), Failure> {
    #[derive(serde::Serialize)]
    struct Version {
        version: &'static str,
    }
    let version = env!("CARGO_PKG_VERSION");
    if settings.json {
        output::json(&Version { version })
    } else {
        output::line(&format!("stevedore {version}"))
    }
}
