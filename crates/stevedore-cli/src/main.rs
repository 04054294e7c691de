//! The `stevedore` program: parses, resolves settings once, runs one verb, and says how it ended.

mod args;
mod exit;
mod output;
mod places;
mod progress;
mod settings;
mod signals;
mod verbs;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::Args;
use crate::exit::Failure;
use crate::settings::Settings;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return exit::usage(&error),
    };
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => exit::report(&failure),
    }
}

fn run(args: Args) -> Result<(), Failure> {
    let settings = Settings::resolve(args.global)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("stevedore")
        .build()
        .map_err(|error| Failure::new(error.into()))?;
    let ended = runtime.block_on(signals::until_signal(verbs::run(args.verb, &settings)));
    // Nobody waits for a thread that sits behind a full pipe: what it writes is staged, or its reader's loss.
    runtime.shutdown_background();
    ended
}
