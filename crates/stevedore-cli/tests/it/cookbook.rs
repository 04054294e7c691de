//! Every block of the cookbook runs, and prints what it says.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use stevedore_fault_server::Profile;

use crate::registry::Registry;
use crate::stevedore::{PROGRAM, World, entries};

/// What stands between the output of two commands.
const MARK: &str = "--8<--";

/// A command and the lines that it is said to print.
struct Step {
    command: String,
    output: Vec<String>,
}

#[test]
fn every_block_runs_and_prints_what_it_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = fs::read_to_string(root.join("docs/cookbook.md")).expect("the cookbook");
    let world = World::new();
    copy_tree(&root.join("examples/hello"), &world.path("hello"));
    let blocks = blocks(&text);
    assert!(blocks.len() > 10, "only {} blocks were found", blocks.len());
    let mut profile = Profile::spec().with_tokens();
    profile.users = vec![("me".to_owned(), "secret".to_owned())];
    let registry = Registry::start(profile);
    for (line, block) in blocks {
        let steps = steps(&block);
        assert!(!steps.is_empty(), "line {line}: a block without a command");
        run(&world, &registry.host(), line, &steps);
    }
}

/// Each block of `console` with the line on which it begins.
fn blocks(text: &str) -> Vec<(usize, Vec<&str>)> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, Vec<&str>)> = None;
    for (number, line) in text.lines().enumerate() {
        match &mut open {
            None if line.starts_with("```console") => open = Some((number + 1, Vec::new())),
            None => {}
            Some(_) if line.starts_with("```") => blocks.extend(open.take()),
            Some((_, block)) => block.push(line),
        }
    }
    assert!(open.is_none(), "the last block is not closed");
    blocks
}

fn steps(block: &[&str]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in block {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step {
                command: command.to_owned(),
                output: Vec::new(),
            });
            continue;
        }
        let step = steps.last_mut().expect("a block begins with a command");
        if step.output.is_empty() && step.command.ends_with('\\') {
            step.command.push('\n');
            step.command.push_str(line);
        } else {
            step.output.push((*line).to_owned());
        }
    }
    steps
}

/// Runs the commands of a block in one shell, which ends at the first that fails.
fn run(world: &World, registry: &str, line: usize, steps: &[Step]) {
    let commands: Vec<&str> = steps.iter().map(|step| step.command.as_str()).collect();
    let mark = format!("\necho '{MARK}'\n");
    let script = commands.join(&mark) + &mark;
    let path = Path::new(PROGRAM).parent().expect("a directory");
    let output = Command::new("sh")
        .args(["-e", "-c", &format!("exec 2>&1\n{script}")])
        .current_dir(world.path(""))
        .env_clear()
        .env("HOME", world.path("home"))
        .env("REGISTRY", registry)
        .env("CONTAINERS_REGISTRIES_CONF", "/dev/null")
        .env("PATH", format!("{}:/usr/bin:/bin", path.display()))
        .stdin(Stdio::null())
        .output()
        .expect("a shell");
    let shown = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success(), "line {line}: {}\n{shown}", output.status);
    // A result may end without a line's end; the mark then stands behind it.
    let parts: Vec<&str> = shown.split(&format!("{MARK}\n")).collect();
    assert_eq!(parts.len(), steps.len() + 1, "line {line}:\n{shown}");
    for (step, part) in steps.iter().zip(parts) {
        let lines: Vec<&str> = part.lines().collect();
        assert!(
            step.output.is_empty() || fits(&step.output, &lines),
            "line {line}: `{}` printed\n{part}\nand not\n{}",
            step.command,
            step.output.join("\n")
        );
    }
}

/// Whether lines are as they were shown; a line of `...` stands for any number of them, and at the end of one for any
/// rest.
fn fits(shown: &[String], lines: &[&str]) -> bool {
    match shown.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first == "..." => {
            (0..=lines.len()).any(|skipped| fits(rest, &lines[skipped..]))
        }
        Some((first, rest)) => lines
            .split_first()
            .is_some_and(|(line, lines)| fits_line(first, line) && fits(rest, lines)),
    }
}

fn fits_line(shown: &str, line: &str) -> bool {
    match shown.strip_suffix("...") {
        Some(beginning) => line.starts_with(beginning),
        None => line == shown,
    }
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for path in entries(from) {
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy_tree(&path, &target);
        } else {
            fs::copy(&path, target).expect("a file");
        }
    }
}
