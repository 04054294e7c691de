//! Writes the manual pages and the completions of the program: `cargo run --example docs -- DIR`.
//!
//! Made from what the program itself parses with, so they cannot say anything else. `cargo xtask docs` calls this.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use clap_complete::Shell;

fn main() -> Result<(), Box<dyn Error>> {
    let dir = PathBuf::from(std::env::args_os().nth(1).ok_or("usage: docs DIR")?);
    let (man, completions) = (dir.join("man"), dir.join("completions"));
    fs::create_dir_all(&man)?;
    fs::create_dir_all(&completions)?;
    clap_mangen::generate_to(stevedore_cli::command(), &man)?;
    let mut command = stevedore_cli::command();
    for shell in [
        Shell::Bash,
        Shell::Elvish,
        Shell::Fish,
        Shell::PowerShell,
        Shell::Zsh,
    ] {
        clap_complete::generate_to(shell, &mut command, "stevedore", &completions)?;
    }
    Ok(())
}
