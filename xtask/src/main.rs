//! Development tasks of the workspace: `cargo xtask <task>`.
//!
//! A task prints every finding with its file and line, and exits with 0 when none is an error, else with 1.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal: what it prints is its result"
)]

mod bench;
mod cargo;
mod checks;
mod docker_registry;
mod docs;
mod features;
mod finding;
mod interop;
mod source;
mod workspace;

use std::process::ExitCode;

use finding::{Finding, Severity};
use workspace::Workspace;

/// What a task may fail with, apart from findings: cargo cannot be run, a file cannot be read.
type Failure = Box<dyn std::error::Error>;

const USAGE: &str = "\
usage: cargo xtask <task>

tasks:
  bench copy  copies side by side with those of skopeo, oras, regctl and crane: docs/bench.md
  ci          what the tree must hold: dependency directions, size of the core, packaging, silenced lints, file lengths
  docs        manual pages and completions of the program, into target/docs
  features    every feature of every crate compiles alone
  interop     what we write is read by others and the other way round: needs skopeo, umoci, docker-registry and so on";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments[..] {
        ["ci"] => Workspace::load().and_then(|workspace| checks::run(&workspace)),
        ["bench", "copy", ref options @ ..] => return ended(bench::run(options)),
        // Not for people: a measurement of a bench runs in a process of its own.
        ["timer", repeats, program, ref arguments @ ..] => {
            return ended(bench::timer::main(repeats, program, arguments));
        }
        ["docs"] => return ended(docs::run()),
        ["interop"] => return ended(interop::run()),
        ["features"] => Workspace::load().and_then(|workspace| features::run(&workspace)),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::FAILURE;
        }
    };
    match outcome {
        Ok(findings) => report(arguments[0], &findings),
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// How a task ends that prints its own results.
fn ended(outcome: Result<bool, Failure>) -> ExitCode {
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn report(task: &str, findings: &[Finding]) -> ExitCode {
    for finding in findings {
        println!("{finding}");
    }
    let errors = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .count();
    println!(
        "xtask {task}: {errors} errors, {} warnings",
        findings.len() - errors
    );
    if errors == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
