#![doc = include_str!("../README.md")]

mod access;
mod args;
mod digest_file;
mod exit;
mod output;
mod places;
mod progress;
mod settings;
mod signals;
mod sys;
mod verbs;

use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory as _, Parser as _};

use crate::args::{Args, Progress};
use crate::exit::Failure;
use crate::settings::Settings;

/// How long threads that still write to the disk are waited for after a signal. What they stage is good at any
/// moment; with the state of its hash saved it is also cheap to go on with.
const PARTING: Duration = Duration::from_millis(500);

/// What can be typed, for whoever makes manuals and completions of it.
pub fn command() -> clap::Command {
    Args::command()
}

/// The program: parses the arguments of this process, resolves settings once, runs one verb, and says how it ended.
pub fn run() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return exit::usage(&error),
    };
    match execute(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => exit::report(&failure),
    }
}

/// Has the allocator of glibc keep a few MiB that are freed: for how much it keeps it goes by the largest block that
/// it ever took back. Else the buffers of a body that is fetched, of some hundred KiB each, go back to the system and
/// come again, with a page fault for every 4 KiB. This block is never written to, so that it takes no memory.
fn keep_freed_memory() {
    drop(std::hint::black_box(vec![0_u8; 4 << 20]));
}

fn execute(args: Args) -> Result<(), Failure> {
    if let Some(done) = verbs::run_unsettled(&args) {
        return done;
    }
    let settings = Settings::resolve(args.global)?;
    if settings.progress == Progress::Json {
        output::speak_in_events();
    }
    keep_freed_memory();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("stevedore")
        .build()?;
    let ended = runtime.block_on(signals::until_signal(verbs::run(args.verb, settings)));
    if ended.as_ref().is_err_and(Failure::is_signal) {
        runtime.shutdown_timeout(PARTING);
    } else {
        // Nobody waits for a thread that sits behind a full pipe: what it writes is staged, or its reader's loss.
        runtime.shutdown_background();
    }
    ended
}
