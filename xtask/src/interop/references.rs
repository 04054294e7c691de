//! References: the answers of our parser against those of Go's, which Docker, podman and skopeo have.

mod generate;

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv6Addr;

use serde_json::Value;

use super::Checked;
use super::tools::{self, Tool};
use crate::Failure;

/// How many texts are made up.
const GENERATED: usize = 20_000;

/// Why an answer of ours may be another one, as the documentation of `Reference` has it. Each has to occur, else it is
/// no difference any more.
const INTENDED: [&str; 4] = [UNDERSCORE, HIGH_PORT, NO_ADDRESS, SHORTENED];
const UNDERSCORE: &str = "a registry with a `_` comes out empty there, and the repository swallows it";
const HIGH_PORT: &str = "a port above 65535 cannot be dialled";
const NO_ADDRESS: &str = "brackets that hold no IPv6 address cannot be dialled";
const SHORTENED: &str = "the short form there reads back as another reference, or as none";

/// The test files of Go's parser: .ci/peers lays them out.
pub(super) fn published() -> Tool {
    let folder = tools::peers().map(|peers| peers.join("references"));
    Tool::thing(
        "references in STEVEDORE_PEERS",
        folder.filter(|folder| folder.is_dir()),
    )
}

/// Asks both about the texts that Go's tests have, and about generated ones.
pub(super) fn check(ours: &Tool, theirs: &Tool, published: &Tool) -> Checked {
    let mut texts = literals(published)?;
    let count = texts.len();
    // Fewer would mean that the files are not read as they are meant to be.
    if count < 300 {
        return Err(format!("only {count} texts are published").into());
    }
    texts.extend(generate::texts(GENERATED));
    let (ours, theirs) = (answers(ours, &texts)?, answers(theirs, &texts)?);
    let (mut intended, mut accepted) = (BTreeMap::new(), 0);
    for ((text, ours), theirs) in texts.iter().zip(&ours).zip(&theirs) {
        accepted += usize::from(!theirs["normalized"].is_null());
        if ours != theirs {
            let reason = reason(ours, theirs)
                .ok_or_else(|| format!("{text:?} is {ours} for us, and {theirs} for Go"))?;
            *intended.entry(reason).or_insert(0) += 1;
        }
    }
    println!(
        "   {count} published and {GENERATED} generated texts, of which Go takes {accepted}; {} answers differ as intended",
        intended.values().sum::<usize>()
    );
    for reason in INTENDED {
        let times = intended
            .get(reason)
            .ok_or_else(|| format!("never seen: {reason}"))?;
        println!("   {times} times: {reason}");
    }
    // Texts that all are refused would compare nothing.
    let share = accepted * 100 / texts.len();
    if !(20..=80).contains(&share) {
        return Err(format!("Go takes {share} of 100 texts").into());
    }
    Ok(())
}

fn answers(parser: &Tool, texts: &[String]) -> Result<Vec<Value>, Failure> {
    let lines: String = texts
        .iter()
        .flat_map(|text| [Value::from(text.as_str()).to_string(), "\n".to_owned()])
        .collect();
    let answers = String::from_utf8(parser.run_with::<&str>(&[], &lines)?)?;
    let answers: Vec<Value> = answers
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    if answers.len() == texts.len() {
        Ok(answers)
    } else {
        Err(format!(
            "{} gave {} answers to {} texts",
            parser.name(),
            answers.len(),
            texts.len()
        )
        .into())
    }
}

/// The reason for a difference, if it is an intended one.
fn reason(ours: &Value, theirs: &Value) -> Option<&'static str> {
    let parts = &theirs["normalized"];
    if !ours["normalized"].is_null() {
        let mut like_theirs = ours.clone();
        like_theirs["normalized"]["familiar"] = parts["familiar"].clone();
        return (like_theirs == *theirs && ours["normalized"]["familiar"] == parts["canonical"])
            .then_some(SHORTENED);
    }
    let registry = parts["registry"].as_str()?;
    if !ours["docker"].is_null() || !ours["any"].is_null() {
        return None;
    }
    if registry.is_empty() {
        return Some(UNDERSCORE);
    }
    let (host, port) = match registry.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (registry, None),
    };
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return Some(HIGH_PORT);
    }
    let address = host.strip_prefix('[')?.strip_suffix(']')?;
    address.parse::<Ipv6Addr>().is_err().then_some(NO_ADDRESS)
}

/// The strings in Go's source, but for those with escapes.
fn literals(published: &Tool) -> Result<Vec<String>, Failure> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(published.path())? {
        let source = fs::read_to_string(entry?.path())?;
        for line in source.lines() {
            // Every second part between quotes is one.
            texts.extend(line.split('"').skip(1).step_by(2).map(str::to_owned));
        }
    }
    texts.retain(|text| !text.contains('\\'));
    texts.sort();
    texts.dedup();
    Ok(texts)
}
