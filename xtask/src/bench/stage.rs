//! Where a row is played: a folder on the medium with the image, what is copied from it, and a registry.

use std::fs;
use std::path::{Path, PathBuf};

use super::corpus::{Image, TAG};
use super::operation::Operation;
use super::programs::{Job, Program};
use super::registry::Registry;
use super::timer::{Call, Sample};
use crate::Failure;

/// The repository that everybody pushes to and pulls from.
const REPOSITORY: &str = "bench/image";

/// A row while it is played.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    operation: Operation,
    /// On the medium.
    image: &'a Image,
    folder: &'a Path,
    /// docker-registry; there if the operation needs one.
    server: Option<&'a Path>,
    registry: Option<Registry>,
}

impl<'a> Stage<'a> {
    /// Sets a row up; `filler` puts the image into the registry where it has to be there.
    pub(super) fn set(
        operation: Operation,
        image: &'a Image,
        folder: &'a Path,
        server: Option<&'a Path>,
        filler: &Program,
    ) -> Result<Self, Failure> {
        let mut stage = Self {
            operation,
            image,
            folder,
            server,
            registry: None,
        };
        if operation.needs_registry() {
            stage.empty_registry()?;
        }
        if matches!(
            operation,
            Operation::Pull | Operation::PullThere | Operation::PushThere
        ) {
            let push = stage.call_of(Operation::Push, filler)?;
            push.ok_or("nobody can push")?.run()?;
            stage.check(Operation::Push, filler)?;
        }
        Ok(stage)
    }

    /// Whether the program can do this at all.
    pub(super) fn plays(&self, program: &Program) -> Result<bool, Failure> {
        Ok(self.call_of(self.operation, program)?.is_some())
    }

    /// Lets a program do it once, and sees to it that it did. Only the program itself is timed.
    pub(super) fn run(&mut self, program: &Program) -> Result<Sample, Failure> {
        let destination = self.destination(program);
        match self.operation {
            Operation::Push => self.empty_registry()?,
            Operation::Copy | Operation::Pull => remove(&destination)?,
            Operation::CopyThere | Operation::PullThere if !destination.exists() => {
                self.image.linked_as(&destination)?;
            }
            _ => {}
        }
        let server = self.registry.as_ref().map(Registry::process);
        let sample = self.call(program)?.time(self.operation.repeats(), server)?;
        self.check(self.operation, program)?;
        if matches!(self.operation, Operation::Copy | Operation::Pull) {
            remove(&destination)?;
        }
        Ok(sample)
    }

    fn check(&self, operation: Operation, program: &Program) -> Result<(), Failure> {
        match (operation, &self.registry) {
            (Operation::Start, _) => Ok(()),
            (Operation::Push | Operation::PushThere, Some(registry)) => {
                registry.check(REPOSITORY, TAG, &self.image.digest)
            }
            _ => self.image.check_in(&self.destination(program)),
        }
    }

    fn call(&self, program: &Program) -> Result<Call, Failure> {
        let call = self.call_of(self.operation, program)?;
        Ok(call.ok_or_else(|| format!("{} cannot {}", program.name, self.operation.name()))?)
    }

    fn call_of(&self, operation: Operation, program: &Program) -> Result<Option<Call>, Failure> {
        let home = self.folder.join("home");
        fs::create_dir_all(&home)?;
        let job = Job {
            operation,
            image: self.image,
            destination: &self.destination(program),
            host: self.registry.as_ref().map_or("", |registry| &registry.host),
            repository: REPOSITORY,
        };
        Ok(program.call(&job, &home))
    }

    /// Each program has a destination of its own, for it may leave something there that only it understands.
    fn destination(&self, program: &Program) -> PathBuf {
        self.folder.join(format!("to-{:?}", program.who).to_lowercase())
    }

    /// A registry that has nothing, and remembers nothing.
    fn empty_registry(&mut self) -> Result<(), Failure> {
        drop(self.registry.take());
        let server = self.server.ok_or("there is no registry to start")?;
        self.registry = Some(Registry::start(server, &self.folder.join("registry"))?);
        Ok(())
    }
}

fn remove(folder: &Path) -> Result<(), Failure> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(())
}
