//! Passwords that are not on the command line.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};

use anyhow::Context as _;

use crate::exit::Failure;
use crate::output;
use crate::sys::Unseen;

/// More than any password or token has, in bytes.
const LIMIT: u64 = 64 << 10;

/// The first line of stdin.
pub(crate) fn from_stdin() -> Result<String, Failure> {
    let password = line().context("cannot read the password from stdin")?;
    if password.is_empty() {
        return Err(Failure::usage("there is no password on stdin"));
    }
    Ok(password)
}

/// Asks a person for a user's name.
pub(crate) async fn ask_name(registry: &str) -> Result<String, Failure> {
    let hint = "--username USER with --password-stdin";
    let name = ask_line(&format!("user at {registry}: "), "who to be was not said", hint).await?;
    if name.is_empty() {
        return Err(Failure::usage("no user was given").with_hint(hint));
    }
    Ok(name)
}

/// Asks a person for a password, which is not shown.
pub(crate) async fn ask(name: &str, registry: &str) -> Result<String, Failure> {
    // Here, and not where the line is read: when a signal ends the program, this future is dropped, and that is not.
    let unseen = if io::stdin().is_terminal() {
        Some(Unseen::begin()?)
    } else {
        None
    };
    let question = format!("password of {name} at {registry}: ");
    let asked = ask_line(
        &question,
        "there is no password",
        "--password-stdin, and the password there",
    )
    .await;
    if unseen.is_some() {
        // The end of the line was not shown either.
        output::say("\n");
    }
    drop(unseen);
    let password = asked?;
    if password.is_empty() {
        return Err(Failure::usage("no password was given"));
    }
    Ok(password)
}

async fn ask_line(question: &str, problem: &str, hint: &str) -> Result<String, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::usage(problem).with_hint(hint));
    }
    output::say(question);
    let answer = tokio::task::spawn_blocking(line)
        .await
        .context("nobody could be asked")?;
    Ok(answer.context("cannot read from the terminal")?)
}

/// A line of stdin, without its end.
fn line() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().take(LIMIT).read_line(&mut line)?;
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    Ok(line)
}
