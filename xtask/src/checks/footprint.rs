//! How many crates the core brings along.

use std::collections::BTreeSet;

use crate::finding::Finding;
use crate::workspace::Package;

const CHECK: &str = "footprint";

/// The crate that everybody's program depends on.
pub(crate) const CORE: &str = "stevedore-core";

/// The core's tree, itself included, stays below this: a library that others build on is judged by its tree.
const LIMIT: usize = 40;

/// Counts the packages in the output of `cargo tree --prefix none`.
pub(crate) fn check(core: &Package, tree: &str) -> Option<Finding> {
    // A line is `name vVERSION`, then perhaps a path, `(proc-macro)` or the `(*)` of a repeat.
    let crates: BTreeSet<Vec<&str>> = tree
        .lines()
        .map(|line| line.split_whitespace().take(2).collect())
        .filter(|words: &Vec<&str>| !words.is_empty())
        .collect();
    if (1..LIMIT).contains(&crates.len()) {
        return None;
    }
    let names: Vec<String> = crates.iter().map(|words| words.join(" ")).collect();
    let message = format!(
        "its tree has {} crates, not between 1 and {}: {}",
        crates.len(),
        LIMIT - 1,
        names.join(", ")
    );
    Some(Finding::error(
        CHECK,
        &core.manifest,
        core.line_of("[dependencies]"),
        message,
    ))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::workspace::tests::package;

    fn tree(crates: usize) -> String {
        let mut tree = String::from("stevedore-core v0.1.0 (/somewhere)\n");
        for number in 1..crates {
            writeln!(
                tree,
                "c{number} v1.0.0 (proc-macro)\nc{number} v1.0.0 (proc-macro) (*)"
            )
            .unwrap();
        }
        tree
    }

    #[test]
    fn counts_each_crate_once() {
        assert_eq!(check(&package(CORE, &[]), &tree(LIMIT - 1)), None);
    }

    #[test]
    fn refuses_the_fortieth_crate() {
        let finding = check(&package(CORE, &[]), &tree(LIMIT)).unwrap();
        assert!(
            finding.message.starts_with("its tree has 40 crates"),
            "{}",
            finding.message
        );
    }

    #[test]
    fn tells_two_versions_apart() {
        let two = tree(LIMIT - 1) + "c1 v2.0.0\n";
        assert!(check(&package(CORE, &[]), &two).is_some());
    }

    #[test]
    fn is_not_green_over_an_empty_tree() {
        assert!(check(&package(CORE, &[]), "").is_some());
    }
}
