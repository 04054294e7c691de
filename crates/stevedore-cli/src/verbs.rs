//! One module a verb.

mod blob;
mod config;
mod copy;
mod delete;
mod digest;
mod exact;
mod explain;
mod inspect;
mod list;
mod login;
mod manifest;
mod program;
mod tag;

use crate::args::{Args, Blob, Manifest, Verb};
use crate::exit::Failure;
use crate::settings::Settings;

/// Does what was typed if that needs no settings: what a shell asks for when it starts is not to fail for a
/// configuration file that is broken.
pub(crate) fn run_unsettled(args: &Args) -> Option<Result<(), Failure>> {
    match &args.verb {
        Verb::Completion(completion) => Some(program::completion(completion, args.global.json)),
        Verb::Version => Some(program::version(args.global.json)),
        _ => None,
    }
}

/// Does what was typed.
pub(crate) async fn run(verb: Verb, settings: Settings) -> Result<(), Failure> {
    match verb {
        // The futures of the large verbs are not for everybody's stack.
        Verb::Copy(args) => Box::pin(copy::run(args, &settings)).await,
        Verb::Inspect(args) => Box::pin(inspect::run(args, &settings)).await,
        Verb::Digest(args) => digest::run(args, &settings).await,
        Verb::ListTags(args) => list::tags(args, &settings).await,
        Verb::Ls(args) => list::lines(args, &settings).await,
        Verb::Manifest(Manifest::Get(args)) => manifest::get(args, &settings).await,
        Verb::Manifest(Manifest::Head(args)) => manifest::head(args, &settings).await,
        Verb::Config(args) => config::run(args, &settings).await,
        Verb::Blob(Blob::Get(args)) => blob::get(args, &settings).await,
        Verb::Blob(Blob::Head(args)) => blob::head(args, &settings).await,
        Verb::Tag(args) => tag::run(args, &settings).await,
        Verb::Delete(args) => delete::run(args, &settings).await,
        Verb::Login(args) => login::login(args, &settings).await,
        Verb::Logout(args) => login::logout(args, &settings).await,
        Verb::Whoami(args) => login::whoami(args, &settings).await,
        Verb::Explain(args) => explain::run(args, &settings),
        Verb::Completion(args) => program::completion(&args, settings.json),
        Verb::Version => program::version(settings.json),
    }
}
