//! Archives of GNU tar and Python, read by us, and ours read by them. What is not installed is named as NOT RUN.

mod gnu;
mod ours;
mod python;
mod theirs;
mod tree;

use std::io::Write;

/// Says that a test is not run on this machine, and what it needs.
fn not_run(test: &str, needs: &str) {
    // libtest does not capture what is written here directly. In one piece, for others write here too.
    let line = format!("NOT RUN (needs {needs}): {test}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}
