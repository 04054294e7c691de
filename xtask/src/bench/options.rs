//! What can be typed behind `cargo xtask bench copy`.

use std::path::PathBuf;

use super::operation::Operation;
use crate::Failure;

pub(super) const USAGE: &str = "\
usage: cargo xtask bench copy [options]

  --only ROW      an operation (start, copy, push, pull; copy-there, push-there, pull-there), an image, or an operation
                  on an image, as copy/layers; may be given more than once
  --runs N        how often each program runs, after once to warm up [default: 7] [env: RUNS]
  --dir FOLDER    where to copy from and to; may be given more than once [default: the temporary folder, and /dev/shm]
  --corpus FOLDER the layouts in it (each with an image `latest`) instead of images made here
  --json FILE     write all figures there, too";

/// What was typed.
#[derive(Debug)]
pub(super) struct Options {
    only: Vec<String>,
    pub(super) runs: usize,
    pub(super) dirs: Vec<PathBuf>,
    pub(super) corpus: Option<PathBuf>,
    pub(super) json: Option<PathBuf>,
}

impl Options {
    pub(super) fn parse(arguments: &[&str], runs: Option<&str>) -> Result<Self, Failure> {
        let mut options = Self {
            only: Vec::new(),
            runs: runs.map_or(Ok(7), str::parse).map_err(|_| "RUNS is no number")?,
            dirs: Vec::new(),
            corpus: None,
            json: None,
        };
        let mut arguments = arguments.iter();
        while let Some(&flag) = arguments.next() {
            let mut value = || {
                arguments
                    .next()
                    .ok_or_else(|| format!("{flag} wants a value\n\n{USAGE}"))
            };
            match flag {
                "--only" => options.only.push((*value()?).to_owned()),
                "--runs" => {
                    options.runs = value()?.parse().map_err(|_| "--runs wants a number")?;
                }
                "--dir" => options.dirs.push(PathBuf::from(value()?)),
                "--corpus" => options.corpus = Some(PathBuf::from(value()?)),
                "--json" => options.json = Some(PathBuf::from(value()?)),
                _ => return Err(format!("{flag} is no option\n\n{USAGE}").into()),
            }
        }
        if options.runs == 0 {
            return Err("no runs are no measurement: --runs wants 1 or more".into());
        }
        if options.dirs.is_empty() {
            options.dirs.push(std::env::temp_dir());
            let memory = PathBuf::from("/dev/shm");
            if memory.is_dir() && !options.dirs[0].starts_with(&memory) {
                options.dirs.push(memory);
            }
        }
        Ok(options)
    }

    /// Whether a row was asked for.
    pub(super) fn wants(&self, operation: Operation, image: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| names(only, operation, image))
    }

    /// Fails if something was asked for that is no row.
    pub(super) fn check(&self, images: &[&str]) -> Result<(), Failure> {
        let known = |only: &String| {
            let of_images = |operation: &Operation| images.iter().any(|image| names(only, *operation, image));
            Operation::ALL.iter().any(of_images)
        };
        match self.only.iter().find(|only| !known(only)) {
            Some(only) => Err(format!(
                "{only} is no row; the images are {}\n\n{USAGE}",
                images.join(", ")
            )
            .into()),
            None => Ok(()),
        }
    }
}

/// Whether what was typed names a row, alone or with others.
fn names(only: &str, operation: Operation, image: &str) -> bool {
    if only == operation.name() {
        return true;
    }
    operation.moves_image() && (only == image || only == format!("{}/{image}", operation.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_an_operation_or_that_of_an_image() {
        let images = ["layers", "small"];
        let options = Options::parse(&["--only", "copy", "--only", "push/small"], None).unwrap();
        options.check(&images).unwrap();
        assert!(options.wants(Operation::Copy, "layers"));
        assert!(options.wants(Operation::Push, "small"));
        assert!(!options.wants(Operation::Push, "layers"));
        assert!(!options.wants(Operation::CopyThere, "layers"));
        let options = Options::parse(&["--only", "small"], None).unwrap();
        options.check(&images).unwrap();
        assert!(options.wants(Operation::Pull, "small"));
        assert!(!options.wants(Operation::Start, "small"));
        let options = Options::parse(&["--only", "copy/large"], None).unwrap();
        assert!(options.check(&images).is_err());
    }

    #[test]
    fn runs_are_given_by_flag_else_by_variable() {
        assert_eq!(Options::parse(&[], None).unwrap().runs, 7);
        assert_eq!(Options::parse(&[], Some("3")).unwrap().runs, 3);
        assert_eq!(Options::parse(&["--runs", "5"], Some("3")).unwrap().runs, 5);
        assert!(Options::parse(&["--runs", "0"], None).is_err());
    }
}
