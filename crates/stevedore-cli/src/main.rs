//! The `stevedore` program. All of it is in the library beside it, so that the manual is made from what is run.

use std::process::ExitCode;

fn main() -> ExitCode {
    stevedore_cli::run()
}
