//! `cargo xtask bench copy`: our copies and those of the peers, run by run in turn, beside what the machine allows.
//!
//! docs/bench.md has the rules. What is missing is named as `NOT RUN`; a target that is missed turns nothing red, for
//! a busy machine would.

mod corpus;
mod folder;
mod layer;
mod machine;
mod operation;
mod options;
mod paired;
mod programs;
mod registry;
mod report;
mod stage;
pub(crate) mod timer;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::workspace::Workspace;
use crate::{Failure, cargo};

use corpus::Image;
use folder::Folder;
use machine::{Machine, Medium};
use operation::Operation;
use options::Options;
use programs::Program;
use report::{Entry, Row};
use stage::Stage;

/// What takes part in every row.
struct Field {
    options: Options,
    /// Ours first.
    programs: Vec<Program>,
    registry: Option<PathBuf>,
    machine: Machine,
}

/// How the rows went.
#[derive(Debug, Default)]
struct Outcome {
    rows: Vec<Value>,
    holds: usize,
    missed: usize,
    failed: usize,
    not_run: usize,
}

/// Measures all rows that are asked for, prints a table for each, and gives whether all programs ran through.
pub(crate) fn run(arguments: &[&str]) -> Result<bool, Failure> {
    if arguments.contains(&"--help") {
        println!("{}", options::USAGE);
        return Ok(true);
    }
    let options = Options::parse(arguments, std::env::var("RUNS").ok().as_deref())?;
    let root = Workspace::load()?.root;
    let target = cargo::target_dir(&root)?;
    let build = [
        "build",
        "--quiet",
        "--locked",
        "--release",
        "-p",
        "stevedore-cli",
        "--bins",
    ];
    if !cargo::succeeds(&root, &build)? {
        return Err("what is to be measured cannot be built".into());
    }
    let images = images(&options, &target)?;
    let field = Field {
        options,
        programs: Program::all(target.join("release/stevedore")),
        registry: programs::registry(),
        machine: Machine::measure()?,
    };
    let mut outcome = Outcome::default();
    for missing in field.programs.iter().filter_map(Program::missing) {
        outcome.not_run += 1;
        println!("NOT RUN {missing}");
    }
    match &field.registry {
        Some(registry) => println!("registry: docker-registry {}", programs::version_of(registry)?),
        None => println!("no docker-registry in STEVEDORE_PEERS or on PATH"),
    }
    println!(
        "{} cores; {}",
        std::thread::available_parallelism()?,
        field.machine
    );
    let mut media = Vec::new();
    for (index, dir) in field.options.dirs.iter().enumerate() {
        let folder = Folder::make(dir.join(format!("stevedore-bench-{}", std::process::id())))?;
        let medium = Medium::measure(folder.path())?;
        let medium = Medium {
            dir: dir.clone(),
            ..medium
        };
        println!("{medium}");
        if index == 0 && field.options.wants(Operation::Start, "") {
            let nothing = Image::default();
            row(
                &field,
                Operation::Start,
                &nothing,
                &medium,
                folder.path(),
                &mut outcome,
            )?;
        }
        for image in &images {
            rows_of(&field, image, &medium, folder.path(), &mut outcome)?;
        }
        media.push(medium);
    }
    if let Some(file) = &field.options.json {
        std::fs::write(file, format!("{:#}\n", all(&field.machine, &media, &outcome)))?;
    }
    println!(
        "\n{} targets hold, {} are missed; {} failed, {} not run",
        outcome.holds, outcome.missed, outcome.failed, outcome.not_run
    );
    Ok(outcome.failed == 0)
}

/// Those that a row was asked for of.
fn images(options: &Options, target: &Path) -> Result<Vec<Image>, Failure> {
    let found = options.corpus.as_deref().map(corpus::found_in).transpose()?;
    let plans = corpus::plans();
    let names: Vec<&str> = match &found {
        Some(found) => found.iter().map(|image| image.name.as_str()).collect(),
        None => plans.iter().map(|(name, _)| *name).collect(),
    };
    options.check(&names)?;
    let wanted = |name: &str| {
        let mut moving = Operation::ALL.iter().filter(|operation| operation.moves_image());
        moving.any(|operation| options.wants(*operation, name))
    };
    match found {
        Some(found) => Ok(found.into_iter().filter(|image| wanted(&image.name)).collect()),
        None => plans
            .iter()
            .filter(|(name, _)| wanted(name))
            .map(|(name, layers)| corpus::made_in(target, name, layers))
            .collect(),
    }
}

/// All rows of an image on a medium, to which it is copied before.
fn rows_of(
    field: &Field,
    image: &Image,
    medium: &Medium,
    folder: &Path,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    let asked =
        |operation: &Operation| operation.moves_image() && field.options.wants(*operation, &image.name);
    let operations: Vec<Operation> = Operation::ALL.into_iter().filter(asked).collect();
    if operations.is_empty() {
        return Ok(());
    }
    let own = folder.join(&image.name);
    std::fs::create_dir(&own)?;
    let image = image.copied_to(&own.join("from"))?;
    for operation in operations {
        let folder = own.join(operation.name());
        std::fs::create_dir(&folder)?;
        row(field, operation, &image, medium, &folder, outcome)?;
        std::fs::remove_dir_all(&folder)?;
    }
    Ok(std::fs::remove_dir_all(&own)?)
}

fn row(
    field: &Field,
    operation: Operation,
    image: &Image,
    medium: &Medium,
    folder: &Path,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    if operation.needs_registry() && field.registry.is_none() {
        outcome.not_run += 1;
        println!(
            "NOT RUN {}/{} on {}: needs docker-registry",
            operation.name(),
            image.name,
            medium.dir.display()
        );
        return Ok(());
    }
    let mut stage = Stage::set(
        operation,
        image,
        folder,
        field.registry.as_deref(),
        &field.programs[0],
    )?;
    let mut players = Vec::new();
    for program in &field.programs {
        // Without a disk to wait for, and without anything written, it would be ours twice.
        let twice = program.who == programs::Who::Unsynced
            && (medium.is_memory() || program.who.leaves_out(operation).is_empty());
        if !twice && stage.plays(program)? {
            players.push(program);
        }
    }
    let all = paired::measure(players.len(), field.options.runs, |index| {
        stage.run(players[index])
    });
    drop(stage);
    let entries = players.iter().zip(all).map(|(program, series)| Entry {
        who: program.who,
        name: program.name.clone(),
        series,
    });
    let row = Row {
        operation,
        image: image.name.clone(),
        size: image.size,
        medium: medium.dir.display().to_string(),
        limit: operation.limit(image.size, &field.machine, medium),
        entries: entries.collect(),
    };
    println!("\n{row}");
    let targets = row.targets();
    outcome.failed += row.entries.iter().filter(|entry| !entry.counts()).count();
    outcome.holds += targets.iter().filter(|target| target.holds).count();
    outcome.missed += targets.iter().filter(|target| !target.holds).count();
    outcome.rows.push(row.json());
    Ok(())
}

fn all(machine: &Machine, media: &[Medium], outcome: &Outcome) -> Value {
    let media = media.iter().map(|medium| {
        json!({
            "dir": medium.dir, "kind": medium.kind, "read": medium.read, "write": medium.write,
            "receive": medium.receive, "create": medium.create, "sync": medium.sync, "sync_wall": medium.sync_wall
        })
    });
    json!({
        "machine": {"hash": machine.hash, "hasher": machine.hasher, "send": machine.send,
            "exchange": machine.exchange, "start": machine.start},
        "media": media.collect::<Vec<_>>(),
        "rows": outcome.rows,
    })
}

/// A count as a real number.
#[allow(
    clippy::cast_precision_loss,
    reason = "what is counted here are bytes, ticks and files: below 2^53"
)]
fn real(count: u64) -> f64 {
    count as f64
}
